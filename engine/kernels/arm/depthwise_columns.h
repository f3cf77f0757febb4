/* SPDX-License-Identifier: MIT */
/*
 * Columns of a strip of depthwise outputs from left to right, COLUMNS_size_stride_outputs: L(parity) loads
 * one, D(parity, k, sums) multiplies it by column k of the weights.
 */
#ifndef PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_COLUMNS_H
#define PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_COLUMNS_H

/* clang-format off */
#define COLUMNS_3_1_1(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0)                                                                                         \
    L(E) D(E, 2, S0)
#define COLUMNS_3_1_3(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0) D(O, 0, S1)                                                                             \
    L(E) D(E, 2, S0) D(E, 1, S1) D(E, 0, S2)                                                                 \
    L(O) D(O, 2, S1) D(O, 1, S2)                                                                             \
    L(E) D(E, 2, S2)
#define COLUMNS_3_1_4(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0) D(O, 0, S1)                                                                             \
    L(E) D(E, 2, S0) D(E, 1, S1) D(E, 0, S2)                                                                 \
    L(O) D(O, 2, S1) D(O, 1, S2) D(O, 0, S3)                                                                 \
    L(E) D(E, 2, S2) D(E, 1, S3)                                                                             \
    L(O) D(O, 2, S3)
#define COLUMNS_3_2_3(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0)                                                                                         \
    L(E) D(E, 2, S0) D(E, 0, S1)                                                                             \
    L(O) D(O, 1, S1)                                                                                         \
    L(E) D(E, 2, S1) D(E, 0, S2)                                                                             \
    L(O) D(O, 1, S2)                                                                                         \
    L(E) D(E, 2, S2)
#define COLUMNS_3_2_4(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0)                                                                                         \
    L(E) D(E, 2, S0) D(E, 0, S1)                                                                             \
    L(O) D(O, 1, S1)                                                                                         \
    L(E) D(E, 2, S1) D(E, 0, S2)                                                                             \
    L(O) D(O, 1, S2)                                                                                         \
    L(E) D(E, 2, S2) D(E, 0, S3)                                                                             \
    L(O) D(O, 1, S3)                                                                                         \
    L(E) D(E, 2, S3)
#define COLUMNS_5_1_1(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0)                                                                                         \
    L(E) D(E, 2, S0)                                                                                         \
    L(O) D(O, 3, S0)                                                                                         \
    L(E) D(E, 4, S0)
#define COLUMNS_5_1_3(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0) D(O, 0, S1)                                                                             \
    L(E) D(E, 2, S0) D(E, 1, S1) D(E, 0, S2)                                                                 \
    L(O) D(O, 3, S0) D(O, 2, S1) D(O, 1, S2)                                                                 \
    L(E) D(E, 4, S0) D(E, 3, S1) D(E, 2, S2)                                                                 \
    L(O) D(O, 4, S1) D(O, 3, S2)                                                                             \
    L(E) D(E, 4, S2)
#define COLUMNS_5_1_4(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0) D(O, 0, S1)                                                                             \
    L(E) D(E, 2, S0) D(E, 1, S1) D(E, 0, S2)                                                                 \
    L(O) D(O, 3, S0) D(O, 2, S1) D(O, 1, S2) D(O, 0, S3)                                                     \
    L(E) D(E, 4, S0) D(E, 3, S1) D(E, 2, S2) D(E, 1, S3)                                                     \
    L(O) D(O, 4, S1) D(O, 3, S2) D(O, 2, S3)                                                                 \
    L(E) D(E, 4, S2) D(E, 3, S3)                                                                             \
    L(O) D(O, 4, S3)
#define COLUMNS_5_2_3(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0)                                                                                         \
    L(E) D(E, 2, S0) D(E, 0, S1)                                                                             \
    L(O) D(O, 3, S0) D(O, 1, S1)                                                                             \
    L(E) D(E, 4, S0) D(E, 2, S1) D(E, 0, S2)                                                                 \
    L(O) D(O, 3, S1) D(O, 1, S2)                                                                             \
    L(E) D(E, 4, S1) D(E, 2, S2)                                                                             \
    L(O) D(O, 3, S2)                                                                                         \
    L(E) D(E, 4, S2)
#define COLUMNS_5_2_4(L, D)                                                                                  \
    L(E) D(E, 0, S0)                                                                                         \
    L(O) D(O, 1, S0)                                                                                         \
    L(E) D(E, 2, S0) D(E, 0, S1)                                                                             \
    L(O) D(O, 3, S0) D(O, 1, S1)                                                                             \
    L(E) D(E, 4, S0) D(E, 2, S1) D(E, 0, S2)                                                                 \
    L(O) D(O, 3, S1) D(O, 1, S2)                                                                             \
    L(E) D(E, 4, S1) D(E, 2, S2) D(E, 0, S3)                                                                 \
    L(O) D(O, 3, S2) D(O, 1, S3)                                                                             \
    L(E) D(E, 4, S2) D(E, 2, S3)                                                                             \
    L(O) D(O, 3, S3)                                                                                         \
    L(E) D(E, 4, S3)
/* clang-format on */

#endif
