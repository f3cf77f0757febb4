/* SPDX-License-Identifier: MIT */
#include "app/live/fonts.h"

#include "app/live/thread.h"

static void *run(void *user)
{
    struct fonts *fonts = user;
    /* Here, since Pango starts a thread in turn, which takes no signals then. */
    fonts->painter = overlay_painter_create();
    if (fonts->painter)
        overlay_painter_warm(fonts->painter);
    atomic_store(&fonts->ready, true);
    return NULL;
}

int fonts_init(struct fonts *fonts)
{
    int status = thread_start(&fonts->thread, "pipit-fonts", run, fonts);
    fonts->running = !status;
    return status;
}

bool fonts_ready(const struct fonts *fonts)
{
    return atomic_load(&fonts->ready);
}

void fonts_await(struct fonts *fonts)
{
    if (fonts->running)
        pthread_join(fonts->thread, NULL);
    fonts->running = false;
}
