/* SPDX-License-Identifier: MIT */
/* How the C references and the instruction sets put themselves into the table. */
#ifndef PIPIT_ENGINE_KERNELS_C_H
#define PIPIT_ENGINE_KERNELS_C_H

#include "engine/kernels/kernels.h"

void kernels_init_conv_c(struct kernels *kernels);
void kernels_init_depthwise_c(struct kernels *kernels);
void kernels_init_elementwise_c(struct kernels *kernels);
void kernels_init_float16_c(struct kernels *kernels);
void kernels_init_probe_c(struct kernels *kernels);

/* Called only when the CPU has it and the mask allows it. */
void kernels_init_avx2(struct kernels *kernels);
void kernels_init_avx512(struct kernels *kernels);
void kernels_init_vnni(struct kernels *kernels);
void kernels_init_neon(struct kernels *kernels);
void kernels_init_dotprod(struct kernels *kernels);
void kernels_init_fp16(struct kernels *kernels);
void kernels_init_bf16(struct kernels *kernels);

/* References that faster kernels call for what they leave out: ends of rows, depthwise multipliers above 1.
 */
void depthwise_run_f32_c(const struct depthwise *d, const struct depthwise_tile *tile);
void depthwise_run_i8_c(const struct depthwise *d, const struct depthwise_tile *tile);
void depthwise_pack_f32_c(const struct depthwise *d, const struct conv_weights *weights, void *packed);
size_t depthwise_packed_bytes_f32_c(const struct depthwise *d);
void depthwise_pack_i8_c(const struct depthwise *d, const struct conv_weights *weights, void *packed);
size_t depthwise_packed_bytes_i8_c(const struct depthwise *d);
void add_i8_c(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
              const struct add_i8 *add);
void mul_i8_c(int8_t *out, const int8_t *a, int step_a, const int8_t *b, int step_b, int n,
              const struct mul_i8 *mul);
void scale_i8_c(int8_t *out, const int8_t *in, const int8_t *scale, int n, int rows, size_t step,
                const struct mul_i8 *mul);
void scale_f32_c(float *out, const float *in, const float *scale, int n, int rows, size_t step);
void hard_swish_f32_c(float *out, const float *in, int n);
void accumulate_f32_c(float *sum, const float *in, int n, int rows, size_t step);
void accumulate_i8_c(int32_t *sum, const int8_t *in, int n, int rows, size_t step);
void depthwise_run_f16_c(const struct depthwise *d, const struct depthwise_tile *tile);
void depthwise_pack_f16_c(const struct depthwise *d, const struct conv_weights *weights, void *packed);
size_t depthwise_packed_bytes_f16_c(const struct depthwise *d);
void scale_f16_c(uint16_t *out, const uint16_t *in, const uint16_t *scale, int n, int rows, size_t step);
void clamp_f16_c(uint16_t *out, const uint16_t *in, int n, float min, float max);
void hard_swish_f16_c(uint16_t *out, const uint16_t *in, int n);
void hard_sigmoid_f16_c(uint16_t *out, const uint16_t *in, int n);
void accumulate_f16_c(float *sum, const uint16_t *in, int n, int rows, size_t step);
void f16_from_f32_c(uint16_t *out, const float *in, int n);
void f32_from_f16_c(float *out, const uint16_t *in, int n);

/* Input of tap t (counted row by row) for an output column; bytes. */
static inline const void *depthwise_input(const struct depthwise *d, const struct depthwise_tile *tile,
                                          int row, int column, int t, size_t element)
{
    int ky = t / d->size[1], kx = t % d->size[1];
    const char *from = tile->in[row * d->stride[0] + ky * d->dilation[0]];
    return from + (size_t)(column * d->stride[1] + kx * d->dilation[1]) * (size_t)d->channels * element;
}

static inline float activate_f32(float x, float min, float max, bool hard_swish)
{
    if (hard_swish)
        return x * (x < -3 ? 0 : x > 3 ? 6 : x + 3) * (1.0f / 6);
    return x < min ? min : x > max ? max : x;
}

static inline int32_t clamp_i32(int32_t value, int32_t min, int32_t max)
{
    return value < min ? min : value > max ? max : value;
}

#endif
