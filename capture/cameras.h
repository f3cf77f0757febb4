/* SPDX-License-Identifier: MIT */
/* The cameras of this machine, and what each can do. */
#ifndef PIPIT_CAPTURE_CAMERAS_H
#define PIPIT_CAPTURE_CAMERAS_H

#include <stdint.h>

#define CAMERA_RATES_MAX 16

struct camera_size {
    uint32_t format;               /* V4L2 fourcc, whether a frame can have it or not */
    int width, height;             /* pixels; of a range its largest */
    double rate[CAMERA_RATES_MAX]; /* frames per second, highest first */
    int rates;
};

struct camera_control {
    char name[48], value[32];           /* as in source.h; what it is now */
    int64_t minimum, maximum, fallback; /* numbers; of a menu the entries' indices */
};

struct camera {
    char id[160];  /* for source_settings.name: the most stable name that there is */
    char path[64]; /* "/dev/video0", "" for libcamera's */
    char name[96], driver[32], bus[64];
    char usb[48]; /* "8:1.0-5986:2115": its port, interface, vendor and product; "": not at USB, or unknown */
    char same_as[160]; /* the id of the V4L2 camera that this one of libcamera's is too; "": none */
    char problem[256]; /* "": it can be used; else what is wrong and what to do: who holds it, which group */
    struct camera_size *size;
    struct camera_control *control;
    int sizes, controls;
};

struct camera_list {
    struct camera *camera;
    int count;
};

/* Every camera, V4L2's first. 0 or -ENOMEM. */
int camera_list_init(struct camera_list *list);
void camera_list_finish(struct camera_list *list);

/* "PROGRAM (PID)" of the processes that have the device open, "" when none can be seen. */
void camera_holders(const char *path, char *text, int size);

#endif
