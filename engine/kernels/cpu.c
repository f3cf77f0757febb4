/* SPDX-License-Identifier: MIT */
#include "engine/pipit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <cpuid.h>
#endif

static const struct {
    unsigned flag;
    const char *name;
} names[] = {
    {PIPIT_CPU_NEON, "neon"}, {PIPIT_CPU_DOTPROD, "dotprod"}, {PIPIT_CPU_FP16, "fp16"},
    {PIPIT_CPU_I8MM, "i8mm"}, {PIPIT_CPU_AVX2, "avx2"},       {PIPIT_CPU_AVX512, "avx512"},
    {PIPIT_CPU_VNNI, "vnni"}, {PIPIT_CPU_BF16, "bf16"},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

#if defined(__x86_64__)
/* CPUID leaf 1; clang 14's __builtin_cpu_supports() does not know "f16c". */
static bool has_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && ecx & bit_F16C;
}

unsigned pipit_cpu_flags(void)
{
    unsigned flags = 0;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c())
        flags |= PIPIT_CPU_AVX2;
    if (flags && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        flags |= PIPIT_CPU_AVX512;
    if (flags & PIPIT_CPU_AVX512 && __builtin_cpu_supports("avx512vnni") &&
        __builtin_cpu_supports("avx512vbmi"))
        flags |= PIPIT_CPU_VNNI;
    if (flags & PIPIT_CPU_AVX512 && __builtin_cpu_supports("avx512bf16"))
        flags |= PIPIT_CPU_BF16;
    return flags;
}
#elif defined(__aarch64__)
unsigned pipit_cpu_flags(void)
{
    unsigned long hwcap = getauxval(AT_HWCAP), hwcap2 = getauxval(AT_HWCAP2);
    unsigned flags = PIPIT_CPU_NEON;
    if (hwcap & HWCAP_ASIMDDP)
        flags |= PIPIT_CPU_DOTPROD;
    if (hwcap & HWCAP_ASIMDHP)
        flags |= PIPIT_CPU_FP16;
    if (hwcap2 & HWCAP2_I8MM)
        flags |= PIPIT_CPU_I8MM;
    if (hwcap2 & HWCAP2_BF16)
        flags |= PIPIT_CPU_BF16;
    return flags;
}
#else
unsigned pipit_cpu_flags(void)
{
    return 0;
}
#endif

static int flag_of(const char *name, size_t length, unsigned *flag)
{
    for (int i = 0; i < NAMES; i++)
        if (strlen(names[i].name) == length && !strncmp(names[i].name, name, length)) {
            *flag = names[i].flag;
            return 0;
        }
    return -EINVAL;
}

int pipit_cpu_parse(const char *text, unsigned *mask)
{
    char *end;
    if (!strcmp(text, "all") || !strcmp(text, "none")) {
        *mask = text[0] == 'a' ? ~0u : 0;
        return 0;
    }
    if (text[0] >= '0' && text[0] <= '9') {
        unsigned long value = strtoul(text, &end, 0);
        *mask = (unsigned)value;
        return *end || value > ~0u ? -EINVAL : 0;
    }
    unsigned flags = 0, flag;
    for (;; text++) {
        size_t length = strcspn(text, ",");
        if (flag_of(text, length, &flag))
            return -EINVAL;
        flags |= flag;
        text += length;
        if (!*text)
            break;
    }
    *mask = flags;
    return 0;
}

void pipit_cpu_format(unsigned flags, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "none");
    for (int i = 0; i < NAMES; i++)
        if (flags & names[i].flag && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", names[i].name);
}
