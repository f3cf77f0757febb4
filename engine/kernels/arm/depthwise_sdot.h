/* SPDX-License-Identifier: MIT */
/*
 * Rows of depthwise outputs by SDOT, 16 channels wide, from quads: four input rows of a column, interleaved.
 * A quad is loaded once for all the outputs of a strip that it is under: up to three columns of weights, in
 * v4 to v15, are multiplied by it, in v0 to v3, to sums in v16 to v31.
 */
#ifndef PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_SDOT_H
#define PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_SDOT_H

#include "engine/kernels/arm/narrow_i8.h"
#include "engine/kernels/arm/requant.h"

enum { QUADS = 64 }; /* bytes */

/* Rows of outputs that the same quads serve. */
struct job {
    const struct head_i8 *head;
    const int8_t *weights, *quads; /* weights: [row][set][group][column][16][4] */
    size_t group;                  /* bytes of quads from one group of four rows to the next */
    size_t weights_row, set;       /* bytes of an output row's weights, and of one set of them */
    int8_t *to;
    size_t pixel, to_row;
    int rows, columns, narrow;
};

/* Behind the last of more sets than one; NULL: there is one. */
static inline const int8_t *more_sets(const struct job *job, const int8_t *weights)
{
    return job->head->own > 1 ? weights + (size_t)job->head->own * job->set : NULL;
}

#define O0 "v16", "v17", "v18", "v19"
#define O1 "v20", "v21", "v22", "v23"
#define O2 "v24", "v25", "v26", "v27"
#define O3 "v28", "v29", "v30", "v31"
#define K0 "v4", "v5", "v6", "v7"
#define K1 "v8", "v9", "v10", "v11"
#define K2 "v12", "v13", "v14", "v15"
#define SDOT(a, b, c, d, w, x, y, z)                                                                         \
    "sdot " a ".4s, " w ".16b, v0.16b\nsdot " b ".4s, " x ".16b, v1.16b\n"                                   \
    "sdot " c ".4s, " y ".16b, v2.16b\nsdot " d ".4s, " z ".16b, v3.16b\n"
#define DOT(...) SDOT(__VA_ARGS__)
#define L        "ld1 {v0.16b-v3.16b}, [x2], #64\n"

/* `taps` columns of weights by the quads from x2 on, for `n` outputs at a stride: PASS_stride_taps_n. */
#define PASS_1_3_1                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1)                                                                                            \
    L DOT(O0, K2)
#define PASS_1_2_1                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1)
#define PASS_1_3_3                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1) DOT(O1, K0) L DOT(O0, K2) DOT(O1, K1) DOT(O2, K0) L DOT(O1, K2) DOT(O2, K1) L DOT(O2, K2)
#define PASS_1_2_3                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1) DOT(O1, K0) L DOT(O1, K1) DOT(O2, K0) L DOT(O2, K1)
#define PASS_1_3_4                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1) DOT(O1, K0) L DOT(O0, K2) DOT(O1, K1) DOT(O2, K0) L DOT(O1, K2) DOT(O2, K1) DOT(O3, K0) L  \
    DOT(O2, K2) DOT(O3, K1) L                                                                                \
    DOT(O3, K2)
#define PASS_1_2_4                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1) DOT(O1, K0) L DOT(O1, K1) DOT(O2, K0) L DOT(O2, K1) DOT(O3, K0) L DOT(O3, K1)
#define PASS_2_3_1 PASS_1_3_1
#define PASS_2_2_1 PASS_1_2_1
#define PASS_2_3_3                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1)                                                                                            \
    L DOT(O0, K2) DOT(O1, K0) L DOT(O1, K1)                                                                  \
    L DOT(O1, K2) DOT(O2, K0) L DOT(O2, K1)                                                                  \
    L DOT(O2, K2)
#define PASS_2_2_3                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1)                                                                                            \
    L DOT(O1, K0)                                                                                            \
    L DOT(O1, K1)                                                                                            \
    L DOT(O2, K0)                                                                                            \
    L DOT(O2, K1)
#define PASS_2_3_4                                                                                           \
    L DOT(O0, K0)                                                                                            \
    L DOT(O0, K1)                                                                                            \
    L DOT(O0, K2) DOT(O1, K0) L DOT(O1, K1)                                                                  \
    L DOT(O1, K2) DOT(O2, K0) L DOT(O2, K1)                                                                  \
    L DOT(O2, K2) DOT(O3, K0) L DOT(O3, K1)                                                                  \
    L DOT(O3, K2)
#define PASS_2_2_4                                                                                           \
    PASS_2_2_3 L DOT(O3, K0)                                                                                 \
    L DOT(O3, K1)

#define WEIGHTS_2 "ld1 {v4.16b-v7.16b}, [x3], #64\nld1 {v8.16b-v11.16b}, [x3], #64\n"
#define WEIGHTS_3 WEIGHTS_2 "ld1 {v12.16b-v15.16b}, [x3], #64\n"
#define FIVE(stride, n)                                                                                      \
    WEIGHTS_3 PASS_##stride##_3_##n "sub x2, x2, #64*" #stride "*(" #n "-1)\n" WEIGHTS_2 PASS_##stride##_2_##n
/* All of a window, by its size, from the quads at x2 on. x2 is behind the last one that was read, of the last
 * group: BACK_size returns from there, and NEXT_size goes on to the next strip. */
#define WINDOW_3(stride, n) WEIGHTS_3 PASS_##stride##_3_##n
#define BACK_3(stride, n)   "sub x2, x2, #64*(" #stride "*(" #n "-1)+3)\n"
#define NEXT_3(stride, n)   "sub x2, x2, #64*(3-" #stride ")\n"
#define WINDOW_5(stride, n) "mov x5, x2\n" FIVE(stride, n) "add x2, x5, %[group]\n" FIVE(stride, n)
#define BACK_5(stride, n)   "mov x2, x5\n"
#define NEXT_5(stride, n)   "add x2, x5, #64*" #stride "*" #n "\n"

#define BIAS_1              "ld1 {v16.4s-v19.4s}, [%[bias]]\n"
#define BIAS_3              BIAS_1 "ld1 {v20.4s-v23.4s}, [%[bias]]\nld1 {v24.4s-v27.4s}, [%[bias]]\n"
#define BIAS_4              BIAS_3 "ld1 {v28.4s-v31.4s}, [%[bias]]\n"
/* Further sets of weights are seldom: they are gone back for from MORE_SETS, behind everything else. */
#define SETS(...)          "mov x3, %[w]\n2:\n" __VA_ARGS__ "cbnz %[more], 8f\n7:\n"
#define MORE_SETS(back)    "b 9f\n8:\ncmp x3, %[more]\nb.eq 7b\n" back "b 2b\n9:\n"
#define TO(...)            TO_(__VA_ARGS__)
#define TO_(a, b, c, d)    "st1 {" a ".16b}, [%[to]], %[pixel]\n"
#define APPLY(finish, ...) finish(__VA_ARGS__)
#define FINISH_3(finish)                                                                                     \
    finish##_LOAD APPLY(finish, O0) TO(O0) APPLY(finish, O1) TO(O1) APPLY(finish, O2) TO(O2)
#define FINISH_4(finish) FINISH_3(finish) APPLY(finish, O3) TO(O3)

#define SCRATCH                                                                                              \
    "cc", "memory", "x2", "x3", "x4", "x5", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",      \
        "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",    \
        "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#define IN                                                                                                   \
    [w] "r"(weights), [more] "r"(more_sets(job, weights)), [bias] "r"(job->head->bias),                      \
        [pixel] "r"(job->pixel), [group] "r"(job->group)

#endif
