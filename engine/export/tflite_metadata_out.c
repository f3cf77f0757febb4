/* SPDX-License-Identifier: MIT */
/* TensorFlow Lite metadata (metadata_schema.fbs, file identifier M001) and the ZIP archive with the labels
 * (PKWARE APPNOTE 6.3.10) behind the model; import/tflite_metadata.c reads them. */
#include "engine/export/tflite_out.h"

#include <string.h>
#include <zlib.h>

enum { META_NAME, META_DESCRIPTION, META_SUBGRAPHS = 3, META_PARSER = 7 };
enum { SUBGRAPH_INPUTS = 2, SUBGRAPH_OUTPUTS };
enum { TENSOR_CONTENT = 3, TENSOR_UNITS, TENSOR_FILES = 6 };
enum { NORMALISATION = 1, IMAGE = 2, RGB = 1, AXIS_LABELS = 2 };

static const char label_file[] = "labels.txt";

/* A vector of one table, with a value for its field of a scalar type, if it has one. */
static size_t only_element(struct fb_out *out, size_t table, int field, const char *fields, int value)
{
    size_t list = fb_out_offsets(out, 1), element;
    fb_out_point(out, table, field, list);
    element = fb_out_table(out, fields, value);
    fb_out_point_at(out, list, 0, element);
    return element;
}

static void write_input(struct fb_out *out, const struct graph *graph, size_t subgraph)
{
    size_t input = only_element(out, subgraph, SUBGRAPH_INPUTS, "---oo", 0);
    size_t content = fb_out_table(out, "bo", IMAGE);
    fb_out_point(out, input, TENSOR_CONTENT, content);
    fb_out_point(out, content, 1, fb_out_table(out, "b", RGB));
    size_t unit = only_element(out, input, TENSOR_UNITS, "bo", NORMALISATION);
    size_t options = fb_out_table(out, "oo");
    fb_out_point(out, unit, 1, options);
    fb_out_point(out, options, 0, fb_out_vector(out, graph->mean, 3, sizeof(float), 4));
    fb_out_point(out, options, 1, fb_out_vector(out, graph->std, 3, sizeof(float), 4));
}

static void write_outputs(struct fb_out *out, const struct graph *graph, size_t subgraph)
{
    size_t list = fb_out_offsets(out, (size_t)graph->outputs);
    fb_out_point(out, subgraph, SUBGRAPH_OUTPUTS, list);
    for (int i = 0; i < graph->outputs; i++) {
        size_t output = fb_out_table(out, i ? "" : "------o");
        fb_out_point_at(out, list, (size_t)i, output);
        if (i)
            continue;
        size_t file = only_element(out, output, TENSOR_FILES, "o-b", AXIS_LABELS);
        fb_out_point(out, file, META_NAME, fb_out_string(out, label_file));
    }
}

bool tflite_write_metadata(struct fb_out *out, const struct graph *graph)
{
    bool labels = graph->labels > 0, normalised = graph->has_normalisation, about = graph->description[0];
    *out = (struct fb_out){0};
    if (!labels && !normalised && !about)
        return false;
    fb_out_init(out, "M001");
    size_t root = fb_out_table(out, about ? "-o-o---o" : "---o---o");
    if (about)
        fb_out_point(out, root, META_DESCRIPTION, fb_out_string(out, graph->description));
    const char *fields = normalised && labels ? "--oo" : normalised ? "--o" : labels ? "---o" : "";
    size_t subgraph = only_element(out, root, META_SUBGRAPHS, fields, 0);
    if (normalised)
        write_input(out, graph, subgraph);
    if (labels)
        write_outputs(out, graph, subgraph);
    fb_out_point(out, root, META_PARSER, fb_out_string(out, "1.0.0"));
    return true;
}

/* ---- the archive ---- */

static void put(struct fb_out *out, uint64_t value, size_t bytes)
{
    fb_out_bytes(out, &value, bytes, 1);
}

static void put_text(struct fb_out *out, const char *text)
{
    fb_out_bytes(out, text, strlen(text), 1);
}

/* What a local header and the directory say alike: version, flags (UTF-8), stored, 1980-01-01, check, sizes.
 */
static void put_entry(struct fb_out *out, uint32_t check, size_t size)
{
    put(out, 20, 2);
    put(out, 1 << 11, 2);
    put(out, 0, 2);
    put(out, 0, 2);
    put(out, 0x21, 2);
    put(out, check, 4);
    put(out, size, 4);
    put(out, size, 4);
    put(out, sizeof(label_file) - 1, 2);
    put(out, 0, 2);
}

void tflite_append_labels(struct fb_out *out, const struct graph *graph)
{
    struct fb_out text = {0};
    if (graph->labels < 1)
        return;
    for (int i = 0; i < graph->labels; i++) {
        fb_out_bytes(&text, graph->label[i], strcspn(graph->label[i], "\r\n"), 1);
        put_text(&text, "\n");
    }
    uint32_t check = (uint32_t)crc32(0, text.bytes, (uInt)text.size);
    size_t local = out->size;
    put(out, 0x04034b50, 4);
    put_entry(out, check, text.size);
    put_text(out, label_file);
    fb_out_bytes(out, text.bytes, text.size, 1);
    size_t directory = out->size;
    put(out, 0x02014b50, 4);
    put(out, 20, 2);
    put_entry(out, check, text.size);
    put(out, 0, 6); /* comment, disk, internal attributes */
    put(out, 0, 4);
    put(out, local, 4);
    put_text(out, label_file);
    size_t end = out->size;
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, 1, 2);
    put(out, 1, 2);
    put(out, end - directory, 4);
    put(out, directory, 4);
    put(out, 0, 2);
    out->failed = out->failed || text.failed;
    fb_out_finish(&text);
}
