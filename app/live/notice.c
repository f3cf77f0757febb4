/* SPDX-License-Identifier: MIT */
/* What the screen says when something is wrong, and the status corner. */
#include "app/live/live.h"
#include "app/live/plain.h"
#include "base/clock.h"
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A camera that is opened again at once is no news. */
static const double patience_s = 1;
/* Early in a boot the drivers of camera and screen are still to come; so long they are waited for. */
static const double patience_at_start_s = 10;
static const double names_patience_s = 1;
/* Opening a camera takes some seconds at most. */
static const double worker_patience_s = 30;
/* A first result may take long, on a machine that is emulated or busy; nothing is known of it yet. */
static const double first_result_s = 600, usual_limit_s = 60;

struct fault {
    enum phrase phrase;
    const char *code;
};

static struct fault camera_fault(int problem)
{
    switch (-problem) {
    case EBUSY:
        return (struct fault){PHRASE_CAMERA_BUSY, "C2"};
    case EACCES:
    case EPERM:
        return (struct fault){PHRASE_CAMERA_REFUSED, "C3"};
    case ETIMEDOUT:
        return (struct fault){PHRASE_CAMERA_STALLED, "C4"};
    case EINVAL:
    case ENOTSUP:
        return (struct fault){PHRASE_CAMERA_UNFIT, "C5"};
    default:
        return (struct fault){PHRASE_NO_CAMERA, "C1"};
    }
}

/* As people call it who know no paths; the log has those. */
static void camera_detail(const struct feed *feed, char *text, size_t size)
{
    char name[sizeof(feed->info.name)];
    bool absent = feed->problem == -ENODEV || feed->problem == -ENOENT, known = *feed->info.name != 0;
    plain_camera(feed->name, name, sizeof(name));
    if (known && !strcmp(feed->info.id, feed->name))
        memcpy(name, feed->info.name, sizeof(name));
    if (absent && strchr(feed->name, '/'))
        snprintf(text, size, "%s is not connected", name);
    else
        plain_sentence(feed->why, feed->name, name, text, size);
    text[0] = (char)toupper((unsigned char)text[0]);
}

static bool camera_missing(const struct live *live, uint64_t now)
{
    const struct feed *feed = &live->feed;
    double patience = feed->problem ? patience_s : patience_at_start_s;
    bool ends = feed->state == FEED_ENDED || feed->problem == -ENODATA; /* a replay */
    return feed->closed_ns && !ends && !feed->rests && (double)(now - feed->closed_ns) / 1e9 > patience;
}

/* The longer the network takes, the longer it may be silent. */
static bool hangs(const struct live *live)
{
    double mean_s = live->stats.inference_mean_ms / 1e3, watchdog_s = (double)live->notify.watchdog_ns / 1e9;
    double least = mean_s <= 0 ? first_result_s : watchdog_s > 0 ? watchdog_s : usual_limit_s;
    return brain_busy_s(live->brain) > fmax(30 * mean_s, least);
}

static void watch_brain(struct live *live)
{
    bool hung = hangs(live);
    if (hung && !live->hung)
        journal_tell(JOURNAL_HUNG, live->seen.model.name, "the network has been at one picture for %.0f s",
                     brain_busy_s(live->brain));
    live->hung = hung;
}

void notice_update(struct live *live, uint64_t now)
{
    struct look *look = &live->look;
    bool missing = camera_missing(live, now);
    watch_brain(live);
    if (missing && !live->dark) {
        flow_release(live);
        seen_clear(&live->seen);
        look_nothing(look);
        memset(look->status, 0, sizeof(look->status));
    }
    live->dark = missing;
    if (missing) {
        struct fault fault = camera_fault(live->feed.problem);
        char detail[sizeof(live->feed.why)];
        camera_detail(&live->feed, detail, sizeof(detail));
        look_notice(look, phrase_in(look->language, fault.phrase), detail, fault.code);
    } else if (live->model_status && !live->seen.has_model) {
        look_notice(look, phrase_in(look->language, PHRASE_NO_MODEL), live->model_why, "M1");
    } else if (live->hung) {
        look_notice(look, phrase_in(look->language, PHRASE_HUNG), "", "M2");
    } else if (live->model_stand_in) {
        look_notice(look, phrase_in(look->language, PHRASE_OTHER_MODEL), live->model_why, "M3");
    } else if (*live->config_why) {
        look_notice(look, phrase_in(look->language, PHRASE_SETTINGS), live->config_why, "S1");
    } else {
        look_notice(look, NULL, "", "");
    }
}

