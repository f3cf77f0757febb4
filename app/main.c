/* SPDX-License-Identifier: MIT */
#include "app/command.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
    &command_classify, &command_detect, &command_infer,   &command_info,   &command_bench,
    &command_quantize, &command_models, &command_devices, &command_doctor,
#ifdef PIPIT_LIVE
    &command_run,
#endif
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static int help(void)
{
    printf("usage: pipit COMMAND [OPTION]... [ARGUMENT]...\n\n"
           "Names what is in a picture with MobileNet-class networks, on the CPU, offline.\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf(
        "\n'pipit COMMAND --help' tells more; pipit(1) is the manual.\n"
        "Exit status: 0 success, 64 wrong usage, 65 bad data, 66 no such file, 69 not available, 70 and up\n"
        "other failures (sysexits.h). With several files it is that of the first failure.\n");
    return finish_output(EX_OK);
}

static int version(void)
{
    char cpu[128];
    pipit_cpu_format(pipit_cpu_flags(), cpu, sizeof(cpu));
    printf("pipit %s (cpu: %s)\n", pipit_version(), cpu);
    return finish_output(EX_OK);
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[COMMANDS + 1] = {0};
    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    const char *meant = nearest_name(name, names);
    if (meant)
        log_error("there is no command '%s'; did you mean '%s'?", name, meant);
    else
        log_error("there is no command '%s'; 'pipit --help' lists them", name);
    return EX_USAGE;
}

/* libgomp reads its settings when it is loaded, so they must be in the environment before: threads that are
 * done with a frame sleep instead of spinning until the next. By the program's own path, because emulators
 * answer for /proc/self/exe in readlink() only; where it cannot be started again they spin for some
 * milliseconds. */
static void start_quiet(char **argv)
{
    char program[PATH_MAX];
    if (getenv("OMP_WAIT_POLICY") || setenv("OMP_WAIT_POLICY", "passive", 1))
        return;
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length > 0) {
        program[length] = 0;
        execv(program, argv);
    }
}

/* A closed standard stream's number would be given to the next file that is opened, and what is meant for
 * people would be written into it. Opened the wrong way round, reading and writing fail as they should. */
static void hold_standard_streams(void)
{
    static const int ways[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) < 0 && open("/dev/null", ways[i]) < 0)
            return;
}

/* libcamera tells its version on standard error to people who did not ask, and 0.4 complains where there is
 * no dma-buf heap even if no camera needs one; its other errors stay. */
static void quieten_libraries(void)
{
    setenv("LIBCAMERA_LOG_LEVELS", "DmaBufAllocator:FATAL,*:ERROR", 0);
}

int main(int argc, char **argv)
{
    hold_standard_streams();
    quieten_libraries();
    if (argc < 2) {
        log_error("say what to do; 'pipit --help' lists the commands");
        return EX_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help();
    if (!strcmp(argv[1], "--version"))
        return version();
    const struct command *command = find(argv[1]);
    if (!command)
        return unknown(argv[1]);
    start_quiet(argv);
    if (command->main)
        return finish_output(command->main(argc - 1, argv + 1));
    struct options options;
    int status = options_parse(&options, command, argc - 1, argv + 1);
    return finish_output(status >= 0 ? status : command->run(&options));
}
