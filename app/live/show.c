/* SPDX-License-Identifier: MIT */
#include "app/live/show.h"

#include "app/live/journal.h"
#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const uint64_t second = 1000000000, look_at_it_every_s = 2,
                      look_for_it_every_s = 5; /* being master for a moment keeps others off a card */

/* ---- opening ---- */

static bool may_come(const char *name, int status)
{
    return screen_is_hardware(name) && status != -EINVAL && status != -ENOMEM;
}

static int open_stand_in(struct show *show)
{
    struct screen_settings settings = show->settings;
    struct screen_error error = {""};
    settings.name = "none";
    settings.width = settings.height = 0;
    settings.rate = 0;
    struct screen *stand_in;
    int status = screen_open(&stand_in, &settings, &error);
    if (status)
        return status;
    show->screen = stand_in;
    show->stand_in = true;
    return 0;
}

/* There is a screen, another one or the same with another mode. */
static void opened(struct show *show)
{
    screen_info(show->screen, &show->info);
    show->gone = show->away = show->adapted = false;
    show->generation++;
    if (!show->stand_in)
        journal_tell(JOURNAL_SCREEN, show->info.name, "the screen is %s: %d x %d at %.4g Hz%s%s",
                     show->info.name, show->info.width, show->info.height, show->info.rate,
                     *show->info.driver ? ", " : "", show->info.driver);
}

