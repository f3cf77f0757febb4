/* SPDX-License-Identifier: MIT */
/* Screens that go, come, and come back with another mode. */
#include "display/kms/kms.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drm_fourcc.h>

enum { CANVASES = 3 };

struct kms_canvas {
    struct kms_buffer buffer; /* first: light.c knows it */
    const struct kms_card *card;
};

static void destroy_canvas(struct canvas_slot *slot)
{
    struct kms_canvas *canvas = slot->memory;
    if (canvas)
        kms_buffer_destroy(canvas->card, &canvas->buffer);
    free(canvas);
}

static int add_canvas(struct kms *kms, uint32_t format)
{
    const struct screen_info *info = &kms->screen.info;
    struct canvas_slot *slot = canvases_add(&kms->screen.canvases);
    struct kms_canvas *canvas = slot ? calloc(1, sizeof(*canvas)) : NULL;
    if (!canvas) {
        if (slot)
            slot->retired = true;
        return -ENOMEM;
    }
    canvas->card = &kms->card;
    slot->memory = canvas;
    return kms_buffer_create(&kms->card, format, info->width, info->height, &canvas->buffer,
                             &slot->canvas.frame);
}

int kms_add_canvases(struct kms *kms, uint32_t format)
{
    struct canvases *canvases = &kms->screen.canvases;
    int status = 0;
    canvases->destroy = destroy_canvas;
    canvases_retire(canvases);
    for (int i = 0; i < CANVASES && !status; i++)
        status = add_canvas(kms, format);
    if (status)
        canvases_retire(canvases);
    return status;
}

int kms_fit_mode(struct kms *kms)
{
    struct screen_info *info = &kms->screen.info;
    bool same = info->width == kms->mode.hdisplay && info->height == kms->mode.vdisplay;
    snprintf(info->name, sizeof(info->name), "%s", kms->connector->name);
    info->rate = kms_rate(&kms->mode);
    pacer_set_rate(&kms->pacer, info->rate);
    if (same && info->way == SCREEN_COMPOSE && canvases_usable(&kms->screen.canvases))
        return 0;
    info->width = kms->mode.hdisplay;
    info->height = kms->mode.vdisplay;
    info->way = SCREEN_COMPOSE;
    snprintf(info->why, sizeof(info->why), "no camera's frames were tried on planes yet");
    kms->layout = (struct kms_layout){0};
    kms_buffer_destroy(&kms->card, &kms->background);
    return kms_add_canvases(kms, DRM_FORMAT_XRGB8888);
}

/* ---- away, gone, back ---- */

void kms_release_frames(struct kms *kms)
{
    frame_unref(kms->pending);
    frame_unref(kms->current);
    kms->pending = kms->current = NULL;
}

void kms_go_dark(struct kms *kms)
{
    kms_dark(kms);
    kms_release_frames(kms);
    canvases_hidden(&kms->screen.canvases);
}

static int set_master(struct kms *kms)
{
    if (kms->console.left || (!drmIsMaster(kms->card.fd) && drmSetMaster(kms->card.fd)))
        return -EACCES; /* not yet */
    kms->away = false;
    return 0;
}

static int find_output(struct kms *kms)
{
    const char *name = kms->screen.settings.name, *slash = strrchr(name, '/');
    struct screen_error ignored;
    for (int i = 0; i < kms->card.connector_count; i++)
        kms_object_read(&kms->card, &kms->card.connectors[i].object);
    return kms_find_output(kms, slash ? slash + 1 : name, &kms->screen.settings, false, &ignored);
}

static int light(struct kms *kms)
{
    int status = kms_fit_mode(kms);
    if (!status)
        status = kms_light(kms, false);
    if (!status)
        kms_begin(kms, KMS_LIGHTING);
    return status;
}

int kms_come_back(struct kms *kms)
{
    if (kms->under_way || (kms->away && set_master(kms)) || kms->rests || (kms->gone && find_output(kms)))
        return 0; /* the next look may find more */
    int status = light(kms);
    kms->away = status == -EACCES;
    kms->gone = status && !kms->away; /* tried again at the next look */
    if (status && status != -EBUSY && status != -EACCES)
        log_warning("%s: cannot light %s: %s", kms->card.path, kms->connector->name, strerror(-status));
    return status == -ENODEV ? status : 0;
}

static bool has_mode(const struct kms_connector *connector, const drmModeModeInfo *mode)
{
    for (int i = 0; i < connector->mode_count; i++)
        if (connector->modes[i].hdisplay == mode->hdisplay &&
            connector->modes[i].vdisplay == mode->vdisplay && connector->modes[i].clock == mode->clock)
            return true;
    return false;
}

/* Without an event the kernel is only asked what it knows; while nothing is shown a probe disturbs nobody. */
static int look(struct kms *kms, bool probe)
{
    for (int i = 0; i < kms->card.connector_count; i++) {
        struct kms_connector *connector = &kms->card.connectors[i];
        if (connector != kms->connector && !kms->gone)
            continue;
        int status = kms_connector_read(&kms->card, connector, probe);
        if (status == -ENOENT)
            connector->status = DRM_MODE_DISCONNECTED;
        else if (status)
            return status;
    }
    return 0;
}

int kms_recheck(struct screen *screen, bool event)
{
    struct kms *kms = (struct kms *)screen;
    if (kms->console.left)
        return 0;
    int news = 0, status = look(kms, event || kms->gone);
    if (status)
        return status;
    bool plugged = kms->connector->status != DRM_MODE_DISCONNECTED && kms->connector->mode_count;
    if (!kms->gone && (!plugged || !has_mode(kms->connector, &kms->mode))) {
        kms->gone = true;
        news = SCREEN_GONE;
        if (!kms->under_way && !kms->away)
            kms_go_dark(kms);
        status = look(kms, true); /* it may have moved to another connector */
        if (status)
            return status;
    }
    status = kms->gone || kms->away ? kms_come_back(kms) : 0;
    if (kms->away && !kms->under_way &&
        !kms->seat) /* whoever had the terminal before has had time to let go */
        status = -EBUSY;
    return status ? status : news;
}

void kms_rest(struct screen *screen, bool rests)
{
    struct kms *kms = (struct kms *)screen;
    if (kms->rests == rests)
        return;
    kms->rests = rests;
    if (!rests)
        kms_come_back(kms);
    else if (!kms->under_way && !kms->away && !kms->gone)
        kms_go_dark(kms);
}
