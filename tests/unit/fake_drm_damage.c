/* SPDX-License-Identifier: MIT */
#include "fake_drm_state.h"

#include <string.h>

/* Each commit has its own: afterwards the kernel has forgotten it. */
void fake_take_damage(void)
{
    fake.damages = 0;
    for (int i = 0; i < fake.plane_count; i++) {
        uint64_t id = fake_value(fake.planes[i].id, "FB_DAMAGE_CLIPS");
        if (!id)
            continue;
        drmModePropertyBlobPtr blob = drmModeGetPropertyBlob(0, (uint32_t)id);
        size_t size = blob ? blob->length : 0;
        bool right = size && size % sizeof(fake.damage[0]) == 0 && size <= sizeof(fake.damage);
        if (right) {
            memcpy(fake.damage, blob->data, size);
            fake.damages = (int)(size / sizeof(fake.damage[0]));
        }
        fake.faults += !right;
        drmModeFreePropertyBlob(blob);
        fake_set(fake.planes[i].id, "FB_DAMAGE_CLIPS", 0);
    }
}
