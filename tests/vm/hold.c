/* SPDX-License-Identifier: MIT */
/* hold PID NAME: stops the thread of this name, and it alone, at its work, as if it hung, until the process
 * is gone. */
#include <dirent.h>
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
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

/* An idle one is in futex(2). */
static bool is_idle(const char *process, int thread)
{
    char path[512];
    long call = -1;
    snprintf(path, sizeof(path), "/proc/%s/task/%d/syscall", process, thread);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%ld", &call) != 1)
        call = -1;
    if (file)
        fclose(file);
    return call == SYS_futex;
}

static void hold(const char *process, int thread)
{
    int status;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL))
        err(71, "thread %d", thread);
    do {
        ptrace(PTRACE_CONT, thread, NULL, NULL); /* where it is stopped already */
        usleep(1000);
        if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) || waitpid(thread, &status, __WALL) != thread)
            err(71, "thread %d", thread);
    } while (is_idle(process, thread));
}

int main(int argc, char **argv)
{
    int thread = argc == 3 ? thread_named(argv[1], argv[2]) : 0, status;
    if (!thread)
        errx(64, "usage: hold PID NAME, of a thread that there is");
    hold(argv[1], thread);
    printf("thread %d is held\n", thread);
    fflush(stdout);
    /* Whatever it is stopped by, it is not let go. */
    while (waitpid(thread, &status, __WALL) == thread && !WIFEXITED(status) && !WIFSIGNALED(status))
        ;
    return 0;
}
