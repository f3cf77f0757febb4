/* SPDX-License-Identifier: MIT */
/*
 * Proves and times the kernel table. CPU flags are added one at a time, and each slot whose function is new
 * is held against the last one that passed, C first: integers exactly, floats to 1e-5 of the answer's range
 * (with factors in bfloat16 too, whose products are exact), float16 to what its roundings may add up to.
 * Inputs are seeded and of odd sizes, outputs are poisoned and padded, and what lies behind them must stay.
 * Without a new function there is nothing to compare: exit status 77. With --bench each new function is timed
 * against C.
 */
#include "tests/kernels/kernels.h"

#include <stdio.h>
#include <string.h>

static const unsigned flags[] = {PIPIT_CPU_NEON, PIPIT_CPU_DOTPROD, PIPIT_CPU_FP16, PIPIT_CPU_I8MM,
                                 PIPIT_CPU_AVX2, PIPIT_CPU_AVX512,  PIPIT_CPU_VNNI, PIPIT_CPU_BF16};

uint32_t random_bits(struct context *context)
{
    context->seed ^= context->seed << 13; /* Marsaglia, Xorshift RNGs, 2003 */
    context->seed ^= context->seed >> 17;
    context->seed ^= context->seed << 5;
    return context->seed;
}

int random_between(struct context *context, int low, int high)
{
    return low + (int)(random_bits(context) % (uint32_t)(high - low + 1));
}

float random_float(struct context *context)
{
    return (float)(int32_t)random_bits(context) / 2147483648.0f;
}

void report(struct context *context, const char *name, const char *what)
{
    context->failures++;
    printf("FAIL %s: %s\n", name, what);
}

static void walk(struct context *context, unsigned available)
{
    struct kernels last, next;
    unsigned used = 0;
    kernels_init(&last, 0);
    kernels_init(&context->c, 0);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        char text[64];
        if (!(available & flags[i]))
            continue;
        used |= flags[i];
        kernels_init(&next, used);
        pipit_cpu_format(used, text, sizeof(text));
        int before = context->compared;
        check_conv(context, &last, &next);
        check_depthwise(context, &last, &next);
        check_elementwise(context, &last, &next);
        check_float16(context, &last, &next);
        printf("%s: %d new functions\n", text, context->compared - before);
        last = next;
    }
}

int main(int argc, char **argv)
{
    struct context context = {.seed = 20261123, .bench = argc > 1 && !strcmp(argv[1], "--bench")};
    walk(&context, pipit_cpu_flags());
    if (context.failures)
        return 1;
    if (context.compared)
        return 0;
    printf("this CPU has nothing beyond C to compare\n");
    return 77;
}
