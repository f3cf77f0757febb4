/* SPDX-License-Identifier: MIT */
/*
 * Panels of convolutions: see conv_panels.h. Inputs are in registers 0 to 7, weights behind them, sums in the last ones,
 * a pixel's side by side. Weights come four registers at a time, in the order in which they are multiplied.
 */
#include "engine/kernels/arm/float_macros.S"

#ifdef PANELS_FP16
#define LANES 8
#define SIZE  2
    .arch armv8.2-a+fp16
#else
#define LANES 4
#define SIZE  4
#endif

    .macro by_lane sum, weight, input, lane
#ifdef PANELS_FP16
    fmla v\sum\().8h, v\weight\().8h, v\input\().h[\lane]
#else
    fmla v\sum\().4s, v\weight\().4s, v\input\().s[\lane]
#endif
    .endm
    .macro load_element register, row
#ifdef PANELS_FP16
    ldr h\register, [x\row], #2
#else
    ldr s\register, [x\row], #4
#endif
    .endm
    .macro load_row first, count, row
    .if \count == 1
    ldr q\first, [x\row], #16
    .else
    load_rows \first, \count, \row, %(16 * \count)
    .endif
    .endm
    .macro load_rows first, count, row, bytes
    registers ld1, \first, \count, [x\row], #\bytes
    .endm
    .macro add_rows a, b
    add x\a, x\b, x1
    .endm
    .macro load_chunk first, count, bytes
    registers ld1, \first, \count, [x6], #\bytes
    .endm

/* `steps` of depth, of inputs that are loaded: `parts` registers a pixel. Sums of step s are number s % ways. */
    .macro steps count, parts, pixels, width, ways, weights, slots, sums
    .set all, \count * \width
    .set k, 0
    .rept all
    .if k % 4 == 0
    .set chunk, \weights + k / 4 % \slots * 4
    .if all - k >= 4
    load_chunk %chunk, 4, 64
    .else
    load_chunk %chunk, %(all - k), %(16 * (all - k))
    .endif
    .endif
    .set step, k / \width
    .set p, 0
    .rept \pixels
    by_lane %(\sums + step % \ways * \width * \pixels + p * \width + k % \width), %(chunk + k % 4), %(p * \parts + step / LANES), %(step % LANES)
    .set p, p + 1
    .endr
    .set k, k + 1
    .endr
    .endm

