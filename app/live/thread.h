/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_APP_LIVE_THREAD_H
#define PIPIT_APP_LIVE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts a thread that takes no signals, which are the event loop's, and no processor from the loop when it
 * wakes (SCHED_BATCH, where it is allowed; threads that it starts are so too). 0 or a negative errno. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *user), void *user);
/* Waits for its end, at most so long. False: it goes on. */
bool thread_join(pthread_t thread, double patience_s);
uint64_t thread_cpu_ns(pthread_t thread);

/* An eventfd that wakes the loop; -errno. Ringing it again before it is heard is one ring. */
int bell_create(void);
void bell_ring(int fd);
void bell_hush(int fd);

#endif
