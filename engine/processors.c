/* SPDX-License-Identifier: MIT */
#include "engine/processors.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* 0: there is none. */
static long read_number(const char *folder, int cpu, const char *name)
{
    char path[512], text[32], *end;
    if (snprintf(path, sizeof(path), "%s/cpu%d/%s", folder, cpu, name) >= (int)sizeof(path))
        return 0;
    FILE *file = fopen(path, "re");
    bool read = file && fgets(text, sizeof(text), file);
    if (file)
        fclose(file);
    long value = read ? strtol(text, &end, 10) : 0;
    return value > 0 && value < LONG_MAX && (*end == '\n' || !*end) ? value : 0;
}

static bool differ(const char *folder, const cpu_set_t *of, const char *name)
{
    long least = LONG_MAX, most = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && least > 0; cpu++) {
        if (!CPU_ISSET(cpu, of))
            continue;
        long value = read_number(folder, cpu, name);
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    return least > 0 && most - least > least / 8;
}

bool processors_unlike(const char *folder, const cpu_set_t *of)
{
    return differ(folder, of, "cpu_capacity") || differ(folder, of, "cpufreq/cpuinfo_max_freq");
}

bool processors_unlike_here(void)
{
    cpu_set_t mine;
    return !sched_getaffinity(0, sizeof(mine), &mine) && processors_unlike(PROCESSORS_FOLDER, &mine);
}

void processors_begin_on(int first, int n)
{
    cpu_set_t mine, one;
    if (sched_getaffinity(0, sizeof(mine), &mine) || n >= CPU_COUNT(&mine))
        return;
    CPU_ZERO(&one);
    int cpu = first < 0 ? 0 : first;
    for (; n > 0; n -= CPU_ISSET(cpu, &mine))
        cpu = (cpu + 1) % CPU_SETSIZE;
    CPU_SET(cpu, &one);
    if (!sched_setaffinity(0, sizeof(one), &one))
        sched_setaffinity(0, sizeof(mine), &mine);
}
