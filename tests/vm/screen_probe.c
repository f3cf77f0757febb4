/* SPDX-License-Identifier: MIT */
/*
 * screen_probe [--list] [--screen NAME] [--mode WxH[@R]] [--duration S] [--frames N] [--still] [--camera CARD
 * [--no-planes]] Opens a screen, shows a test picture (colour bars above a grey ramp, a white frame of one
 * pixel around, and a bar that moves with each picture unless --still), and prints one JSON object: what was
 * opened, and what happened until the end.
 */
#include "base/clock.h"
#include "base/log.h"
#include "display/screen.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

struct probe {
    struct screen *screen;
    struct screen_info info;
    double duration;
    long frames, shown, gone, back, away;
    bool still;
    const char *camera;
    struct frame frame; /* of the camera */
    uint64_t first_ns, last_ns, shortest_ns, longest_ns;
};

static uint32_t colour_at(const struct frame *frame, int x, int y)
{
    static const uint32_t bars[] = {0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
                                    0xff00ff, 0xff0000, 0x0000ff, 0x000000};
    if (!x || !y || x == frame->width - 1 || y == frame->height - 1)
        return 0xffffff;
    if (y < frame->height * 3 / 4)
        return bars[x * 8 / frame->width];
    return 0x010101u * (uint32_t)(x * 255 / (frame->width - 1));
}

static void release(struct frame *frame)
{
    (void)frame;
}

/* A picture in a dmabuf. */
static int make_camera(struct probe *probe)
{
    struct frame *frame = &probe->frame;
    uint32_t handle, pitch;
    uint64_t size, offset;
    int card = open(probe->camera, O_RDWR | O_CLOEXEC);
    drmDropMaster(card);
    *frame = (struct frame){.format = FRAME_XRGB32,
                            .width = probe->info.width,
                            .height = probe->info.height * 3 / 4,
                            .planes = 1,
                            .dmabuf = {-1, -1, -1},
                            .release = release};
    atomic_init(&frame->refs, 1);
    if (card < 0 ||
        drmModeCreateDumbBuffer(card, (uint32_t)frame->width, (uint32_t)frame->height, 32, 0, &handle, &pitch,
                                &size) ||
        drmModeMapDumbBuffer(card, handle, &offset) ||
        drmPrimeHandleToFD(card, handle, DRM_CLOEXEC | DRM_RDWR, &frame->dmabuf[0]))
        return -errno;
    frame->stride[0] = pitch;
    frame->data[0] = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, card, (off_t)offset);
    return frame->data[0] == MAP_FAILED ? -errno : 0;
}

static bool labelled(const struct frame *screen, int x, int y)
{
    return x >= screen->width / 4 && x < screen->width / 2 && y >= screen->height / 4 &&
           y < screen->height / 2;
}

static void draw_labels(const struct frame *frame)
{
    for (int y = 0; y < frame->height; y++) {
        uint32_t *row = (uint32_t *)(void *)(frame->data[0] + y * frame->stride[0]);
        for (int x = 0; x < frame->width; x++)
            row[x] = labelled(frame, x, y) ? 0xffffff00u : 0; /* opaque yellow */
    }
}

static void compose_camera(const struct probe *probe, const struct frame *frame)
{
    int top = (frame->height - probe->frame.height) / 2;
    for (int y = 0; y < frame->height; y++) {
        uint32_t *row = (uint32_t *)(void *)(frame->data[0] + y * frame->stride[0]);
        for (int x = 0; x < frame->width; x++) {
            bool seen = y >= top && y < top + probe->frame.height;
            row[x] = seen ? colour_at(&probe->frame, x, y - top) : 0;
            if (labelled(frame, x, y))
                row[x] = 0xffff00;
        }
    }
}

static void draw(const struct probe *probe, const struct frame *frame)
{
    int bar = (int)(probe->shown * 8 % frame->width);
    if (probe->camera) {
        compose_camera(probe, frame);
        return;
    }
    for (int y = 0; y < frame->height; y++) {
        uint32_t *row = (uint32_t *)(void *)(frame->data[0] + y * frame->stride[0]);
        for (int x = 0; x < frame->width; x++)
            row[x] = colour_at(frame, x, y);
        for (int x = bar; !probe->still && y > frame->height / 2 && x < bar + 4 && x < frame->width; x++)
            row[x] = 0xff8000;
    }
}

static void count(struct probe *probe, int news, const struct screen_shown *shown)
{
    probe->gone += (news & SCREEN_GONE) != 0;
    probe->away += (news & SCREEN_AWAY) != 0;
    probe->back += (news & SCREEN_BACK) != 0;
    if (news & ~SCREEN_SHOWN) {
        screen_info(probe->screen, &probe->info);
        fprintf(stderr, "news %d: %s %dx%d\n", news, probe->info.name, probe->info.width, probe->info.height);
    }
    if (!(news & SCREEN_SHOWN))
        return;
    uint64_t step = shown->scanout_ns - probe->last_ns;
    if (!probe->shown++)
        probe->first_ns = shown->scanout_ns;
    else if (step > probe->longest_ns)
        probe->longest_ns = step;
    if (probe->shown > 1 && (!probe->shortest_ns || step < probe->shortest_ns))
        probe->shortest_ns = step;
    probe->last_ns = shown->scanout_ns;
}

static int present_frame(struct probe *probe)
{
    struct screen_update update = {.frame = &probe->frame, .time_ns = clock_now_ns()};
    update.labels = probe->shown ? NULL : screen_canvas(probe->screen);
    if (update.labels)
        draw_labels(&update.labels->frame);
    return screen_present(probe->screen, &update);
}

