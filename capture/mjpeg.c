/* SPDX-License-Identifier: MIT */
#include "capture/mjpeg.h"

#include "capture/photo/jpeg_reader.h"
#include "capture/photo/format.h"
#include "capture/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAMES = 8, /* a screen holds three, the engine and a worker one each */
    LINES = 8 * MAX_SAMP_FACTOR
};

/* The pixels of a pool's frames. */
struct pixels {
    struct frame *frame[FRAMES];
};

struct mjpeg {
    struct jpeg_reader reader;
    JHUFF_TBL standard[2][2]; /* DC and AC, luma and chroma: ITU T.81, Annex K.3 */
    struct pool *pool;
    uint32_t format; /* of the pool's frames */
    int width, height;
    uint8_t *spare; /* where rows below the picture go */
};

static void free_frame(void *owner, int index)
{
    frame_unref(((struct pixels *)owner)->frame[index]);
}

static void free_owner(void *owner)
{
    free(owner);
}

/* The picture is whole with a few bytes too many before a marker, as many webcams have them, and without the
 * marker at its end: had data been missing, JWRN_HIT_MARKER would say so. */
static bool is_harmless(const struct jpeg_reader *reader, int warning)
{
    return warning == JWRN_EXTRANEOUS_DATA || warning == JWRN_ADOBE_XFORM ||
           (warning == JWRN_JPEG_EOF && !reader->info.progressive_mode &&
            reader->info.comps_in_scan == reader->info.num_components);
}

/* Annex K's tables, from libjpeg's compressor. */
static void copy_standard_tables(struct mjpeg *decoder)
{
    struct jpeg_compress_struct encoder = {.err = &decoder->reader.manager, .client_data = &decoder->reader};
    jpeg_create_compress(&encoder);
    encoder.in_color_space = JCS_YCbCr;
    encoder.input_components = 3;
    jpeg_set_defaults(&encoder);
    for (int i = 0; i < 2; i++) {
        decoder->standard[0][i] = *encoder.dc_huff_tbl_ptrs[i];
        decoder->standard[1][i] = *encoder.ac_huff_tbl_ptrs[i];
    }
    jpeg_destroy_compress(&encoder);
}

static int init(struct mjpeg *decoder)
{
    jpeg_reader_init(&decoder->reader);
    decoder->reader.forgive = is_harmless;
    if (setjmp(decoder->reader.failed))
        return -ENOMEM;
    copy_standard_tables(decoder);
    jpeg_create_decompress(&decoder->reader.info);
    decoder->reader.info.progress = &decoder->reader.progress;
    return 0;
}

struct mjpeg *mjpeg_create(void)
{
    struct mjpeg *decoder = calloc(1, sizeof(*decoder));
    if (!decoder || !init(decoder))
        return decoder;
    mjpeg_destroy(decoder);
    return NULL;
}

void mjpeg_destroy(struct mjpeg *decoder)
{
    if (!decoder)
        return;
    jpeg_destroy_decompress(&decoder->reader.info);
    pool_close(decoder->pool);
    free(decoder->spare);
    free(decoder);
}

/* Each picture starts from the standard tables; those that it brings take their place. Quantisation tables it
 * must bring: those of the picture before are made void. */
static void set_tables(struct mjpeg *decoder)
{
    struct jpeg_decompress_struct *info = &decoder->reader.info;
    for (int i = 0; i < NUM_QUANT_TBLS; i++)
        if (info->quant_tbl_ptrs[i])
            info->quant_tbl_ptrs[i]->quantval[0] = 0;
    for (int i = 0; i < 2; i++) {
        JHUFF_TBL **table[2] = {&info->dc_huff_tbl_ptrs[i], &info->ac_huff_tbl_ptrs[i]};
        for (int k = 0; k < 2; k++) {
            if (!*table[k])
                *table[k] = jpeg_alloc_huff_table((j_common_ptr)info);
            **table[k] = decoder->standard[k][i];
        }
    }
}

static bool has_tables(const struct jpeg_decompress_struct *info)
{
    for (int i = 0; i < info->comps_in_scan; i++) {
        int number = info->cur_comp_info[i]->quant_tbl_no;
        if (number < 0 || number >= NUM_QUANT_TBLS || !info->quant_tbl_ptrs[number] ||
            info->quant_tbl_ptrs[number]->quantval[0] == 0)
            return false;
    }
    return true;
}

/* By how often luma is sampled for one sample of chroma. 0: not as any format has it. */
static uint32_t format_of(const struct jpeg_decompress_struct *info)
{
    const jpeg_component_info *c = info->comp_info;
    if (info->num_components == 1 && info->jpeg_color_space == JCS_GRAYSCALE)
        return FRAME_GREY;
    if (info->num_components != 3 || info->jpeg_color_space != JCS_YCbCr ||
        c[1].h_samp_factor != c[2].h_samp_factor || c[1].v_samp_factor != c[2].v_samp_factor)
        return 0;
    int across = c[0].h_samp_factor, down = c[0].v_samp_factor;
    if (across == c[1].h_samp_factor && down == c[1].v_samp_factor)
        return FRAME_YUV444P;
    if (across == 2 * c[1].h_samp_factor)
        return down == c[1].v_samp_factor ? FRAME_YUV422P : down == 2 * c[1].v_samp_factor ? FRAME_YUV420 : 0;
    return 0;
}

