/* SPDX-License-Identifier: MIT */
/* Which card, connector, CRTC and mode. */
#include "display/kms/kms.h"

#include "base/log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <drm_fourcc.h>

enum { CARDS_MAX = 16 };
#define RATE_TOLERANCE 0.6    /* Hz: 59.94 is 60 */
#define RATE_MAX       1000.0 /* beyond it a mode's numbers make no sense */

/* ---- the mode ---- */

double kms_rate(const drmModeModeInfo *mode)
{
    double rate = mode->htotal && mode->vtotal ? 1000.0 * mode->clock / (mode->htotal * (double)mode->vtotal)
                                               : mode->vrefresh;
    if (mode->flags & DRM_MODE_FLAG_INTERLACE)
        rate *= 2;
    if (mode->flags & DRM_MODE_FLAG_DBLSCAN)
        rate /= 2;
    if (mode->vscan > 1)
        rate /= mode->vscan;
    return rate > 0 && rate <= RATE_MAX ? rate : 60; /* 0: the driver has no idea */
}

static bool interlaced(const drmModeModeInfo *mode)
{
    return mode->flags & DRM_MODE_FLAG_INTERLACE;
}

/* How far a mode is from what is wanted; sizes count first. */
static double distance(const drmModeModeInfo *mode, int width, int height, double rate)
{
    return 1000.0 * (abs(mode->hdisplay - width) + abs(mode->vdisplay - height)) +
           (rate > 0 ? fabs(kms_rate(mode) - rate) : 500 - kms_rate(mode)) + (interlaced(mode) ? 250 : 0);
}

int kms_find_mode(const drmModeModeInfo *modes, int count, int width, int height, double rate, int *nearest)
{
    int preferred = 0;
    if (!count)
        return -ENOENT;
    for (int i = count - 1; i >= 0; i--)
        if (modes[i].type & DRM_MODE_TYPE_PREFERRED)
            preferred = i;
    if (!width) {
        width = modes[preferred].hdisplay;
        height = modes[preferred].vdisplay;
    }
    *nearest = 0;
    for (int i = 1; i < count; i++)
        if (distance(&modes[i], width, height, rate) < distance(&modes[*nearest], width, height, rate))
            *nearest = i;
    const drmModeModeInfo *best = &modes[*nearest];
    bool right = best->hdisplay == width && best->vdisplay == height &&
                 !(rate > 0 && fabs(kms_rate(best) - rate) > RATE_TOLERANCE);
    return right ? *nearest : -EINVAL;
}

static int choose_mode(struct kms *kms, const struct screen_settings *settings, bool strict,
                       struct screen_error *error)
{
    const struct kms_connector *connector = kms->connector;
    int nearest = 0, found = kms_find_mode(connector->modes, connector->mode_count, settings->width,
                                           settings->height, settings->rate, &nearest);
    if (found == -EINVAL && !strict) { /* another screen is plugged in: a picture is better than none */
        log_warning("%s has no mode of %d x %d at %g Hz; using its own", connector->name, settings->width,
                    settings->height, settings->rate);
        found = kms_find_mode(connector->modes, connector->mode_count, 0, 0, 0, &nearest);
    }
    if (found == -EINVAL) {
        const drmModeModeInfo *near = &connector->modes[nearest];
        char wanted[32] = "its own size";
        if (settings->width)
            snprintf(wanted, sizeof(wanted), "%d x %d", settings->width, settings->height);
        return screen_fail(error, -EINVAL, "%s has no mode of %s at %g Hz; the nearest is %dx%d@%.2f",
                           connector->name, wanted, settings->rate, near->hdisplay, near->vdisplay,
                           kms_rate(near));
    }
    if (found < 0)
        return screen_fail(error, -ENODEV, "%s has no modes", connector->name);
    kms->mode = connector->modes[found];
    return 0;
}

/* ---- CRTC and primary plane ---- */

static bool in_use(const struct kms *kms, const struct kms_crtc *crtc)
{
    for (int i = 0; i < kms->card.connector_count; i++) {
        const struct kms_connector *connector = &kms->card.connectors[i];
        if (connector != kms->connector && connector->status == DRM_MODE_CONNECTED &&
            connector->object.slot[KMS_CRTC_ID].value == crtc->object.id)
            return true;
    }
    return false;
}

static struct kms_plane *primary_of(struct kms *kms, const struct kms_crtc *crtc)
{
    struct kms_plane *best = NULL;
    for (int i = 0; i < kms->card.plane_count; i++) {
        struct kms_plane *plane = &kms->card.planes[i];
        uint64_t on = plane->object.slot[KMS_CRTC_ID].value;
        if (plane->object.slot[KMS_TYPE].value != DRM_PLANE_TYPE_PRIMARY ||
            !(plane->possible_crtcs & 1u << crtc->index) || !kms_plane_takes(plane, DRM_FORMAT_XRGB8888))
            continue;
        if (on == crtc->object.id)
            return plane;
        if (!best && !on)
            best = plane;
    }
    return best;
}