/* Blocks of `pixels` by `width` registers of channels. A turn of the loop is `turns` times `parts` registers of each
 * pixel. x0: the call, x1: from pixel to pixel, x2: first pixel, x3: blocks, x4, x5: output, x6: weights, x7, x8: taps,
 * x9 to x16: rows, x17: turns, x19: depth. */
    .macro panel id, ty, pixels, width, parts, turns, ways, weights, slots
    .set sums, 32 - \pixels * \width * \ways
    .set deep, \parts * \turns * LANES
    function \id
    ldp x1, x2, [x0, #8]
    ldp x3, x4, [x0, #24]
    ldp x5, x19, [x0, #40]
    ldr x20, [x0, #56]
.Lblock_\id:
    ldr x6, [x0, #64]
    .if \width > 4
    add x9, x6, #64
    .endif
    .set p, 0
    .if \pixels * \width < 4
    registers ld1, sums, \pixels * \width, [x6]
    .elseif \width <= 4
    .rept \pixels * \width / 4
    registers ld1, sums + 4 * p, 4, [x6]
    .set p, p + 1
    .endr
    .else
    .rept \pixels
    registers ld1, sums + \width * p, 4, [x6]
    registers ld1, sums + \width * p + 4, \width - 4, [x9]
    .set p, p + 1
    .endr
    .endif
    .set p, \pixels * \width
    .rept \pixels * \width * (\ways - 1)
    clear %(sums + p)
    .set p, p + 1
    .endr
    .if \width > 4
    add x6, x6, #16 * \width
    .else
    add x6, x6, #64
    .endif
    ldp x7, x8, [x0, #72]
.Ltap_\id:
    ldr x9, [x7], #8
    add x9, x9, x2
    .set p, 1
    .rept \pixels - 1
    add_rows %(9 + p), %(8 + p)
    .set p, p + 1
    .endr
    lsr x17, x19, #-(deep == 8) * 3 - (deep == 16) * 4
    cbz x17, .Lrest_\id
.Lloop_\id:
    .rept \turns
    .set p, 0
    .rept \pixels
    load_row %(p * \parts), \parts, %(9 + p)
    .set p, p + 1
    .endr
    .set part, 0
    steps \parts * LANES, \parts, \pixels, \width, \ways, \weights, \slots, sums
    .endr
    subs x17, x17, #1
    b.ne .Lloop_\id
.Lrest_\id:
    ands x17, x19, #deep - 1
    b.eq .Lnext_\id
.Lone_\id:
    .set p, 0
    .rept \pixels
    load_element %p, %(9 + p)
    .set p, p + 1
    .endr
    steps 1, 1, \pixels, \width, \ways, \weights, \slots, sums
    subs x17, x17, #1
    b.ne .Lone_\id
.Lnext_\id:
    subs x8, x8, #1
    b.ne .Ltap_\id
    .set p, \pixels * \width * \ways
    .rept \ways - 1
    .set p, p / 2
    .set k, 0
    .rept -(p >= \pixels * \width) * p
    three fadd, \ty, %(sums + k), %(sums + k), %(sums + p + k)
    .set k, k + 1
    .endr
    .endr
    ldr x17, [x0, #88]
    mov x9, x4
    .if \width > 4
    add x10, x4, #64
    .endif
    finish \id, \ty, sums, \pixels * \width, 5, 17, 20
    .set p, 0
    .rept \pixels
    .if \width > 4
    registers st1, sums + \width * p, 4, [x9], x5
    registers st1, sums + \width * p + 4, \width - 4, [x10], x5
    .else
    registers st1, sums + \width * p, \width, [x9], x5
    .endif
    .set p, p + 1
    .endr
    .if \pixels > 1
    subs x3, x3, #1
    add x2, x2, x1, lsl #-(\pixels == 4) * 2 - (\pixels == 8) * 3
    add x4, x4, x5, lsl #-(\pixels == 4) * 2 - (\pixels == 8) * 3
    b.ne .Lblock_\id
    .endif
    restore
    finish_swish \id, \ty, sums, \pixels * \width, 5, 20
    .size pipit_\id, . - pipit_\id
    .endm
    .macro clear register
    movi v\register\().2d, #0
    .endm

    .text
#ifdef PANELS_FP16
    panel panel_f16_4x6, 8h, 4, 6, 1, 2, 1, 4, 1
    panel panel_f16_4x4, 8h, 4, 4, 2, 1, 1, 8, 2
    panel panel_f16_8x2, 8h, 8, 2, 1, 1, 1, 8, 2
    panel panel_f16_8x1, 8h, 8, 1, 1, 1, 1, 8, 2
    panel panel_f16_1x6, 8h, 1, 6, 1, 1, 2, 8, 2
    panel panel_f16_1x4, 8h, 1, 4, 1, 1, 2, 8, 2
    panel panel_f16_1x2, 8h, 1, 2, 1, 1, 4, 8, 2
    panel panel_f16_1x1, 8h, 1, 1, 1, 1, 8, 8, 2
#else
    panel panel_f32_4x6, 4s, 4, 6, 1, 2, 1, 4, 1
    panel panel_f32_4x4, 4s, 4, 4, 2, 1, 1, 8, 2
    panel panel_f32_8x2, 4s, 8, 2, 1, 2, 1, 8, 2
    panel panel_f32_1x6, 4s, 1, 6, 2, 1, 2, 8, 2
    panel panel_f32_1x4, 4s, 1, 4, 2, 1, 2, 8, 2
    panel panel_f32_1x2, 4s, 1, 2, 2, 1, 4, 8, 2
#endif
    .section .note.GNU-stack, "", %progbits
