/* SPDX-License-Identifier: MIT */
/*
 * capture_probe list
 * capture_probe SOURCE [KEY=VALUE]...
 *
 * Opens a source, takes frames and prints JSON, a line for each: what was opened, every frame, the end. Keys:
 * frames, width, height, rate, format (a fourcc), buffers, dmabuf=1, hold=N (frames kept), cycles=N (opened
 * and closed as often; the last cycle's frames are printed), timeout=MS, and the camera's controls.
 * Motion-JPEG is decoded. Exit status: 0; 1: it did not open; 2: it ended before all frames were there.
 */
#include "capture/cameras.h"
#include "capture/mjpeg.h"
#include "capture/source.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOLD_MAX = 16 };

struct probe {
    struct source_settings settings;
    int frames, hold, cycles, timeout_ms;
    struct mjpeg *decoder;
    struct frame *held[HOLD_MAX];
};

static int descriptors(void)
{
    int count = -3; /* ".", "..", the folder's own */
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static int list(void)
{
    struct camera_list cameras;
    if (camera_list_init(&cameras))
        return 1;
    for (int i = 0; i < cameras.count; i++) {
        const struct camera *c = &cameras.camera[i];
        printf("{\"id\":\"%s\",\"path\":\"%s\",\"name\":\"%s\",\"driver\":\"%s\",\"bus\":\"%s\",\"problem\":"
               "\"%s\"",
               c->id, c->path, c->name, c->driver, c->bus, c->problem);
        printf(",\"sizes\":[");
        for (int k = 0; k < c->sizes; k++)
            printf("%s[\"%.4s\",%d,%d,%g]", k ? "," : "", (const char *)&c->size[k].format, c->size[k].width,
                   c->size[k].height, c->size[k].rate[0]);
        printf("],\"controls\":{");
        for (int k = 0; k < c->controls; k++)
            printf("%s\"%s\":\"%s\"", k ? "," : "", c->control[k].name, c->control[k].value);
        printf("}}\n");
    }
    camera_list_finish(&cameras);
    return 0;
}

static void print_info(const struct source *source)
{
    struct source_info info;
    source_info(source, &info);
    printf("{\"name\":\"%s\",\"id\":\"%s\",\"driver\":\"%s\",\"format\":\"%.4s\",\"width\":%d,\"height\":%d,"
           "\"rate\":%g,"
           "\"dmabuf\":%s}\n",
           info.name, info.id, info.driver, (const char *)&info.format, info.width, info.height, info.rate,
           info.dmabuf ? "true" : "false");
}

/* The mean of each plane shows where planes are, and reads every byte. */
static void print_frame(const struct frame *frame, int decoded)
{
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX], planes = frame_layout(frame->format, frame->width, frame->height, row, rows);
    printf("{\"sequence\":%u,\"time_ns\":%llu,\"format\":\"%.4s\",\"decoded\":%d,\"matrix\":%d,\"full_"
           "range\":%d,\"dmabuf\":["
           "%d,%d],\"mean\":[",
           frame->sequence, (unsigned long long)frame->time_ns, (const char *)&frame->format, decoded,
           frame->matrix, frame->full_range, frame->dmabuf[0], frame->dmabuf[1]);
    for (int p = 0; p < planes; p++) {
        double sum = 0;
        for (int y = 0; y < rows[p]; y++)
            for (size_t x = 0; x < row[p]; x++)
                sum += frame->data[p][y * frame->stride[p] + (ptrdiff_t)x];
        printf("%s%.3f", p ? "," : "", sum / ((double)row[p] * rows[p]));
    }
    printf("]}\n");
}

static int take(struct probe *probe, struct source *source, struct frame **frame)
{
    int status;
    do {
        struct pollfd poller = {.fd = source_fd(source), .events = POLLIN};
        if (poll(&poller, 1, probe->timeout_ms) == 0)
            return -ETIMEDOUT;
        status = source_take(source, frame);
    } while (status == -EAGAIN);
    return status;
}

