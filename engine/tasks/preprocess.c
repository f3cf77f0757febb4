/* SPDX-License-Identifier: MIT */
#include "engine/tasks/tasks.h"

#include "engine/tasks/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv/convert_from_argb.h>

enum { SIDE_MAX = 65500 };

/* ---- what the input is ---- */

static void find_layout(struct preprocess *p, const struct tensor *input)
{
    const int32_t *s = input->shape;
    if (input->rank != 4 || s[0] != 1)
        return;
    bool last = s[3] == 3 || s[3] == 1, second = s[1] == 3 || s[1] == 1;
    if (!last && !second)
        return;
    p->channels_first = !last;
    p->channels = last ? s[3] : s[1];
    p->height = last ? s[1] : s[2];
    p->width = last ? s[2] : s[3];
}

static void find_normalisation(struct preprocess *p, const struct graph *graph, const struct tensor *input,
                               const struct pipit_settings *settings)
{
    const struct quant *q = &input->quant;
    bool integer = input->type == PIPIT_U8 || input->type == PIPIT_I8;
    p->known = true;
    if (settings->has_normalisation) {
        p->source = "settings";
        memcpy(p->mean, settings->mean, sizeof(p->mean));
        memcpy(p->std, settings->std, sizeof(p->std));
    } else if (integer && q->count == 1 && q->scale[0] > 0) {
        p->source = "input quantisation";
        for (int c = 0; c < 3; c++) { /* a byte goes in as it is, or less 128 */
            p->mean[c] = (float)(q->zero[0] + (input->type == PIPIT_I8 ? 128 : 0));
            p->std[c] = 1 / q->scale[0];
        }
    } else if (graph->has_normalisation && !integer) {
        p->source = graph->normalisation;
        memcpy(p->mean, graph->mean, sizeof(p->mean));
        memcpy(p->std, graph->std, sizeof(p->std));
    } else {
        p->source = "none";
        p->known = integer;
        p->std[0] = p->std[1] = p->std[2] = 1;
    }
}

static uint8_t quantised(float real, const struct tensor *input)
{
    int low = input->type == PIPIT_U8 ? 0 : -128, high = input->type == PIPIT_U8 ? 255 : 127;
    float value = real;
    if (input->quant.count == 1 && input->quant.scale[0] > 0)
        value = real / input->quant.scale[0] + (float)input->quant.zero[0];
    value = roundf(value);
    return (uint8_t)(int)(!(value > (float)low) ? (float)low : value > (float)high ? (float)high : value);
}

static void fill_table(struct preprocess *p, const struct tensor *input, bool as_is)
{
    for (int c = 0; c < 3; c++)
        for (int byte = 0; byte < 256; byte++) {
            float real = ((float)byte - p->mean[c]) / p->std[c];
            if (p->type == PIPIT_F32)
                p->table.f32[c][byte] = real;
            else if (as_is)
                p->table.bytes[c][byte] = (uint8_t)(p->type == PIPIT_U8 ? byte : byte - 128);
            else
                p->table.bytes[c][byte] = quantised(real, input);
        }
}

/* Whether a picture's bytes go in as they are, or all less 128, which flips their first bit. */
static void find_flip(struct preprocess *p)
{
    p->flip = p->table.bytes[0][0];
    p->as_is =
        p->type != PIPIT_F32 && (p->flip == 0 || p->flip == 128) && p->channels == 3 && !p->channels_first;
    for (int c = 0; c < 3 && p->as_is; c++)
        for (int byte = 0; byte < 256; byte++)
            p->as_is = p->as_is && p->table.bytes[c][byte] == (byte ^ p->flip);
}

void preprocess_init(struct preprocess *p, const struct graph *graph, const struct pipit_settings *settings)
{
    const struct tensor *input = &graph->tensor[graph->input[0]];
    *p = (struct preprocess){.type = input->type, .view = {0, 0, 1, 1}};
    find_layout(p, input);
    find_normalisation(p, graph, input, settings);
    p->fit = settings->fit == PIPIT_FIT_AUTO ? PIPIT_FIT_STRETCH : settings->fit;
    p->resize = settings->resize;
    fill_table(p, input, !settings->has_normalisation);
    find_flip(p);
}

