/* SPDX-License-Identifier: MIT */
#include "app/live/show.h"

#include "app/live/journal.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint64_t second = 1000000000, look_at_it_every_s = 2,
                      look_for_it_every_s = 5; /* opening cards may take some milliseconds */

/* ---- opening ---- */

static bool may_come(const struct show *show, int status)
{
    bool hardware = strncmp(show->name, "png:", 4) && strncmp(show->name, "mjpeg:", 6) &&
                    strcmp(show->name, "memory") && strcmp(show->name, "none");
    return hardware && status != -EINVAL && status != -ENOMEM;
}

static int open_stand_in(struct show *show)
{
    struct screen_settings settings = show->settings;
    struct screen_error error = {""};
    settings.name = "none";
    settings.width = settings.height = 0;
    settings.rate = 0;
    int status = screen_open(&show->screen, &settings, &error);
    show->stand_in = !status;
    return status;
}

static void opened(struct show *show)
{
    screen_info(show->screen, &show->info);
    show->gone = show->away = show->adapted = false;
    show->failure = 0;
    show->generation++;
    if (!show->stand_in)
        journal_tell(JOURNAL_SCREEN, show->info.name, "the screen is %s: %d x %d at %.4g Hz%s%s",
                     show->info.name, show->info.width, show->info.height, show->info.rate,
                     *show->info.driver ? ", " : "", show->info.driver);
}

/* A mode that this screen does not have is no reason to stay dark. */
static int open_screen(struct show *show, struct screen_error *error)
{
    struct screen_settings plain = show->settings;
    int status = screen_open(&show->screen, &show->settings, error);
    if (status != -EINVAL || !may_come(show, 0) || (!plain.width && plain.rate == 0))
        return status;
    plain.width = plain.height = 0;
    plain.rate = 0;
    struct screen_error other = {""};
    int second_try = screen_open(&show->screen, &plain, &other);
    if (!second_try)
        log_warning("%s; the preferred mode is taken", error->text);
    return second_try ? status : 0;
}

static void take_turn(struct show *show, const struct config *config)
{
    show->settings.fit = (enum screen_fit)config->fit;
    show->settings.turn = turn_both(show->hangs, (struct turn){config->rotation, config->mirror});
}

static void take_settings(struct show *show, const struct config *config)
{
    memcpy(show->name, config->screen, sizeof(show->name));
    screen_defaults(&show->settings);
    show->settings.name = show->name;
    show->settings.width = config->mode.width;
    show->settings.height = config->mode.height;
    show->settings.rate = config->mode.rate;
    show->settings.planes = config->planes;
    take_turn(show, config);
}

static int open_or_wait(struct show *show, const struct config *config, bool waits)
{
    struct screen_error error = {""};
    take_settings(show, config);
    show->stand_in = false;
    int status = open_screen(show, &error);
    snprintf(show->why, sizeof(show->why), "%s", error.text);
    if (status && (waits || may_come(show, status))) {
        log_warning("%s; going on without a screen until there is one", show->why);
        status = open_stand_in(show);
    }
    if (!status)
        opened(show);
    return status;
}

int show_open(struct show *show, const struct config *config)
{
    return open_or_wait(show, config, false);
}

int show_reopen(struct show *show, const struct config *config)
{
    show_close(show);
    return open_or_wait(show, config, true);
}

void show_close(struct show *show)
{
    if (show->screen)
        show_drop(show);
    screen_close(show->screen);
    show->screen = NULL;
}

void show_turn(struct show *show, const struct config *config)
{
    take_turn(show, config);
    screen_turn(show->screen, show->settings.fit, show->settings.turn);
    show->adapted = false;
    show->generation++;
}

void show_camera(struct show *show, const struct config *config, struct turn hangs)
{
    bool same = show->hangs.rotation == hangs.rotation && show->hangs.mirror == hangs.mirror;
    show->hangs = hangs;
    show->adapted = false;
    if (!same)
        show_turn(show, config);
}

/* ---- coming and going ---- */

static void look_for_it(struct show *show)
{
    struct screen_error error = {""};
    struct screen *stand_in = show->screen;
    int status = open_screen(show, &error);
    if (status) {
        if (strcmp(show->why, error.text) != 0)
            log_warning("%s", error.text);
        snprintf(show->why, sizeof(show->why), "%s", error.text);
        show->screen = stand_in;
        return;
    }
    struct screen *found = show->screen;
    show->screen = stand_in;
    show_drop(show);
    screen_close(stand_in);
    show->screen = found;
    show->stand_in = false;
    opened(show);
}

