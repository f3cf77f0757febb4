/* SPDX-License-Identifier: MIT */
/* Small files of the formats that the importers read, made in memory. Running out of memory ends the test. */
#ifndef PIPIT_TESTS_UNIT_FILES_H
#define PIPIT_TESTS_UNIT_FILES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t size, room;
};

void bytes_put(struct bytes *bytes, const void *data, size_t size);
void bytes_text(struct bytes *bytes, const char *text);            /* without its end */
void bytes_number(struct bytes *bytes, uint64_t value, int width); /* little-endian */
void bytes_free(struct bytes *bytes);

/* ---- ZIP ------------------------------------------------------------------------------------------------
 */

struct archive {
    struct bytes bytes, directory;
    int entries;
    size_t base; /* what offsets count from */
};
/* Adds an entry; deflated: as one stored-size deflate stream of zlib's. */
void archive_add(struct archive *archive, const char *name, const void *data, size_t size, int deflated);
void archive_end(struct archive *archive, int zip64); /* archive->bytes is the file then; the rest is freed */

/* ---- state dicts ----------------------------------------------------------------------------------------
 */

struct float_tensor {
    const char *name;
    int rank;
    int64_t shape[4];
    const float *values;
};

/* The opcodes that make a tensor on the pickle's stack; strides and offset in elements. */
void pickle_text(struct bytes *bytes, const char *text);
void pickle_int(struct bytes *bytes, int32_t value);
void pickle_tensor(struct bytes *bytes, const char *storage, const char *key, int32_t elements,
                   int32_t offset, int rank, const int64_t *shape, const int64_t *strides);

void write_torch_old(struct bytes *bytes, const struct float_tensor *tensors, int count);
void write_torch_zip(struct bytes *bytes, const struct float_tensor *tensors, int count);
void write_safetensors(struct bytes *bytes, const struct float_tensor *tensors, int count);
void write_gguf(struct bytes *bytes, const struct float_tensor *tensors, int count); /* also some metadata */

/* The old format around an object pickle and `storages` storages of floats with keys "0", "1", ... */
void write_torch_old_around(struct bytes *bytes, const struct bytes *object, const float *const *storage,
                            const int64_t *elements, int storages);
void write_torch_zip_around(struct bytes *bytes, const struct bytes *object, const float *const *storage,
                            const int64_t *elements, int storages, int deflated);

#endif
