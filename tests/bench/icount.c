/* SPDX-License-Identifier: MIT */
/*
 * A plugin for qemu-user (its TCG plugin interface, version 1) that counts the arm64 instructions a program
 * executes: for every translated block its address, its instructions by kind, and how often each thread ran
 * it. counting.py builds it, runs it and adds up. Argument out=FILE; the file's lines are
 * - map START OFFSET PATH: files in the program's memory, addresses as the program sees them
 * - block ADDRESS LENGTH KIND... / RUNS...: instructions of each kind, then runs of each thread
 *
 * Encodings: Arm Architecture Reference Manual, C4.1, "A64 instruction set encoding".
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <qemu-plugin.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum { THREADS = 32 }; /* later ones share the last place, whose sum may then lack some */

enum kind { F32, F16, DOT, MMLA, MULL, MUL, MEMORY, SIMD, SCALAR, KINDS };

/* The first pattern that fits decides. Vector forms first, then those by element. */
static const struct {
    uint32_t mask, value;
    enum kind kind;
} patterns[] = {
    {0xbf20fc00, 0x0e20cc00, F32},  /* FMLA, FMLS */
    {0xbfa0fc00, 0x2e20dc00, F32},  /* FMUL */
    {0xbf80b400, 0x0f801000, F32},  /* FMLA, FMLS by element */
    {0xbf80f400, 0x0f809000, F32},  /* FMUL by element */
    {0xbf60fc00, 0x0e400c00, F16},  /* FMLA, FMLS */
    {0xbfe0fc00, 0x2e401c00, F16},  /* FMUL */
    {0xbfc0b400, 0x0f001000, F16},  /* FMLA, FMLS by element */
    {0xbfc0f400, 0x0f009000, F16},  /* FMUL by element */
    {0x9fe0fc00, 0x0e809400, DOT},  /* SDOT, UDOT */
    {0xbfe0fc00, 0x0e809c00, DOT},  /* USDOT */
    {0x9fc0f400, 0x0f80e000, DOT},  /* SDOT, UDOT by element */
    {0xbf40f400, 0x0f00f000, DOT},  /* SUDOT, USDOT by element */
    {0xdfe0f400, 0x4e80a400, MMLA}, /* SMMLA, UMMLA, USMMLA */
    {0x9f20dc00, 0x0e208000, MULL}, /* SMLAL, UMLAL, SMLSL, UMLSL */
    {0x9f20fc00, 0x0e20c000, MULL}, /* SMULL, UMULL */
    {0x9f00b400, 0x0f002000, MULL}, /* SMLAL, UMLAL, SMLSL, UMLSL by element */
    {0x9f00f400, 0x0f00a000, MULL}, /* SMULL, UMULL by element */
    {0x9f20fc00, 0x0e209400, MUL},  /* MLA, MLS */
    {0xbf20fc00, 0x0e209c00, MUL},  /* MUL */
    {0xbf00b400, 0x2f000000, MUL},  /* MLA, MLS by element */
    {0xbf00f400, 0x0f008000, MUL},  /* MUL by element */
    {0x0a000000, 0x08000000, MEMORY},
    {0x0e000000, 0x0e000000, SIMD}, /* all other, scalar floating point too */
    {0, 0, SCALAR},
};

struct block {
    struct block *next;
    uint64_t address;
    uint32_t length;
    uint16_t kinds[KINDS];
    uint64_t runs[THREADS];
};

static struct block *blocks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t guest_base;
static char *path;

static enum kind kind_of(uint32_t word)
{
    int i = 0;
    while ((word & patterns[i].mask) != patterns[i].value)
        i++;
    return patterns[i].kind;
}

static void on_run(unsigned thread, void *data)
{
    struct block *block = data;
    block->runs[thread < THREADS ? thread : THREADS - 1]++;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t length = qemu_plugin_tb_n_insns(tb);
    struct block *block = calloc(1, sizeof(*block));
    if (!block)
        abort();
    block->address = qemu_plugin_tb_vaddr(tb);
    block->length = (uint32_t)length;
    for (size_t i = 0; i < length; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
        uint32_t word;
        memcpy(&word, qemu_plugin_insn_data(instruction), sizeof(word));
        block->kinds[kind_of(word)]++;
        if (i == 0)
            guest_base = (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(instruction) - block->address;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_run, QEMU_PLUGIN_CB_NO_REGS, block);
    pthread_mutex_lock(&lock);
    block->next = blocks;
    blocks = block;
    pthread_mutex_unlock(&lock);
}

static void write_maps(FILE *out)
{
    char line[1024], file[800];
    uint64_t start, offset;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof(line), maps))
        if (sscanf(line, "%" SCNx64 "-%*x %*s %" SCNx64 " %*s %*s /%799[^\n]", &start, &offset, file) == 3)
            fprintf(out, "map %" PRIx64 " %" PRIx64 " /%s\n", start - guest_base, offset, file);
    if (maps)
        fclose(maps);
}

static void write_block(FILE *out, const struct block *block)
{
    fprintf(out, "block %" PRIx64 " %" PRIu32, block->address, block->length);
    for (int kind = 0; kind < KINDS; kind++)
        fprintf(out, " %u", block->kinds[kind]);
    fputs(" /", out);
    for (int thread = 0; thread < THREADS; thread++)
        if (block->runs[thread])
            fprintf(out, " %d:%" PRIu64, thread, block->runs[thread]);
    fputc('\n', out);
}

static void on_exit_of_program(qemu_plugin_id_t id, void *data)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        return;
    }
    write_maps(out);
    for (const struct block *block = blocks; block; block = block->next)
        write_block(out, block);
    fclose(out);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                           char **argv)
{
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
        fputs("icount: needs out=FILE\n", stderr);
        return -1;
    }
    path = strdup(argv[0] + 4);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_program, NULL);
    return 0;
}
