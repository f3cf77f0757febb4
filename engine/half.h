/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_HALF_H
#define PIPIT_ENGINE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* IEEE 754 binary16, exactly, subnormals and NaN included; needs no F16C. */
static inline float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ff;
    if (exponent == 31)
        return float_from_bits(sign | 0x7f800000 | mantissa << 13);
    if (exponent)
        return float_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
    float magnitude = (float)mantissa * 0x1p-24f;
    return sign ? -magnitude : magnitude;
}

#endif
