/* SPDX-License-Identifier: MIT */
/* What the libcamera source does without libcamera. */
#ifndef PIPIT_CAPTURE_LIBCAMERA_PLAIN_H
#define PIPIT_CAPTURE_LIBCAMERA_PLAIN_H

#include "capture/cameras.h"
#include "capture/source.h"

#ifdef __cplusplus
extern "C" {
#endif

/* FRAME_* of a DRM fourcc (drm_fourcc.h), by which libcamera names formats; 0: a frame cannot have it. */
uint32_t format_from_drm(uint32_t fourcc);

/* How far a format and size are from what is wanted: less is better; -1: not at all. libcamera cannot tell
 * the rate of a size before it is set. But a camera with MJPEG is one on USB, where raw pictures above VGA
 * are slow, so that MJPEG is best there; else raw formats are, in the order of what they cost to show. */
int64_t format_cost(uint32_t format, int width, int height, const struct source_settings *wanted);

/* "AeEnable" becomes "ae_enable". */
void control_name(char *to, size_t size, const char *camel);

/* A time stamp in CLOCK_MONOTONIC, 0 for nonsense. By libcamera's documentation it is CLOCK_BOOTTIME, but
 * most of its pipelines pass on the kernel's monotonic time. The two differ once a machine has slept, and
 * only one of them is not in the future then. */
uint64_t stamp_from_libcamera(uint64_t stamp);
uint64_t stamp_between(uint64_t stamp, uint64_t monotonic_ns, uint64_t boot_ns); /* with the clocks now */

bool media_forbidden(void); /* there are media devices that this process may not open */
/* libcamera does not say which node is behind a camera, so this tells who holds any of them. */
void media_holders(char *text, int size);

/* Entries behind those that are there; false and NULL: no memory. */
bool camera_add_size(struct camera *camera, uint32_t format, unsigned width, unsigned height, double rate);
struct camera_control *camera_add_control(struct camera *camera, const char *camel);

#ifdef __cplusplus
}
#endif
/* What the module gives out, for module.c to find. */
extern __attribute__((visibility("default"))) const struct source_kind pipit_libcamera;

#endif
