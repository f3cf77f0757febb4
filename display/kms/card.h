/* SPDX-License-Identifier: MIT */
/* A card: its connectors, CRTCs and planes, with the ids of their properties resolved once. */
#ifndef PIPIT_DISPLAY_KMS_CARD_H
#define PIPIT_DISPLAY_KMS_CARD_H

#include "display/kms/seat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xf86drm.h>
#include <xf86drmMode.h>

enum kms_property {
    KMS_CRTC_ID,
    KMS_MODE_ID,
    KMS_ACTIVE,
    KMS_FB_ID,
    KMS_SRC_X, /* 16.16 */
    KMS_SRC_Y,
    KMS_SRC_W,
    KMS_SRC_H,
    KMS_CRTC_X,
    KMS_CRTC_Y,
    KMS_CRTC_W,
    KMS_CRTC_H,
    KMS_TYPE,
    KMS_ROTATION,
    KMS_ZPOS,
    KMS_ALPHA,
    KMS_COLOR_ENCODING, /* choices: BT.601, BT.709: enum frame_matrix */
    KMS_COLOR_RANGE,    /* choices: limited, full */
    KMS_BLEND_MODE,     /* choice: premultiplied */
    KMS_DAMAGE,         /* a blob of struct drm_mode_rect; the kernel forgets it with each commit */
    KMS_PROPERTIES
};

struct kms_slot {
    uint32_t id; /* 0: the object has no such property */
    bool fixed;
    bool offered[2];    /* of the choices */
    uint64_t choice[2]; /* their values */
    uint64_t min, max;  /* of a range; max of a bitmask: all bits that are offered */
    uint64_t value;     /* when it was last read */
};

struct kms_object {
    uint32_t id, type; /* DRM_MODE_OBJECT_* */
    struct kms_slot slot[KMS_PROPERTIES];
};

struct kms_connector {
    struct kms_object object;
    char name[48]; /* "HDMI-A-1" */
    drmModeConnection status;
    uint32_t possible_crtcs; /* bits by index */
    drmModeModeInfo *modes;
    int mode_count;
};

struct kms_crtc {
    struct kms_object object;
    int index;
};

struct kms_plane {
    struct kms_object object;
    uint32_t possible_crtcs, *formats;
    int format_count;
    bool lit;    /* shows something of ours */
    bool wanted; /* by the request that is being put together */
};

struct kms_card {
    int fd;
    struct kms_seat *seat; /* that gave it; NULL: it was opened directly */
    int device;            /* at the seat */
    char path[64], driver[32];
    struct kms_connector *connectors;
    struct kms_crtc *crtcs;
    struct kms_plane *planes;
    int connector_count, crtc_count, plane_count;
};

/* Opens, through the seat unless that is NULL, and reads. -EACCES, -ENOENT; -ENOTSUP: no modesetting, no
 * atomic modesetting, no dumb buffers; -ENOMEM. `why` gets a sentence. */
int kms_card_open(struct kms_card *card, struct kms_seat *seat, const char *path, char *why, size_t size);
void kms_card_close(struct kms_card *card); /* takes half-opened and zeroed ones with fd -1 */
/* Reads status and modes again; probe: by asking the screen. */
int kms_connector_read(const struct kms_card *card, struct kms_connector *connector, bool probe);
void kms_object_read(const struct kms_card *card, struct kms_object *object); /* the values again */
bool kms_plane_takes(const struct kms_plane *plane, uint32_t format);

/* A request that remembers its first failure. */
struct kms_request {
    drmModeAtomicReq *list;
    int status;
};
void kms_request_init(struct kms_request *request);
/* Sets a property that must be there (-ENOTSUP), or one that may be missing or fixed. */
void kms_set(struct kms_request *request, const struct kms_object *object, enum kms_property which,
             uint64_t value);
void kms_set_if(struct kms_request *request, const struct kms_object *object, enum kms_property which,
                uint64_t value);
/* Commits unless something failed before, and frees the request. DRM_MODE_ATOMIC_*; 0 or a negative errno. */
int kms_commit(struct kms_request *request, const struct kms_card *card, uint32_t flags, void *user);

/* ---- system.c: what else is asked of the system; tests put their own in its place ---- */

int kms_system_cards(char (*paths)[64], int max);           /* how many; in the order of their numbers */
int kms_system_open(const char *path);                      /* a descriptor or a negative errno */
void *kms_system_map(int fd, size_t size, uint64_t offset); /* NULL and errno */

#endif
