/* SPDX-License-Identifier: MIT */
/* In libgomp's place, for what engine/team.c runs steps with: a team of threads that ThreadSanitizer knows.
 */
#include <pthread.h>
#include <stdlib.h>

enum { THREADS_MAX = 64 };

struct member {
    pthread_t thread;
    void (*run)(void *data);
    void *data;
    int number, count;
};

static __thread const struct member *self;

static void *be_member(void *user)
{
    self = user;
    self->run(self->data);
    self = NULL;
    return NULL;
}

void GOMP_parallel(void (*run)(void *), void *data, unsigned count, unsigned flags);
void GOMP_parallel(void (*run)(void *), void *data, unsigned count, unsigned flags)
{
    struct member members[THREADS_MAX];
    if (count < 1 || count > THREADS_MAX)
        abort();
    for (unsigned i = 0; i < count; i++)
        members[i] = (struct member){.run = run, .data = data, .number = (int)i, .count = (int)count};
    for (unsigned i = 1; i < count; i++)
        if (pthread_create(&members[i].thread, NULL, be_member, &members[i]))
            abort();
    be_member(&members[0]);
    for (unsigned i = 1; i < count; i++)
        pthread_join(members[i].thread, NULL);
}

int omp_get_thread_num(void);
int omp_get_thread_num(void)
{
    return self ? self->number : 0;
}

int omp_get_num_threads(void);
int omp_get_num_threads(void)
{
    return self ? self->count : 1;
}