static bool there_is_no_first_picture(const struct live *live, uint64_t now)
{
    const struct show *show = &live->show;
    bool missing = show->gone || show->away || show->stand_in,
         unwanted = show->info.way == SCREEN_NOTHING || show->rests;
    return missing ? (double)(now - live->looping_ns) / 1e9 > patience_at_start_s : unwanted;
}

/* Names are part of the first picture, if they come soon. */
static bool is_ready(const struct live *live, uint64_t now)
{
    bool named = live->stats.inference_mean_ms > 0 || live->dark;
    bool lit = live->lit_ns && (named || (double)(now - live->lit_ns) / 1e9 > names_patience_s);
    return lit || there_is_no_first_picture(live, now);
}

void progress_update(struct live *live, uint64_t now)
{
    const struct show *show = &live->show;
    struct progress progress = {.taken = live->taken,
                                .shown = (unsigned)live->shown,
                                .stuck = live->hung || worker_busy_s(live->worker) > worker_patience_s,
                                .unseen = show->gone || show->away || show->rests};
    if (is_ready(live, now))
        notify_ready(&live->notify);
    notify_watchdog(&live->notify, &progress, now);
}

/* ---- the status corner, and the service manager's ---- */

static void corner_text(const struct live *live, char *text, size_t size)
{
    const struct stats *stats = &live->stats;
    const struct source_info *info = &live->feed.info;
    int used = snprintf(text, size, "%.60s  %d×%d  %.0f fps", info->name, info->width, info->height,
                        stats->display_fps);
    if (isfinite(stats->glass_ms) && used < (int)size)
        used += snprintf(text + used, size - (size_t)used, "  %.0f ms", stats->glass_ms);
    if (live->seen.has_model && used < (int)size)
        used += snprintf(text + used, size - (size_t)used, "  %.60s", live->seen.model.name);
    if (isfinite(stats->inference_ms) && used < (int)size)
        used += snprintf(text + used, size - (size_t)used, "  %.0f ms", stats->inference_ms);
    if (live->plan.level > HEAT_NONE && used < (int)size)
        snprintf(text + used, size - (size_t)used, "  %.0f °C", live->heat.celsius);
}

/* What is wrong; the camera, if there is one; the model. */
static void manager_text(const struct live *live, char *text, size_t size)
{
    const struct source_info *info = &live->feed.info;
    const struct stats *stats = &live->stats;
    char camera[192] = "", notice[256] = "";
    int until = live->config.screen_off.to;
    if (live->show.rests)
        snprintf(notice, sizeof(notice), "the screen is off until %02d:%02d; ", until / 60, until % 60);
    else if (*live->look.notice)
        snprintf(notice, sizeof(notice), "%.90s: %.150s; ", live->look.notice, live->look.detail);
    else if (*live->show.why)
        snprintf(notice, sizeof(notice), "no screen: %.200s; ", live->show.why);
    if (live->feed.state == FEED_RUNNING)
        snprintf(camera, sizeof(camera), "%.80s %dx%d, %.0f fps, %.0f on the screen; ", info->name,
                 info->width, info->height, stats->capture_fps, stats->display_fps);
    int used = snprintf(text, size, "%s%s%s%.60s, ", notice, live->plan.level > HEAT_NONE ? "hot; " : "",
                        camera, live->seen.has_model ? live->seen.model.name : "no model yet");
    if (used < (int)size && *camera && stats->inference_mean_ms > 1000)
        snprintf(text + used, size - (size_t)used, "a result takes %.1f s", stats->inference_mean_ms / 1e3);
    else if (used < (int)size)
        snprintf(text + used, size - (size_t)used, "%.1f results a second", stats->inference_fps);
}

static void tell_manager(struct live *live)
{
    char text[sizeof(live->notify.status)];
    manager_text(live, text, sizeof(text));
    bool news =
        strcmp(live->look.notice, live->told_notice) != 0 || live->told_model != live->seen.model.number;
    memcpy(live->told_notice, live->look.notice, sizeof(live->told_notice));
    live->told_model = live->seen.model.number;
    notify_status(&live->notify, text, news, clock_now_ns());
}

void status_update(struct live *live)
{
    char *text = live->look.status;
    memset(text, 0, sizeof(live->look.status));
    if (live->config.status && !live->dark && live->feed.state == FEED_RUNNING)
        corner_text(live, text, sizeof(live->look.status));
    tell_manager(live);
}
