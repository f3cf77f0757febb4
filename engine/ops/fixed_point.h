/* SPDX-License-Identifier: MIT */
/* Q31 functions as gemmlowp's fixedpoint.h defines them bit for bit; TensorFlow Lite's reference softmax uses
 * them. */
#ifndef PIPIT_ENGINE_OPS_FIXED_POINT_H
#define PIPIT_ENGINE_OPS_FIXED_POINT_H

#include <stdint.h>

int32_t fixed_high_mul(int32_t a, int32_t b);        /* rounded high half of 2ab, saturating */
int32_t fixed_shift_right(int32_t value, int shift); /* halves away from zero; 0 <= shift <= 31 */
int32_t fixed_shift_left(int32_t value, int shift);  /* saturating */
int32_t fixed_exp_q26(int32_t x);                    /* x <= 0 with 26 fraction bits; e^x with 31 */
int32_t fixed_reciprocal_of_1_plus(int32_t x);       /* 0 <= x < 1 with 31 bits; 1 / (1 + x) with 31 */
/* 1 / sqrt(x) of an integer x as a multiplier with 31 fraction bits and a shift to the right, as in
 * TensorFlow Lite's GetInvSqrtQuantizedMultiplierExp; 1 for x < 2. */
int32_t fixed_inverse_sqrt(int32_t x, int *shift);

#endif
