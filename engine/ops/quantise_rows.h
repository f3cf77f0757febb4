/* SPDX-License-Identifier: MIT */
/* Activations of dynamic-range models: each batch row of a float input becomes int8 when it is known, with a
 * scale and a zero point of its own (TensorFlow Lite's AsymmetricQuantizeFloats or SymmetricQuantizeFloats).
 */
#ifndef PIPIT_ENGINE_OPS_QUANTISE_ROWS_H
#define PIPIT_ENGINE_OPS_QUANTISE_ROWS_H

#include "engine/op.h"

struct quantised_rows {
    int rows, elements; /* quantised one by one, each of so many elements */
    int input;          /* of the node */
    bool asymmetric;    /* else the zero point is 0 */
    int8_t *data;       /* rows * elements */
    float *scale;       /* real = scale[row] * (data - zero[row]) */
    int32_t *zero;
};

/* Makes room in the plan, and appends the step that fills it. The first four members are set before. -ENOMEM.
 */
int quantised_rows_prepare(struct plan *plan, const struct node *node, struct quantised_rows *rows);

#endif
