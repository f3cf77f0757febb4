/* SPDX-License-Identifier: MIT */
/*
 * A card in memory under the names of libdrm, for tests: it keeps properties, framebuffers, handles and blobs
 * as the kernel does and refuses what the kernel refuses. Also in the place of display/kms/system.c and
 * console.c.
 */
#ifndef PIPIT_TESTS_FAKE_DRM_H
#define PIPIT_TESTS_FAKE_DRM_H

#include "display/kms/card.h"
#include "display/kms/console.h"

enum {
    FAKE_CONNECTOR = 31, /* and 32: HDMI-A-1 and HDMI-A-2 */
    FAKE_CRTC = 41,      /* and 42 */
    FAKE_CONSOLE_FB = 7, /* what is shown before anyone comes */
    FAKE_PLANES_MAX = 8,
    FAKE_FBS_MAX = 64
};

struct fake_plane {
    uint32_t id, type, crtcs; /* crtcs: bits */
    uint32_t formats[8];
    uint64_t zmin, zmax; /* equal: fixed; both 0: no zpos */
    uint64_t rotations;  /* 0: no such property */
    bool colours;        /* COLOR_ENCODING (BT.601 alone unless bt709) and COLOR_RANGE */
    bool bt709, blends, scales, anywhere /* need not cover the screen */;
    bool damages; /* FB_DAMAGE_CLIPS */
};

struct fake_connector {
    drmModeConnection status;
    drmModeModeInfo modes[6];
    int count;
};

struct fake_fb {
    uint32_t id, width, height, format, pitch[4], offset[4];
    bool imported;
};

struct fake {
    struct fake_plane planes[FAKE_PLANES_MAX];
    int plane_count;
    struct fake_connector connectors[2];
    bool vblank, atomic, dumb, monotonic;
    bool needs_primary; /* a CRTC has a mode if and only if its primary plane shows something, as in simple
                           drivers */
    int overlays_max;
    int open_error, commit_error; /* negative errno; commit_error for real commits, until it is 0 again */
    int allocations_left;         /* of dumb buffers */
    bool other_master, master;
    int seat_error; /* negative errno */
    bool seat_in_front;

    /* what happened */
    struct fake_fb fbs[FAKE_FBS_MAX];
    int handles, blobs, requests; /* alive */
    int commits, tests, faults;   /* faults: what no kernel would let pass unharmed */
    uint32_t last_flags;
    int seats, devices; /* that are held */
    bool seat_waits;    /* to be let go of */
    bool flip_pending;
    int damages; /* rectangles of the last commit; 0: everything */
    struct drm_mode_rect damage[64];
};
extern struct fake fake;

/* A card with a primary plane (id 51), overlays (52, 53) and a cursor (54) on CRTC 41, a primary plane (55)
 * on CRTC 42, and a screen of 1280x720 and others on HDMI-A-1. */
void fake_reset(void);
void fake_finish(void);
void fake_make_values(void); /* anew, after planes were changed */
void fake_card_closed(void); /* the kernel frees the cameras' framebuffers of a closed descriptor */
drmModeModeInfo fake_mode(int width, int height, int rate, bool preferred);
uint64_t fake_value(uint32_t object, const char *property);
void fake_set(uint32_t object, const char *property, uint64_t value);
const struct fake_fb *fake_fb(uint32_t id);   /* NULL: no such */
int fake_fbs(void);                           /* alive, without the console's */
void fake_flip(uint64_t stamp_ns);            /* sends the event of the pending flip */
void fake_seat_front(bool front);             /* its session comes to the front, or leaves it */
void fake_terminal(enum console_event event); /* the terminal asks for it */

#endif
