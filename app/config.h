/* SPDX-License-Identifier: MIT */
/*
 * What the live picture is to be: pipit.conf(5), its drop-ins, and options of the same names. One table of
 * keys (config_keys.c) drives files, options and help.
 */
#ifndef PIPIT_APP_CONFIG_H
#define PIPIT_APP_CONFIG_H

#include "capture/source.h"
#include "display/screen.h"

#include <pipit.h>

#include <stdio.h>

#define CONFIG_TEXT 512 /* bytes of a text, with its 0 */

struct config {
    char source[CONFIG_TEXT], screen[CONFIG_TEXT], model[CONFIG_TEXT], hot_model[CONFIG_TEXT],
        labels[CONFIG_TEXT];
    char stats[CONFIG_TEXT], events[CONFIG_TEXT], language[32];
    struct config_mode {
        int width, height; /* 0: the preferred one */
        double rate;       /* 0: the highest */
    } mode;
    struct config_size {
        int width, height;
    } camera_size;
    double camera_rate;
    uint32_t camera_format; /* FRAME_*, 0: the best */
    int buffers;
    struct config_controls {
        struct source_control control[SOURCE_CONTROLS_MAX];
        int count;
    } controls;
    double stall; /* s without a frame after which the camera is opened again */
    int rotation, fit;
    bool mirror, planes, status;
    struct config_hours {
        int from, to; /* minutes after midnight, local time; equal: never */
    } screen_off;
    double margin; /* of each side */
    int threads;
    unsigned cpu_mask;
    enum pipit_precision precision;
    char calibrate[CONFIG_TEXT];
    double inference_rate;   /* results per second at most, 0: as many as the CPU gives */
    double threshold, leave; /* threshold < 0: the model's; leave: part of it */
    int enter, hold;         /* results */
    double smooth;           /* 0: boxes as they come, towards 1: slower */
    int top;                 /* lines of the card */
    int average;             /* results */
    double sure, lead;       /* probabilities */
    double uncertainty;      /* entropy, as a part of its largest value */
    int frames;              /* 0: no end */
    double duration;         /* s, 0: no end */
    bool once, every_frame;
};

struct config_error {
    char text[512];
};

/* What a change touches. */
enum config_part {
    CONFIG_CAMERA = 1, /* opened again */
    CONFIG_SCREEN = 2, /* opened again */
    CONFIG_MODEL = 4,  /* opened again, while the one before goes on */
    CONFIG_LOOK = 8,   /* takes effect at once */
    CONFIG_START = 16, /* only counts when the program starts */
    CONFIG_TURN = 32,  /* takes effect at once; what was recognised is forgotten */
};

struct config_key {
    const char *name, *argument, *help; /* argument NULL: yes or no */
    char letter;                        /* short option, 0: none */
    enum config_part part;
    const char *fallback; /* as it would be written in a file */
    int (*set)(const struct config_key *key, void *at, const char *text); /* -EINVAL: makes no sense */
    size_t offset, size;                                                  /* of the value in struct config */
    double least, most;
    const char *choices; /* "fit fill stretch" */
};
extern const struct config_key config_keys[];
extern const int config_keys_count;

/* Where the settings come from. */
struct config_option {
    const struct config_key *key;
    const char *value;
};
struct config_origin {
    const char *file;                   /* --config; NULL: the system's */
    const struct config_option *option; /* of the command line; they win */
    int options;
    FILE *copy;   /* gets what the files say, as one file; NULL: it does not matter */
    bool is_copy; /* `file` is such a copy: no drop-ins are beside it, and keys may be there twice */
};

/* Defaults, then files, then options. -EINVAL: a file or an option makes no sense; -ENOENT...: a file cannot
 * be read. `config` is untouched then. */
int config_load(struct config *config, const struct config_origin *origin, struct config_error *error);

/* The same, and what the files say is kept in $STATE_DIRECTORY for config_load_last(); that this fails is
 * only told. */
int config_load_keep(struct config *config, const struct config_origin *origin, struct config_error *error);
/* What was kept, or the defaults if there is nothing good; then the options. -ENOENT: there is no
 * $STATE_DIRECTORY; -EINVAL: the options make no sense. */
int config_load_last(struct config *config, const struct config_origin *origin);

/* pipit.conf of the last folder that has one, then the pipit.conf.d/NAME.conf of all of them, by NAME; of
 * equal names the last folder's. What is not there is left out. */
int config_read_folders(struct config *config, const char *const *folders, struct config_error *error);
/* FILE, which must be there, then FILE.d/NAME.conf. */
int config_read_file(struct config *config, const char *file, struct config_error *error);

void config_defaults(struct config *config);
int config_set(struct config *config, const struct config_key *key, const char *value,
               struct config_error *error);
const struct config_key *config_find(const char *name);                  /* NULL: there is none */
unsigned config_changed(const struct config *a, const struct config *b); /* CONFIG_* */

#endif
