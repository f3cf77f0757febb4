/* SPDX-License-Identifier: MIT */
/* What is counted and timed, second by second. */
#ifndef PIPIT_APP_LIVE_STATS_H
#define PIPIT_APP_LIVE_STATS_H

#include "app/live/histogram.h"

#include <json-c/json.h>

enum stats_rate { STATS_CAPTURE, STATS_DISPLAY, STATS_INFERENCE, STATS_RATES };
enum stats_time {
    TIME_CAPTURE,   /* from the camera's timestamp until it is taken */
    TIME_CONVERT,   /* decoding, converting, scaling, blending */
    TIME_INFERENCE, /* with fitting the picture to the network */
    TIME_DRAW,      /* of the labels, when they changed */
    TIME_FLIP,      /* from handing a picture to the screen until it goes out */
    TIME_GLASS,     /* from the camera's timestamp until it goes out */
    TIME_LOOP,      /* that the event loop was busy at a stretch */
    TIMES
};

struct stats {
    unsigned done[STATS_RATES], dropped[STATS_RATES];
    struct histogram time[TIMES];
    uint64_t start_ns;                         /* of the second */
    uint64_t process_cpu_ns, inference_cpu_ns; /* at its start */
    double capture_fps, display_fps, inference_fps, glass_ms,
        inference_ms;         /* of the second before, for the status corner */
    double inference_mean_ms; /* over the results so far; 0: none */
};

void stats_done(struct stats *stats, enum stats_rate rate);
void stats_dropped(struct stats *stats, enum stats_rate rate, unsigned frames);
void stats_time_ms(struct stats *stats, enum stats_time time, double ms); /* negative ones do not count */
void stats_inference(struct stats *stats, double ms);

/* The second so far: its rates, and all of it as a JSON object in which `objects` is what is seen (taken). */
void stats_rates(struct stats *stats, uint64_t now);
struct json_object *stats_json(const struct stats *stats, struct json_object *objects,
                               uint64_t inference_cpu_ns, uint64_t now);
void stats_begin(struct stats *stats, uint64_t inference_cpu_ns, uint64_t now);

double unix_time(void); /* s */

#endif
