/* SPDX-License-Identifier: MIT */
/*
 * Windows of depthwise outputs without dot product, 16 channels wide: SMULL and SMLAL make two taps' products
 * in 16 bits, SADDW adds them to sums of 32 bits. Weights are within 127, so that two products fit. A column
 * of inputs is loaded once for all the outputs of a strip that it is under. Sums are in v16 to v31.
 */
#ifndef PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_SMULL_H
#define PIPIT_ENGINE_KERNELS_ARM_DEPTHWISE_SMULL_H

#include "engine/kernels/arm/depthwise_columns.h"
#include "engine/kernels/arm/narrow_i8.h"

#define S0       "v16", "v17", "v18", "v19"
#define S1       "v20", "v21", "v22", "v23"
#define S2       "v24", "v25", "v26", "v27"
#define S3       "v28", "v29", "v30", "v31"
#define ADD(...) ADD_(__VA_ARGS__)
#define ADD_(t, u, a, b, c, d)                                                                               \
    "saddw " a ".4s, " a ".4s, " t ".4h\nsaddw2 " b ".4s, " b ".4s, " t ".8h\n"                              \
    "saddw " c ".4s, " c ".4s, " u ".4h\nsaddw2 " d ".4s, " d ".4s, " u ".8h\n"
#define TAP(op, t, u, x, w)        op " " t ".8h, " w ".8b, " x ".8b\n" op "2 " u ".8h, " w ".16b, " x ".16b\n"
#define TWO(t, u, x, w, y, v, ...) TAP("smull", t, u, x, w) TAP("smlal", t, u, y, v) ADD(t, u, __VA_ARGS__)
#define ONE(t, u, x, w, ...)       TAP("smull", t, u, x, w) ADD(t, u, __VA_ARGS__)
#define GLUE(a, b)                 a##b
#define LOAD(reg, row)             "ld1 {" reg ".16b}, [" row "], %[pixel]\n"

/* 3 x 3: weights in v4 to v12, rows 0 and 1 in v0 and v1, row 2 in v2 and v3 by turns: of it, columns 0 and 1
 * are two taps, column 2 is one. */
#define L3(parity)            LOAD("v0", "x2") LOAD("v1", "x3") GLUE(L3_, parity)
#define L3_E                  LOAD("v2", "x5")
#define L3_O                  LOAD("v3", "x5")
#define D3(parity, k, sums)   GLUE(D3_, k)(GLUE(IN_, parity), sums)
#define IN_E                  "v2", "v3"
#define IN_O                  "v3", "v2"
#define D3_0(...)             D3_0_(__VA_ARGS__)
#define D3_0_(now, last, ...) TWO("v13", "v14", "v0", "v4", "v1", "v7", __VA_ARGS__)
#define D3_1(...)             D3_1_(__VA_ARGS__)
#define D3_1_(now, last, ...)                                                                                \
    TWO("v13", "v14", "v0", "v5", "v1", "v8", __VA_ARGS__)                                                   \
    TWO("v13", "v14", last, "v10", now, "v11", __VA_ARGS__)
#define D3_2(...) D3_2_(__VA_ARGS__)
#define D3_2_(now, last, ...)                                                                                \
    TWO("v13", "v14", "v0", "v6", "v1", "v9", __VA_ARGS__) ONE("v13", "v14", now, "v12", __VA_ARGS__)
#define WINDOW_3(stride, n)                                                                                  \
    "ldp x2, x3, [%[rows]]\nldr x5, [%[rows], #16]\nadd x2, x2, %[at]\nadd x3, x3, %[at]\nadd x5, x5, "      \
    "%[at]\n"                                                                                                \
    "ld1 {v4.16b-v7.16b}, [x4], #64\nld1 {v8.16b-v11.16b}, [x4], #64\nld1 {v12.16b}, [x4], "                 \
    "#16\n" COLUMNS_3_##stride##_##n(L3, D3)

/* 5 x 5: two rows at a time, weights in v4 to v13; then row 4 in v0 and v1 by turns, two columns at a time.
 */
#define L5(parity)           LOAD("v0", "x2") LOAD("v1", "x3")
#define D5(parity, k, sums)  GLUE(D5_, k)(sums)
#define D5_0(...)            TWO("v14", "v15", "v0", "v4", "v1", "v9", __VA_ARGS__)
#define D5_1(...)            TWO("v14", "v15", "v0", "v5", "v1", "v10", __VA_ARGS__)
#define D5_2(...)            TWO("v14", "v15", "v0", "v6", "v1", "v11", __VA_ARGS__)
#define D5_3(...)            TWO("v14", "v15", "v0", "v7", "v1", "v12", __VA_ARGS__)
#define D5_4(...)            TWO("v14", "v15", "v0", "v8", "v1", "v13", __VA_ARGS__)
#define LAST(parity)         GLUE(LAST_, parity)
#define LAST_E               LOAD("v0", "x2")
#define LAST_O               LOAD("v1", "x2")
#define ROW(parity, k, sums) GLUE(ROW_, k)(GLUE(OF_, parity), sums)
#define OF_E                 "v0", "v1"
#define OF_O                 "v1", "v0"
#define ROW_0(...)
#define ROW_1(...)             ROW_1_(__VA_ARGS__)
#define ROW_1_(now, last, ...) TWO("v14", "v15", last, "v4", now, "v5", __VA_ARGS__)
#define ROW_2(...)
#define ROW_3(...)             ROW_3_(__VA_ARGS__)
#define ROW_3_(now, last, ...) TWO("v14", "v15", last, "v6", now, "v7", __VA_ARGS__)
#define ROW_4(...)             ROW_4_(__VA_ARGS__)
#define ROW_4_(now, last, ...) ONE("v14", "v15", now, "v8", __VA_ARGS__)
#define TWO_ROWS(first, stride, n)                                                                           \
    "ldp x2, x3, [%[rows], #" first "]\nadd x2, x2, %[at]\nadd x3, x3, %[at]\n"                              \
    "ld1 {v4.16b-v7.16b}, [x4], #64\nld1 {v8.16b-v11.16b}, [x4], #64\nld1 {v12.16b, v13.16b}, [x4], "        \
    "#32\n" COLUMNS_5_##stride##_##n(L5, D5)
#define WINDOW_5(stride, n)                                                                                  \
    TWO_ROWS("0", stride, n)                                                                                 \
    TWO_ROWS("16", stride, n)                                                                                \
    "ldr x2, [%[rows], #32]\nadd x2, x2, %[at]\nld1 {v4.16b-v7.16b}, [x4], "                                 \
    "#64\nld1 {v8.16b}, [x4], #16\n" COLUMNS_5_##stride##_##n(LAST, ROW)

#endif
