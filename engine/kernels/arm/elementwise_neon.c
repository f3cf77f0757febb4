/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"
#include "engine/kernels/arm/neon.h"

#include <math.h>

/* Four tables of 64: TBL gives 0 and TBX leaves alone what lies outside its own. */
#define TABLE(name)        "{%S[" name "].16b-%V[" name "].16b}"
#define NEXT(value, at, t) "sub " at ", " at ", %[step].16b\ntbx " value ", " TABLE(t) ", " at "\n"
#define LOOK_UP(value, at)                                                                                   \
    "tbl " value ", " TABLE("t0") ", " at "\n" NEXT(value, at, "t1") NEXT(value, at, "t2")                   \
        NEXT(value, at, "t3")
#define TABLES [step] "w"(step), [t0] "w"(t0), [t1] "w"(t1), [t2] "w"(t2), [t3] "w"(t3)

static void lookup_i8(int8_t *out, const int8_t *in, int n, const int8_t table[256])
{
    const uint8_t *t = (const uint8_t *)table;
    const uint8x16x4_t t0 = vld1q_u8_x4(t), t1 = vld1q_u8_x4(t + 64), t2 = vld1q_u8_x4(t + 128),
                       t3 = vld1q_u8_x4(t + 192);
    const uint8x16_t step = vdupq_n_u8(64);
    int blocks = n / 64;
    n %= 64;
    if (blocks > 0)
        __asm__ volatile("1:\nld1 {v0.16b-v3.16b}, [%[in]], #64\nsubs %w[blocks], %w[blocks], #1\n" LOOK_UP(
                             "v4.16b", "v0.16b") LOOK_UP("v5.16b", "v1.16b") LOOK_UP("v6.16b", "v2.16b")
                             LOOK_UP("v7.16b", "v3.16b") "st1 {v4.16b-v7.16b}, [%[out]], #64\nb.ne 1b\n"
                         : [in] "+&r"(in), [out] "+&r"(out), [blocks] "+&r"(blocks)
                         : TABLES
                         : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7");
    for (; n >= 16; n -= 16)
        __asm__ volatile("ldr q0, [%[in]], #16\n" LOOK_UP("v4.16b", "v0.16b") "str q4, [%[out]], #16\n"
                         : [in] "+r"(in), [out] "+r"(out)
                         : TABLES
                         : "memory", "v0", "v4");
    for (int i = 0; i < n; i++)
        out[i] = table[(uint8_t)in[i]];
}

static void hard_swish_f32(float *out, const float *in, int n)
{
    int i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(out + i, hard_swish4(vld1q_f32(in + i)));
    hard_swish_f32_c(out + i, in + i, n - i);
}

/* ---- sums and products of rows ---- */

static void accumulate_f32(float *sum, const float *in, int n, int rows, size_t step)
{
    int i = 0;
    const size_t bytes = step * sizeof(*in);
    for (; i + 16 <= n && rows > 0; i += 16) {
        float32x4x4_t all = vld1q_f32_x4(sum + i);
        const float *from = in + i;
        int left = rows;
        __asm__ volatile("1:\nld1 {v0.4s-v3.4s}, [%[in]], %[step]\nsubs %w[left], %w[left], #1\n"
                         "fadd %S[x].4s, %S[x].4s, v0.4s\nfadd %T[x].4s, %T[x].4s, v1.4s\n"
                         "fadd %U[x].4s, %U[x].4s, v2.4s\nfadd %V[x].4s, %V[x].4s, v3.4s\nb.ne 1b\n"
                         : [x] "+w"(all), [in] "+r"(from), [left] "+r"(left)
                         : [step] "r"(bytes)
                         : "cc", "memory", "v0", "v1", "v2", "v3");
        vst1q_f32_x4(sum + i, all);
    }
    accumulate_f32_c(sum + i, in + i, n - i, rows, step);
}

/* Up to 256 values fit 16 bits. Two rows are one sum of 16 bits at once. */
#define TWO_ROWS_16(a, b)                                                                                    \
    "ld1 {v0.16b}, [%[in]], %[step]\nld1 {v1.16b}, [%[in]], %[step]\n"                                       \
    "saddl v2.8h, v0.8b, v1.8b\nsaddl2 v3.8h, v0.16b, v1.16b\n"                                              \
    "add " a ".8h, " a ".8h, v2.8h\nadd " b ".8h, " b ".8h, v3.8h\n"
#define TWO_ROWS_8                                                                                           \
    "ld1 {v0.8b}, [%[in]], %[step]\nld1 {v1.8b}, [%[in]], %[step]\n"                                         \
    "saddl v2.8h, v0.8b, v1.8b\nadd %[low].8h, %[low].8h, v2.8h\n"
#define ROWS(two)                                                                                            \
    if (fours)                                                                                               \
    __asm__ volatile("1:\n" two two "subs %w[fours], %w[fours], #1\nb.ne 1b\n"                               \
                     : [low] "+w"(low), [high] "+w"(high), [in] "+r"(in), [fours] "+r"(fours)                \
                     : [step] "r"(step)                                                                      \
                     : "cc", "memory", "v0", "v1", "v2", "v3")

static void accumulate_16(int32_t *sum, const int8_t *in, int rows, size_t step)
{
    int16x8_t low = vdupq_n_s16(0), high = low;
    int fours = rows / 4;
    ROWS(TWO_ROWS_16("%[low]", "%[high]"));
    for (int i = 0; i < rows % 4; i++, in += step) {
        int8x16_t v = vld1q_s8(in);
        low = vaddw_s8(low, vget_low_s8(v));
        high = vaddw_high_s8(high, v);
    }
    vst1q_s32(sum, vaddw_s16(vld1q_s32(sum), vget_low_s16(low)));
    vst1q_s32(sum + 4, vaddw_high_s16(vld1q_s32(sum + 4), low));
    vst1q_s32(sum + 8, vaddw_s16(vld1q_s32(sum + 8), vget_low_s16(high)));
    vst1q_s32(sum + 12, vaddw_high_s16(vld1q_s32(sum + 12), high));
}

static void accumulate_8(int32_t *sum, const int8_t *in, int rows, size_t step)
{
    int16x8_t low = vdupq_n_s16(0), high = low;
    int fours = rows / 4;
    ROWS(TWO_ROWS_8);
    for (int i = 0; i < rows % 4; i++, in += step)
        low = vaddw_s8(low, vld1_s8(in));
    vst1q_s32(sum, vaddw_s16(vld1q_s32(sum), vget_low_s16(low)));
    vst1q_s32(sum + 4, vaddw_high_s16(vld1q_s32(sum + 4), low));
}

static void accumulate_i8(int32_t *sum, const int8_t *in, int n, int rows, size_t step)
{
    const int wide = n / 8 * 8;
    for (int row = 0, end; row < rows; row = end) {
        const int8_t *from = in + (size_t)row * step;
        int i = 0;
        end = rows - row < 256 ? rows : row + 256;
        for (; i + 16 <= n; i += 16)
            accumulate_16(sum + i, from + i, end - row, step);
        if (i < wide)
            accumulate_8(sum + i, from + i, end - row, step);
    }
    accumulate_i8_c(sum + wide, in + wide, n - wide, rows, step);
}

/* Sixteen elements of two rows, without a clamp. */
#define PLAIN_F32(instruction)                                                                               \
    __asm__ volatile("1:\nld1 {v0.4s-v3.4s}, [%[a]], #64\nld1 {v4.4s-v7.4s}, [%[b]], #64\n"                  \
                     "subs %w[n], %w[n], #1\n" instruction " v0.4s, v0.4s, v4.4s\n" instruction              \
                     " v1.4s, v1.4s, v5.4s\n" instruction " v2.4s, v2.4s, v6.4s\n" instruction               \
                     " v3.4s, v3.4s, v7.4s\nst1 {v0.4s-v3.4s}, [%[to]], #64\nb.ne 1b\n"                      \
                     : [a] "+r"(p), [b] "+r"(q), [to] "+r"(to), [n] "+r"(blocks)                             \
                     :                                                                                       \
                     : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7")
#define BINARY_F32(name, function, instruction, operator)                                                    \
    static void name(float *out, const float *a, int step_a, const float *b, int step_b, int n, float min,   \
                     float max)                                                                              \
    {                                                                                                        \
        const float32x4_t low = vdupq_n_f32(min), high = vdupq_n_f32(max);                                   \
        const float *p = a, *q = b;                                                                          \
        float *to = out;                                                                                     \
        int i = 0, blocks = n / 16;                                                                          \
        if (blocks && step_a && step_b && min == -INFINITY && max == INFINITY) {                             \
            i = 16 * blocks;                                                                                 \
            PLAIN_F32(instruction);                                                                          \
        }                                                                                                    \
        for (; step_a && step_b && i + 8 <= n; i += 8) {                                                     \
            float32x4x2_t x = vld1q_f32_x2(a + i), y = vld1q_f32_x2(b + i);                                  \
            vst1q_f32(out + i, vminq_f32(vmaxq_f32(function(x.val[0], y.val[0]), low), high));               \
            vst1q_f32(out + i + 4, vminq_f32(vmaxq_f32(function(x.val[1], y.val[1]), low), high));           \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            out[i] = activate_f32(a[i * step_a] operator b[i * step_b], min, max, false);                    \
    }
BINARY_F32(add_f32, vaddq_f32, "fadd", +)
BINARY_F32(mul_f32, vmulq_f32, "fmul", *)

/* 16 channels of all rows, then the next 16: the scale stays in registers. */
static void scale_f32(float *out, const float *in, const float *scale, int n, int rows, size_t step)
{
    const size_t bytes = step * sizeof(*in);
    int i = 0;
    for (; i + 16 <= n && rows > 0; i += 16) {
        const float32x4x4_t s = vld1q_f32_x4(scale + i);
        const float *from = in + i;
        float *to = out + i;
        int left = rows;
        __asm__ volatile("1:\nld1 {v0.4s-v3.4s}, [%[in]], %[step]\nsubs %w[left], %w[left], #1\n"
                         "fmul v0.4s, v0.4s, %S[s].4s\nfmul v1.4s, v1.4s, %T[s].4s\n"
                         "fmul v2.4s, v2.4s, %U[s].4s\nfmul v3.4s, v3.4s, %V[s].4s\n"
                         "st1 {v0.4s-v3.4s}, [%[to]], %[step]\nb.ne 1b\n"
                         : [in] "+r"(from), [to] "+r"(to), [left] "+r"(left)
                         : [s] "w"(s), [step] "r"(bytes)
                         : "cc", "memory", "v0", "v1", "v2", "v3");
    }
    for (; i + 4 <= n; i += 4)
        for (int row = 0; row < rows; row++) {
            size_t at = (size_t)row * step + (size_t)i;
            vst1q_f32(out + at, vmulq_f32(vld1q_f32(in + at), vld1q_f32(scale + i)));
        }
    scale_f32_c(out + i, in + i, scale + i, n - i, rows, step);
}

void kernels_init_elementwise_neon(struct kernels *kernels)
{
    kernels->lookup_i8 = lookup_i8;
    kernels->hard_swish_f32 = hard_swish_f32;
    kernels->accumulate_f32 = accumulate_f32;
    kernels->accumulate_i8 = accumulate_i8;
    kernels->binary_f32[BINARY_ADD] = add_f32;
    kernels->binary_f32[BINARY_MUL] = mul_f32;
    kernels->scale_f32 = scale_f32;
}
