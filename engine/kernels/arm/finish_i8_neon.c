/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/finish_i8.h"

void finish_any(const int32_t (*sum)[16], int pixels, enum group group, const struct head_i8 *head,
                const struct output_i8 *out, int8_t *to, size_t step)
{
    const int wide = group == GROUP_16 ? 16 : group == GROUP_2X8 ? 8 : 4;
    for (int row = 0; row < pixels; sum++) {
        int8_t all[16];
        vst1q_s8(all, finish16(vld1q_s32_x4(*sum), head, out));
        for (int at = 0; at < 16 && row < pixels; at += wide, row++, to += step)
            memcpy(to, all + at, (size_t)out->count);
    }
}

int32_t panel_zero(const struct conv *conv, const struct conv_weights *weights, int first, int count)
{
    size_t each = (size_t)conv->taps * (size_t)conv->depth, n = (size_t)count * each;
    const int8_t *from = weights->i8 + (size_t)first * each;
    for (size_t i = 0; conv->weight_zero && i < n; i++)
        if (from[i] - conv->weight_zero != (int8_t)(from[i] - conv->weight_zero))
            return conv->weight_zero;
    return 0;
}
