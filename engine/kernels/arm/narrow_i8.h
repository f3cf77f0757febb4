/* SPDX-License-Identifier: MIT */
/* requant.h's arithmetic as assembly, where narrowing is the only clamp: four registers of sums become 16
 * int8 in the first of them. */
#ifndef PIPIT_ENGINE_KERNELS_ARM_NARROW_I8_H
#define PIPIT_ENGINE_KERNELS_ARM_NARROW_I8_H

#include <stdint.h>

/* Multipliers in v0 to v3, shifts in v4 to v7, `narrow` in v8. */
#define EACH_4(each, a, b, c, d)                                                                             \
    each(a, "v0", "v4") each(b, "v1", "v5") each(c, "v2", "v6") each(d, "v3", "v7")
#define HIGH(x, m, s)      "sqrdmulh " x ".4s, " x ".4s, " m ".4s\n"
#define LOWER(x, m, s)     "ssra " x ".4s, " x ".4s, #31\n"
#define SHIFT(x, m, s)     "srshl " x ".4s, " x ".4s, " s ".4s\n"
#define HALVES(a, b, c, d) "uzp1 " a ".8h, " a ".8h, " b ".8h\nuzp1 " c ".8h, " c ".8h, " d ".8h\n"
#define CLAMP(a, b, c, d)                                                                                    \
    EACH_4(HIGH, a, b, c, d)                                                                                 \
    EACH_4(SHIFT, a, b, c, d)                                                                                \
    HALVES(a, b, c, d)                                                                                       \
    "sqxtun " a ".8b, " a ".8h\nsqxtun2 " a ".16b, " c ".8h\neor " a ".16b, " a ".16b, v8.16b\n"
#define CLAMP_LOAD NARROW_LOAD
#ifdef __ARM_FEATURE_QRDMX
/* The zero point is in what SQRDMLAH adds to, and so is -1 for sums below zero, which is what LOWER adds: a
 * sum below zero whose high half is 0 is rounded to 0 all the same. */
#define RAISE(x, y)       "ssra " y ".4s, " x ".4s, #31\n"
#define ADD_HIGH(x, y, m) "sqrdmlah " y ".4s, " x ".4s, " m ".4s\n"
#define SHIFT_TO(x, y, s) "srshl " x ".4s, " y ".4s, " s ".4s\n"
#define ROUND(a, b, c, d)                                                                                    \
    "ld1 {v9.4s-v12.4s}, [%[lift]]\n" RAISE(a, "v9") RAISE(b, "v10") RAISE(c, "v11") RAISE(d, "v12")         \
        ADD_HIGH(a, "v9", "v0") ADD_HIGH(b, "v10", "v1") ADD_HIGH(c, "v11", "v2") ADD_HIGH(d, "v12", "v3")   \
            SHIFT_TO(a, "v9", "v4") SHIFT_TO(b, "v10", "v5") SHIFT_TO(c, "v11", "v6")                        \
                SHIFT_TO(d, "v12", "v7") HALVES(a, b, c, d) "sqxtn " a ".8b, " a ".8h\nsqxtn2 " a ".16b, " c \
                                                            ".8h\n"
#define ROUND_LOAD FACTORS_LOAD
#else
#define ROUND(a, b, c, d)                                                                                    \
    EACH_4(HIGH, a, b, c, d)                                                                                 \
    EACH_4(LOWER, a, b, c, d)                                                                                \
    EACH_4(SHIFT, a, b, c, d)                                                                                \
    HALVES(a, b, c, d)                                                                                       \
    "add " a ".8h, " a ".8h, v8.8h\nadd " c ".8h, " c ".8h, v8.8h\n"                                         \
    "sqxtn " a ".8b, " a ".8h\nsqxtn2 " a ".16b, " c ".8h\n"
#define ROUND_LOAD NARROW_LOAD
#endif
/* The zero point of the output, or what turns 0 .. 255 into -128 .. 127: for ROUND, and for CLAMP. */
#define FACTORS_LOAD "ld1 {v0.4s-v3.4s}, [%[multiplier]]\nld1 {v4.4s-v7.4s}, [%[shift]]\n"
#define NARROW_LOAD  FACTORS_LOAD "dup v8.8h, %w[narrow]\n"
static inline int32_t narrow_by(int32_t zero)
{
    return zero > -128 ? zero : 0x8080;
}

#endif
