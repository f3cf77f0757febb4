/* SPDX-License-Identifier: MIT */
/* What the parts of the fake share. */
#ifndef PIPIT_TESTS_FAKE_DRM_STATE_H
#define PIPIT_TESTS_FAKE_DRM_STATE_H

#include "fake_drm.h"

enum { FAKE_VALUES_MAX = 512, FAKE_NAMES = 21, FAKE_PROPERTY = 101 /* the id of the first */ };

struct value {
    uint32_t object, property;
    uint64_t value;
};

struct state {
    struct value value[FAKE_VALUES_MAX];
    int count;
};

extern struct state fake_now;
extern const char *const fake_names[FAKE_NAMES];
const struct fake_plane *fake_plane(uint32_t id); /* NULL: no such */
void fake_take_damage(void);                      /* of the commit that was just made */
void fake_console_reset(void);
void fake_console_finish(void);

#endif