/* A mode that this screen does not have is no reason to stay dark. */
static int open_screen(struct screen **screen, const struct screen_settings *settings,
                       struct screen_error *error)
{
    struct screen_settings plain = *settings;
    int status = screen_open(screen, settings, error);
    if (status != -EINVAL || !may_come(settings->name, 0) || (!plain.width && plain.rate == 0))
        return status;
    plain.width = plain.height = 0;
    plain.rate = 0;
    struct screen_error other = {""};
    int second_try = screen_open(screen, &plain, &other);
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

/* Once, however often it is tried. */
static void tell_missing(struct show *show, const char *why)
{
    if (strcmp(show->why, why) != 0)
        log_warning("%s; going on without a screen until there is one", why);
    snprintf(show->why, sizeof(show->why), "%s", why);
}

int show_open(struct show *show, const struct config *config)
{
    struct screen_error error = {""};
    take_settings(show, config);
    show->stand_in = false;
    show->why[0] = 0;
    int status = open_screen(&show->screen, &show->settings, &error);
    if (status && may_come(show->name, status)) {
        tell_missing(show, error.text);
        status = open_stand_in(show);
    }
    if (status)
        snprintf(show->why, sizeof(show->why), "%s", error.text);
    else
        opened(show);
    return status;
}

void show_reopen(struct show *show)
{
    show->again = true;
}

void show_close(struct show *show)
{
    if (show->screen)
        show_drop(show);
    screen_close(show->screen);
    screen_close(show->closing);
    screen_close(show->opened);
    frame_unref(show->like);
    show->screen = show->closing = show->opened = NULL;
    show->like = NULL;
}

void show_turn(struct show *show, const struct config *config)
{
    take_turn(show, config);
    if (!show->lent)
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

void show_rest(struct show *show, bool rests)
{
    show->rests = rests;
    show_drop(show);
    show->generation++; /* what is being drawn is not wanted any more */
    if (!show->lent)
        screen_rest(show->screen, rests);
}

/* ---- coming and going ---- */

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

/* A stand-in takes its place, and the worker closes it before it looks for another. Without memory for one it
 * stays, and shows nothing. */
static bool give_up(struct show *show)
{
    struct screen *before = show->screen;
    if (show->stand_in)
        return true;
    show_drop(show);
    show->gone = true;
    if (open_stand_in(show))
        return false;
    show->closing = before;
    opened(show);
    return true;
}

/* The card itself is of no use any more. */
static void card_lost(struct show *show, int status)
{
    const char *name = show->info.name;
    if (status == -EBUSY)
        journal_tell(JOURNAL_SCREEN_LOST, name, "another program has taken the screen %s; waiting for it",
                     name);
    else
        journal_tell(JOURNAL_SCREEN_LOST, name, "the screen %s fails: %s; waiting for it", name,
                     strerror(-status));
    show->why[0] = 0; /* what is found next is news */
    give_up(show);
    show->retry_ns = 0;
}

void show_plugged(struct show *show, uint64_t now)
{
    show->plugged = true;
    show->retry_ns = now;
}

static bool needs_worker(const struct show *show)
{
    return show->stand_in || show->gone || show->plugged;
}

void show_look(struct show *show, uint64_t now)
{
    if (now < show->retry_ns || show->work || show->again || needs_worker(show))
        return;
    show->retry_ns = now + look_at_it_every_s * second;
    int news = screen_recheck(show->screen, false);
    if (news < 0)
        card_lost(show, news);
    else
        take_news(show, news);
}

bool show_wants_worker(const struct show *show, uint64_t now)
{
    return !show->work && (show->again || (needs_worker(show) && now >= show->retry_ns));
}

/* ---- the worker's part ---- */

static void run(struct task *task)
{
    struct show *show = (struct show *)((char *)task - offsetof(struct show, task));
    screen_close(show->closing);
    show->closing = NULL;
    if (show->work == SHOW_OPENS)
        show->status = open_screen(&show->opened, &show->asked, &show->error);
    else if (show->work == SHOW_LOOKS)
        show->status = screen_recheck(show->screen, show->event);
    else
        show->status = screen_adapt(show->screen, show->like);
}

static void take_opened(struct show *show)
{
    if (show->status) {
        tell_missing(show, show->error.text);
        return;
    }
    show_drop(show);
    screen_close(show->screen); /* the stand-in */
    show->screen = show->opened;
    show->opened = NULL;
    show->stand_in = false;
    show->why[0] = 0;
    opened(show);
}

static void take_adapted(struct show *show)
{
    enum screen_way before = show->info.way;
    if (show->status)
        log_debug("the screen does not adapt: %s", strerror(-show->status));
    screen_info(show->screen, &show->info);
    show->adapt_failed = show->status != 0; /* memory may be there for the next frame */
    show->adapted = !show->status;
    show->format = show->like->format;
    show->width = show->like->width;
    show->height = show->like->height;
    show->dmabuf = show->like->dmabuf[0] >= 0;
    frame_unref(show->like);
    show->like = NULL;
    if (show->info.way != before) {
        show_drop(show); /* labels for a plane that is not used any more */
        show->generation++;
    }
    if (!show->status && show->info.way != SCREEN_NOTHING && *show->info.driver)
        log_info("%s: %s%s", show->info.name,
                 show->info.way == SCREEN_PLANES ? "the camera's picture goes to a plane as it is"
                                                 : "picture and labels are composed by the processor: ",
                 show->info.way == SCREEN_PLANES ? "" : show->info.why);
}

static void done(struct task *task)
{
    struct show *show = (struct show *)((char *)task - offsetof(struct show, task));
    enum show_work work = show->work;
    show->work = SHOW_IDLE;
    show->lent = false;
    if (work == SHOW_OPENS)
        take_opened(show);
    else if (work == SHOW_ADAPTS)
        take_adapted(show);
    else if (show->status < 0)
        card_lost(show, show->status);
    else
        take_news(show, show->status);
    screen_turn(show->screen, show->settings.fit, show->settings.turn); /* it may have changed meanwhile, */
    screen_rest(show->screen, show->rests);                             /* and this too */
}

static void submit(struct show *show, struct worker *worker, enum show_work work)
{
    show->task = (struct task){run, done};
    show->work = work;
    show->lent = work != SHOW_OPENS;
    worker_submit(worker, &show->task);
}

void show_submit(struct show *show, struct worker *worker, const struct config *config, uint64_t now)
{
    if (show->again) {
        show->again = !give_up(show);
        show->why[0] = 0;
        take_settings(show, config);
    }
    show->retry_ns = now + (show->stand_in ? look_for_it_every_s : look_at_it_every_s) * second;
    show->event = show->plugged || show->gone;
    show->plugged = false;
    if (show->stand_in) {
        show->asked = show->settings;
        memcpy(show->asked_name, show->name, sizeof(show->name));
        show->asked.name = show->asked_name;
        show->error.text[0] = 0;
    }
    submit(show, worker, show->stand_in ? SHOW_OPENS : SHOW_LOOKS);
}

bool show_adapts(struct show *show, struct worker *worker, struct frame *frame)
{
    bool known = show->adapted && show->format == frame->format && show->width == frame->width &&
                 show->height == frame->height && show->dmabuf == (frame->dmabuf[0] >= 0);
    if (known || show->adapt_failed || show->waits || !screen_ready(show->screen)) {
        show->adapt_failed = false; /* this one is shown as it goes */
        return false;
    }
    if (!worker_idle(worker))
        return true;
    show->like = frame_ref(frame);
    submit(show, worker, SHOW_ADAPTS);
    return true;
}

/* ---- presenting ---- */

void show_dispatch(struct show *show, struct show_news *news)
{
    struct screen_shown shown;
    int what = screen_dispatch(show->screen, &shown);
    *news = (struct show_news){false};
    if (what < 0) {
        card_lost(show, what);
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
    if (!show->waits || show->lent || show->gone || show->away || !screen_ready(show->screen))
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
