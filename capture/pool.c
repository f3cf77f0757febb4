/* SPDX-License-Identifier: MIT */
#include "capture/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    struct frame frame; /* first: release() finds the slot by it */
    struct pool *pool;
    bool out;
};

struct pool {
    const struct pool_kind *kind;
    void *owner;
    pthread_mutex_t lock;
    bool closed;
    int count, left; /* frames; those not gone yet */
    struct slot slot[];
};

static void free_slot(struct pool *pool, int index)
{
    struct frame *frame = &pool->slot[index].frame;
    if (frame->drop)
        frame->drop(frame->screen);
    if (pool->kind->free_frame)
        pool->kind->free_frame(pool->owner, index);
}

static void free_pool(struct pool *pool)
{
    if (pool->kind->free_owner)
        pool->kind->free_owner(pool->owner);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static void on_release(struct frame *frame)
{
    struct slot *slot = (struct slot *)frame;
    struct pool *pool = slot->pool;
    int index = (int)(slot - pool->slot);
    pthread_mutex_lock(&pool->lock);
    bool closed = pool->closed;
    slot->out = false;
    if (!closed && pool->kind->back)
        pool->kind->back(pool->owner, index);
    if (closed)
        free_slot(pool, index);
    bool last = closed && --pool->left == 0;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        free_pool(pool);
}

struct pool *pool_create(const struct pool_kind *kind, void *owner, int count)
{
    struct pool *pool = calloc(1, sizeof(*pool) + (size_t)count * sizeof(pool->slot[0]));
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->kind = kind;
    pool->owner = owner;
    pool->count = pool->left = count;
    for (int i = 0; i < count; i++) {
        struct frame *frame = &pool->slot[i].frame;
        pool->slot[i].pool = pool;
        frame->release = on_release;
        for (int p = 0; p < FRAME_PLANES_MAX; p++)
            frame->dmabuf[p] = -1;
    }
    return pool;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pool->left++; /* this call's own share */
    for (int i = 0; i < pool->count; i++)
        if (!pool->slot[i].out) {
            free_slot(pool, i);
            pool->left--;
        }
    bool last = --pool->left == 0;
    pthread_mutex_unlock(&pool->lock);
    if (last)
        free_pool(pool);
}

struct frame *pool_frame(struct pool *pool, int index)
{
    return &pool->slot[index].frame;
}

void pool_show(struct frame *frame, const struct frame *picture)
{
    frame->format = picture->format;
    frame->width = picture->width;
    frame->height = picture->height;
    frame->planes = picture->planes;
    frame->matrix = picture->matrix;
    frame->full_range = picture->full_range;
    memcpy(frame->data, picture->data, sizeof(frame->data));
    memcpy(frame->stride, picture->stride, sizeof(frame->stride));
}

struct frame *pool_take(struct pool *pool, int index)
{
    struct frame *frame = NULL;
    pthread_mutex_lock(&pool->lock);
    if (!pool->slot[index].out) {
        pool->slot[index].out = true;
        frame = &pool->slot[index].frame;
        atomic_store_explicit(&frame->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&pool->lock);
    return frame;
}

int pool_find(struct pool *pool)
{
    int found = -1;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->count && found < 0; i++)
        if (!pool->slot[i].out)
            found = i;
    pthread_mutex_unlock(&pool->lock);
    return found;
}

int pool_left(struct pool *pool)
{
    int left = 0;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->count; i++)
        left += !pool->slot[i].out;
    pthread_mutex_unlock(&pool->lock);
    return left;
}
