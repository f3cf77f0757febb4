/* SPDX-License-Identifier: MIT */
#include "display/kms/kms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CARDS_MAX = 16 };

static struct screen_port *add_port(struct screen_list *list)
{
    struct screen_port *ports = realloc(list->port, ((size_t)list->count + 1) * sizeof(*ports));
    if (!ports)
        return NULL;
    list->port = ports;
    ports[list->count] = (struct screen_port){.mode = NULL};
    return &ports[list->count++];
}

static int add_modes(struct screen_port *port, const struct kms_connector *connector)
{
    port->mode = calloc((size_t)connector->mode_count + 1, sizeof(*port->mode));
    if (!port->mode)
        return -ENOMEM;
    for (int i = 0; i < connector->mode_count; i++) {
        const drmModeModeInfo *mode = &connector->modes[i];
        port->mode[port->modes++] = (struct screen_mode){mode->hdisplay, mode->vdisplay, kms_rate(mode),
                                                         mode->type & DRM_MODE_TYPE_PREFERRED};
    }
    return 0;
}

static void add_formats(struct screen_port *port, const struct kms_plane *plane)
{
    for (int i = 0; i < plane->format_count; i++) {
        char code[5] = {0};
        size_t used = strlen(port->formats);
        for (int b = 0; b < 4; b++)
            code[b] = (char)(plane->formats[i] >> 8 * b & 0x7f);
        if (!strstr(port->formats, code) && used + 6 < sizeof(port->formats))
            snprintf(port->formats + used, sizeof(port->formats) - used, "%s%s", used ? " " : "", code);
    }
}

static void add_planes(struct screen_port *port, const struct kms_card *card, uint32_t crtcs)
{
    for (int i = 0; i < card->plane_count; i++) {
        const struct kms_plane *plane = &card->planes[i];
        uint64_t type = plane->object.slot[KMS_TYPE].value;
        if (!(plane->possible_crtcs & crtcs))
            continue;
        port->primaries += type == DRM_PLANE_TYPE_PRIMARY;
        port->overlays += type == DRM_PLANE_TYPE_OVERLAY;
        port->cursors += type == DRM_PLANE_TYPE_CURSOR;
        if (type != DRM_PLANE_TYPE_CURSOR)
            add_formats(port, plane);
    }
}

static int list_card(struct screen_list *list, const char *path)
{
    struct kms_card card;
    char problem[256] = "", holder[160];
    int status = kms_card_open(&card, NULL, path, problem, sizeof(problem));
    if (status) {
        struct screen_port *port = add_port(list);
        if (!port)
            return -ENOMEM;
        snprintf(port->card, sizeof(port->card), "%.63s", path);
        snprintf(port->problem, sizeof(port->problem), "%s", problem);
        return 0;
    }
    if (drmIsMaster(card.fd)) {
        drmDropMaster(card.fd); /* opening alone made us that */
    } else {
        kms_holder(path, holder, sizeof(holder));
        snprintf(problem, sizeof(problem), "in use by %s", holder);
    }
    for (int i = 0; i < card.connector_count && !status; i++) {
        const struct kms_connector *connector = &card.connectors[i];
        struct screen_port *port = add_port(list);
        status = port ? add_modes(port, connector) : -ENOMEM;
        if (status)
            break;
        snprintf(port->card, sizeof(port->card), "%.63s", path);
        snprintf(port->driver, sizeof(port->driver), "%s", card.driver);
        snprintf(port->name, sizeof(port->name), "%s", connector->name);
        snprintf(port->problem, sizeof(port->problem), "%s", problem);
        port->connected = connector->status == DRM_MODE_CONNECTED;
        add_planes(port, &card, connector->possible_crtcs);
    }
    kms_card_close(&card);
    return status;
}

int screen_list_init(struct screen_list *list)
{
    char paths[CARDS_MAX][64];
    int cards = kms_system_cards(paths, CARDS_MAX), status = 0;
    *list = (struct screen_list){0};
    for (int i = 0; i < cards && !status; i++)
        status = list_card(list, paths[i]);
    if (status)
        screen_list_finish(list);
    return status;
}

void screen_list_finish(struct screen_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->port[i].mode);
    free(list->port);
    *list = (struct screen_list){0};
}
