/* SPDX-License-Identifier: MIT */
/* What goes to which plane, and whether the hardware can do it: TEST_ONLY commits answer. */
#include "display/kms/kms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <drm_fourcc.h>

enum { TESTS_MAX = 96 };

/* ---- requests ---- */

static const struct turn upright;

/* Both mirror first; DRM turns counter-clockwise. */
static uint64_t rotation_bits(struct turn turn)
{
    static const uint64_t clockwise[] = {DRM_MODE_ROTATE_0, DRM_MODE_ROTATE_270, DRM_MODE_ROTATE_180,
                                         DRM_MODE_ROTATE_90};
    return clockwise[turn.rotation / 90 & 3] | (turn.mirror ? DRM_MODE_REFLECT_X : 0);
}

static void show(const struct kms *kms, struct kms_request *request, struct kms_plane *plane, uint32_t fb,
                 struct area from, struct area to, struct turn turn)
{
    const struct kms_object *object = &plane->object;
    kms_set(request, object, KMS_FB_ID, fb);
    kms_set(request, object, KMS_CRTC_ID, kms->crtc->object.id);
    kms_set(request, object, KMS_SRC_X, (uint64_t)from.x << 16);
    kms_set(request, object, KMS_SRC_Y, (uint64_t)from.y << 16);
    kms_set(request, object, KMS_SRC_W, (uint64_t)from.width << 16);
    kms_set(request, object, KMS_SRC_H, (uint64_t)from.height << 16);
    kms_set(request, object, KMS_CRTC_X, (uint64_t)to.x);
    kms_set(request, object, KMS_CRTC_Y, (uint64_t)to.y);
    kms_set(request, object, KMS_CRTC_W, (uint64_t)to.width);
    kms_set(request, object, KMS_CRTC_H, (uint64_t)to.height);
    kms_set_if(request, object, KMS_ROTATION, rotation_bits(turn));
    kms_set_if(request, object, KMS_ALPHA, object->slot[KMS_ALPHA].max);
    if (object->slot[KMS_BLEND_MODE].offered[0])
        kms_set_if(request, object, KMS_BLEND_MODE, object->slot[KMS_BLEND_MODE].choice[0]);
    plane->wanted = true;
}

static void show_whole(const struct kms *kms, struct kms_request *request, struct kms_plane *plane,
                       uint32_t fb)
{
    struct area all = {0, 0, kms->screen.info.width, kms->screen.info.height};
    show(kms, request, plane, fb, all, all, upright);
}

static void begin(struct kms *kms)
{
    for (int i = 0; i < kms->card.plane_count; i++)
        kms->card.planes[i].wanted = false;
}

static void unwanted_off(struct kms *kms, struct kms_request *request)
{
    for (int i = 0; i < kms->card.plane_count; i++) {
        struct kms_plane *plane = &kms->card.planes[i];
        if (plane->lit && !plane->wanted) {
            kms_set(request, &plane->object, KMS_FB_ID, 0);
            kms_set(request, &plane->object, KMS_CRTC_ID, 0);
        }
    }
}

void kms_planes_lit(struct kms *kms)
{
    for (int i = 0; i < kms->card.plane_count; i++)
        kms->card.planes[i].lit = kms->card.planes[i].wanted;
}

void kms_compose_request(struct kms *kms, struct kms_request *request, uint32_t fb)
{
    begin(kms);
    show_whole(kms, request, kms->primary, fb);
    unwanted_off(kms, request);
}

static bool is_yuv(uint32_t format)
{
    return format != DRM_FORMAT_XRGB8888 && format != DRM_FORMAT_RGB888 && format != DRM_FORMAT_BGR888;
}

/* Bottom to top. Planes whose order can be set get it; of the others the order was looked at. */
static void stack(struct kms_request *request, const struct kms_layout *layout,
                  const struct kms_plane *primary)
{
    const struct kms_plane *order[3] = {layout->background ? primary : NULL, layout->video, layout->labels};
    uint64_t next = 0;
    for (int i = 0; i < 3; i++) {
        const struct kms_slot *zpos = order[i] ? &order[i]->object.slot[KMS_ZPOS] : NULL;
        if (!zpos || !zpos->id)
            continue;
        uint64_t at = zpos->fixed ? zpos->value : next < zpos->min ? zpos->min : next;
        kms_set_if(request, &order[i]->object, KMS_ZPOS, at);
        next = at + 1;
    }
}

