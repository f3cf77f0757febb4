/* SPDX-License-Identifier: MIT */
/* Moving pictures in bytes: YUV4MPEG2 (mjpegtools, yuv4mpeg(5)) and Motion-JPEG (JPEG files in a row). */
#ifndef PIPIT_CAPTURE_REPLAY_FILM_H
#define PIPIT_CAPTURE_REPLAY_FILM_H

#include "capture/source.h"

#define FILM_SIDE_MAX  16384
#define FILM_FRAME_MAX ((size_t)256 << 20) /* bytes of one frame */

struct film {
    uint32_t format; /* FRAME_* */
    int width, height;
    double rate; /* frames per second; 0: it does not say */
    enum frame_matrix matrix;
    bool full_range;
};

/* Where the next frame is. Zeroed before each search from a new start. */
struct film_part {
    size_t start, end;
    int width, height;
    size_t seen; /* bytes from the start that a search over more of the same bytes need not see again */
    int state;
};

/* The stream header at the start of `bytes`. Its length; -EAGAIN: it goes on beyond them; -EINVAL, -ENOTSUP:
 * a header that says nothing sensible, or pixels that a frame cannot have. */
int y4m_header(struct film *film, const uint8_t *bytes, size_t size, struct source_error *error);
/* Returns 0; -EAGAIN: it goes on beyond them; -EBADMSG: there is no frame here. */
int y4m_next(const struct film *film, const uint8_t *bytes, size_t size, struct film_part *part);

/* The next JPEG picture at or after the start of `bytes`, whatever lies before it; cut off by the next one's
 * start where its end is missing. Returns 0; -EAGAIN: it goes on beyond them. width and height are 0 where it
 * has no such header. */
int mjpeg_next(const uint8_t *bytes, size_t size, struct film_part *part);

#endif
