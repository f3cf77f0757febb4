/* SPDX-License-Identifier: MIT */
#include "engine/kernels/c.h"

#include "engine/pipit.h"

#include <string.h>

void kernels_init(struct kernels *kernels, unsigned flags)
{
    *kernels = (struct kernels){.flags = flags};
    kernels_init_conv_c(kernels);
    kernels_init_depthwise_c(kernels);
    kernels_init_elementwise_c(kernels);
    kernels_init_float16_c(kernels);
    kernels_init_probe_c(kernels);
#if defined(__x86_64__)
    if (flags & PIPIT_CPU_AVX2)
        kernels_init_avx2(kernels);
    if (flags & PIPIT_CPU_AVX512)
        kernels_init_avx512(kernels);
    if (flags & PIPIT_CPU_VNNI)
        kernels_init_vnni(kernels);
    if (flags & PIPIT_CPU_BF16)
        kernels_init_bf16(kernels);
#elif defined(__aarch64__)
    if (flags & PIPIT_CPU_NEON)
        kernels_init_neon(kernels);
    if (flags & PIPIT_CPU_DOTPROD)
        kernels_init_dotprod(kernels);
    if (flags & PIPIT_CPU_FP16)
        kernels_init_fp16(kernels);
    if (flags & PIPIT_CPU_BF16)
        kernels_init_bf16(kernels);
#endif
}

/* A model has tens of thousands of them, so without frexp() and llround(): of a double's 53 bits the first
 * 31, rounded. */
struct requant requant_from_double(double factor)
{
    enum { MANTISSA = 52, LEFT_OUT = 22 };
    uint64_t bits;
    memcpy(&bits, &factor, sizeof(bits));
    int shift = (int)(bits >> MANTISSA) - 1022; /* of a number from 0.5 to 1 */
    uint64_t mantissa = (bits & ((1ull << MANTISSA) - 1)) | 1ull << MANTISSA,
             multiplier = (mantissa + (1ull << (LEFT_OUT - 1))) >> LEFT_OUT;
    if (multiplier == 1ull << 31) {
        multiplier /= 2;
        shift++;
    }
    if (!(factor > 0) || shift < -31)
        return (struct requant){0, 0};
    if (shift > 30)
        return (struct requant){INT32_MAX, 30};
    return (struct requant){(int32_t)multiplier, shift};
}
