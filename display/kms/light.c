/* SPDX-License-Identifier: MIT */
/* A known state at the start, and the state from before at the end. */
#include "display/kms/kms.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- from dark to a picture ---- */

static void others_off(const struct kms *kms, struct kms_request *request)
{
    for (int i = 0; i < kms->card.connector_count; i++) {
        struct kms_connector *connector = &kms->card.connectors[i];
        kms_object_read(&kms->card, &connector->object);
        if (connector != kms->connector && connector->object.slot[KMS_CRTC_ID].value == kms->crtc->object.id)
            kms_set(request, &connector->object, KMS_CRTC_ID, 0);
    }
    for (int i = 0; i < kms->card.plane_count; i++) { /* the cursor's too */
        struct kms_plane *plane = &kms->card.planes[i];
        kms_object_read(&kms->card, &plane->object);
        if (plane != kms->primary && plane->object.slot[KMS_CRTC_ID].value == kms->crtc->object.id) {
            kms_set(request, &plane->object, KMS_FB_ID, 0);
            kms_set(request, &plane->object, KMS_CRTC_ID, 0);
        }
        plane->lit = false;
    }
}

/* What to show until there is a picture: black, the one from before, or an unused canvas. 0: all are lent. */
static uint32_t first_picture(struct kms *kms)
{
    struct canvases *canvases = &kms->screen.canvases;
    struct canvas_slot *slot = canvases_current(canvases);
    if (kms->background.fb)
        return kms->background.fb;
    if (!slot) {
        struct canvas *canvas = canvases_take(canvases);
        slot = canvas ? canvases_lent(canvases, canvas) : NULL;
    }
    if (slot)
        slot->state = CANVAS_CURRENT;
    return slot ? ((struct kms_buffer *)slot->memory)->fb : 0;
}

static int set_mode(struct kms *kms)
{
    if (kms->mode_blob)
        drmModeDestroyPropertyBlob(kms->card.fd, kms->mode_blob);
    kms->mode_blob = 0;
    return drmModeCreatePropertyBlob(kms->card.fd, &kms->mode, sizeof(kms->mode), &kms->mode_blob);
}

int kms_light(struct kms *kms, bool wait)
{
    struct kms_request request;
    uint32_t flags = DRM_MODE_ATOMIC_ALLOW_MODESET;
    if (!wait)
        flags |= DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT;
    uint32_t fb = first_picture(kms);
    int status = fb ? set_mode(kms) : -EBUSY;
    if (status)
        return status;
    kms_request_init(&request);
    others_off(kms, &request);
    kms_set(&request, &kms->connector->object, KMS_CRTC_ID, kms->crtc->object.id);
    kms_set(&request, &kms->crtc->object, KMS_MODE_ID, kms->mode_blob);
    kms_set(&request, &kms->crtc->object, KMS_ACTIVE, 1);
    kms_compose_request(kms, &request, fb);
    status = kms_commit(&request, &kms->card, flags, kms);
    if (!status)
        kms_planes_lit(kms);
    return status;
}

/* All of it: simple drivers refuse a CRTC with a mode and no picture. */
static void all_off(const struct kms *kms, struct kms_request *request)
{
    for (int i = 0; i < kms->card.plane_count; i++)
        if (kms->card.planes[i].lit) {
            kms_set(request, &kms->card.planes[i].object, KMS_FB_ID, 0);
            kms_set(request, &kms->card.planes[i].object, KMS_CRTC_ID, 0);
        }
    kms_set(request, &kms->connector->object, KMS_CRTC_ID, 0);
    kms_set(request, &kms->crtc->object, KMS_ACTIVE, 0);
    kms_set(request, &kms->crtc->object, KMS_MODE_ID, 0);
}

void kms_dark(struct kms *kms)
{
    struct kms_request request;
    kms_request_init(&request);
    all_off(kms, &request);
    for (int i = 0; i < kms->card.plane_count; i++)
        kms->card.planes[i].lit = false;
    int status =
        kms_commit(&request, &kms->card, DRM_MODE_ATOMIC_ALLOW_MODESET | DRM_MODE_ATOMIC_NONBLOCK, NULL);
    if (status)
        log_debug("%s: cannot turn %s off: %s", kms->card.path, kms->connector->name, strerror(-status));
}

/* ---- the state from before ---- */

struct kms_saved {
    struct kms_object *objects; /* planes, CRTC, connector */
    int count;
    uint32_t crtc;
    drmModeModeInfo mode;
    bool has_mode;
};

static void save_mode(const struct kms *kms, struct kms_saved *saved)
{
    uint32_t id = (uint32_t)kms->crtc->object.slot[KMS_MODE_ID].value;
    drmModePropertyBlobRes *blob = id ? drmModeGetPropertyBlob(kms->card.fd, id) : NULL;
    saved->has_mode = blob && blob->length == sizeof(saved->mode);
    if (saved->has_mode)
        memcpy(&saved->mode, blob->data, sizeof(saved->mode));
    drmModeFreePropertyBlob(blob);
}

int kms_save(struct kms *kms)
{
    struct kms_saved *saved = calloc(1, sizeof(*saved));
    kms->saved = saved;
    if (!saved)
        return -ENOMEM;
    saved->objects = calloc((size_t)kms->card.plane_count + 2, sizeof(*saved->objects));
    if (!saved->objects)
        return -ENOMEM;
    for (int i = 0; i < kms->card.plane_count; i++)
        if (kms->card.planes[i].possible_crtcs & 1u << kms->crtc->index)
            saved->objects[saved->count++] = kms->card.planes[i].object;
    saved->objects[saved->count++] = kms->crtc->object;
    saved->objects[saved->count++] = kms->connector->object;
    saved->crtc = kms->crtc->object.id;
    save_mode(kms, saved);
    return 0;
}

static void put_back(const struct kms_saved *saved, struct kms_request *request,
                     const struct kms_object *object, uint32_t mode_blob)
{
    uint64_t on = object->slot[KMS_CRTC_ID].value;
    bool elsewhere = object->type == DRM_MODE_OBJECT_PLANE && on && on != saved->crtc;
    if (elsewhere)
        return; /* another CRTC's then and now */
    for (int p = 0; p < KMS_PROPERTIES; p++)
        if (p != KMS_TYPE && p != KMS_DAMAGE)
            kms_set_if(request, object, p, p == KMS_MODE_ID ? mode_blob : object->slot[p].value);
}

void kms_restore(struct kms *kms)
{
    struct kms_saved *saved = kms->saved;
    struct kms_request request;
    uint32_t blob = 0;
    if (!saved)
        return;
    if (saved->has_mode)
        drmModeCreatePropertyBlob(kms->card.fd, &saved->mode, sizeof(saved->mode), &blob);
    kms_request_init(&request);
    all_off(kms, &request);                /* the screen may have moved to another connector */
    for (int i = 0; i < saved->count; i++) /* of two values of a property the later one counts */
        put_back(saved, &request, &saved->objects[i], blob);
    /* What was shown may be gone with the program that showed it. The kernel then puts its console back when
     * the card is closed. */
    int status = kms_commit(&request, &kms->card, DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);
    if (status)
        log_debug("%s: cannot put the old picture back: %s", kms->card.path, strerror(-status));
    if (blob)
        drmModeDestroyPropertyBlob(kms->card.fd, blob);
}

void kms_forget(struct kms *kms)
{
    if (kms->saved)
        free(kms->saved->objects);
    free(kms->saved);
    kms->saved = NULL;
}