void preprocess_finish(struct preprocess *p)
{
    resampler_destroy(p->resampler);
    converter_destroy(p->converter);
    free(p->rgb);
    free(p->row);
    p->resampler = NULL;
    p->converter = NULL;
    p->rgb = p->row = NULL;
}

/* ---- what is seen ---- */

/* torchvision's Resize (the shorter side, the other cut off to whole pixels) and CenterCrop (halves to even).
 */
static void crop_sizes(const struct preprocess *p, struct resample_size *size)
{
    int shorter = size->in[0] < size->in[1] ? 0 : 1;
    int least = p->width > p->height ? p->width : p->height;
    int wanted = p->resize ? p->resize : (least * 256 + 112) / 224;
    wanted = wanted < least ? least : wanted;
    size->whole[shorter] = wanted;
    size->whole[1 - shorter] = (int)((int64_t)wanted * size->in[1 - shorter] / size->in[shorter]);
    for (int d = 0; d < 2; d++)
        size->from[d] = (int)nearbyint((size->whole[d] - size->out[d]) / 2.0);
}

static struct resample_size sizes(const struct preprocess *p, const struct pipit_image *image)
{
    bool sideways = image->rotation % 180;
    struct resample_size size = {
        .in = {sideways ? image->height : image->width, sideways ? image->width : image->height},
        .out = {p->width, p->height}};
    memcpy(size.whole, size.out, sizeof(size.whole));
    bool exact = size.in[0] == p->width && size.in[1] == p->height;
    if (p->fit == PIPIT_FIT_CROP && !exact)
        crop_sizes(p, &size);
    return size;
}

/* ---- filling ---- */

static uint8_t channel_of(const struct preprocess *p, const uint8_t *pixel, int c)
{
    if (p->channels == 3)
        return pixel[c];
    return (uint8_t)((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >>
                     16); /* luma, ITU-R 601 */
}

/* Colours side by side, as nearly all inputs have them. */
static void fill_pixels_f32(const struct preprocess *p, const uint8_t *rgb, float *out)
{
    const float *red = p->table.f32[0], *green = p->table.f32[1], *blue = p->table.f32[2];
    for (int x = 0; x < p->width; x++, rgb += 3, out += 3) {
        out[0] = red[rgb[0]];
        out[1] = green[rgb[1]];
        out[2] = blue[rgb[2]];
    }
}

static void fill_pixels_bytes(const struct preprocess *p, const uint8_t *rgb, uint8_t *restrict out)
{
    const uint8_t *red = p->table.bytes[0], *green = p->table.bytes[1], *blue = p->table.bytes[2];
    for (int x = 0; x < p->width; x++, rgb += 3, out += 3) {
        out[0] = red[rgb[0]];
        out[1] = green[rgb[1]];
        out[2] = blue[rgb[2]];
    }
}

static void fill_any(const struct preprocess *p, const uint8_t *row, int y, void *out)
{
    size_t plane = (size_t)p->width * (size_t)p->height, channels = (size_t)p->channels;
    for (int x = 0; x < p->width; x++, row += 3)
        for (int c = 0; c < p->channels; c++) {
            size_t at = (size_t)y * (size_t)p->width + (size_t)x;
            size_t to = p->channels_first ? (size_t)c * plane + at : at * channels + (size_t)c;
            uint8_t byte = channel_of(p, row, c);
            if (p->type == PIPIT_F32)
                ((float *)out)[to] = p->table.f32[c][byte];
            else
                ((uint8_t *)out)[to] = p->table.bytes[c][byte];
        }
}

static void fill_row(const struct preprocess *p, const uint8_t *row, int y, void *out)
{
    size_t at = (size_t)y * (size_t)p->width * 3;
    if (p->channels != 3 || p->channels_first)
        fill_any(p, row, y, out);
    else if (p->type == PIPIT_F32)
        fill_pixels_f32(p, row, (float *)out + at);
    else
        fill_pixels_bytes(p, row, (uint8_t *)out + at);
}

static void flip(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] ^= 128;
}

/* Of a picture of the input's size. */
static void fill(const struct preprocess *p, const uint8_t *rgb, ptrdiff_t stride, uint8_t *out)
{
    size_t row = (size_t)p->width * 3;
    for (int y = 0; y < p->height; y++)
        if (!p->as_is)
            fill_row(p, rgb + y * stride, y, out);
        else if (rgb != out)
            memcpy(out + (size_t)y * row, rgb + y * stride, row);
    if (p->as_is && p->flip)
        flip(out, row * (size_t)p->height);
}

