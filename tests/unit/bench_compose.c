/* SPDX-License-Identifier: MIT */
/* What drawing labels and composing a picture of 1280x720 costs this thread, in milliseconds: the best of
 * some. */
#include "display/compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 1280, HEIGHT = 720, ROUNDS = 50 };

struct bench {
    struct converter *converter;
    struct labels labels;
    struct frame *in, *canvas;
    struct canvas onto;
    struct area to;
    struct turn turn;
};

static const struct overlay_box boxes[] = {
    {{0.62F, 0.55F, 0.99F, 0.83F}, 0, "Car", "69 %"},
    {{0.48F, 0.68F, 0.65F, 1.01F}, 1, "Person", "43 %"},
    {{0.24F, 0.69F, 0.44F, 1.01F}, 1, "Person", "35 %"},
    {{0.00F, 0.69F, 0.16F, 1.00F}, 1, "Person", "35 %"},
    {{0.20F, 0.20F, 0.40F, 0.50F}, 2, "Coffee cup", "30 %"},
};
static const struct overlay overlay = {.boxes = boxes, .box_count = 5, .status = "C920  30 fps"};

static int draw(struct bench *bench)
{
    return labels_draw(&bench->labels, &overlay, bench->canvas->width, bench->canvas->height,
                       area_of(bench->canvas));
}

static int compose_once(struct bench *bench)
{
    return compose(bench->converter, bench->in, area_of(bench->in), bench->turn, &bench->onto, bench->to,
                   &bench->labels);
}

static int compose_anew(struct bench *bench)
{
    bench->onto.content.known = false;
    return compose_once(bench);
}

static int label_once(struct bench *bench)
{
    int failed = draw(bench);
    return failed ? failed : compose_labels(&bench->onto, &bench->labels);
}

static int label_anew(struct bench *bench)
{
    bench->onto.content.known = false;
    return label_once(bench);
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int time_it(const char *what, const char *how, int (*work)(struct bench *), struct bench *bench)
{
    double best = 1e9;
    int failed = 0;
    for (int i = 0; i < ROUNDS && !failed; i++) {
        double start = cpu_ms();
        failed = work(bench);
        double took = cpu_ms() - start;
        best = took < best ? took : best;
    }
    printf("%-14s %-16s %6.2f ms%s\n", what, how, best, failed ? " (failed)" : "");
    return failed;
}

static int make_canvas(struct bench *bench, uint32_t format, int width, int height)
{
    bench->canvas = frame_create(format, width, height);
    if (!bench->canvas)
        return 1;
    bench->onto = (struct canvas){.frame = *bench->canvas};
    bench->to = area_of(bench->canvas);
    return draw(bench);
}

/* A plane of its own, drawn on for the first time, and again. */
static int time_labels(struct bench *bench)
{
    int failed = make_canvas(bench, FRAME_ARGB32, 1920, 1080) ||
                 time_it("labels plane", "all of it", label_anew, bench) ||
                 time_it("labels plane", "what differs", label_once, bench);
    frame_unref(bench->canvas);
    return failed;
}

static int time_format(struct bench *bench, uint32_t format)
{
    static const char *const hows[] = {"upright", "turned 90", "turned 180", "turned 270"};
    const char name[5] = {(char)format, (char)(format >> 8), (char)(format >> 16), (char)(format >> 24)};
    int failed = 0;
    bench->in = frame_create(format, WIDTH, HEIGHT);
    if (!bench->in)
        return 1;
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX], planes = frame_layout(format, WIDTH, HEIGHT, row, rows);
    for (int p = 0; p < planes; p++)
        memset(bench->in->data[p], 0x70, (size_t)bench->in->stride[p] * (size_t)rows[p]);
    for (int turn = 0; turn < 4; turn++) {
        bool sideways = turn % 2;
        bench->turn.rotation = 90 * turn;
        failed |= make_canvas(bench, FRAME_XRGB32, sideways ? HEIGHT : WIDTH, sideways ? WIDTH : HEIGHT) ||
                  time_it(name, hows[turn], compose_once, bench);
        frame_unref(bench->canvas);
    }
    bench->turn.rotation = 0;
    failed |=
        make_canvas(bench, FRAME_XRGB32, 1920, 1080) || time_it(name, "to 1920x1080", compose_once, bench);
    bench->to = (struct area){320, 180, 1280, 720};
    failed |= time_it(name, "bars anew", compose_anew, bench) ||
              time_it(name, "bars as they are", compose_once, bench);
    frame_unref(bench->canvas);
    frame_unref(bench->in);
    return failed;
}

int main(void)
{
    static const uint32_t formats[] = {FRAME_YUYV, FRAME_NV12, FRAME_YUV420, FRAME_YUV422P, FRAME_RGB24};
    struct bench bench = {.converter = converter_create()};
    int failed = !bench.converter || make_canvas(&bench, FRAME_XRGB32, WIDTH, HEIGHT) ||
                 time_it("labels", "5 boxes", draw, &bench);
    frame_unref(bench.canvas);
    failed |= time_labels(&bench);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        failed |= time_format(&bench, formats[i]);
    labels_finish(&bench.labels);
    converter_destroy(bench.converter);
    return failed;
}
