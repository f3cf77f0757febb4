/* SPDX-License-Identifier: MIT */
/* bfloat16: the upper half of an IEEE 754 binary32, whose range it has, with 8 bits of precision. */
#ifndef PIPIT_ENGINE_BFLOAT16_H
#define PIPIT_ENGINE_BFLOAT16_H

#include <stdint.h>
#include <string.h>

/* The nearest bfloat16, of two the even one, as a binary32; a NaN stays one. */
static inline float bfloat16_round(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if ((bits & 0x7fffffff) > 0x7f800000)
        return value;
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