static void keep(struct probe *probe, struct frame *frame)
{
    if (probe->hold == 0) {
        frame_unref(frame);
        return;
    }
    frame_unref(probe->held[0]);
    memmove(probe->held, probe->held + 1, (size_t)(probe->hold - 1) * sizeof(probe->held[0]));
    probe->held[probe->hold - 1] = frame;
}

static int stream(struct probe *probe, struct source *source, bool print)
{
    int status = 0, count = 0;
    for (; count < probe->frames && !status; count++) {
        struct frame *frame, *decoded = NULL;
        status = take(probe, source, &frame);
        if (status)
            break;
        int result = frame->format == FRAME_MJPEG ? mjpeg_decode(probe->decoder, frame, &decoded) : 0;
        if (print)
            print_frame(decoded ? decoded : frame, result);
        frame_unref(decoded);
        keep(probe, frame);
    }
    if (print || status)
        printf("{\"frames\":%d,\"dropped\":%llu,\"status\":%d,\"error\":\"%s\",\"fds\":%d}\n", count,
               (unsigned long long)source_dropped(source), status, strerror(-status), descriptors());
    return status;
}

static int run(struct probe *probe)
{
    int status = 0;
    for (int cycle = 1; cycle <= probe->cycles && !status; cycle++) {
        struct source *source;
        struct source_error error = {""};
        status = source_open(&source, &probe->settings, &error);
        if (status) {
            printf("{\"status\":%d,\"error\":\"%s\"}\n", status, error.text);
            return 1;
        }
        if (cycle == probe->cycles)
            print_info(source);
        status = stream(probe, source, cycle == probe->cycles);
        source_close(source);
    }
    for (int i = 0; i < probe->hold; i++) { /* after the source is gone */
        if (probe->held[i] && probe->held[i]->format != FRAME_MJPEG)
            print_frame(probe->held[i], 0);
        frame_unref(probe->held[i]);
    }
    printf("{\"fds\":%d}\n", descriptors());
    return status ? 2 : 0;
}

static int set(struct probe *probe, char *argument)
{
    struct source_settings *to = &probe->settings;
    char *value = strchr(argument, '=');
    if (!value)
        return -EINVAL;
    *value++ = 0;
    const struct {
        const char *key;
        int *value;
    } numbers[] = {{"frames", &probe->frames},     {"width", &to->width},  {"height", &to->height},
                   {"buffers", &to->buffers},      {"hold", &probe->hold}, {"cycles", &probe->cycles},
                   {"timeout", &probe->timeout_ms}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (!strcmp(argument, numbers[i].key)) {
            *numbers[i].value = atoi(value);
            return 0;
        }
    if (!strcmp(argument, "rate")) {
        to->rate = atof(value);
    } else if (!strcmp(argument, "format") && strlen(value) == 4) {
        memcpy(&to->format, value, 4);
    } else if (!strcmp(argument, "dmabuf")) {
        to->export_dmabuf = atoi(value) != 0;
    } else if (to->controls < SOURCE_CONTROLS_MAX) {
        struct source_control *control = &to->control[to->controls++];
        snprintf(control->name, sizeof(control->name), "%s", argument);
        snprintf(control->value, sizeof(control->value), "%s", value);
    }
    return 0;
}

int main(int count, char **arguments)
{
    struct probe probe = {.frames = 10, .cycles = 1, .timeout_ms = 10000};
    source_defaults(&probe.settings);
    if (count < 2)
        return 64;
    if (!strcmp(arguments[1], "list"))
        return list();
    probe.settings.name = arguments[1];
    for (int i = 2; i < count; i++)
        if (set(&probe, arguments[i]))
            return 64;
    if (probe.hold < 0 || probe.hold > HOLD_MAX)
        return 64;
    probe.decoder = mjpeg_create();
    int status = probe.decoder ? run(&probe) : 1;
    mjpeg_destroy(probe.decoder);
    return status;
}
