/* SPDX-License-Identifier: MIT */
#include "capture/replay/reel.h"

#include "capture/backend.h"
#include "capture/photo/photo.h"
#include "capture/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STREAM_WAIT_MS = 10000 }; /* for a stream's first frame */

/* ---- films ---- */

static int find(struct reel *reel)
{
    const struct input *input = &reel->input;
    const uint8_t *bytes = input->bytes + input->at;
    size_t size = input->size - input->at;
    return reel->y4m ? y4m_next(&reel->film, bytes, size, &reel->part) : mjpeg_next(bytes, size, &reel->part);
}

/* A JPEG picture without a size shows nothing. */
static bool is_frame(const struct reel *reel)
{
    return reel->part.width > 0 && reel->part.height > 0 && reel->part.width <= FILM_SIDE_MAX &&
           reel->part.height <= FILM_SIDE_MAX;
}

/* The next frame in the bytes that are there. */
static int find_in_bytes(struct reel *reel)
{
    int status;
    while ((status = find(reel)) == 0) {
        if (is_frame(reel)) {
            reel->found = true;
            return 0;
        }
        reel->damaged++;
        reel_skip(reel);
    }
    if (status == -EAGAIN && reel->input.ended) {
        reel->damaged += reel->input.size > reel->input.at && (reel->y4m || reel->part.state);
        reel->input.at = reel->input.size;
        reel->part = (struct film_part){0};
        return -ENODATA;
    }
    return status;
}

static int find_waiting(struct reel *reel, int timeout_ms)
{
    int status = 0;
    if (reel->photos)
        return reel->next < reel->photos ? 0 : -ENODATA;
    while (!reel->found && !status) {
        status = find_in_bytes(reel);
        if (status == -EAGAIN)
            status = input_more(&reel->input, FILM_FRAME_MAX, timeout_ms);
    }
    return status;
}

int reel_find(struct reel *reel)
{
    return find_waiting(reel, 0);
}

void reel_skip(struct reel *reel)
{
    reel->next++;
    reel->found = false;
    reel->input.at += reel->part.end;
    reel->part = (struct film_part){0};
}

bool reel_rewind(struct reel *reel)
{
    if (!reel->photos && reel->input.fd >= 0)
        return false;
    reel->next = 0;
    reel->found = false;
    reel->input.at = reel->first;
    reel->part = (struct film_part){0};
    return true;
}

/* ---- frames ---- */

/* A stream's bytes move with the next read. */
static uint8_t *keep(struct reel *reel, int copy, uint8_t *bytes, size_t size)
{
    if (reel->input.fd < 0)
        return bytes;
    if (reel->copy[copy].room < size) {
        free(reel->copy[copy].bytes);
        reel->copy[copy].room = 0;
        reel->copy[copy].bytes = malloc(size + size / 4);
        if (!reel->copy[copy].bytes)
            return NULL;
        reel->copy[copy].room = size + size / 4;
    }
    memcpy(reel->copy[copy].bytes, bytes, size);
    return reel->copy[copy].bytes;
}

static void lay_out(struct frame *frame, uint8_t *bytes)
{
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX];
    frame->planes = frame_layout(frame->format, frame->width, frame->height, row, rows);
    if (!frame->planes) { /* compressed */
        frame->planes = 1;
        frame->data[0] = bytes;
        return;
    }
    for (int p = 0; p < frame->planes; p++) {
        frame->data[p] = bytes;
        frame->stride[p] = (ptrdiff_t)row[p];
        bytes += row[p] * (size_t)rows[p];
    }
}

int reel_show(struct reel *reel, struct frame *frame, int copy)
{
    if (reel->photos) {
        pool_show(frame, reel->photo[reel->next]);
    } else {
        size_t size = reel->part.end - reel->part.start;
        uint8_t *bytes = keep(reel, copy, reel->input.bytes + reel->input.at + reel->part.start, size);
        if (!bytes)
            return -ENOMEM;
        frame->format = reel->film.format;
        frame->width = reel->part.width;
        frame->height = reel->part.height;
        frame->size = reel->y4m ? 0 : size;
        frame->matrix = reel->film.matrix;
        frame->full_range = reel->film.full_range;
        lay_out(frame, bytes);
    }
    reel_skip(reel);
    return 0;
}

/* ---- opening ---- */

/* Cameras' pictures often have others behind them (previews, gain maps), of another size. */
static bool is_one_picture(const struct input *input)
{
    struct film_part first = {0}, second = {0};
    return mjpeg_next(input->bytes, input->size, &first) ||
           mjpeg_next(input->bytes + first.end, input->size - first.end, &second) ||
           first.width != second.width || first.height != second.height;
}

/* A film of one picture looks like a photo. */
static bool is_named_film(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (!strcasecmp(dot, ".mjpeg") || !strcasecmp(dot, ".mjpg"));
}