static int make_pixels(struct pixels *pixels, uint32_t format, int width, int height)
{
    for (int i = 0; i < FRAMES; i++) {
        pixels->frame[i] = frame_create(format, width, height);
        if (!pixels->frame[i])
            return -ENOMEM;
        pixels->frame[i]->full_range = true;
    }
    return 0;
}

static int make_pool(struct mjpeg *decoder)
{
    static const struct pool_kind kind = {.free_frame = free_frame, .free_owner = free_owner};
    struct pixels *pixels = calloc(1, sizeof(*pixels));
    int status = pixels ? make_pixels(pixels, decoder->format, decoder->width, decoder->height) : -ENOMEM;
    if (!status) {
        decoder->spare = malloc((size_t)pixels->frame[0]->stride[0]);
        decoder->pool = decoder->spare ? pool_create(&kind, pixels, FRAMES) : NULL;
    }
    if (decoder->pool) {
        for (int i = 0; i < FRAMES; i++)
            pool_show(pool_frame(decoder->pool, i), pixels->frame[i]);
        return 0;
    }
    for (int i = 0; pixels && i < FRAMES; i++)
        frame_unref(pixels->frame[i]);
    free(pixels);
    return -ENOMEM;
}

static int set_size(struct mjpeg *decoder, uint32_t format, int width, int height)
{
    if (decoder->pool && decoder->format == format && decoder->width == width && decoder->height == height)
        return 0;
    pool_close(decoder->pool);
    free(decoder->spare);
    decoder->pool = NULL;
    decoder->spare = NULL;
    decoder->format = format;
    decoder->width = width;
    decoder->height = height;
    return make_pool(decoder);
}

static int begin(struct mjpeg *decoder, const struct frame *in)
{
    struct jpeg_decompress_struct *info = &decoder->reader.info;
    set_tables(decoder);
    jpeg_mem_src(info, in->data[0], in->size);
    jpeg_read_header(info, TRUE);
    if ((int)info->image_width != in->width || (int)info->image_height != in->height ||
        photo_check_size(info->image_width, info->image_height, in->size, NULL) || !has_tables(info))
        return -EBADMSG;
    uint32_t format = format_of(info);
    if (!format)
        return -ENOTSUP;
    int status = set_size(decoder, format, in->width, in->height);
    if (!status && pool_find(decoder->pool) < 0)
        status = -ENOBUFS;
    if (status)
        return status;
    info->raw_data_out = TRUE;
    jpeg_start_decompress(info);
    return 0;
}

/* libjpeg hands out whole rows of blocks; `to` has its padding to the right, but none below. */
static void read_planes(struct mjpeg *decoder, const struct frame *to)
{
    struct jpeg_decompress_struct *info = &decoder->reader.info;
    JSAMPROW row[FRAME_PLANES_MAX][LINES];
    JSAMPARRAY planes[FRAME_PLANES_MAX] = {row[0], row[1], row[2]};
    size_t bytes[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX];
    frame_layout(to->format, to->width, to->height, bytes, rows);
    for (int block = 0; info->output_scanline < info->output_height; block++) {
        for (int p = 0; p < to->planes; p++) {
            int lines = info->comp_info[p].v_samp_factor * DCTSIZE, y = block * lines;
            for (int i = 0; i < lines; i++, y++)
                row[p][i] = y < rows[p] ? to->data[p] + y * to->stride[p] : decoder->spare;
        }
        jpeg_read_raw_data(info, planes, (JDIMENSION)(info->max_v_samp_factor * DCTSIZE));
    }
}

/* Into a free frame, whose index it returns. */
static int decode(struct mjpeg *decoder, const struct frame *in)
{
    decoder->reader.status = 0;
    if (setjmp(decoder->reader.failed)) {
        int status = decoder->reader.status;
        return status == -EINVAL || status == -E2BIG ? -EBADMSG : status;
    }
    int status = begin(decoder, in);
    if (status)
        return status;
    int index = pool_find(decoder->pool);
    read_planes(decoder, pool_frame(decoder->pool, index));
    return index;
}

int mjpeg_decode(struct mjpeg *decoder, const struct frame *in, struct frame **out)
{
    *out = NULL;
    if (in->format != FRAME_MJPEG || !in->data[0] || in->size == 0)
        return -EBADMSG;
    int index = decode(decoder, in);
    jpeg_abort_decompress(&decoder->reader.info);
    if (index < 0)
        return index;
    *out = pool_take(decoder->pool, index);
    (*out)->sequence = in->sequence;
    (*out)->time_ns = in->time_ns;
    return 0;
}