struct filling {
    const struct preprocess *p;
    uint8_t *out;
};

/* While they are in the cache. */
static void fill_rows(void *data, uint8_t *xrgb, int stride, int y, int rows)
{
    const struct filling *filling = data;
    const struct preprocess *p = filling->p;
    int row = 3 * p->width;
    uint8_t *out = filling->out + (ptrdiff_t)y * row;
    if (p->as_is) {
        ARGBToRAW(xrgb, stride, out, row, p->width, rows);
        if (p->flip)
            flip(out, (size_t)row * (size_t)rows);
        return;
    }
    for (int end = y + rows; y < end; y++, xrgb += stride) {
        ARGBToRAW(xrgb, stride, p->row, row, p->width, 1);
        fill_row(p, p->row, y, filling->out);
    }
}

/* ---- fitting ---- */

static int resample(struct preprocess *p, const struct pipit_image *image, const struct resample_size *size,
                    uint8_t *out)
{
    if (!p->resampler || memcmp(resampler_size(p->resampler), size, sizeof(*size)) != 0) {
        resampler_destroy(p->resampler);
        p->resampler = resampler_create(size);
    }
    if (!p->rgb && !p->as_is)
        p->rgb = malloc((size_t)p->width * (size_t)p->height * 3);
    uint8_t *rgb = p->as_is ? out : p->rgb;
    if (!p->resampler || !rgb)
        return -ENOMEM;
    resampler_run(p->resampler, image->data[0], image->stride[0], rgb);
    fill(p, rgb, (ptrdiff_t)p->width * 3, out);
    return 0;
}

static int convert_view(struct preprocess *p, const struct pipit_image *image, uint8_t *out)
{
    struct filling filling = {p, out};
    if (!p->converter)
        p->converter = converter_create();
    if (!p->row)
        p->row = malloc((size_t)p->width * 3);
    if (!p->converter || !p->row)
        return -ENOMEM;
    return image_convert(p->converter, image, p->view, p->width, p->height, fill_rows, &filling);
}

static int fit(struct preprocess *p, const struct pipit_image *image, uint8_t *out)
{
    struct resample_size size = sizes(p, image);
    for (int d = 0; d < 2; d++) {
        p->view[d] = (float)size.from[d] / (float)size.whole[d];
        p->view[2 + d] = (float)(size.from[d] + size.out[d]) / (float)size.whole[d];
    }
    if (image->format != PIPIT_RGB24 || image->mirror || image->rotation)
        return convert_view(p, image, out);
    if (image->width != p->width || image->height != p->height)
        return resample(p, image, &size, out);
    fill(p, image->data[0], image->stride[0], out);
    return 0;
}

static int check(const struct preprocess *p, const struct pipit_image *image, struct pipit_error *error)
{
    if (!p->width)
        return fail(error, -EINVAL, "the model's input is not a picture of one or three channels");
    if (image->rotation % 90 || image->rotation < 0 || image->rotation > 270)
        return fail(error, -EINVAL, "a picture turned by %d degrees", image->rotation);
    if (image->width < 1 || image->height < 1 || image->width > SIDE_MAX || image->height > SIDE_MAX)
        return fail(error, -EINVAL, "a picture of %d x %d pixels", image->width, image->height);
    if (p->type != PIPIT_F32 && p->type != PIPIT_U8 && p->type != PIPIT_I8)
        return fail(error, -ENOTSUP, "pictures cannot be put into an input of type %s",
                    pipit_type_name(p->type));
    if (!p->known)
        return fail(error, -ENODATA,
                    "nothing says how this model's float input is normalised: give --mean and --std "
                    "(input = (byte - mean) / std)");
    return 0;
}

int preprocess_run(struct preprocess *p, const struct pipit_image *image, const struct pipit_tensor *input,
                   struct pipit_error *error)
{
    int status = check(p, image, error);
    if (status)
        return status;
    status = fit(p, image, input->data);
    if (status == -ENOMEM)
        return fail(error, status, "out of memory for resizing the picture");
    if (status)
        return fail(error, status, "pictures of this format cannot be converted to RGB");
    return 0;
}
