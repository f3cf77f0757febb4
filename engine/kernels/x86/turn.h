/* SPDX-License-Identifier: MIT */
/* Rows of four-byte elements to columns, for packing weights. */
#ifndef PIPIT_ENGINE_KERNELS_X86_TURN_H
#define PIPIT_ENGINE_KERNELS_X86_TURN_H

#include <stddef.h>
#include <string.h>
#include <xmmintrin.h>

enum { TURNED = 4 /* bytes */ };

static inline void turn_4x4(const char *from, size_t apart, char *to, size_t n)
{
    __m128 row[4];
    for (size_t i = 0; i < 4; i++)
        row[i] = _mm_loadu_ps((const float *)(const void *)(from + i * apart * TURNED));
    _MM_TRANSPOSE4_PS(row[0], row[1], row[2], row[3]);
    for (size_t i = 0; i < 4; i++)
        _mm_storeu_ps((float *)(void *)(to + i * n * TURNED), row[i]);
}

/* to[column * n + row] = from[row * apart + column], a cache line of each row at a time. As many rows behind
 * these are fetched ahead: they are most likely the next. */
static inline void turn(const void *from, size_t apart, size_t rows, size_t columns, void *to, size_t n)
{
    enum { LINE = 64 / TURNED };
    const char *in = from;
    size_t whole = columns / 4 * 4, four = rows / 4 * 4;
    for (size_t first = 0; first < whole; first += LINE) {
        size_t last = first + LINE < whole ? first + LINE : whole;
        for (size_t j = 0; j < rows; j++)
            _mm_prefetch(in + ((rows + j) * apart + first) * TURNED, _MM_HINT_T1);
        for (size_t j = 0; j < four; j += 4)
            for (size_t k = first; k < last; k += 4)
                turn_4x4(in + (j * apart + k) * TURNED, apart, (char *)to + (k * n + j) * TURNED, n);
    }
    for (size_t j = 0; j < rows; j++)
        for (size_t k = j < four ? whole : 0; k < columns; k++)
            memcpy((char *)to + (k * n + j) * TURNED, in + (j * apart + k) * TURNED, TURNED);
}

#endif
