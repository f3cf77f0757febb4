/* SPDX-License-Identifier: MIT */
/*
 * A screen through DRM/KMS, atomically. One struct kms drives one connector with one CRTC; what belongs to
 * other CRTCs of the card is left alone. See the kernel's "Kernel Mode Setting (KMS)" for all names.
 */
#ifndef PIPIT_DISPLAY_KMS_KMS_H
#define PIPIT_DISPLAY_KMS_KMS_H

#include "display/kms/card.h"
#include "display/kms/console.h"
#include "display/pacer.h"
#include "display/screen_kind.h"

struct kms_buffer { /* a dumb buffer with a framebuffer on it */
    uint32_t handle, fb;
    uint64_t size;
    void *map; /* NULL: not mapped */
};

int kms_buffer_create(const struct kms_card *card, uint32_t format, int width, int height,
                      struct kms_buffer *buffer, struct frame *frame /* filled where not NULL */);
void kms_buffer_destroy(const struct kms_card *card, struct kms_buffer *buffer);

/* The card as framebuffers on frames see it: they may outlive the screen. */
struct kms_link;
struct kms_link *kms_link_create(int fd); /* NULL: no memory */
void kms_link_cut(struct kms_link *link); /* the descriptor is about to be closed; drops one reference */
/* A framebuffer on the frame's dmabufs. kms_import() keeps it at frame->screen, one for each of the camera's
 * buffers, until that goes or its picture begins elsewhere in it; kms_import_once() does not:
 * it goes with drmModeRmFB(). 0; -ENOTSUP: no dmabufs, or no DRM format; else what the kernel says. */
int kms_import(struct kms_link *link, struct frame *frame, uint32_t *fb);
int kms_import_once(int fd, const struct frame *frame, uint32_t *fb);
uint32_t kms_format(const struct frame *frame); /* DRM_FORMAT_*, 0: none is the same */

enum kms_under_way { KMS_NOTHING, KMS_LIGHTING, KMS_FLIP };

struct kms_layout { /* which plane shows what, SCREEN_PLANES; video NULL: SCREEN_COMPOSE */
    struct kms_plane *video, *labels;
    bool background; /* the primary plane is black below */
};

struct kms {
    struct screen screen;
    struct kms_card card;
    struct kms_link *link;
    struct kms_connector *connector;
    struct kms_crtc *crtc;
    struct kms_plane *primary;
    drmModeModeInfo mode;
    uint32_t mode_blob; /* 0: none */
    struct kms_saved *saved;
    struct kms_layout layout;
    struct kms_buffer background; /* black, as large as the screen; fb 0: none */

    struct kms_seat *seat;  /* NULL: none */
    struct console console; /* of no terminal where there is a seat; `left` counts for both */
    struct pacer pacer;     /* vertical blanks where the driver has none, else a watchdog of events */
    bool self_paced;
    bool gone, away;
    bool rests; /* it is off because it is to be */
    bool taken; /* another program is master, though the terminal is ours */
    int news;   /* SCREEN_*, for the next dispatch */
    enum kms_under_way under_way;
    /* Of what is under way. event_ns 0: has not come. not_before_ns: the vertical blank, where self-paced. */
    uint64_t committed_ns, event_ns, not_before_ns;
    bool monotonic; /* the driver's times are CLOCK_MONOTONIC */
    uint64_t taken_ns;
    struct frame *pending, *current; /* SCREEN_PLANES; one reference each */
};

/* ---- find.c ---- */

double kms_rate(const drmModeModeInfo *mode); /* Hz */
/* The mode of this size (0 x 0: the preferred mode's) and rate (0: the highest), -EINVAL: there is none and
 * *nearest is the nearest, -ENOENT: there are no modes at all. */
int kms_find_mode(const drmModeModeInfo *modes, int count, int width, int height, double rate, int *nearest);
/* Opens the card that has the connector that the settings name, and becomes its master. */
int kms_find(struct kms *kms, const char *name, const struct screen_settings *settings,
             struct screen_error *error);
/* A connector of the open card that a screen is plugged into, or NULL; sets connector, mode, crtc, primary.
 */
int kms_find_output(struct kms *kms, const char *connector, const struct screen_settings *settings,
                    bool strict, struct screen_error *error);

/* ---- light.c ---- */

/* The state of the objects that kms will use, for kms_restore(). 0 or -ENOMEM. */
int kms_save(struct kms *kms);
void kms_restore(struct kms *kms); /* as well as it goes */
void kms_forget(struct kms *kms);
/* Sets the mode with a picture or black, and everything else of the CRTC off. wait: only back when done; else
 * an event comes. */
int kms_light(struct kms *kms, bool wait);
void kms_dark(struct kms *kms); /* CRTC and planes off */

/* ---- planes.c ---- */

/* Chooses kms->layout for frames like this one; says why in screen.info.why where there is none. */
int kms_choose_planes(struct kms *kms, const struct frame *like);
/* Puts together what the screen is to look like, ending with the planes that are not needed any more. */
void kms_compose_request(struct kms *kms, struct kms_request *request, uint32_t fb);
void kms_planes_request(struct kms *kms, struct kms_request *request, const struct kms_layout *layout,
                        const struct frame *frame, uint32_t fb, uint32_t labels_fb);
void kms_planes_lit(struct kms *kms); /* what the last request wanted is so */

/* ---- damage.c ---- */

/* A blob for KMS_DAMAGE of the plane that showed the current canvas and is to show `now`; the caller destroys
 * it once it is committed. 0: all of it may differ, or the plane does not want to know. */
uint32_t kms_damage(const struct kms *kms, const struct kms_plane *plane, const struct canvas_slot *now);

/* ---- holder.c ---- */

/* "Xorg (pid 812)": the other programs that have the file open; "another program" where /proc does not tell.
 */
void kms_holder(const char *path, char *text, size_t size);

/* ---- hotplug.c ---- */

/* Takes the size of kms->mode and makes canvases for it, COMPOSE until adapted. 0 or a negative errno. */
int kms_fit_mode(struct kms *kms);
int kms_add_canvases(struct kms *kms, uint32_t format); /* retires the old ones; 0 or a negative errno */
void kms_release_frames(struct kms *kms);
/* Looks whether what is gone or away is there again, and sets the mode if so. 0 or a negative errno. */
int kms_come_back(struct kms *kms);
int kms_recheck(struct screen *screen, bool event);
void kms_rest(struct screen *screen, bool rests);
void kms_go_dark(struct kms *kms);                        /* everything off, all buffers back */
void kms_begin(struct kms *kms, enum kms_under_way what); /* kms.c: after a commit that an event will end */

#endif
