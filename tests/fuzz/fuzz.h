/* SPDX-License-Identifier: MIT */
/* What every fuzz target has: libFuzzer's entry point, and a check that ends the process where it does not
 * hold. */
#ifndef PIPIT_TESTS_FUZZ_FUZZ_H
#define PIPIT_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define fuzz_check(holds)                                                                                    \
    do {                                                                                                     \
        if (!(holds))                                                                                        \
            __builtin_trap();                                                                                \
    } while (0)

#endif
