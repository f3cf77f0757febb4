/* SPDX-License-Identifier: MIT */
/* The table of keys, and how each kind of value is read. */
#include "app/config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- kinds of values ---- */

static int set_text(const struct config_key *key, void *at, const char *text)
{
    size_t length = strlen(text);
    if (length >= key->size)
        return -EINVAL;
    memset(at, 0, key->size); /* so that two configurations compare byte by byte */
    memcpy(at, text, length);
    return 0;
}

static int set_source(const struct config_key *key, void *at, const char *text)
{
    static const char *const kinds[] = {"v4l2:", "libcamera:", "replay:"};
    bool known = !strcmp(text, "auto");
    for (int i = 0; i < 3; i++)
        known = known || (!strncmp(text, kinds[i], strlen(kinds[i])) && text[strlen(kinds[i])]);
    return known ? set_text(key, at, text) : -EINVAL;
}

static int number(const char *text, char **end, double least, double most, double *value)
{
    *value = strtod(text, end);
    return *end == text || !isfinite(*value) || *value < least || *value > most ? -EINVAL : 0;
}

static int set_real(const struct config_key *key, void *at, const char *text)
{
    char *end;
    double value;
    if (number(text, &end, key->least, key->most, &value) || *end)
        return -EINVAL;
    memcpy(at, &value, sizeof(value));
    return 0;
}

static int set_whole(const struct config_key *key, void *at, const char *text)
{
    char *end;
    double value;
    if (number(text, &end, key->least, key->most, &value) || *end || value != trunc(value))
        return -EINVAL;
    *(int *)at = (int)value;
    return 0;
}

/* "auto", or a number. */
static int set_threshold(const struct config_key *key, void *at, const char *text)
{
    double unset = -1;
    if (strcmp(text, "auto"))
        return set_real(key, at, text);
    memcpy(at, &unset, sizeof(unset));
    return 0;
}

static int set_switch(const struct config_key *key, void *at, const char *text)
{
    static const char *const words[] = {"no", "yes", "off", "on", "false", "true", "0", "1"};
    (void)key;
    for (int i = 0; i < 8; i++)
        if (!strcasecmp(text, words[i])) {
            *(bool *)at = i % 2;
            return 0;
        }
    return -EINVAL;
}

/* The place of the word among the choices. */
static int set_choice(const struct config_key *key, void *at, const char *text)
{
    size_t length = strlen(text);
    int place = 0;
    for (const char *word = key->choices; *word && length; place++) {
        size_t own = strcspn(word, " ");
        if (own == length && !strncmp(word, text, own)) {
            *(int *)at = place;
            return 0;
        }
        word += own + strspn(word + own, " ");
    }
    return -EINVAL;
}

static int set_rotation(const struct config_key *key, void *at, const char *text)
{
    int place, status = set_choice(key, &place, text);
    if (!status)
        *(int *)at = 90 * place;
    return status;
}

static int side(const char *text, char **end, int *value)
{
    double real;
    if (number(text, end, 16, 16384, &real) || real != trunc(real))
        return -EINVAL;
    *value = (int)real;
    return 0;
}

/* "WxH" */
static int size_of(const char *text, char **end, int *width, int *height)
{
    if (side(text, end, width) || **end != 'x')
        return -EINVAL;
    return side(*end + 1, end, height);
}

static int set_size(const struct config_key *key, void *at, const char *text)
{
    struct config_size size = {0, 0};
    char *end = NULL;
    (void)key;
    if (strcmp(text, "auto") && (size_of(text, &end, &size.width, &size.height) || *end))
        return -EINVAL;
    *(struct config_size *)at = size;
    return 0;
}

/* "auto", "WxH", "WxH@R" or "@R" */
static int set_mode(const struct config_key *key, void *at, const char *text)
{
    struct config_mode mode = {0, 0, 0};
    char *end = (char *)text;
    (void)key;
    if (!*text)
        return -EINVAL;
    if (strcmp(text, "auto")) {
        if (*text != '@' && size_of(text, &end, &mode.width, &mode.height))
            return -EINVAL;
        if (*end == '@' && number(end + 1, &end, 1, 1000, &mode.rate))
            return -EINVAL;
        if (*end)
            return -EINVAL;
    }
    *(struct config_mode *)at = mode;
    return 0;
}

/* "HH:MM" */
static int time_of_day(const char *text, char **end, int *minute)
{
    double hour, past;
    if (number(text, end, 0, 23, &hour) || hour != trunc(hour) || **end != ':' ||
        number(*end + 1, end, 0, 59, &past) || past != trunc(past))
        return -EINVAL;
    *minute = 60 * (int)hour + (int)past;
    return 0;
}