static void take_news(struct show *show, int news)
{
    if (news & SCREEN_GONE) {
        journal_tell(JOURNAL_SCREEN_LOST, show->info.name, "the screen %s is gone; waiting for it",
                     show->info.name);
        show->gone = true;
        show_drop(show);
    }
    if (news & SCREEN_AWAY) {
        log_info("the terminal was switched away from");
        show->away = true;
        show_drop(show);
    }
    if (news & SCREEN_BACK) {
        show_drop(show);
        opened(show);
    }
}

/* The card itself is gone: from here on it is looked for. */
static void card_lost(struct show *show, int status)
{
    journal_tell(JOURNAL_SCREEN_LOST, show->info.name, "the screen %s fails: %s; waiting for it",
                 show->info.name, strerror(-status));
    show_close(show);
    if (!open_stand_in(show))
        opened(show);
}

bool show_look_is_due(const struct show *show, uint64_t now)
{
    return now >= show->retry_ns;
}

void show_look(struct show *show, bool event, uint64_t now)
{
    if (!event && !show_look_is_due(show, now))
        return;
    show->retry_ns = now + (show->stand_in ? look_for_it_every_s : look_at_it_every_s) * second;
    if (show->stand_in) {
        look_for_it(show);
        return;
    }
    int news = show->failure ? show->failure : screen_recheck(show->screen, event);
    if (news < 0)
        card_lost(show, news);
    else
        take_news(show, news);
}

void show_dispatch(struct show *show, struct show_news *news)
{
    struct screen_shown shown;
    int what = screen_dispatch(show->screen, &shown);
    *news = (struct show_news){false};
    if (what < 0) {
        show->gone = true; /* until show_look() */
        show->failure = what;
        show->retry_ns = 0;
        return;
    }
    if (what & SCREEN_SHOWN) {
        news->shown = true;
        news->camera = show->pending_camera;
        news->flip_ms = (double)(int64_t)(shown.scanout_ns - show->presented_ns) / 1e6;
        news->glass_ms = shown.taken_ns ? (double)(int64_t)(shown.scanout_ns - shown.taken_ns) / 1e6 : -1;
    }
    take_news(show, what);
}

/* ---- presenting ---- */

enum screen_way show_way(struct show *show, const struct frame *frame)
{
    bool dmabuf = frame->dmabuf[0] >= 0;
    bool known = show->adapted && show->format == frame->format && show->width == frame->width &&
                 show->height == frame->height && show->dmabuf == dmabuf;
    if (known || show->waits || !screen_ready(show->screen))
        return show->info.way;
    enum screen_way before = show->info.way;
    int status = screen_adapt(show->screen, frame);
    if (status)
        log_debug("the screen does not adapt: %s", strerror(-status));
    screen_info(show->screen, &show->info);
    show->adapted = !status; /* memory may be there for the next frame */
    show->format = frame->format;
    show->width = frame->width;
    show->height = frame->height;
    show->dmabuf = dmabuf;
    if (show->info.way != before) {
        show_drop(show); /* labels for a plane that is not used any more */
        show->generation++;
    }
    if (!status && show->info.way != SCREEN_NOTHING && *show->info.driver)
        log_info("%s: %s%s", show->info.name,
                 show->info.way == SCREEN_PLANES ? "the camera's picture goes to a plane as it is"
                                                 : "picture and labels are composed by the processor: ",
                 show->info.way == SCREEN_PLANES ? "" : show->info.why);
    return show->info.way;
}

static void presented(struct show *show, uint64_t now)
{
    frame_unref(show->frame);
    show->frame = NULL;
    show->picture = show->labels = NULL;
    show->waits = show->refused = false;
    show->pending_camera = show->is_camera;
    show->presented_ns = now;
}

bool show_present(struct show *show, uint64_t now)
{
    if (!show->waits || show->gone || show->away || !screen_ready(show->screen))
        return false;
    struct screen_update update = {show->frame, show->picture, show->labels, show->taken_ns};
    int status = screen_present(show->screen, &update);
    if (!status) {
        presented(show, now);
        return true;
    }
    if (status == -EBUSY)
        return false;
    if (status != -ENODEV && status != -EACCES && status != -ENOTSUP && !show->refused)
        log_warning("the screen %s does not take pictures: %s", show->info.name, strerror(-status));
    show->refused = true;
    show_drop(show);
    show->gone = status == -ENODEV;
    show->away = status == -EACCES;
    if (status == -ENOTSUP) { /* not by planes after all */
        screen_info(show->screen, &show->info);
        show->generation++;
        log_warning("%s: %s", show->info.name, show->info.why);
    }
    return false;
}

bool show_drop(struct show *show)
{
    bool unseen = show->waits && show->is_camera;
    if (show->picture)
        screen_give_back(show->screen, show->picture);
    if (show->labels) {
        screen_give_back(show->screen, show->labels);
        show->generation++; /* they must be drawn again */
    }
    frame_unref(show->frame);
    show->frame = NULL;
    show->picture = show->labels = NULL;
    show->waits = false;
    return unseen;
}
