/* SPDX-License-Identifier: MIT */
/* IEEE 754 binary16 in the bits of a uint16_t: arm64 converts by itself, C does it for other machines. */
#ifndef PIPIT_ENGINE_FLOAT16_H
#define PIPIT_ENGINE_FLOAT16_H

#include <stdint.h>
#include <string.h>

/* To binary32: exact; a NaN stays one. */
static inline float float16_to_float(uint16_t half)
{
#ifdef __ARM_FP16_FORMAT_IEEE
    __fp16 own;
    memcpy(&own, &half, sizeof(own));
    return (float)own;
#else
    uint32_t magnitude = half & 0x7fff, bits = magnitude << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    value *= 0x1p112f; /* the exponents' biases differ by 112; exact, and makes subnormals normal */
    memcpy(&bits, &value, sizeof(bits));
    bits |= sign | (magnitude >= 0x7c00 ? 0x7f800000 : 0);
    memcpy(&value, &bits, sizeof(value));
    return value;
#endif
}

/* To the nearest binary16, of two the even one; 65520 and more: infinity; a NaN stays one. */
static inline uint16_t float16_from_float(float value)
{
#ifdef __ARM_FP16_FORMAT_IEEE
    __fp16 own = (__fp16)value;
    uint16_t half;
    memcpy(&half, &own, sizeof(half));
    return half;
#else
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000)
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) { /* subnormal: the float addition rounds it to multiples of 2^-24 */
        float sum;
        memcpy(&sum, &magnitude, sizeof(sum));
        sum += 0.5f;
        memcpy(&bits, &sum, sizeof(bits));
        return (uint16_t)(sign | (bits - 0x3f000000));
    }
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | ((magnitude - 0x38000000) >> 13));
#endif
}

#endif
