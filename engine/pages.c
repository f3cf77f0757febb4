/* SPDX-License-Identifier: MIT */
#include "engine/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void pages_forget(void *part, size_t size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)part + page - 1) / page * page,
              end = ((uintptr_t)part + size) / page * page;
    if (first < end)
        madvise((char *)part + (first - (uintptr_t)part), end - first, MADV_DONTNEED);
}

enum { HUGE_PAGE = 2 << 20, ALIGN = 64 };

size_t pages_round(size_t size)
{
    size_t rest = size % HUGE_PAGE;
    return rest > HUGE_PAGE / 2 && size < SIZE_MAX - HUGE_PAGE ? size - rest + HUGE_PAGE : size;
}

#ifdef __SANITIZE_ADDRESS__ /* which guards the ends of what it hands out itself */

void *pages_map(size_t size, size_t sure)
{
    void *memory;
    (void)sure;
    if (!size || size > PTRDIFF_MAX || posix_memalign(&memory, ALIGN, size))
        return NULL;
    return memset(memory, 0, size);
}

void pages_unmap(void *pages, size_t size)
{
    (void)size;
    free(pages);
}

#else

static void trim(char *from, char *to)
{
    if (from < to)
        munmap(from, (size_t)(to - from));
}

void *pages_map(size_t size, size_t sure)
{
    const size_t whole = (sure < size ? sure : size) / HUGE_PAGE * HUGE_PAGE,
                 mapped = whole ? size + HUGE_PAGE : size;
    if (mapped < size)
        return NULL;
    char *memory =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || !whole)
        return memory == MAP_FAILED ? NULL : memory;
    char *pages = memory + (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    trim(memory, pages);
    trim(pages + (size + page - 1) / page * page, memory + mapped);
    madvise(pages, whole, MADV_HUGEPAGE); /* a kernel without huge pages refuses, and all goes on */
    return pages;
}

void pages_unmap(void *pages, size_t size)
{
    if (pages)
        munmap(pages, size);
}

#endif