static int open_photo(struct reel *reel, const char *path, const struct source_settings *settings,
                      struct source_error *error)
{
    struct photo_error why = {""};
    struct frame *photo;
    int status = photo_decode(&photo, reel->input.bytes, reel->input.size, &why);
    input_close(&reel->input);
    if (status)
        return source_fail(error, status == -E2BIG ? -EINVAL : status, "%s: %s", path, why.text);
    status = reel_add_photo(reel, photo, settings, error);
    frame_unref(photo);
    return status;
}

static int read_header(struct reel *reel, struct source_error *error)
{
    struct input *input = &reel->input;
    int length = -EAGAIN;
    while (reel->y4m && (length = y4m_header(&reel->film, input->bytes, input->size, error)) == -EAGAIN) {
        if (input->ended)
            return source_fail(error, -EINVAL, "it ends within its Y4M header");
        int status = input_more(input, FILM_FRAME_MAX, STREAM_WAIT_MS);
        if (status)
            return source_fail(error, -EIO, "its Y4M header does not come: %s", strerror(-status));
    }
    if (reel->y4m && length < 0)
        return length;
    if (!reel->y4m)
        reel->film = (struct film){.format = FRAME_MJPEG, .full_range = true};
    reel->first = input->at = reel->y4m ? (size_t)length : 0;
    return 0;
}

/* A file's frames must be where its header says. */
static bool fits(const struct reel *reel)
{
    const struct input *input = &reel->input;
    size_t after = input->at + reel->part.end;
    struct film_part second = {0};
    return !reel->y4m || input->fd >= 0 || after == input->size ||
           y4m_next(&reel->film, input->bytes + after, input->size - after, &second) != -EBADMSG;
}

static int open_film(struct reel *reel, const char *path, const struct source_settings *settings,
                     struct source_error *error)
{
    int status = read_header(reel, error);
    if (status)
        return status;
    if (settings->format && settings->format != reel->film.format)
        return source_fail(error, -ENOTSUP, "%s has frames of the format %.4s, not %.4s", path,
                           (const char *)&reel->film.format, (const char *)&settings->format);
    status = find_waiting(reel, STREAM_WAIT_MS);
    if (status == -EBADMSG || (!status && !fits(reel)))
        return source_fail(error, -EINVAL,
                           "%s has no frame where its header says one should be: its width, height or "
                           "pixel format is wrong",
                           path);
    if (status == -EAGAIN)
        return source_fail(error, -EIO, "no whole frame came from %s in %d s", path, STREAM_WAIT_MS / 1000);
    if (status)
        return source_fail(error, status == -ENODATA ? -EINVAL : -EIO, "%s: %s", path,
                           status == -ENODATA ? "it has not one whole frame" : strerror(-status));
    reel->film.width = reel->part.width;
    reel->film.height = reel->part.height;
    return 0;
}

static int open_bytes(struct reel *reel, const char *path, const struct source_settings *settings,
                      struct source_error *error)
{
    struct input *input = &reel->input;
    int status = 0;
    while (input->size < 8 && !input->ended && !status)
        status = input_more(input, FILM_FRAME_MAX, STREAM_WAIT_MS);
    if (status == -EAGAIN)
        return source_fail(error, -EIO, "nothing came from %s in %d s; start what writes to it first", path,
                           STREAM_WAIT_MS / 1000);
    if (status)
        return source_fail(error, -EIO, "nothing came from %s: %s", path, strerror(-status));
    bool jpeg = input->size >= 2 && !memcmp(input->bytes, "\xff\xd8", 2),
         parts = input->size >= 2 && !memcmp(input->bytes, "--", 2), /* multipart/x-mixed-replace */
        png = input->size >= 4 && !memcmp(input->bytes, "\x89PNG", 4);
    reel->y4m = input->size >= 4 && !memcmp(input->bytes, "YUV4", 4);
    if (input->fd < 0 && (png || (jpeg && !is_named_film(path) && is_one_picture(input))))
        return open_photo(reel, path, settings, error);
    if (jpeg || parts || reel->y4m)
        return open_film(reel, path, settings, error);
    return source_fail(error, -ENOTSUP, "%s is %s", path,
                       input->size == 0 ? "empty"
                       : png            ? "a PNG photo, which is read from files only"
                                        : "no JPEG or PNG photo, no Motion-JPEG and no Y4M film");
}

int reel_open(struct reel *reel, const char *path, const struct source_settings *settings,
              struct source_error *error)
{
    *reel = (struct reel){0};
    int status = input_open(&reel->input, path);
    if (status)
        input_close(&reel->input);
    if (status == -EISDIR)
        return reel_open_folder(reel, path, settings, error);
    if (status)
        return source_fail(error, status, "cannot open %s: %s", path, strerror(-status));
    return open_bytes(reel, path, settings, error);
}

void reel_close(struct reel *reel)
{
    for (int i = 0; i < reel->photos; i++)
        frame_unref(reel->photo[i]);
    free(reel->photo);
    for (int i = 0; i < REEL_FRAMES_MAX; i++)
        free(reel->copy[i].bytes);
    input_close(&reel->input);
}
