/* SPDX-License-Identifier: MIT */
#include "display/kms/kms.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds(const char *pid, const char *path)
{
    char folder[300], target[256], link[600];
    snprintf(folder, sizeof(folder), "/proc/%s/fd", pid);
    DIR *open_files = opendir(folder);
    bool found = false;
    for (struct dirent *file; open_files && !found && (file = readdir(open_files));) {
        snprintf(link, sizeof(link), "%s/%s", folder, file->d_name);
        ssize_t length = readlink(link, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = 0;
        found = !strcmp(target, path);
    }
    if (open_files)
        closedir(open_files);
    return found;
}

static void name_of(const char *pid, char *name, size_t size)
{
    char path[300];
    snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(name, (int)size, file))
        snprintf(name, size, "a program");
    name[strcspn(name, "\n")] = 0;
    if (file)
        fclose(file);
}

void kms_holder(const char *path, char *text, size_t size)
{
    char name[32], real[256];
    size_t used = 0;
    if (!realpath(path, real))
        snprintf(real, sizeof(real), "%s", path);
    DIR *processes = opendir("/proc");
    text[0] = 0;
    for (struct dirent *process; processes && (process = readdir(processes));) {
        long pid = strtol(process->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || !holds(process->d_name, real))
            continue;
        name_of(process->d_name, name, sizeof(name));
        int added = snprintf(text + used, size - used, "%s%s (pid %ld)", used ? ", " : "", name, pid);
        used += added > 0 && (size_t)added < size - used ? (size_t)added : 0;
    }
    text[used] = 0; /* drops a name that was cut off */
    if (processes)
        closedir(processes);
    if (!used)
        snprintf(text, size, "another program (root sees which)");
}
