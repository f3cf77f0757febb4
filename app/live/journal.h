/* SPDX-License-Identifier: MIT */
/* What an operator cares about, told to the journal with fields and a text of the catalogue
 * (systemd/pipit.catalog); where standard error is no journal, as a line of the log. Nothing per frame. */
#ifndef PIPIT_APP_LIVE_JOURNAL_H
#define PIPIT_APP_LIVE_JOURNAL_H

enum journal_event {
    JOURNAL_CAMERA,      /* a camera is used */
    JOURNAL_CAMERA_LOST, /* it is gone, stalled or refused */
    JOURNAL_SCREEN,
    JOURNAL_SCREEN_LOST,
    JOURNAL_MODEL,
    JOURNAL_MODEL_OTHER, /* the one that was asked for cannot be used */
    JOURNAL_SETTINGS,    /* their files have a mistake */
    JOURNAL_HUNG,        /* the network does not answer */
    JOURNAL_HEAT,        /* a step of less or more work */
    JOURNAL_EVENTS
};

/* `subject`, what the camera, screen or model is called, becomes the field PIPIT_CAMERA, PIPIT_SCREEN,
 * PIPIT_MODEL...; NULL: there is none. The sentence is cut at some 1000 bytes. */
void journal_tell(enum journal_event event, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