void kms_planes_request(struct kms *kms, struct kms_request *request, const struct kms_layout *layout,
                        const struct frame *frame, uint32_t fb, uint32_t labels_fb)
{
    struct area from, to;
    screen_place(&kms->screen, frame, &from, &to);
    begin(kms);
    if (layout->background)
        show_whole(kms, request, kms->primary, kms->background.fb);
    show(kms, request, layout->video, fb, from, to, kms->screen.settings.turn);
    if (is_yuv(kms_format(frame))) {
        const struct kms_object *object = &layout->video->object;
        kms_set_if(request, object, KMS_COLOR_ENCODING,
                   object->slot[KMS_COLOR_ENCODING].choice[frame->matrix]);
        kms_set_if(request, object, KMS_COLOR_RANGE, object->slot[KMS_COLOR_RANGE].choice[frame->full_range]);
    }
    if (labels_fb)
        show_whole(kms, request, layout->labels, labels_fb);
    stack(request, layout, kms->primary);
    unwanted_off(kms, request);
}

/* ---- which planes ---- */

struct search {
    struct kms *kms;
    const struct frame *like;
    uint32_t fb, labels_fb;
    struct kms_layout found;
    int tests, status; /* of the last test */
    bool takes_format, turns, knows_colours;
};

static bool works(struct search *search, const struct kms_layout *layout)
{
    struct kms_request request;
    if (search->tests++ >= TESTS_MAX)
        return false;
    kms_request_init(&request);
    kms_planes_request(search->kms, &request, layout, search->like, search->fb, search->labels_fb);
    search->status = kms_commit(&request, &search->kms->card, DRM_MODE_ATOMIC_TEST_ONLY, NULL);
    if (!search->status)
        search->found = *layout;
    return !search->status;
}

/* A plane without these properties shows BT.601 of limited range, as all did before there were any. */
static bool knows_colours(const struct kms_plane *plane, const struct frame *like)
{
    const struct kms_slot *matrix = &plane->object.slot[KMS_COLOR_ENCODING];
    const struct kms_slot *range = &plane->object.slot[KMS_COLOR_RANGE];
    if (!is_yuv(kms_format(like)))
        return true;
    return (matrix->id ? matrix->offered[like->matrix] : like->matrix == FRAME_MATRIX_601) &&
           (range->id ? range->offered[like->full_range] : !like->full_range);
}

static bool turns(const struct kms_plane *plane, struct turn turn)
{
    uint64_t offered =
        plane->object.slot[KMS_ROTATION].id ? plane->object.slot[KMS_ROTATION].max : DRM_MODE_ROTATE_0;
    return (rotation_bits(turn) & ~offered) == 0;
}

static bool can_be_video(struct search *search, const struct kms_plane *plane)
{
    if (!kms_plane_takes(plane, kms_format(search->like)))
        return false;
    bool turning = turns(plane, search->kms->screen.settings.turn);
    bool colours = knows_colours(plane, search->like);
    search->takes_format = true;
    search->turns = search->turns || turning;
    search->knows_colours = search->knows_colours || colours;
    return turning && colours;
}

static bool usable(const struct kms *kms, const struct kms_plane *plane)
{
    uint64_t type = plane->object.slot[KMS_TYPE].value, on = plane->object.slot[KMS_CRTC_ID].value;
    return plane->possible_crtcs & 1u << kms->crtc->index && (!on || on == kms->crtc->object.id) &&
           (plane == kms->primary || type == DRM_PLANE_TYPE_OVERLAY);
}

/* Is `upper` above `lower`, or can it be put there? Without zpos: the primary plane is the lowest, overlays
 * lie in the order of their ids. */
static bool above(const struct kms *kms, const struct kms_plane *upper, const struct kms_plane *lower)
{
    const struct kms_slot *high = &upper->object.slot[KMS_ZPOS], *low = &lower->object.slot[KMS_ZPOS];
    if (!high->id || !low->id)
        return lower == kms->primary || (upper != kms->primary && upper->object.id > lower->object.id);
    uint64_t lowest = low->fixed ? low->value : low->min, highest = high->fixed ? high->value : high->max;
    return highest > lowest;
}

