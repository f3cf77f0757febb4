/* SPDX-License-Identifier: MIT */
#include "capture/backend.h"
#include "capture/replay/film.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024 };

static const char stream_mark[] = "YUV4MPEG2", frame_mark[] = "FRAME";

/* The line's length with its end; 0: it goes on beyond the bytes; -1: it is too long, or does not begin with
 * the mark. */
static int line_length(const char *mark, const uint8_t *bytes, size_t size)
{
    size_t length = strlen(mark), most = size < LINE_MAX_BYTES ? size : LINE_MAX_BYTES;
    if (memcmp(bytes, mark, size < length ? size : length) != 0 ||
        (size > length && bytes[length] != ' ' && bytes[length] != '\n'))
        return -1;
    const uint8_t *end = memchr(bytes, '\n', most);
    return end ? (int)(end - bytes) + 1 : most == LINE_MAX_BYTES ? -1 : 0;
}

static uint32_t format_named(const char *name)
{
    static const struct {
        const char *name;
        uint32_t format;
    } formats[] = {{"420", FRAME_YUV420},      {"420jpeg", FRAME_YUV420}, {"420mpeg2", FRAME_YUV420},
                   {"420paldv", FRAME_YUV420}, {"422", FRAME_YUV422P},    {"444", FRAME_YUV444P},
                   {"mono", FRAME_GREY}};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (!strcmp(name, formats[i].name))
            return formats[i].format;
    return 0;
}

static int side_of(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *end || end == text || value < 1 || value > FILM_SIDE_MAX ? 0 : (int)value;
}

/* "30000:1001"; 0:0 is unknown. */
static double rate_of(const char *text)
{
    char *end;
    long above = strtol(text, &end, 10), below = *end == ':' ? strtol(end + 1, &end, 10) : 0;
    double rate = below > 0 && above > 0 ? (double)above / (double)below : 0;
    return !*end && rate >= 0.001 && rate <= 1000 ? rate : 0;
}

static int set_field(struct film *film, const char *field, struct source_error *error)
{
    switch (field[0]) {
    case 'W':
        film->width = side_of(field + 1);
        return film->width ? 0
                           : source_fail(error, -EINVAL, "a Y4M file cannot be %.40s pixels wide", field + 1);
    case 'H':
        film->height = side_of(field + 1);
        return film->height
                   ? 0
                   : source_fail(error, -EINVAL, "a Y4M file cannot be %.40s pixels high", field + 1);
    case 'F':
        film->rate = rate_of(field + 1);
        return 0;
    case 'C':
        film->format = format_named(field + 1);
        return film->format ? 0
                            : source_fail(error, -ENOTSUP,
                                          "Y4M pixels of the kind '%.40s' are not known; write 8-bit 4:2:0, "
                                          "4:2:2, 4:4:4 or mono",
                                          field + 1);
    case 'X':
        if (!strncmp(field, "XCOLORRANGE=", 12))
            film->full_range = !strcmp(field + 12, "FULL");
        return 0;
    default: /* interlacing, aspect, comments */
        return 0;
    }
}

/* The format has no field for the matrix. Full range comes from JPEG's colours, which are BT.601; else it is
 * taken from the size, as video players do. */
static enum frame_matrix guess_matrix(const struct film *film)
{
    bool hd = film->width >= 1280 || film->height > 576;
    return hd && !film->full_range ? FRAME_MATRIX_709 : FRAME_MATRIX_601;
}

static size_t frame_bytes(const struct film *film)
{
    size_t row[FRAME_PLANES_MAX], total = 0;
    int rows[FRAME_PLANES_MAX], planes = frame_layout(film->format, film->width, film->height, row, rows);
    for (int p = 0; p < planes; p++)
        total += row[p] * (size_t)rows[p];
    return total;
}

int y4m_header(struct film *film, const uint8_t *bytes, size_t size, struct source_error *error)
{
    char line[LINE_MAX_BYTES + 1], *rest = line;
    int length = line_length(stream_mark, bytes, size), status = 0;
    if (length == 0)
        return -EAGAIN;
    if (length < 0)
        return source_fail(error, -EINVAL, "it does not begin with a line of the Y4M format");
    *film = (struct film){.format = FRAME_YUV420};
    memcpy(line, bytes, (size_t)length - 1);
    line[length - 1] = 0;
    strsep(&rest, " ");
    for (const char *field; !status && (field = strsep(&rest, " "));)
        status = set_field(film, field, error);
    if (status)
        return status;
    if (!film->width || !film->height)
        return source_fail(error, -EINVAL, "its Y4M header gives no width or no height");
    if (frame_bytes(film) > FILM_FRAME_MAX)
        return source_fail(error, -EINVAL, "frames of %d x %d pixels are too large", film->width,
                           film->height);
    film->matrix = guess_matrix(film);
    return length;
}

int y4m_next(const struct film *film, const uint8_t *bytes, size_t size, struct film_part *part)
{
    int length = line_length(frame_mark, bytes, size);
    if (length < 0)
        return -EBADMSG;
    part->start = (size_t)length;
    part->end = part->start + frame_bytes(film);
    part->width = film->width;
    part->height = film->height;
    return length == 0 || part->end > size ? -EAGAIN : 0;
}
