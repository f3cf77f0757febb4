/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_OPS_FLOAT16_H
#define PIPIT_ENGINE_OPS_FLOAT16_H

#include <stdint.h>
#include <string.h>

/* IEEE 754 binary16 to binary32, exact; a NaN stays one. */
static inline float float16_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    uint32_t bits = magnitude >= 0x7c00 ? 0x7f800000 | magnitude << 13 : (magnitude << 13) + (112u << 23);
    float value;
    if (magnitude < 0x0400) /* zero or subnormal: units of 2^-24 */
        value = (float)magnitude * 0x1p-24f;
    else
        memcpy(&value, &bits, sizeof(value));
    return sign ? -value : value;
}

#endif
