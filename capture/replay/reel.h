/* SPDX-License-Identifier: MIT */
/* What a replay shows, one picture after the other: photos, decoded once, or a film, found frame by frame. */
#ifndef PIPIT_CAPTURE_REPLAY_REEL_H
#define PIPIT_CAPTURE_REPLAY_REEL_H

#include "capture/replay/film.h"
#include "capture/replay/input.h"

#define REEL_FRAMES_MAX  32
#define REEL_PHOTO_BYTES ((size_t)512 << 20) /* of all photos together */

struct reel {
    struct film film; /* of photos: of the first; a folder's may differ */
    /* photos */
    struct frame **photo;
    int photos, next;
    /* a film */
    struct input input;
    size_t first; /* where its first frame may begin */
    struct film_part part;
    bool y4m, found; /* whether `part` is the next frame */
    struct {
        uint8_t *bytes; /* a stream's bytes for each frame that is out; a file's are shown where they are */
        size_t room;
    } copy[REEL_FRAMES_MAX];
    uint64_t damaged; /* pieces that are no frame */
};

/* path: a photo, a folder of photos, a film's file, "-". Waits for the first frame of a stream. */
int reel_open(struct reel *reel, const char *path, const struct source_settings *settings,
              struct source_error *error);
void reel_close(struct reel *reel); /* also after a reel_open() that failed */

/* Returns 0: there is a frame; -EAGAIN: a stream's is not there yet; -ENODATA: that was the last one;
 * -EBADMSG: there should be one, and is none; -EFBIG; other errors of read(). */
int reel_find(struct reel *reel);
/* Fills the frame in with what reel_find() found and goes on to the next; `copy` is the frame's own number. 0
 * or -ENOMEM. */
int reel_show(struct reel *reel, struct frame *frame, int copy);
void reel_skip(struct reel *reel);
bool reel_rewind(struct reel *reel); /* to the first frame; false: a stream cannot go back */

/* photos */
int reel_add_photo(struct reel *reel, struct frame *photo, const struct source_settings *settings,
                   struct source_error *error);
int reel_open_folder(struct reel *reel, const char *path, const struct source_settings *settings,
                     struct source_error *error);

#endif