/* "HH:MM-HH:MM", or nothing */
static int set_hours(const struct config_key *key, void *at, const char *text)
{
    struct config_hours hours = {0, 0};
    char *end;
    (void)key;
    if (*text && (time_of_day(text, &end, &hours.from) || *end != '-' ||
                  time_of_day(end + 1, &end, &hours.to) || *end || hours.from == hours.to))
        return -EINVAL;
    *(struct config_hours *)at = hours;
    return 0;
}

static int set_format(const struct config_key *key, void *at, const char *text)
{
    static const uint32_t formats[] = {0,           FRAME_MJPEG, FRAME_YUYV,   FRAME_UYVY,
                                       FRAME_NV12,  FRAME_NV21,  FRAME_YUV420, FRAME_YVU420,
                                       FRAME_RGB24, FRAME_BGR24, FRAME_XRGB32, FRAME_GREY};
    int place, status = set_choice(key, &place, text);
    if (!status)
        *(uint32_t *)at = formats[place];
    return status;
}

static int set_cpu(const struct config_key *key, void *at, const char *text)
{
    (void)key;
    return pipit_cpu_parse(text, at);
}

static int set_precision(const struct config_key *key, void *at, const char *text)
{
    (void)key;
    return pipit_precision_parse(text, at);
}

/* NAME=VALUE is added, or takes the place of the one of that name; "" takes all away. */
static int set_control(const struct config_key *key, void *at, const char *text)
{
    struct config_controls *controls = at;
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    int i = 0;
    (void)key;
    if (!*text) {
        memset(controls, 0, sizeof(*controls));
        return 0;
    }
    if (!length || length >= sizeof(controls->control->name) || !equals[1] ||
        strlen(equals + 1) >= sizeof(controls->control->value))
        return -EINVAL;
    while (i < controls->count &&
           (strncmp(controls->control[i].name, text, length) || controls->control[i].name[length]))
        i++;
    if (i == SOURCE_CONTROLS_MAX)
        return -EINVAL;
    controls->count = i == controls->count ? i + 1 : controls->count;
    memset(&controls->control[i], 0, sizeof(*controls->control));
    memcpy(controls->control[i].name, text, length);
    memcpy(controls->control[i].value, equals + 1, strlen(equals + 1));
    return 0;
}

/* ---- the table ---- */

#define AT(field) offsetof(struct config, field), sizeof(((struct config *)0)->field)

