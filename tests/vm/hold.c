/* SPDX-License-Identifier: MIT */
/* hold PID NAME LIBRARY: stops the thread of this name, and it alone, in the code of this library, as if it
 * hung there, until the process is gone. Elsewhere it could have a lock that others wait for. */
#include <dirent.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int thread_named(const char *process, const char *wanted)
{
    char path[512], name[32];
    int found = 0;
    snprintf(path, sizeof(path), "/proc/%s/task", process);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && !found && (entry = readdir(tasks));) {
        snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", process, entry->d_name);
        FILE *comm = fopen(path, "r");
        if (!comm)
            continue;
        if (fgets(name, sizeof(name), comm) && !strncmp(name, wanted, strlen(wanted)))
            found = atoi(entry->d_name);
        fclose(comm);
    }
    if (tasks)
        closedir(tasks);
    return found;
}

/* Where its next instruction is; 0: unknown. */
static unsigned long place_of(const char *process, int thread)
{
    char path[512], text[256] = "";
    snprintf(path, sizeof(path), "/proc/%s/task/%d/syscall", process, thread);
    FILE *file = fopen(path, "r");
    char *last = file && fgets(text, sizeof(text), file) ? strrchr(text, ' ') : NULL;
    if (file)
        fclose(file);
    return last ? strtoul(last, NULL, 16) : 0;
}

static bool is_in(const char *process, int thread, const char *library)
{
    unsigned long place = place_of(process, thread), start, end;
    char path[512], line[512];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%s/maps", process);
    FILE *maps = fopen(path, "r");
    while (maps && !found && fgets(line, sizeof(line), maps))
        found = sscanf(line, "%lx-%lx", &start, &end) == 2 && place >= start && place < end &&
                strstr(line, library);
    if (maps)
        fclose(maps);
    return found;
}

static void hold(const char *process, int thread, const char *library)
{
    int status;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL))
        err(71, "thread %d", thread);
    do {
        ptrace(PTRACE_CONT, thread, NULL, NULL); /* where it is stopped already */
        usleep(1000);
        if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) || waitpid(thread, &status, __WALL) != thread)
            err(71, "thread %d", thread);
    } while (!is_in(process, thread, library));
}

int main(int argc, char **argv)
{
    int thread = argc == 4 ? thread_named(argv[1], argv[2]) : 0, status;
    if (!thread)
        errx(64, "usage: hold PID NAME LIBRARY, of a thread that there is");
    hold(argv[1], thread, argv[3]);
    printf("thread %d is held\n", thread);
    fflush(stdout);
    /* Whatever it is stopped by, it is not let go. */
    while (waitpid(thread, &status, __WALL) == thread && !WIFEXITED(status) && !WIFSIGNALED(status))
        ;
    return 0;
}
