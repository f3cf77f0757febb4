/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_ENGINE_OPS_FLOAT16_H
#define PIPIT_ENGINE_OPS_FLOAT16_H

#include <stdint.h>
#include <string.h>

/* IEEE 754 binary16 to binary32, exact; a NaN stays one. */
static inline float float16_to_float(uint16_t half)
{
    uint32_t magnitude = half & 0x7fff, bits = magnitude << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float value;
    memcpy(&value, &bits, sizeof(value));
    value *= 0x1p112f; /* the exponents' biases differ by 112; exact, and makes subnormals normal */
    memcpy(&bits, &value, sizeof(bits));
    bits |= sign | (magnitude >= 0x7c00 ? 0x7f800000 : 0);
    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
