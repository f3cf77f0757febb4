/* SPDX-License-Identifier: MIT */
/*
 * Resizes 8-bit RGB with a triangle filter that widens when it shrinks (bilinear with area support), first
 * along rows, then along columns, in fixed point with 22 fraction bits: what Pillow's resize(BILINEAR) and so
 * torchvision's Resize give, bit for bit.
 */
#ifndef PIPIT_ENGINE_TASKS_RESAMPLE_H
#define PIPIT_ENGINE_TASKS_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct resampler; /* tables for one pair of sizes */

struct resample_size {
    int in[2];    /* width, height of the picture */
    int whole[2]; /* to which all of it is resized */
    int from[2];  /* the part of that which is wanted: left, top */
    int out[2];   /* and its width, height */
};

struct resampler *resampler_create(const struct resample_size *size); /* NULL: out of memory */
void resampler_destroy(struct resampler *resampler);                  /* takes NULL */
const struct resample_size *resampler_size(const struct resampler *resampler);
/* out: rows of out[0] * 3 bytes without gaps */
void resampler_run(struct resampler *resampler, const uint8_t *in, ptrdiff_t stride, uint8_t *out);

#endif
