/* SPDX-License-Identifier: MIT */
/* New settings while the picture goes on: only what they touch is opened again. */
#include "app/live/live.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void live_apply_look(struct live *live)
{
    live->look.margin = (float)live->config.margin;
    char *language = live->look.language;
    memset(language, 0, sizeof(live->look.language));
    language_of(live->config.language, language, sizeof(live->look.language));
    for (; *language; language++)
        *language = *language == '_' ? '-' : *language; /* "de_AT" is "de-AT" to fonts (BCP 47) */
    status_update(live);
}

static void apply(struct live *live, unsigned changed)
{
    if (changed & CONFIG_CAMERA)
        feed_restart(&live->feed, clock_now_ns());
    if (changed & CONFIG_SCREEN)
        show_reopen(&live->show);
    else if (changed & CONFIG_TURN)
        show_turn(&live->show, &live->config);
    if (changed & CONFIG_TURN) {
        seen_clear(&live->seen);
        look_nothing(&live->look);
    }
    if (changed & CONFIG_MODEL)
        temper_load(live);
    live_apply_look(live);
    if (changed & CONFIG_START)
        log_warning("frames, duration, stats, events and every-frame count from the next start on");
}

/* What only counts at the start stays as it was. */
static void keep_start(struct config *fresh, const struct config *old)
{
    for (int i = 0; i < config_keys_count; i++)
        if (config_keys[i].part == CONFIG_START)
            memcpy((char *)fresh + config_keys[i].offset, (const char *)old + config_keys[i].offset,
                   config_keys[i].size);
}

static void read_again(struct live *live)
{
    struct config fresh;
    struct config_error error;
    live->config_why[0] = 0;
    if (config_load_keep(&fresh, live->origin, &error)) {
        snprintf(live->config_why, sizeof(live->config_why), "%s", error.text);
        journal_tell(JOURNAL_SETTINGS, NULL, "%s; the settings stay as they were", error.text);
        return;
    }
    unsigned changed = config_changed(&live->config, &fresh);
    keep_start(&fresh, &live->config);
    live->config = fresh;
    apply(live, changed);
    log_info("the settings were read again: %s", changed ? "they have changed" : "nothing has changed");
}

void live_reload(struct live *live)
{
    notify_reloading();
    read_again(live);
    notify_reloaded();
}
