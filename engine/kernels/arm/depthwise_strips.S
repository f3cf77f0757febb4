/* SPDX-License-Identifier: MIT */
/*
 * Strips of depthwise outputs: see depthwise_strips.h. A block's sums are in registers 0, 1, ... (those of a column
 * side by side), the weights of a row of taps behind them, inputs behind those. Each row of taps goes over the input
 * columns from left to right; each column is loaded once and added to the sums of all windows that it lies in.
 */
#include "engine/kernels/arm/float_macros.S"

/* Input column `column` of the row at x14: into the sums of its windows. */
    .macro column_of column, ty, block, size, stride, columns
    .set slots, (32 - \block * (\columns + \size)) / \block
    .set input, \block * (\columns + \size) + \block * ((\column) % slots)
    registers ld1, input, \block, [x14], x3
    .set window, 0
    .rept \columns
    .set tap, (\column) - window * \stride
    .if tap >= 0 && tap < \size
    .set register, 0
    .rept \block
    three fmla, \ty, %(window * \block + register), %(input + register), %(\block * (\columns + tap) + register)
    .set register, register + 1
    .endr
    .endif
    .set window, window + 1
    .endr
    .endm

/* A row of taps; `from` is the register of its inputs. What is outside is left out: of an odd window that hangs over
 * by half its size at most, never the row in the middle. */
    .macro row_of row, from, id, ty, block, size, stride, columns
    .if \row != \size / 2
    cbz x\from, .Loutside_\row\()_\id
    .endif
    load_weights \block * \columns, \block * \size
    add x14, x\from, x15
    .set inputs, (\columns - 1) * \stride + \size
    .if \size == 5
    tbnz w4, #1, .Lleft_2_\row\()_\id
    .endif
    cbnz x4, .Lleft_1_\row\()_\id
    .set at, 0
    .rept inputs
    .if inputs - at == 2 && \size == 5
    tbnz w5, #1, .Lend_\row\()_\id
    .elseif inputs - at == 1
    cbnz x5, .Lend_\row\()_\id
    .endif
    column_of at, \ty, \block, \size, \stride, \columns
    .if at == 0
.Lleft_1_\row\()_\id:
    .elseif at == 1 && \size == 5
.Lleft_2_\row\()_\id:
    .endif
    .set at, at + 1
    .endr
.Lend_\row\()_\id:
    .endm
    .macro outside row, id, block, size
    .if \row != \size / 2
.Loutside_\row\()_\id:
    add x1, x1, #16 * \block * \size
    b .Lend_\row\()_\id
    .endif
    .endm

    .macro strip type, ty, block, size, stride, columns
    strip_ \type\()_\block\()_\size\()_\stride\()_\columns, \ty, \block, \size, \stride, \columns
    .endm
    .macro strip_ id, ty, block, size, stride, columns
    function strip_\id
    ldp x9, x10, [x0]
    ldp x11, x12, [x0, #16]
    ldp x13, x1, [x0, #32]
    ldp x2, x3, [x0, #48]
    ldp x15, x4, [x0, #64]
    ldp x5, x6, [x0, #80]
    ldp x8, x7, [x0, #96]
    ldp x14, x19, [x0, #112]
    add x17, x2, x15
    add x16, x15, x14
.Lstrip_\id:
    mov x2, x17
    mov x15, x16
.Lblock_\id:
    .set i, 0
    .rept \columns - 1
    registers ld1, i * \block, \block, [x1]
    .set i, i + 1
    .endr
    load_weights (\columns - 1) * \block, \block
    .set i, 0
    .rept \size
    row_of %i, %(9 + i), \id, \ty, \block, \size, \stride, \columns
    .set i, i + 1
    .endr
    mov x14, x2
    finish \id, \ty, 0, \block * \columns, 29, 8, 7
    .set i, 0
    .rept \columns
    registers st1, i * \block, \block, [x14], x3
    .set i, i + 1
    .endr
    add x2, x2, #16 * \block
    add x15, x15, #16 * \block
    subs x6, x6, #1
    b.ne .Lblock_\id
    subs x19, x19, #1
    b.eq .Lready_\id
    ldr x1, [x0, #40]
    ldr x6, [x0, #88]
    mov x14, #\columns
    madd x17, x3, x14, x17
    mov x14, #\columns * \stride
    madd x16, x3, x14, x16
    b .Lstrip_\id
.Lready_\id:
    restore
    .set i, 0
    .rept \size
    outside %i, \id, \block, \size
    .set i, i + 1
    .endr
    finish_rest \id, \ty, 0, \block * \columns, 29, 8, 7
    .size pipit_strip_\id, . - pipit_strip_\id
    .endm

    .macro strips_3 type, ty, block, stride
    strip \type, \ty, \block, 3, \stride, 3
    strip \type, \ty, \block, 3, \stride, 4
    .endm
    .macro strips_5 type, ty, block, stride
    strip \type, \ty, \block, 5, \stride, 3
    strip \type, \ty, \block, 5, \stride, 4
    strip \type, \ty, \block, 5, \stride, 7
    .endm

    .text
#ifdef STRIPS_FP16
    .arch armv8.2-a+fp16
    .irp stride, 1, 2
    strips_3 f16, 8h, 1, \stride
    strips_3 f16, 8h, 2, \stride
    strips_3 f16, 8h, 4, \stride
    strips_5 f16, 8h, 1, \stride
    strips_5 f16, 8h, 2, \stride
    .endr
#else
    .irp stride, 1, 2
    strips_3 f32, 4s, 2, \stride
    strips_3 f32, 4s, 4, \stride
    strips_5 f32, 4s, 2, \stride
    .endr
#endif
    .section .note.GNU-stack, "", %progbits