static int present(struct probe *probe)
{
    if (probe->info.way == SCREEN_PLANES)
        return screen_ready(probe->screen) ? present_frame(probe) : 0;
    struct canvas *canvas = screen_ready(probe->screen) ? screen_canvas(probe->screen) : NULL;
    if (!canvas)
        return 0;
    draw(probe, &canvas->frame);
    int status = canvas_finish(probe->screen, canvas);
    struct screen_update update = {.picture = canvas, .time_ns = clock_now_ns()};
    status = status ? status : screen_present(probe->screen, &update);
    if (status)
        screen_give_back(probe->screen, canvas);
    return status == -EBUSY || status == -EACCES || status == -ENODEV ? 0 : status;
}

static int loop(struct probe *probe)
{
    uint64_t start = clock_now_ns(), looked = start;
    int status = 0;
    while (!status && clock_ms_since(start) < 1000 * probe->duration &&
           (!probe->frames || probe->shown < probe->frames)) {
        struct screen_shown shown;
        struct pollfd descriptor = {.fd = screen_fd(probe->screen), .events = POLLIN};
        status = present(probe);
        poll(&descriptor, 1, 200);
        int news = screen_dispatch(probe->screen, &shown);
        if (news > 0)
            count(probe, news, &shown);
        if (news >= 0 && clock_ms_since(looked) > 500) {
            looked = clock_now_ns();
            news = screen_recheck(probe->screen, false);
            if (news > 0)
                count(probe, news, &shown);
        }
        status = status ? status : news < 0 ? news : 0;
    }
    return status;
}

static void report(const struct probe *probe, int status)
{
    const struct screen_info *info = &probe->info;
    double seconds = (double)(probe->last_ns - probe->first_ns) / 1e9;
    printf("{\"name\":\"%s\",\"driver\":\"%s\",\"card\":\"%s\",\"width\":%d,\"height\":%d,\"rate\":%.3f,"
           "\"way\":%d,\"why\":\"%s\",\"status\":%d,\"shown\":%ld,\"fps\":%.2f,\"step_ms\":[%.2f,%.2f],"
           "\"gone\":%ld,\"away\":%ld,\"back\":%ld}\n",
           info->name, info->driver, info->card, info->width, info->height, info->rate, (int)info->way,
           info->why, status, probe->shown, probe->shown > 1 ? (double)(probe->shown - 1) / seconds : 0,
           (double)probe->shortest_ns / 1e6, (double)probe->longest_ns / 1e6, probe->gone, probe->away,
           probe->back);
}

static int list_all(void)
{
    struct screen_list list;
    if (screen_list_init(&list))
        return EXIT_FAILURE;
    for (int i = 0; i < list.count; i++) {
        const struct screen_port *port = &list.port[i];
        printf("%s %s %s %s, %d modes", port->card, port->driver, port->name,
               port->connected ? "connected" : "not connected", port->modes);
        for (int m = 0; m < port->modes && m < 3; m++)
            printf(" %dx%d@%.2f%s", port->mode[m].width, port->mode[m].height, port->mode[m].rate,
                   port->mode[m].preferred ? "*" : "");
        printf(", planes %d+%d+%d, %s %s\n", port->primaries, port->overlays, port->cursors, port->formats,
               port->problem);
    }
    screen_list_finish(&list);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"list", no_argument, NULL, 'l'},
                                            {"screen", required_argument, NULL, 's'},
                                            {"mode", required_argument, NULL, 'm'},
                                            {"duration", required_argument, NULL, 'd'},
                                            {"frames", required_argument, NULL, 'f'},
                                            {"still", no_argument, NULL, 'S'},
                                            {"camera", required_argument, NULL, 'c'},
                                            {"no-planes", no_argument, NULL, 'n'},
                                            {0}};
    struct screen_settings settings;
    struct screen_error error;
    struct probe probe = {.duration = 5};
    screen_defaults(&settings);
    log_set_level(LOG_DEBUG);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (option == 'l')
            return list_all();
        else if (option == 's')
            settings.name = optarg;
        else if (option == 'd')
            probe.duration = strtod(optarg, NULL);
        else if (option == 'f')
            probe.frames = strtol(optarg, NULL, 10);
        else if (option == 'S')
            probe.still = true;
        else if (option == 'c')
            probe.camera = optarg;
        else if (option == 'n')
            settings.planes = false;
        else if (option != 'm' || sscanf(optarg, "%dx%d@%lf", &settings.width, &settings.height, // NOLINT
                                         &settings.rate) < 2)
            return 64;
    int status = screen_open(&probe.screen, &settings, &error);
    if (status) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_FAILURE;
    }
    screen_info(probe.screen, &probe.info);
    if (probe.camera && (make_camera(&probe) || screen_adapt(probe.screen, &probe.frame)))
        return EXIT_FAILURE;
    for (int y = 0; y < probe.frame.height; y++)
        for (int x = 0; x < probe.frame.width; x++)
            ((uint32_t *)(void *)(probe.frame.data[0] + y * probe.frame.stride[0]))[x] =
                colour_at(&probe.frame, x, y);
    screen_info(probe.screen, &probe.info);
    fprintf(stderr, "showing %s\n", probe.info.name);
    status = loop(&probe);
    screen_info(probe.screen, &probe.info);
    screen_close(probe.screen);
    report(&probe, status);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
