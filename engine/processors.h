/* SPDX-License-Identifier: MIT */
/* What Linux says of the processors' speed. */
#ifndef PIPIT_ENGINE_PROCESSORS_H
#define PIPIT_ENGINE_PROCESSORS_H

#include <sched.h>
#include <stdbool.h>

#define PROCESSORS_FOLDER "/sys/devices/system/cpu"

/* Whether the fastest of these is more than an eighth faster than the slowest, by what the kernel's scheduler
 * takes them for (cpuN/cpu_capacity: arm64 and riscv with a device tree or ACPI tables), else by their
 * highest frequency (cpuN/cpufreq/cpuinfo_max_freq). What is not said of all of them, or is no number, says
 * nothing. Processors of one kind differ by a few percent, as some are allowed a higher clock. */
bool processors_unlike(const char *folder, const cpu_set_t *of);
/* Of those that the calling thread may run on. */
bool processors_unlike_here(void);

/* Puts the calling thread onto the n-th processor behind `first`, of those that it may run on, in a circle.
 * From there it goes where the system likes. */
void processors_begin_on(int first, int n);

#endif
