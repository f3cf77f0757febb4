/* SPDX-License-Identifier: MIT */
#include "app/live/picture.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

static int decode(struct picture *picture)
{
    struct frame *frame = picture->frame;
    if (!frame)
        return 0;
    if (frame->format == FRAME_MJPEG)
        return mjpeg_decode(picture->decoder, frame, &picture->decoded);
    picture->decoded = frame_ref(frame);
    return 0;
}

/* The part of a side that is on the screen: from `low` to `high` of what begins at `at` and is `size` long.
 */
static float visible(float low, float high, int at, int size, int screen)
{
    float from = (float)at + low * (float)size, to = (float)at + high * (float)size, length = to - from;
    from = from > 0 ? from : 0;
    to = to < (float)screen ? to : (float)screen;
    return length > 0 && to > from ? (to - from) / length : 0;
}

/* Where the picture is cut off to fill the screen, a box of which hardly anything is left names nothing. */
static void leave_out_hidden(struct picture *picture, struct overlay *overlay)
{
    const struct area *whole = &picture->whole;
    int count = 0;
    for (int i = 0; i < overlay->box_count; i++) {
        const struct overlay_box *box = &overlay->boxes[i];
        float seen = visible(box->box[0], box->box[2], whole->x, whole->width, picture->width) *
                     visible(box->box[1], box->box[3], whole->y, whole->height, picture->height);
        if (seen >= 0.3f)
            picture->box[count++] = *box;
    }
    overlay->boxes = picture->box;
    overlay->box_count = count;
}

static void take_fonts(struct picture *picture)
{
    if (!picture->labels.painter)
        picture->labels.painter = picture->fonts.painter;
    picture->fonts.painter = NULL;
}

static int draw(struct picture *picture)
{
    take_fonts(picture);
    struct overlay overlay;
    uint64_t start = clock_now_ns();
    look_overlay(&picture->look, &overlay);
    leave_out_hidden(picture, &overlay);
    int status = labels_draw(&picture->labels, &overlay, picture->width, picture->height, picture->whole);
    picture->draw_ns = clock_now_ns() - start;
    return status;
}

static int put_together(struct picture *picture)
{
    struct canvas *canvas = picture->canvas;
    if (picture->labels_only)
        return compose_labels(canvas, &picture->labels);
    const struct frame *frame = picture->decoded ? picture->decoded : picture->black;
    struct area from = picture->decoded ? picture->from : area_of(frame);
    const struct labels *labels = picture->labels.image ? &picture->labels : NULL; /* no fonts yet */
    return compose(picture->converter, frame, from, picture->turn, canvas, picture->to, labels);
}

static void run(struct task *task)
{
    struct picture *picture = (struct picture *)task;
    uint64_t start = clock_now_ns();
    picture->decoded = NULL;
    picture->draw_ns = 0;
    picture->decode_status = decode(picture);
    picture->status = picture->decode_status;
    if (!picture->status && picture->canvas && picture->look_changed)
        picture->status = draw(picture);
    if (!picture->status && picture->canvas)
        picture->status = put_together(picture);
    picture->convert_ns = clock_now_ns() - start - picture->draw_ns;
    if (!picture->status && picture->canvas)
        picture->status = canvas_finish(picture->screen, picture->canvas);
}

int picture_init(struct picture *picture, void (*done)(struct task *task))
{
    memset(picture, 0, sizeof(*picture));
    picture->task = (struct task){run, done};
    picture->decoder = mjpeg_create();
    picture->converter = converter_create();
    picture->black = frame_create(FRAME_XRGB32, 16, 16);
    if (!picture->decoder || !picture->converter || !picture->black) {
        picture_finish(picture);
        return -ENOMEM;
    }
    memset(picture->black->data[0], 0, (size_t)picture->black->stride[0] * 16);
    int status = fonts_init(&picture->fonts);
    if (status)
        picture_finish(picture);
    return status;
}

void picture_finish(struct picture *picture)
{
    fonts_await(&picture->fonts);
    take_fonts(picture);
    frame_unref(picture->frame);
    frame_unref(picture->decoded);
    frame_unref(picture->black);
    labels_finish(&picture->labels);
    converter_destroy(picture->converter);
    mjpeg_destroy(picture->decoder);
    memset(picture, 0, sizeof(*picture));
}
