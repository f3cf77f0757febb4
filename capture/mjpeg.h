/* SPDX-License-Identifier: MIT */
/* Motion-JPEG frames to planar YUV, through libjpeg-turbo. */
#ifndef PIPIT_CAPTURE_MJPEG_H
#define PIPIT_CAPTURE_MJPEG_H

#include "base/frame.h"

/* A decoder and the frames that it fills again and again. Used by one thread; its frames by any. */
struct mjpeg;
struct mjpeg *mjpeg_create(void);          /* NULL: out of memory */
void mjpeg_destroy(struct mjpeg *decoder); /* takes NULL; frames still out are freed by their last unref */

/* Decodes to FRAME_YUV420, YUV422P, YUV444P or GREY, as the JPEG has it, full range BT.601 (JFIF), with the
 * input's time and sequence. No allocation once the size is known but libjpeg's
 * own for each picture. -EBADMSG: truncated or corrupt, or it has
 * not the size that `in` says; -ENOTSUP: colours that no camera sends; -ENOBUFS: all frames are in use;
 * -ENOMEM. */
int mjpeg_decode(struct mjpeg *decoder, const struct frame *in, struct frame **out);

#endif
