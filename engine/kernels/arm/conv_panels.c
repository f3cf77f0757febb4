/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/conv_panels.h"
#include "engine/kernels/arm/depthwise_strips.h"

#include <arm_neon.h>
#include <string.h>

enum { LEAST_BIAS = 64, WIDTH_BYTES = 96 };

static size_t steps(const struct conv *conv)
{
    return (size_t)conv->taps * (size_t)conv->depth;
}

static size_t bias_bytes(const struct panel_set *set, const struct panel *panel)
{
    size_t bytes = (size_t)panel->width * set->element;
    return bytes < LEAST_BIAS ? LEAST_BIAS : bytes;
}

static size_t panel_bytes(const struct panel_set *set, const struct conv *conv, const struct panel *panel)
{
    return bias_bytes(set, panel) + steps(conv) * (size_t)panel->width * set->element;
}

size_t panel_set_bytes(const struct panel_set *set, const struct conv *conv)
{
    size_t bytes = 0;
    const struct panel *panel;
    for (int j = 0; j < conv->channels; j += panel->width) {
        panel = set->panel(conv->channels - j);
        bytes += panel_bytes(set, conv, panel);
    }
    return bytes;
}

enum { WIDEST = WIDTH_BYTES / sizeof(uint16_t) };

/* Four elements of `width` channels, times `factor`. */
static void turn(const float *from, size_t apart, float factor, int width, float (*to)[WIDEST])
{
    for (int j = 0; j < width; j += 4, from += 4 * apart) {
        const float32x4_t a = vld1q_f32(from), b = vld1q_f32(from + apart), c = vld1q_f32(from + 2 * apart),
                          d = vld1q_f32(from + 3 * apart);
        const float64x2_t ab = vreinterpretq_f64_f32(vzip1q_f32(a, b)),
                          ab2 = vreinterpretq_f64_f32(vzip2q_f32(a, b)),
                          cd = vreinterpretq_f64_f32(vzip1q_f32(c, d)),
                          cd2 = vreinterpretq_f64_f32(vzip2q_f32(c, d));
        vst1q_f32(to[0] + j, vmulq_n_f32(vreinterpretq_f32_f64(vzip1q_f64(ab, cd)), factor));
        vst1q_f32(to[1] + j, vmulq_n_f32(vreinterpretq_f32_f64(vzip2q_f64(ab, cd)), factor));
        vst1q_f32(to[2] + j, vmulq_n_f32(vreinterpretq_f32_f64(vzip1q_f64(ab2, cd2)), factor));
        vst1q_f32(to[3] + j, vmulq_n_f32(vreinterpretq_f32_f64(vzip2q_f64(ab2, cd2)), factor));
    }
}

/* Element k of channels from `first` on, 0 for those that there are not. */
static void pack_step(const struct panel_set *set, const struct conv *conv, const float *from, size_t apart,
                      float factor, int first, int width, void *to)
{
    float values[WIDEST] = {0};
    for (int j = 0; from && j < width && first + j < conv->channels; j++)
        values[j] = factor * from[(size_t)(first + j) * apart];
    set->convert(to, values, width);
}

static void pack_panel(const struct panel_set *set, const struct conv *conv,
                       const struct conv_weights *weights, float factor, const struct panel *panel, int first,
                       char *to)
{
    const size_t width = (size_t)panel->width * set->element, bias = bias_bytes(set, panel);
    for (size_t copy = 0; copy < bias; copy += width)
        pack_step(set, conv, weights->bias_f32, 1, factor, first, panel->width, to + copy);
    size_t k = 0;
    for (float four[4][WIDEST]; k + 4 <= steps(conv) && first + panel->width <= conv->channels; k += 4) {
        turn(weights->f32 + (size_t)first * steps(conv) + k, steps(conv), factor, panel->width, four);
        for (size_t i = 0; i < 4; i++)
            set->convert(to + bias + (k + i) * width, four[i], panel->width);
    }
    for (; k < steps(conv); k++)
        pack_step(set, conv, weights->f32 + k, steps(conv), factor, first, panel->width,
                  to + bias + k * width);
}

void panel_set_pack(const struct panel_set *set, const struct conv *conv, const struct conv_weights *weights,
                    float factor, void *packed, int from, int to)
{
    char *at = packed;
    const struct panel *panel;
    for (int j = 0; j < to; j += panel->width) {
        panel = set->panel(conv->channels - j);
        if (j >= from)
            pack_panel(set, conv, weights, factor, panel, j, at);
        at += panel_bytes(set, conv, panel);
    }
}

/* A last block of fewer pixels starts earlier, and makes some twice, where that is less work than one by one.
 */
static void run_panel(const struct panel *panel, struct panel_call *call, int pixels)
{
    char *out = call->out;
    int blocks = pixels / panel->pixels, at = blocks * panel->pixels;
    call->first = 0;
    call->blocks = blocks;
    if (blocks)
        panel->block(call);
    if (blocks && 3 * (pixels - at) > 2 * panel->pixels) {
        call->first = (size_t)(pixels - panel->pixels) * call->in_step;
        call->out = out + (size_t)(pixels - panel->pixels) * call->out_step;
        call->blocks = 1;
        panel->block(call);
        return;
    }
    for (; at < pixels; at++) {
        call->first = (size_t)at * call->in_step;
        call->out = out + (size_t)at * call->out_step;
        panel->one(call);
    }
}

/* A panel of which only `bytes` are channels goes to a buffer first. */
static void run_part(const struct panel_set *set, const struct panel *panel, struct panel_call *call,
                     int pixels, size_t bytes)
{
    char all[CONV_PIXELS * WIDTH_BYTES], *out = call->out;
    size_t step = call->out_step;
    call->out = all;
    call->out_step = (size_t)panel->width * set->element;
    run_panel(panel, call, pixels);
    for (int i = 0; i < pixels; i++)
        memcpy(out + (size_t)i * step, all + (size_t)i * call->out_step, bytes);
    call->out_step = step;
}

void panel_set_run(const struct panel_set *set, const struct conv *conv, const struct conv_tile *tile,
                   const void *limits)
{
    struct panel_call call = {.in = tile->in,
                              .in_step = tile->in_step,
                              .out_step = tile->out_stride * set->element,
                              .depth = conv->depth,
                              .limits = limits,
                              .taps = tile->in,
                              .tap_count = conv->taps,
                              .finish = finish_of(conv->min_f32, conv->max_f32, conv->hard_swish)};
    const char *packed = conv->packed;
    const struct panel *panel;
    for (int j = 0; j < tile->to; j += panel->width) {
        int left = conv->channels - j;
        panel = set->panel(left);
        call.packed = packed;
        call.out = (char *)tile->out + (size_t)j * set->element;
        packed += panel_bytes(set, conv, panel);
        if (j < tile->from)
            continue;
        if (left < panel->width)
            run_part(set, panel, &call, tile->pixels, (size_t)left * set->element);
        else
            run_panel(panel, &call, tile->pixels);
    }
}
