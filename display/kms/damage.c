/* SPDX-License-Identifier: MIT */
/* What of a canvas differs from the one before it, for drivers that copy what is shown: virtio-gpu,
 * simpledrm, screens at a USB port. */
#include "display/kms/kms.h"

enum { RECTS_MAX = 2 * (1 + CANVAS_AREAS_MAX) };

struct damage {
    const struct canvas_content *now, *before;
    struct drm_mode_rect rect[RECTS_MAX];
    int count;
};

static bool lies_in(struct area outer, struct area inner)
{
    return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width &&
           inner.y + inner.height <= outer.y + outer.height;
}

static void add(struct damage *damage, struct area area)
{
    if (area.width > 0 && area.height > 0)
        damage->rect[damage->count++] =
            (struct drm_mode_rect){area.x, area.y, area.x + area.width, area.y + area.height};
}

/* Both pictures, and both drawings of labels but for what lies on the picture. */
static void collect(struct damage *damage)
{
    const struct canvas_content *contents[] = {damage->now, damage->before};
    bool redrawn = contents[0]->drawing != contents[1]->drawing;
    for (int c = 0; c < 2; c++) {
        if (!c || !lies_in(damage->now->picture, contents[c]->picture))
            add(damage, contents[c]->picture);
        for (int i = 0; i < contents[c]->labels && redrawn; i++)
            if (!lies_in(damage->now->picture, contents[c]->label[i]))
                add(damage, contents[c]->label[i]);
    }
}

uint32_t kms_damage(const struct kms *kms, const struct kms_plane *plane, const struct canvas_slot *now)
{
    const struct canvas_slot *before = canvases_current(&kms->screen.canvases);
    struct damage damage = {.count = 0};
    const struct area screen = {0, 0, kms->screen.info.width, kms->screen.info.height};
    uint32_t blob = 0;
    if (!plane->object.slot[KMS_DAMAGE].id || !before || !now->canvas.content.known ||
        !before->canvas.content.known || lies_in(now->canvas.content.picture, screen))
        return 0;
    damage.now = &now->canvas.content;
    damage.before = &before->canvas.content;
    collect(&damage);
    if (damage.count)
        drmModeCreatePropertyBlob(kms->card.fd, damage.rect, (size_t)damage.count * sizeof(damage.rect[0]),
                                  &blob);
    return blob;
}
