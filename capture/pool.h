/* SPDX-License-Identifier: MIT */
/*
 * A fixed number of frames that come back by their last unref, in whichever thread that is. Each is free, or
 * out with someone. When the pool is closed, free frames go at once and the others by their last unref.
 */
#ifndef PIPIT_CAPTURE_POOL_H
#define PIPIT_CAPTURE_POOL_H

#include "base/frame.h"

struct pool;

struct pool_kind {
    /* A frame came back to an open pool; called while the pool is locked. NULL: nothing to do. */
    void (*back)(void *owner, int index);
    void (*free_frame)(void *owner, int index); /* its memory goes; NULL: it has none of its own */
    void (*free_owner)(void *owner); /* the pool is closed and all frames are gone; NULL: no owner */
};

/* NULL: out of memory, and the owner stays the caller's; else it goes with the pool. */
struct pool *pool_create(const struct pool_kind *kind, void *owner, int count);
void pool_close(struct pool *pool); /* takes NULL; back() is not called any more once it returns */

/* To fill in while it is free. */
struct frame *pool_frame(struct pool *pool, int index);
/* Gives it the format, size, planes, pixels and colours of a picture, which stays the caller's. */
void pool_show(struct frame *frame, const struct frame *picture);
/* The frame with one reference; NULL: it is out. */
struct frame *pool_take(struct pool *pool, int index);
int pool_find(struct pool *pool); /* a free frame; -1: all are out */
int pool_left(struct pool *pool); /* how many are free */

#endif
