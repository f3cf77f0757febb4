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

/* The sums' biases; x6 is then at the weights. */
    .macro load_bias pixels, width, ways
    .set p, 0
    .if \width > 4
    add x10, x6, #64
    .rept \pixels
    registers ld1, sums + \width * p, 4, [x6]
    registers ld1, sums + \width * p + 4, \width - 4, [x10]
    .set p, p + 1
    .endr
    add x6, x6, #16 * \width
    .elseif \pixels * \width < 4
    registers ld1, sums, \pixels * \width, [x6]
    add x6, x6, #64
    .else
    .rept \pixels * \width / 4 - 1
    registers ld1, sums + 4 * p, 4, [x6]
    .set p, p + 1
    .endr
    registers ld1, sums + 4 * p, 4, [x6], #64
    .endif
    .set p, \pixels * \width
    .rept \pixels * \width * (\ways - 1)
    clear %(sums + p)
    .set p, p + 1
    .endr
    .endm
    .macro clear register
    movi v\register\().2d, #0
    .endm

    .macro load_pixels pixels, parts
    .set p, 0
    .rept \pixels
    load_row %(p * \parts), \parts, %(9 + p)
    .set p, p + 1
    .endr
    .endm

/* Depth that is no whole turn: a register of each pixel where `parts` are two, then one by one. */
    .macro rest id, pixels, width, parts, ways, weights, slots
    .if \parts == 2
    tbz x19, #BITS - 1, .Lones_\id
    .set p, 0
    .rept \pixels
    load_row %(p * \parts), 1, %(9 + p)
    .set p, p + 1
    .endr
    steps LANES, \parts, \pixels, \width, \ways, \weights, \slots, sums
    .endif
.Lones_\id:
    ands x17, x19, #LANES - 1
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
    .endm

    .macro add_ways ty, count, ways
    .set p, \count * \ways
    .rept \ways - 1
    .set p, p / 2
    .set k, 0
    .rept -(p >= \count) * p
    three fadd, \ty, %(sums + k), %(sums + k), %(sums + p + k)
    .set k, k + 1
    .endr
    .endr
    .endm

    .macro store pixels, width
    .set p, 0
    .if \width > 4
    add x10, x4, #64
    .endif
    .rept \pixels
    .if \width > 4
    registers st1, sums + \width * p, 4, [x4], x5
    registers st1, sums + \width * p + 4, \width - 4, [x10], x5
    .else
    registers st1, sums + \width * p, \width, [x4], x5
    .endif
    .set p, p + 1
    .endr
    .endm
    .macro next_pixel last
    add x9, x\last, x24
    .endm

/* Blocks of `pixels` by `width` registers of channels. A turn of the loop is `turns` times `parts` registers of each
 * pixel; of two turns the first is left out where depth wants it. x0: the call, x1: from pixel to pixel, x2: first pixel,
 * x3: blocks, x4, x5: output, x6: weights, x7: taps, x8: those left, x9 to x16: rows, x17: turns, x19: depth, x20, x21:
 * activation, x22: taps behind the first, x23: not 0 if there are any or depth is not whole, x24: from a pixel's end to the
 * next one. */
    .macro panel id, ty, pixels, width, parts, turns, ways, weights, slots
    .set sums, 32 - \pixels * \width * \ways
    .set BITS, -(\parts * LANES == 4) * 2 - (\parts * LANES == 8) * 3 - (\parts * LANES == 16) * 4
    function \id
    ldp x1, x2, [x0, #8]
    ldp x3, x4, [x0, #24]
    ldp x5, x19, [x0, #40]
    ldp x20, x6, [x0, #56]
    ldp x7, x22, [x0, #72]
    ldr x21, [x0, #88]
    lsr x17, x19, #BITS
    .if \turns == 2
    add x17, x17, #1
    lsr x17, x17, #1
    .endif
    stp x6, x17, [sp, #LOCAL]
    sub x22, x22, #1
    and x23, x19, #\parts * LANES - 1
    orr x23, x23, x22
    sub x24, x1, x19, lsl #SIZE / 2
    ldr x9, [x7], #8
    mov x8, x22
    add x9, x9, x2
.Lblock_\id:
    ldp x6, x17, [sp, #LOCAL]
    load_bias \pixels, \width, \ways
.Ltap_\id:
    .set p, 1
    .rept \pixels - 1
    add_rows %(9 + p), %(8 + p)
    .set p, p + 1
    .endr
    cbz x17, .Lrest_\id
    .if \turns == 2
    tbnz x19, #BITS, .Lsecond_\id
    .endif
.Lloop_\id:
    .if \turns == 2
    load_pixels \pixels, \parts
    steps \parts * LANES, \parts, \pixels, \width, \ways, \weights, \slots, sums
    .endif
.Lsecond_\id:
    load_pixels \pixels, \parts
    steps \parts * LANES, \parts, \pixels, \width, \ways, \weights, \slots, sums
    subs x17, x17, #1
    b.ne .Lloop_\id
    cbnz x23, .Lrest_\id
.Lfinish_\id:
    add_ways \ty, \pixels * \width, \ways
    finish \id, \ty, sums, \pixels * \width, 5, 21, 20
    store \pixels, \width
    .if \pixels > 1
    subs x3, x3, #1
    next_pixel %(8 + \pixels)
    cbnz x22, .Lagain_\id
    b.ne .Lblock_\id
    .endif
.Lready_\id:
    restore
.Lrest_\id:
    rest \id, \pixels, \width, \parts, \ways, \weights, \slots
.Lnext_\id:
    cbz x8, .Lfinish_\id
    sub x8, x8, #1
    ldr x9, [x7], #8
    ldr x17, [sp, #LOCAL + 8]
    add x9, x9, x2
    b .Ltap_\id
.Lagain_\id:
    b.eq .Lready_\id
    ldr x7, [x0, #72]
    mov x8, x22
    add x2, x2, x1, lsl #-(\pixels == 4) * 2 - (\pixels == 8) * 3
    ldr x9, [x7], #8
    add x9, x9, x2
    b .Lblock_\id
    finish_rest \id, \ty, sums, \pixels * \width, 5, 21, 20
    .size pipit_\id, . - pipit_\id
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
    panel panel_f32_4x4, 4s, 4, 4, 2, 2, 1, 8, 2
    panel panel_f32_8x2, 4s, 8, 2, 1, 2, 1, 8, 2
    panel panel_f32_1x6, 4s, 1, 6, 2, 1, 2, 8, 2
    panel panel_f32_1x4, 4s, 1, 4, 2, 1, 2, 8, 2
    panel panel_f32_1x2, 4s, 1, 2, 2, 1, 4, 8, 2
#endif
    .section .note.GNU-stack, "", %progbits
