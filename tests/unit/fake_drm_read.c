/* SPDX-License-Identifier: MIT */
/* What libdrm reads of the fake card: lists, planes, properties. */
#include "fake_drm_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t *ids(uint32_t first, int count)
{
    uint32_t *list = calloc((size_t)count, sizeof(*list));
    for (int i = 0; list && i < count; i++)
        list[i] = first + (uint32_t)i;
    return list;
}

drmModeResPtr drmModeGetResources(int fd)
{
    (void)fd;
    drmModeResPtr all = calloc(1, sizeof(*all));
    all->count_crtcs = all->count_connectors = 2;
    all->crtcs = ids(FAKE_CRTC, 2);
    all->connectors = ids(FAKE_CONNECTOR, 2);
    return all;
}

void drmModeFreeResources(drmModeResPtr all)
{
    free(all->crtcs);
    free(all->connectors);
    free(all);
}

drmModeEncoderPtr drmModeGetEncoder(int fd, uint32_t id)
{
    (void)fd;
    drmModeEncoderPtr encoder = calloc(1, sizeof(*encoder));
    encoder->encoder_id = id;
    encoder->possible_crtcs = id == 61 ? 1 : 2;
    return encoder;
}

void drmModeFreeEncoder(drmModeEncoderPtr encoder)
{
    free(encoder);
}

drmModeConnectorPtr drmModeGetConnector(int fd, uint32_t id)
{
    (void)fd;
    const struct fake_connector *from = &fake.connectors[id - FAKE_CONNECTOR];
    drmModeConnectorPtr connector = calloc(1, sizeof(*connector));
    connector->connector_id = id;
    connector->connector_type = DRM_MODE_CONNECTOR_HDMIA;
    connector->connector_type_id = id - FAKE_CONNECTOR + 1;
    connector->connection = from->status;
    connector->count_encoders = 1;
    connector->encoders = ids(61 + id - FAKE_CONNECTOR, 1);
    connector->count_modes = from->count;
    connector->modes = calloc((size_t)from->count + 1, sizeof(*connector->modes));
    memcpy(connector->modes, from->modes, (size_t)from->count * sizeof(*connector->modes));
    return connector;
}

drmModeConnectorPtr drmModeGetConnectorCurrent(int fd, uint32_t id)
{
    return drmModeGetConnector(fd, id);
}

void drmModeFreeConnector(drmModeConnectorPtr connector)
{
    free(connector->modes);
    free(connector->encoders);
    free(connector);
}

const char *drmModeGetConnectorTypeName(uint32_t type)
{
    return type == DRM_MODE_CONNECTOR_HDMIA ? "HDMI-A" : NULL;
}

drmModePlaneResPtr drmModeGetPlaneResources(int fd)
{
    (void)fd;
    drmModePlaneResPtr all = calloc(1, sizeof(*all));
    all->count_planes = (uint32_t)fake.plane_count;
    all->planes = calloc((size_t)fake.plane_count, sizeof(uint32_t));
    for (int i = 0; i < fake.plane_count; i++)
        all->planes[i] = fake.planes[i].id;
    return all;
}

void drmModeFreePlaneResources(drmModePlaneResPtr all)
{
    free(all->planes);
    free(all);
}

drmModePlanePtr drmModeGetPlane(int fd, uint32_t id)
{
    (void)fd;
    const struct fake_plane *from = fake_plane(id);
    drmModePlanePtr plane = calloc(1, sizeof(*plane));
    plane->plane_id = id;
    plane->possible_crtcs = from->crtcs;
    plane->formats = calloc(8, sizeof(uint32_t));
    while (plane->count_formats < 8 && from->formats[plane->count_formats]) {
        plane->formats[plane->count_formats] = from->formats[plane->count_formats];
        plane->count_formats++;
    }
    return plane;
}

void drmModeFreePlane(drmModePlanePtr plane)
{
    if (plane)
        free(plane->formats);
    free(plane);
}

/* ---- properties ---- */

drmModeObjectPropertiesPtr drmModeObjectGetProperties(int fd, uint32_t object, uint32_t type)
{
    (void)fd;
    (void)type;
    drmModeObjectPropertiesPtr all = calloc(1, sizeof(*all));
    all->props = calloc(FAKE_VALUES_MAX, sizeof(uint32_t));
    all->prop_values = calloc(FAKE_VALUES_MAX, sizeof(uint64_t));
    for (int i = 0; i < fake_now.count; i++)
        if (fake_now.value[i].object == object) {
            /* the same property has other ranges on other objects: its id says whose it is */
            all->props[all->count_props] = fake_now.value[i].property + 1000 * object;
            all->prop_values[all->count_props++] = fake_now.value[i].value;
        }
    return all;
}

void drmModeFreeObjectProperties(drmModeObjectPropertiesPtr all)
{
    free(all->props);
    free(all->prop_values);
    free(all);
}

static void add_enum(drmModePropertyPtr property, uint64_t value, const char *name)
{
    struct drm_mode_property_enum *item = &property->enums[property->count_enums++];
    item->value = value;
    snprintf(item->name, sizeof(item->name), "%s", name);
}

static void describe(drmModePropertyPtr property, const struct fake_plane *plane)
{
    const char *name = property->name;
    if (!strcmp(name, "zpos")) {
        property->flags = DRM_MODE_PROP_RANGE | (plane->zmin == plane->zmax ? DRM_MODE_PROP_IMMUTABLE : 0);
        property->count_values = 2;
        property->values[0] = plane->zmin;
        property->values[1] = plane->zmax;
    } else if (!strcmp(name, "alpha")) {
        property->flags = DRM_MODE_PROP_RANGE;
        property->count_values = 2;
        property->values[1] = 0xffff;
    } else if (!strcmp(name, "type")) {
        property->flags = DRM_MODE_PROP_ENUM | DRM_MODE_PROP_IMMUTABLE;
    } else if (!strcmp(name, "rotation")) {
        property->flags = DRM_MODE_PROP_BITMASK;
        for (unsigned bit = 0; bit < 6; bit++)
            if (plane->rotations & 1u << bit)
                add_enum(property, bit, "some rotation");
    } else if (!strcmp(name, "COLOR_ENCODING")) {
        property->flags = DRM_MODE_PROP_ENUM;
        add_enum(property, 5, "ITU-R BT.601 YCbCr");
        if (plane->bt709)
            add_enum(property, 6, "ITU-R BT.709 YCbCr");
    } else if (!strcmp(name, "COLOR_RANGE")) {
        property->flags = DRM_MODE_PROP_ENUM;
        add_enum(property, 8, "YCbCr limited range");
        add_enum(property, 9, "YCbCr full range");
    } else if (!strcmp(name, "pixel blend mode")) {
        property->flags = DRM_MODE_PROP_ENUM;
        add_enum(property, 3, "Coverage");
        add_enum(property, 2, "Pre-multiplied");
    }
}

drmModePropertyPtr drmModeGetProperty(int fd, uint32_t id)
{
    (void)fd;
    drmModePropertyPtr property = calloc(1, sizeof(*property));
    property->prop_id = id;
    property->values = calloc(2, sizeof(uint64_t));
    property->enums = calloc(8, sizeof(*property->enums));
    snprintf(property->name, sizeof(property->name), "%s", fake_names[id % 1000 - FAKE_PROPERTY]);
    if (fake_plane(id / 1000))
        describe(property, fake_plane(id / 1000));
    return property;
}

void drmModeFreeProperty(drmModePropertyPtr property)
{
    if (!property)
        return;
    free(property->values);
    free(property->enums);
    free(property);
}
