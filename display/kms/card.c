/* SPDX-License-Identifier: MIT */
#include "display/kms/card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *copy(const void *from, size_t count, size_t size)
{
    void *to = calloc(count + !count, size);
    if (to && count)
        memcpy(to, from, count * size);
    return to;
}

/* ---- connectors ---- */

static uint32_t crtcs_of(const struct kms_card *card, const drmModeConnector *connector)
{
    uint32_t crtcs = 0;
    for (int i = 0; i < connector->count_encoders; i++) {
        drmModeEncoder *encoder = drmModeGetEncoder(card->fd, connector->encoders[i]);
        crtcs |= encoder ? encoder->possible_crtcs : 0;
        drmModeFreeEncoder(encoder);
    }
    return crtcs;
}

int kms_connector_read(const struct kms_card *card, struct kms_connector *connector, bool probe)
{
    drmModeConnector *c = probe ? drmModeGetConnector(card->fd, connector->object.id)
                                : drmModeGetConnectorCurrent(card->fd, connector->object.id);
    if (!c)
        return -errno;
    const char *type = drmModeGetConnectorTypeName(c->connector_type);
    snprintf(connector->name, sizeof(connector->name), "%.31s-%u", type ? type : "Unknown",
             c->connector_type_id);
    connector->status = c->connection;
    connector->possible_crtcs = crtcs_of(card, c);
    drmModeModeInfo *modes = copy(c->modes, (size_t)c->count_modes, sizeof(*modes));
    if (modes) {
        free(connector->modes);
        connector->modes = modes;
        connector->mode_count = c->count_modes;
    }
    drmModeFreeConnector(c);
    return modes ? 0 : -ENOMEM;
}

static int read_connectors(struct kms_card *card, const drmModeRes *resources)
{
    card->connectors = calloc((size_t)resources->count_connectors + 1, sizeof(*card->connectors));
    if (!card->connectors)
        return -ENOMEM;
    for (int i = 0; i < resources->count_connectors; i++) {
        struct kms_connector *connector = &card->connectors[card->connector_count];
        connector->object = (struct kms_object){resources->connectors[i], DRM_MODE_OBJECT_CONNECTOR};
        if (kms_connector_read(card, connector, true))
            continue; /* unplugged in between */
        kms_object_read(card, &connector->object);
        card->connector_count++;
    }
    return 0;
}

/* ---- CRTCs and planes ---- */

static int read_crtcs(struct kms_card *card, const drmModeRes *resources)
{
    card->crtcs = calloc((size_t)resources->count_crtcs + 1, sizeof(*card->crtcs));
    if (!card->crtcs)
        return -ENOMEM;
    for (int i = 0; i < resources->count_crtcs && i < 32; i++) {
        struct kms_crtc *crtc = &card->crtcs[card->crtc_count++];
        *crtc = (struct kms_crtc){{resources->crtcs[i], DRM_MODE_OBJECT_CRTC}, i};
        kms_object_read(card, &crtc->object);
    }
    return 0;
}

static int read_plane(struct kms_card *card, uint32_t id)
{
    drmModePlane *p = drmModeGetPlane(card->fd, id);
    if (!p)
        return errno == ENOMEM ? -ENOMEM : 0;
    struct kms_plane *plane = &card->planes[card->plane_count];
    plane->object = (struct kms_object){id, DRM_MODE_OBJECT_PLANE};
    plane->possible_crtcs = p->possible_crtcs;
    plane->formats = copy(p->formats, p->count_formats, sizeof(uint32_t));
    plane->format_count = plane->formats ? (int)p->count_formats : 0;
    drmModeFreePlane(p);
    if (!plane->formats)
        return -ENOMEM;
    kms_object_read(card, &plane->object);
    card->plane_count++;
    return 0;
}

static int read_planes(struct kms_card *card)
{
    drmModePlaneRes *all = drmModeGetPlaneResources(card->fd);
    if (!all)
        return -errno;
    card->planes = calloc((size_t)all->count_planes + 1, sizeof(*card->planes));
    int status = card->planes ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < all->count_planes && !status; i++)
        status = read_plane(card, all->planes[i]);
    drmModeFreePlaneResources(all);
    return status;
}

bool kms_plane_takes(const struct kms_plane *plane, uint32_t format)
{
    for (int i = 0; i < plane->format_count; i++)
        if (plane->formats[i] == format)
            return true;
    return false;
}

/* ---- the card ---- */

static int ask(struct kms_card *card, char *why, size_t size)
{
    uint64_t dumb = 0;
    drmVersion *version = drmGetVersion(card->fd);
    snprintf(card->driver, sizeof(card->driver), "%s", version && version->name ? version->name : "");
    drmFreeVersion(version);
    if (drmSetClientCap(card->fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1)) {
        snprintf(why, size, "%s: its driver %s has no screens, it only renders", card->path, card->driver);
        return -ENOTSUP;
    }
    if (drmSetClientCap(card->fd, DRM_CLIENT_CAP_ATOMIC, 1)) {
        snprintf(why, size, "%s: its driver %s has no atomic modesetting", card->path, card->driver);
        return -ENOTSUP;
    }
    if (drmGetCap(card->fd, DRM_CAP_DUMB_BUFFER, &dumb) || !dumb) {
        snprintf(why, size, "%s: its driver %s has no dumb buffers", card->path, card->driver);
        return -ENOTSUP;
    }
    return 0;
}

static int read_card(struct kms_card *card, char *why, size_t size)
{
    drmModeRes *resources = drmModeGetResources(card->fd);
    if (!resources) {
        snprintf(why, size, "%s: cannot read its screens: %s", card->path, strerror(errno));
        return -ENOTSUP;
    }
    int status = read_crtcs(card, resources);
    status = status ? status : read_connectors(card, resources);
    status = status ? status : read_planes(card);
    drmModeFreeResources(resources);
    if (status)
        snprintf(why, size, "%s: cannot read its planes: %s", card->path, strerror(-status));
    return status;
}

int kms_card_open(struct kms_card *card, struct kms_seat *seat, const char *path, char *why, size_t size)
{
    *card = (struct kms_card){.seat = seat};
    card->fd = seat ? kms_seat_take(seat, path, &card->device) : kms_system_open(path);
    snprintf(card->path, sizeof(card->path), "%s", path);
    if (card->fd < 0) {
        bool denied = card->fd == -EACCES || card->fd == -EPERM;
        snprintf(why, size, denied ? "%s: no permission; add the user to the group video" : "%s: %s", path,
                 strerror(-card->fd));
        return card->fd;
    }
    int status = ask(card, why, size);
    if (!status)
        status = read_card(card, why, size);
    if (status)
        kms_card_close(card);
    return status;
}

void kms_card_close(struct kms_card *card)
{
    for (int i = 0; i < card->connector_count; i++)
        free(card->connectors[i].modes);
    for (int i = 0; i < card->plane_count; i++)
        free(card->planes[i].formats);
    free(card->connectors);
    free(card->crtcs);
    free(card->planes);
    if (card->fd >= 0 && card->seat)
        kms_seat_give_back(card->seat, card->device);
    if (card->fd >= 0)
        close(card->fd);
    *card = (struct kms_card){.fd = -1};
}