static bool try_video(struct search *search, struct kms_plane *video, bool background)
{
    struct kms *kms = search->kms;
    for (int i = 0; i < kms->card.plane_count; i++) {
        struct kms_plane *labels = &kms->card.planes[i];
        struct kms_layout layout = {video, labels, background};
        if (labels == video || (background && labels == kms->primary) || !usable(kms, labels) ||
            !kms_plane_takes(labels, DRM_FORMAT_ARGB8888) || !above(kms, labels, video))
            continue;
        if (works(search, &layout))
            return true;
    }
    return false;
}

/* On an overlay with nothing below, then with black below, then on the primary plane itself. */
static bool search_planes(struct search *search)
{
    struct kms *kms = search->kms;
    for (int way = 0; way < 3; way++)
        for (int i = 0; i < kms->card.plane_count; i++) {
            struct kms_plane *video = &kms->card.planes[i];
            bool background = way == 1;
            if ((way == 2) != (video == kms->primary) || !usable(kms, video) ||
                !can_be_video(search, video) ||
                (background && (!kms->background.fb || !above(kms, video, kms->primary))))
                continue;
            if (try_video(search, video, background))
                return true;
        }
    return false;
}

static void explain(const struct search *search, char *why, size_t size)
{
    uint32_t f = kms_format(search->like);
    const struct turn *turn = &search->kms->screen.settings.turn;
    if (!search->takes_format)
        snprintf(why, size, "no plane takes %c%c%c%c", (char)f, (char)(f >> 8), (char)(f >> 16),
                 (char)(f >> 24));
    else if (!search->turns)
        snprintf(why, size, "no plane for the picture can turn it by %d degrees%s", turn->rotation,
                 turn->mirror ? " and mirror it" : "");
    else if (!search->knows_colours)
        snprintf(why, size, "no plane for the picture knows the colours of BT.%d, %s range",
                 search->like->matrix == FRAME_MATRIX_709 ? 709 : 601,
                 search->like->full_range ? "full" : "limited");
    else if (!search->tests)
        snprintf(why, size, "there is no ARGB8888 plane above the picture for the labels");
    else
        snprintf(why, size, "the driver refuses picture and labels on planes of their own: %s",
                 strerror(-search->status));
}

/* Asked first: newer kernels do not even import what no plane takes. */
static bool some_plane_takes(const struct kms *kms, uint32_t format)
{
    for (int i = 0; i < kms->card.plane_count; i++)
        if (usable(kms, &kms->card.planes[i]) && kms_plane_takes(&kms->card.planes[i], format))
            return true;
    return false;
}

static int prepare(struct search *search, struct kms_buffer *labels)
{
    struct kms *kms = search->kms;
    const struct screen_info *info = &kms->screen.info;
    int status = kms_import_once(kms->card.fd, search->like, &search->fb);
    if (status) {
        snprintf(kms->screen.info.why, sizeof(info->why), "the card cannot read the camera's buffers: %s",
                 strerror(-status));
        return status;
    }
    status = kms_buffer_create(&kms->card, DRM_FORMAT_ARGB8888, info->width, info->height, labels, NULL);
    if (!status && !kms->background.fb)
        status = kms_buffer_create(&kms->card, DRM_FORMAT_XRGB8888, info->width, info->height,
                                   &kms->background, NULL);
    search->labels_fb = labels->fb;
    if (status)
        snprintf(kms->screen.info.why, sizeof(info->why), "no memory for the labels' plane: %s",
                 strerror(-status));
    return status;
}

int kms_choose_planes(struct kms *kms, const struct frame *like)
{
    struct search search = {.kms = kms, .like = like, .status = -EINVAL};
    struct kms_buffer labels = {0};
    char *why = kms->screen.info.why;
    size_t size = sizeof(kms->screen.info.why);
    bool found = false;
    if (!kms->screen.settings.planes)
        snprintf(why, size, "planes are turned off");
    else if (!kms_format(like) || like->dmabuf[0] < 0)
        snprintf(why, size, "the camera's frames are no dmabufs that a plane could take");
    else if (!some_plane_takes(kms, kms_format(like)))
        explain(&search, why, size);
    else if (!prepare(&search, &labels)) {
        const struct kms_layout *before = &kms->layout;
        found = (before->video && can_be_video(&search, before->video) && works(&search, before)) ||
                search_planes(&search);
        if (!found)
            explain(&search, why, size);
    }
    if (search.fb)
        drmModeRmFB(kms->card.fd, search.fb);
    kms_buffer_destroy(&kms->card, &labels);
    kms->layout = search.found;
    if (found)
        why[0] = 0;
    return found ? 0 : -ENOTSUP;
}
