/* SPDX-License-Identifier: MIT */
/* What the screen says when something is wrong, and the status corner. */
#include "app/live/live.h"
#include "base/log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A camera that is opened again at once is no news. */
static const double patience_s = 1, patience_at_start_s = 3;

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

static bool camera_missing(const struct live *live, uint64_t now)
{
    const struct feed *feed = &live->feed;
    double patience = feed->problem ? patience_s : patience_at_start_s;
    return feed->closed_ns && feed->state != FEED_ENDED && (double)(now - feed->closed_ns) / 1e9 > patience;
}

/* The longer the network takes, the longer it may be silent. */
static bool hangs(const struct live *live)
{
    double limit = 30 * live->stats.inference_mean_ms / 1e3;
    return brain_busy_s(live->brain) > (limit > 60 ? limit : 60);
}

static void watch_brain(struct live *live)
{
    bool hung = hangs(live);
    if (hung && !live->hung)
        log_error("the network has been at one picture for %.0f s", brain_busy_s(live->brain));
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
        look_notice(look, phrase_in(look->language, fault.phrase), live->feed.why, fault.code);
    } else if (live->model_status && !live->seen.has_model) {
        look_notice(look, phrase_in(look->language, PHRASE_NO_MODEL), live->model_why, "M1");
    } else if (live->hung) {
        look_notice(look, phrase_in(look->language, PHRASE_HUNG), "", "M2");
    } else {
        look_notice(look, NULL, "", "");
    }
}

void status_update(struct live *live)
{
    const struct stats *stats = &live->stats;
    const struct source_info *info = &live->feed.info;
    char *text = live->look.status;
    size_t size = sizeof(live->look.status);
    memset(text, 0, size);
    if (!live->config.status || live->dark || live->feed.state != FEED_RUNNING)
        return;
    int used = snprintf(text, size, "%.60s  %d×%d  %.0f fps", info->name, info->width, info->height,
                        stats->display_fps);
    if (isfinite(stats->glass_ms) && used < (int)size)
        used += snprintf(text + used, size - (size_t)used, "  %.0f ms", stats->glass_ms);
    if (live->seen.has_model && used < (int)size)
        used += snprintf(text + used, size - (size_t)used, "  %.60s", live->seen.model.name);
    if (isfinite(stats->inference_ms) && used < (int)size)
        snprintf(text + used, size - (size_t)used, "  %.0f ms", stats->inference_ms);
}