/* The CRTC that the connector has already, else one that nobody uses, else any. */
static int choose_crtc(struct kms *kms, struct screen_error *error)
{
    int best = 0;
    kms->crtc = NULL;
    for (int i = 0; i < kms->card.crtc_count; i++) {
        struct kms_crtc *crtc = &kms->card.crtcs[i];
        struct kms_plane *primary = primary_of(kms, crtc);
        bool ours = kms->connector->object.slot[KMS_CRTC_ID].value == crtc->object.id;
        int worth = ours ? 3 : in_use(kms, crtc) ? 1 : 2;
        if (!(kms->connector->possible_crtcs & 1u << crtc->index) || !primary || worth <= best)
            continue;
        best = worth;
        kms->crtc = crtc;
        kms->primary = primary;
    }
    return kms->crtc ? 0
                     : screen_fail(error, -ENOTSUP, "%s: no CRTC with an XRGB8888 plane reaches %s",
                                   kms->card.path, kms->connector->name);
}

/* ---- the connector ---- */

static struct kms_connector *choose_connector(struct kms *kms, const char *name)
{
    struct kms_connector *unsure = NULL;
    bool any = !strcmp(name, "auto");
    for (int i = 0; i < kms->card.connector_count; i++) {
        struct kms_connector *connector = &kms->card.connectors[i];
        if (!connector->mode_count || (!any && strcmp(connector->name, name) != 0))
            continue;
        if (connector->status == DRM_MODE_CONNECTED)
            return connector;
        if (connector->status == DRM_MODE_UNKNOWNCONNECTION && !unsure)
            unsure = connector; /* VGA without DDC */
    }
    return unsure;
}

int kms_find_output(struct kms *kms, const char *connector, const struct screen_settings *settings,
                    bool strict, struct screen_error *error)
{
    struct kms_connector *found = choose_connector(kms, connector);
    if (!found)
        return screen_fail(error, -ENODEV, "no screen is plugged into %s of %s",
                           strcmp(connector, "auto") ? connector : "any connector", kms->card.path);
    kms->connector = found;
    int status = choose_mode(kms, settings, strict, error);
    return status ? status : choose_crtc(kms, error);
}

/* ---- the card ---- */

static int become_master(const struct kms *kms, struct screen_error *error)
{
    char holder[160];
    if (drmIsMaster(kms->card.fd) || !drmSetMaster(kms->card.fd))
        return 0;
    kms_holder(kms->card.path, holder, sizeof(holder));
    return screen_fail(error, -EBUSY, "%s is in use by %s; end it, or use another screen", kms->card.path,
                       holder);
}

static bool has_connector(const struct kms_card *card, const char *name)
{
    bool found = !strcmp(name, "auto");
    for (int i = 0; i < card->connector_count; i++)
        found = found || !strcmp(card->connectors[i].name, name);
    return found;
}

static void list_connectors(const struct kms_card *card, char *names, size_t size)
{
    for (int i = 0; i < card->connector_count; i++) {
        size_t used = strlen(names);
        snprintf(names + used, size - used, "%s%s", used ? ", " : "", card->connectors[i].name);
    }
}

static int try_card(struct kms *kms, const char *path, const char *connector,
                    const struct screen_settings *settings, char *names, size_t size,
                    struct screen_error *error)
{
    int status = kms_card_open(&kms->card, kms->seat, path, error->text, sizeof(error->text));
    if (status)
        return status;
    list_connectors(&kms->card, names, size);
    if (!has_connector(&kms->card, connector))
        status = screen_fail(error, -ENOENT, "%s has no connector %s", path, connector);
    if (!status)
        status = kms_find_output(kms, connector, settings, true, error);
    if (!status)
        status = become_master(kms, error);
    if (status)
        kms_card_close(&kms->card);
    return status;
}

/* Which failure tells most when no card will do. */
static int weight(int status)
{
    static const int order[] = {-ENOENT, -ENOTSUP, -ENODEV, -EACCES, -EBUSY, -EINVAL};
    int w = 0;
    while (w < (int)(sizeof(order) / sizeof(order[0])) && order[w] != status)
        w++;
    return w;
}

int kms_find(struct kms *kms, const char *name, const struct screen_settings *settings,
             struct screen_error *error)
{
    char paths[CARDS_MAX][64], names[200] = "";
    const char *slash = strrchr(name, '/'), *connector = slash ? slash + 1 : name;
    size_t card_length = slash ? (size_t)(slash - name) : 0;
    int cards = kms_system_cards(paths, CARDS_MAX), result = -ENOENT, tried = 0;
    for (int i = 0; i < cards; i++) {
        struct screen_error why = {""};
        const char *base = strrchr(paths[i], '/') + 1;
        if (card_length && (strlen(base) != card_length || strncmp(base, name, card_length) != 0))
            continue;
        int status = try_card(kms, paths[i], connector, settings, names, sizeof(names), &why);
        if (!status)
            return 0;
        if (!tried++ || weight(status) > weight(result)) {
            result = status;
            *error = why;
        }
    }
    if (!tried && card_length)
        return screen_fail(error, -ENOENT, "there is no card %.*s", (int)card_length, name);
    if (!tried)
        return screen_fail(error, -ENODEV, "there is no card with a screen; without one use png: or none");
    if (result == -ENOENT)
        screen_fail(error, result, "there is no connector %s; there are: %s", connector,
                    *names ? names : "none");
    return result;
}
