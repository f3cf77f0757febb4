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
#define ROUND(a, b, c, d)                                                                                    \
    EACH_4(HIGH, a, b, c, d)                                                                                 \
    EACH_4(LOWER, a, b, c, d)                                                                                \
    EACH_4(SHIFT, a, b, c, d)                                                                                \
    HALVES(a, b, c, d)                                                                                       \
    "add " a ".8h, " a ".8h, v8.8h\nadd " c ".8h, " c ".8h, v8.8h\n"                                         \
    "sqxtn " a ".8b, " a ".8h\nsqxtn2 " a ".16b, " c ".8h\n"
/* The zero point of the output, or what turns 0 .. 255 into -128 .. 127: for ROUND, and for CLAMP. */
#define NARROW_LOAD                                                                                          \
    "ld1 {v0.4s-v3.4s}, [%[multiplier]]\nld1 {v4.4s-v7.4s}, [%[shift]]\ndup v8.8h, %w[narrow]\n"
static inline int32_t narrow_by(int32_t zero)
{
    return zero > -128 ? zero : 0x8080;
}

#endif
