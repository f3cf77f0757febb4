/* SPDX-License-Identifier: MIT */
/* How the C references and the instruction sets put themselves into the table. */
#ifndef PIPIT_ENGINE_KERNELS_C_H
#define PIPIT_ENGINE_KERNELS_C_H

#include "engine/kernels/kernels.h"

void kernels_init_conv_c(struct kernels *kernels);
void kernels_init_depthwise_c(struct kernels *kernels);
void kernels_init_elementwise_c(struct kernels *kernels);

/* Called only when the CPU has it and the mask allows it. */
void kernels_init_avx2(struct kernels *kernels);
void kernels_init_neon(struct kernels *kernels);
void kernels_init_dotprod(struct kernels *kernels);

/* References that faster kernels call for what they leave out: ends of rows, depthwise multipliers above 1.
 */
void depthwise_run_f32_c(const struct depthwise *d, const void *const *in, int rows, void *out,
                         size_t out_stride);
void depthwise_run_i8_c(const struct depthwise *d, const void *const *in, int rows, void *out,
                        size_t out_stride);
void depthwise_pack_i8_c(const struct depthwise *d, const struct conv_weights *weights, void *packed);
size_t depthwise_packed_bytes_i8_c(const struct depthwise *d);
void add_i8_c(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
              const struct add_i8 *add);
void mul_i8_c(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
              const struct mul_i8 *mul);
void hard_swish_f32_c(float *out, const float *in, int n);

static inline size_t align64(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static inline int32_t clamp_i32(int32_t value, int32_t min, int32_t max)
{
    return value < min ? min : value > max ? max : value;
}

#endif
