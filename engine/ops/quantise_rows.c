/* SPDX-License-Identifier: MIT */
#include "engine/ops/quantise_rows.h"

#include <math.h>
#include <string.h>

static int8_t rounded(float value, int32_t low)
{
    float r = roundf(value);
    return (int8_t)(r < (float)low ? (float)low : r > 127 ? 127 : r);
}

static void quantise_symmetric(const float *in, int n, int8_t *out, float *scale)
{
    float range = 0;
    for (int i = 0; i < n; i++)
        range = fabsf(in[i]) > range ? fabsf(in[i]) : range;
    *scale = range > 0 ? range / 127 : 1;
    float inverse = range > 0 ? 127 / range : 0;
    for (int i = 0; i < n; i++)
        out[i] = rounded(in[i] * inverse, -127);
}

/* The zero point is the one of the two candidates (from the minimum, from the maximum) with the smaller
 * error. */
static int32_t zero_point(double min, double max, double scale)
{
    double from_min = -128 - min / scale, from_max = 127 - max / scale;
    double error_min = 128 + fabs(min / scale), error_max = 127 + fabs(max / scale);
    double zero = error_min < error_max ? from_min : from_max;
    return zero <= -128 ? -128 : zero >= 127 ? 127 : (int32_t)round(zero);
}

static void quantise_asymmetric(const float *in, int n, int8_t *out, float *scale, int32_t *zero)
{
    float low = 0, high = 0;
    for (int i = 0; i < n; i++) {
        low = in[i] < low ? in[i] : low;
        high = in[i] > high ? in[i] : high;
    }
    *scale = 1;
    *zero = 0;
    if (!(high > low) || isinf(high - low)) {
        memset(out, 0, (size_t)n);
        return;
    }
    double step = ((double)high - (double)low) / 255;
    *zero = zero_point((double)low, (double)high, step);
    *scale = (float)step;
    float inverse = 1 / *scale;
    for (int i = 0; i < n; i++)
        out[i] = rounded((float)*zero + in[i] * inverse, -128);
}

static void run(const struct step *step, struct chunk chunk)
{
    const struct quantised_rows *rows = step->args;
    int begin, end, n = rows->elements;
    share(rows->rows, 1, chunk, &begin, &end);
    for (int r = begin; r < end; r++) {
        const float *in = (const float *)step->in[rows->input] + (size_t)r * (size_t)n;
        int8_t *out = rows->data + (size_t)r * (size_t)n;
        rows->zero[r] = 0;
        if (rows->asymmetric)
            quantise_asymmetric(in, n, out, &rows->scale[r], &rows->zero[r]);
        else
            quantise_symmetric(in, n, out, &rows->scale[r]);
    }
}

int quantised_rows_prepare(struct plan *plan, const struct node *node, struct quantised_rows *rows)
{
    rows->data = plan_alloc(plan, (size_t)rows->rows, (size_t)rows->elements);
    rows->scale = plan_alloc(plan, (size_t)rows->rows, sizeof(float));
    rows->zero = plan_alloc(plan, (size_t)rows->rows, sizeof(int32_t));
    struct step *step = plan_add_step(plan, node);
    if (!rows->data || !rows->scale || !rows->zero || !step)
        return -ENOMEM;
    step->run = run;
    step->args = rows;
    step->kernel = "quantise_rows_c";
    return 0;
}
