/* SPDX-License-Identifier: MIT */
/* Properties by their names, once; and requests made of them. */
#include "display/kms/card.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *name, *choice[2];
} properties[KMS_PROPERTIES] = {
    [KMS_CRTC_ID] = {"CRTC_ID"},
    [KMS_MODE_ID] = {"MODE_ID"},
    [KMS_ACTIVE] = {"ACTIVE"},
    [KMS_FB_ID] = {"FB_ID"},
    [KMS_SRC_X] = {"SRC_X"},
    [KMS_SRC_Y] = {"SRC_Y"},
    [KMS_SRC_W] = {"SRC_W"},
    [KMS_SRC_H] = {"SRC_H"},
    [KMS_CRTC_X] = {"CRTC_X"},
    [KMS_CRTC_Y] = {"CRTC_Y"},
    [KMS_CRTC_W] = {"CRTC_W"},
    [KMS_CRTC_H] = {"CRTC_H"},
    [KMS_TYPE] = {"type"},
    [KMS_ROTATION] = {"rotation"},
    [KMS_ZPOS] = {"zpos"},
    [KMS_ALPHA] = {"alpha"},
    [KMS_COLOR_ENCODING] = {"COLOR_ENCODING", {"ITU-R BT.601 YCbCr", "ITU-R BT.709 YCbCr"}},
    [KMS_COLOR_RANGE] = {"COLOR_RANGE", {"YCbCr limited range", "YCbCr full range"}},
    [KMS_BLEND_MODE] = {"pixel blend mode", {"Pre-multiplied"}},
    [KMS_DAMAGE] = {"FB_DAMAGE_CLIPS"},
};

static void read_enums(struct kms_slot *slot, const char *const choice[2], drmModePropertyRes *property)
{
    bool bits = drm_property_type_is(property, DRM_MODE_PROP_BITMASK);
    for (int e = 0; e < property->count_enums; e++) {
        if (bits && property->enums[e].value < 64)
            slot->max |= 1ull << property->enums[e].value;
        for (int c = 0; c < 2; c++)
            if (choice[c] && !strcmp(property->enums[e].name, choice[c])) {
                slot->offered[c] = true;
                slot->choice[c] = property->enums[e].value;
            }
    }
}

static void read_property(struct kms_object *object, drmModePropertyRes *property, uint64_t value)
{
    for (int p = 0; p < KMS_PROPERTIES; p++) {
        struct kms_slot *slot = &object->slot[p];
        if (strcmp(property->name, properties[p].name) != 0)
            continue;
        bool first = !slot->id;
        slot->id = property->prop_id;
        slot->value = value;
        slot->fixed = property->flags & DRM_MODE_PROP_IMMUTABLE;
        if (first && drm_property_type_is(property, DRM_MODE_PROP_RANGE) && property->count_values == 2) {
            slot->min = property->values[0];
            slot->max = property->values[1];
        } else if (first) {
            read_enums(slot, properties[p].choice, property);
        }
    }
}

void kms_object_read(const struct kms_card *card, struct kms_object *object)
{
    drmModeObjectProperties *all = drmModeObjectGetProperties(card->fd, object->id, object->type);
    for (uint32_t i = 0; all && i < all->count_props; i++) {
        drmModePropertyRes *property = drmModeGetProperty(card->fd, all->props[i]);
        if (property)
            read_property(object, property, all->prop_values[i]);
        drmModeFreeProperty(property);
    }
    drmModeFreeObjectProperties(all);
}

void kms_request_init(struct kms_request *request)
{
    request->list = drmModeAtomicAlloc();
    request->status = request->list ? 0 : -ENOMEM;
}

void kms_set(struct kms_request *request, const struct kms_object *object, enum kms_property which,
             uint64_t value)
{
    if (request->status)
        return;
    if (!object->slot[which].id) {
        request->status = -ENOTSUP;
        return;
    }
    int added = drmModeAtomicAddProperty(request->list, object->id, object->slot[which].id, value);
    if (added < 0)
        request->status = added;
}

void kms_set_if(struct kms_request *request, const struct kms_object *object, enum kms_property which,
                uint64_t value)
{
    if (object->slot[which].id && !object->slot[which].fixed)
        kms_set(request, object, which, value);
}

int kms_commit(struct kms_request *request, const struct kms_card *card, uint32_t flags, void *user)
{
    if (!request->status)
        request->status = drmModeAtomicCommit(card->fd, request->list, flags, user);
    drmModeAtomicFree(request->list);
    request->list = NULL;
    return request->status;
}
