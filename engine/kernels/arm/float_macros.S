/* SPDX-License-Identifier: MIT */
/* What the assembly of float kernels shares. Register numbers are expressions: GAS computes them. */
    .altmacro

/* Loads or stores `count` registers, 1 to 4. */
    .macro registers op, first, count, rest:vararg
    registers_ \op, %(\first), %((\first) + (\count) - 1), \rest
    .endm
    .macro registers_ op, first, last, rest:vararg
    .if \first == \last
    \op {v\first\().16b}, \rest
    .else
    \op {v\first\().16b-v\last\().16b}, \rest
    .endif
    .endm

    .macro load_weights first, count
    .if (\count) > 4
    registers ld1, \first, 4, [x1], #64
    load_weights (\first) + 4, (\count) - 4
    .else
    load_last %(\first), %(\count), %(16 * (\count))
    .endif
    .endm
    .macro load_last first, count, bytes
    registers ld1, \first, \count, [x1], #\bytes
    .endm

    .macro three op, ty, d, a, b
    \op v\d\().\ty, v\a\().\ty, v\b\().\ty
    .endm

/* Activations of `count` registers: five before `limits` are free; from there on are the low limit, the high one and
 * what the hard swish adds, or -3 in float16, whose FRSQRTS is (3 - a * b) / 2. */
    .macro each what, ty, first, count, limits
    .set sum, 0
    .rept \count
    \what \ty, %(\first + sum), %(\limits - 5 + sum % 5), %(\limits), %(\limits + 1), %(\limits + 2)
    .set sum, sum + 1
    .endr
    .endm
    .macro max ty, x, temporary, low, high, third
    fmax v\x\().\ty, v\x\().\ty, v\low\().\ty
    .endm
    .macro min ty, x, temporary, low, high, third
    fmin v\x\().\ty, v\x\().\ty, v\high\().\ty
    .endm
    .macro swish_of ty, x, temporary, low, high, third
    .ifc \ty, 8h
    frsqrts v\temporary\().8h, v\x\().8h, v\third\().8h
    .else
    fadd v\temporary\().4s, v\x\().4s, v\third\().4s
    .endif
    fmax v\temporary\().\ty, v\temporary\().\ty, v\low\().\ty
    fmin v\temporary\().\ty, v\temporary\().\ty, v\high\().\ty
    fmul v\x\().\ty, v\x\().\ty, v\temporary\().\ty
    .endm

/* The activation of `count` sums: its kind is in x\kind, as enum finish, where its limits are in x\from. finish_rest
 * goes behind the function. */
    .macro finish id, ty, first, count, limits, kind, from
    tbz x\kind, #1, .Lsimple_\id
    finish_load ldp, q, %(\limits), %(\limits + 1), [x\from]
    tbnz x\kind, #0, .Lswish_\id
    each max, \ty, \first, \count, \limits
    each min, \ty, \first, \count, \limits
.Ldone_\id:
    .endm
    .macro finish_rest id, ty, first, count, limits, kind, from
.Lsimple_\id:
    cbz x\kind, .Ldone_\id
    finish_load ldp, q, %(\limits), %(\limits + 1), [x\from]
    each max, \ty, \first, \count, \limits
    b .Ldone_\id
.Lswish_\id:
    finish_third %(\limits + 2), \from
    each swish_of, \ty, \first, \count, \limits
    b .Ldone_\id
    .endm
    .macro finish_load op, kind, a, b, rest:vararg
    \op \kind\()\a, \kind\()\b, \rest
    .endm
    .macro finish_third third, from
    ldr q\third, [x\from, #32]
    .endm

/* The registers that a caller wants back, and 16 bytes at `LOCAL`. */
    .set LOCAL, 112
    .macro save
    stp d8, d9, [sp, #-128]!
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    stp d14, d15, [sp, #48]
    stp x19, x20, [sp, #64]
    stp x21, x22, [sp, #80]
    stp x23, x24, [sp, #96]
    .endm
    .macro restore
    ldp d10, d11, [sp, #16]
    ldp d12, d13, [sp, #32]
    ldp d14, d15, [sp, #48]
    ldp x19, x20, [sp, #64]
    ldp x21, x22, [sp, #80]
    ldp x23, x24, [sp, #96]
    ldp d8, d9, [sp], #128
    ret
    .endm
    .macro function id
    .globl pipit_\id
    .hidden pipit_\id
    .type pipit_\id, %function
    .balign 16
pipit_\id:
    save
    .endm
