/* SPDX-License-Identifier: MIT */
/*
 * TensorFlow Lite metadata (metadata_schema.fbs, file identifier M001): a FlatBuffer in the model's buffer
 * that is called TFLITE_METADATA, and files in a ZIP archive behind the model. A model is as good without it,
 * so what is broken there is passed over.
 */
#include "engine/import/tflite.h"

#include "engine/import/zip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LIST_MAX: entries of a list that are looked at; many may share one large table. */
enum { LIST_MAX = 64, LABELS_AXIS = 2, LABELS_VALUE = 3, NORMALISATION = 1 };

static bool text_is(struct fb_vector text, const char *wanted)
{
    return text.count == strlen(wanted) && !memcmp(text.data, wanted, text.count);
}

static struct fb_vector find_metadata(struct fb *fb, struct fb_table model)
{
    struct fb_vector list = fb_vector(fb, model, 6, 4), buffers = fb_vector(fb, model, 4, 4);
    for (uint32_t i = 0; i < list.count && !fb->broken; i++) {
        struct fb_table entry = fb_at(fb, list, i);
        if (text_is(fb_vector(fb, entry, 0, 1), "TFLITE_METADATA"))
            return fb_vector(fb, fb_at(fb, buffers, (uint32_t)fb_int(fb, entry, 1, 4, false, 0)), 0, 1);
    }
    return (struct fb_vector){0};
}

static void read_normalisation(struct graph *graph, struct fb *fb, struct fb_table tensor)
{
    struct fb_vector units = fb_vector(fb, tensor, 4, 4);
    for (uint32_t i = 0; i < units.count && i < LIST_MAX && !fb->broken; i++) {
        struct fb_table unit = fb_at(fb, units, i), options = fb_child(fb, unit, 1);
        struct fb_vector mean = fb_vector(fb, options, 0, 4), std = fb_vector(fb, options, 1, 4);
        if (fb_u8(fb, unit, 0, 0) != NORMALISATION || !mean.count || !std.count)
            continue;
        bool good = true;
        for (uint32_t c = 0; c < 3; c++) {
            graph->mean[c] = fb_f32_at(mean, mean.count >= 3 ? c : 0);
            graph->std[c] = fb_f32_at(std, std.count >= 3 ? c : 0);
            good =
                good && isfinite(graph->mean[c]) && isfinite(graph->std[c]) && fabsf(graph->std[c]) > 1e-6f;
        }
        graph->has_normalisation = good;
        graph->normalisation = "metadata";
    }
}

/* ---- labels ---- */

static size_t line_length(const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);
    return end ? (size_t)(end - text) : size;
}

static void split_labels(struct graph *graph, const char *text, size_t size)
{
    size_t lines = 0, at, used = 0;
    for (at = 0; at < size; at += line_length(text + at, size - at) + 1)
        lines++;
    const char **label = pool_alloc(&graph->pool, lines + 1, sizeof(*label));
    for (at = 0; label && at < size;) {
        size_t length = line_length(text + at, size - at), next = at + length + 1;
        if (length && text[at + length - 1] == '\r')
            length--;
        label[used] = pool_strndup(&graph->pool, text + at, length);
        if (!label[used++])
            return;
        at = next;
    }
    graph->label = label;
    graph->labels = label ? (int)used : 0;
}

static void read_labels(struct graph *graph, const struct zip *zip, struct fb_vector name)
{
    const uint8_t *text;
    void *owned = NULL;
    const struct zip_entry *entry = zip_find(zip, (const char *)name.data, name.count);
    if (entry && entry->size < 16 << 20 && !zip_read(entry, &text, &owned))
        split_labels(graph, (const char *)text, entry->size);
    free(owned);
}

static void find_labels(struct graph *graph, struct fb *meta, struct fb_table subgraph, const struct zip *zip)
{
    struct fb_vector outputs = fb_vector(meta, subgraph, 3, 4);
    for (uint32_t i = 0; i < outputs.count && i < LIST_MAX && !meta->broken && !graph->labels; i++) {
        struct fb_vector files = fb_vector(meta, fb_at(meta, outputs, i), 6, 4);
        for (uint32_t f = 0; f < files.count && f < LIST_MAX && !meta->broken && !graph->labels; f++) {
            struct fb_table entry = fb_at(meta, files, f);
            int64_t type = fb_u8(meta, entry, 2, 0);
            struct fb_vector name = fb_vector(meta, entry, 0, 1);
            bool has_locale =
                fb_vector(meta, entry, 3, 1).count > 0; /* translations; the plain file comes too */
            if ((type == LABELS_AXIS || type == LABELS_VALUE) && name.count && !has_locale)
                read_labels(graph, zip, name);
        }
    }
}

void tflite_metadata(struct graph *graph, struct fb *fb, struct fb_table model)
{
    struct fb_vector bytes = find_metadata(fb, model);
    struct fb meta = {bytes.data, bytes.count, false};
    if (bytes.count < 8 || memcmp(bytes.data + 4, "M001", 4))
        return;
    struct fb_table root = fb_root(&meta);
    struct fb_vector text = fb_vector(&meta, root, 1, 1);
    if (text.count && !meta.broken) {
        const char *copy =
            pool_strndup(&graph->pool, (const char *)text.data, text.count < 2000 ? text.count : 2000);
        graph->description = copy ? copy : "";
    }
    struct fb_table subgraph = fb_at(&meta, fb_vector(&meta, root, 3, 4), 0);
    read_normalisation(graph, &meta, fb_at(&meta, fb_vector(&meta, subgraph, 2, 4), 0));
    if (meta.broken)
        graph->has_normalisation = false;
    struct zip zip;
    if (zip_init(&zip, fb->bytes, fb->size))
        return;
    find_labels(graph, &meta, subgraph, &zip);
    zip_finish(&zip);
}