const struct config_key config_keys[] = {
    {"source", "SOURCE", "auto, v4l2:PATH, libcamera:ID, or replay:PATH (a photo, a folder, MJPEG, Y4M)", 0,
     CONFIG_CAMERA, "auto", set_source, AT(source)},
    {"camera-size", "WxH", "wanted of the camera", 0, CONFIG_CAMERA, "auto", set_size, AT(camera_size)},
    {"camera-rate", "FPS", "wanted of the camera, or the pace of a replay; 0: the best", 0, CONFIG_CAMERA,
     "0", set_real, AT(camera_rate), 0, 1000},
    {"camera-format", "FORMAT",
     "auto, mjpeg, yuyv, uyvy, nv12, nv21, yuv420, yvu420, rgb24, bgr24, xrgb32 or grey", 0, CONFIG_CAMERA,
     "auto", set_format, AT(camera_format), 0, 0,
     "auto mjpeg yuyv uyvy nv12 nv21 yuv420 yvu420 rgb24 bgr24 xrgb32 grey"},
    {"camera-control", "NAME=VALUE", "a control of the camera, as 'pipit devices' names it; may be repeated",
     0, CONFIG_CAMERA, "", set_control, AT(controls)},
    {"buffers", "N", "frames that the camera may fill, 2 to 32", 0, CONFIG_CAMERA, "8", set_whole,
     AT(buffers), 2, 32},
    {"stall", "SECONDS", "without a frame for so long the camera is opened again", 0, CONFIG_LOOK, "3",
     set_real, AT(stall), 0.2, 600},
    {"once", NULL, "a replay ends instead of starting again", 0, CONFIG_CAMERA, "no", set_switch, AT(once)},
    {"screen", "SCREEN", "auto, CONNECTOR, CARD/CONNECTOR, png:DIR, mjpeg:- or mjpeg:FILE, memory, none", 0,
     CONFIG_SCREEN, "auto", set_text, AT(screen)},
    {"mode", "WxH@R", "of the screen; @R may be left out", 0, CONFIG_SCREEN, "auto", set_mode, AT(mode)},
    {"planes", NULL, "hand the camera's picture to the screen's hardware where it takes it", 0, CONFIG_SCREEN,
     "yes", set_switch, AT(planes)},
    {"screen-off", "HH:MM-HH:MM", "hours in which the screen is off and the camera closed; empty: none", 0,
     CONFIG_LOOK, "", set_hours, AT(screen_off)},
    {"fit", "fit|fill|stretch", "bars beside the picture, or cut it off, or pull it out of shape", 0,
     CONFIG_TURN, "fit", set_choice, AT(fit), 0, 0, "fit fill stretch"},
    {"rotation", "0|90|180|270", "the camera's picture is turned by so much, clockwise", 0, CONFIG_TURN, "0",
     set_rotation, AT(rotation), 0, 0, "0 90 180 270"},
    {"mirror", NULL, "left and right change places, before it is turned", 0, CONFIG_TURN, "no", set_switch,
     AT(mirror)},
    {"margin", "PART", "of each side of the screen that labels keep clear of, 0 to 0.2", 0, CONFIG_LOOK, "0",
     set_real, AT(margin), 0, 0.2},
    {"status", NULL, "show camera, model and rates in a corner", 0, CONFIG_LOOK, "no", set_switch,
     AT(status)},
    {"language", "LANG", "of the names and notices: auto ($LANG), or as in 'de'", 0, CONFIG_MODEL, "auto",
     set_text, AT(language)},
    {"model", "MODEL", "a name of the catalogue ('pipit models list') or a file; empty: its default detector",
     'm', CONFIG_MODEL, "", set_text, AT(model)},
    {"hot-model", "MODEL", "a smaller one, for when the board is too hot; empty: none", 0, CONFIG_MODEL, "",
     set_text, AT(hot_model)},
    {"labels", "FILE", "names of the classes, one a line", 'l', CONFIG_MODEL, "", set_text, AT(labels)},
    {"threads", "N", "of the network, 1 to 64; 0: one a processor", 'j', CONFIG_MODEL, "0", set_whole,
     AT(threads), 0, 64},
    {"cpu-mask", "FLAGS", "CPU features that may be used: all, none, or as in 'neon,dotprod'", 0,
     CONFIG_MODEL, "all", set_cpu, AT(cpu_mask)},
    {"precision", "f32|f16|bf16|int8",
     "what a float model computes in; f16: half the memory, 3 digits; bf16: 2; int8: a quarter", 0,
     CONFIG_MODEL, "f32", set_precision, AT(precision)},
    {"calibrate", "FILE|DIR", "photos like those that it will see, which a float model needs for int8", 0,
     CONFIG_MODEL, "", set_text, AT(calibrate)},
    {"inference-rate", "N", "results a second at most; 0: as many as the processor gives", 0, CONFIG_LOOK,
     "0", set_real, AT(inference_rate), 0, 1000},
    {"threshold", "T", "score from which an object is shown, 0 to 1; auto: the model's", 't', CONFIG_MODEL,
     "auto", set_threshold, AT(threshold), 0, 1},
    {"leave", "PART", "of the threshold, below which an object that is shown is lost", 0, CONFIG_MODEL, "0.7",
     set_real, AT(leave), 0, 1},
    {"enter", "N", "results in a row that see an object before it is shown", 0, CONFIG_LOOK, "2", set_whole,
     AT(enter), 1, 100},
    {"hold", "N", "results in a row that miss an object before it leaves", 0, CONFIG_LOOK, "4", set_whole,
     AT(hold), 0, 1000},
    {"smooth", "PART", "0: boxes as they come, towards 1: calmer", 0, CONFIG_LOOK, "0.6", set_real,
     AT(smooth), 0, 0.99},
    {"top", "N", "names on the card of a classifier, 1 to 10", 'k', CONFIG_LOOK, "3", set_whole, AT(top), 1,
     10},
    {"average", "N", "results over which a classifier's answer is averaged", 0, CONFIG_LOOK, "5", set_whole,
     AT(average), 1, 1000},
    {"sure", "P", "probability below which the answer is 'not sure'", 0, CONFIG_LOOK, "0.3", set_real,
     AT(sure), 0, 1},
    {"lead", "P", "by which the best must lead the second, else 'not sure'", 0, CONFIG_LOOK, "0.1", set_real,
     AT(lead), 0, 1},
    {"uncertainty", "PART", "entropy, as a part of its largest, above which it is 'not sure'", 0, CONFIG_LOOK,
     "0.8", set_real, AT(uncertainty), 0, 1},
    {"every-frame", NULL, "take the next picture when this one is recognised and shown, with its own labels",
     0, CONFIG_START, "no", set_switch, AT(every_frame)},
    {"frames", "N", "end after so many pictures; 0: never", 'n', CONFIG_START, "0", set_whole, AT(frames), 0,
     1e9},
    {"duration", "SECONDS", "end after so long; 0: never", 0, CONFIG_START, "0", set_real, AT(duration), 0,
     1e9},
    {"stats", "FILE|-", "one JSON object a second: rates, times, what is seen", 0, CONFIG_START, "", set_text,
     AT(stats)},
    {"events", "FILE|-", "one JSON object when something enters or leaves the picture", 0, CONFIG_START, "",
     set_text, AT(events)},
};
const int config_keys_count = sizeof(config_keys) / sizeof(config_keys[0]);
