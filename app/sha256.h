/* SPDX-License-Identifier: MIT */
#ifndef PIPIT_APP_SHA256_H
#define PIPIT_APP_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint8_t block[64];
    uint64_t bytes;
};

/* SHA-256 (FIPS 180-4). text is 64 hexadecimal digits and a 0. */
void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *bytes, size_t size);
void sha256_text(struct sha256 *sha, char text[65]);

/* Of a whole file: 0, or a negative errno. */
int sha256_file(const char *path, char text[65]);

#endif
