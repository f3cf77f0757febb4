/* SPDX-License-Identifier: MIT */
#include "display/kms/kms.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <drm_fourcc.h>

#define LOST_NS 2000000000u /* an event that has not come by then never will */

/* ---- open and close ---- */

static void kms_close(struct screen *screen)
{
    struct kms *kms = (struct kms *)screen;
    if (kms->saved && kms->mode_blob && !kms->away)
        kms_restore(kms);
    kms_forget(kms);
    kms_release_frames(kms);
    canvases_finish(&screen->canvases);
    if (kms->card.fd >= 0) {
        kms_buffer_destroy(&kms->card, &kms->background);
        if (kms->mode_blob)
            drmModeDestroyPropertyBlob(kms->card.fd, kms->mode_blob);
        kms_link_cut(kms->link);
        if (!kms->away)
            drmDropMaster(kms->card.fd);
        kms_card_close(&kms->card);
    }
    console_close(&kms->console); /* last: now the kernel can draw its text */
    kms_seat_close(kms->seat);
    pacer_finish(&kms->pacer);
    if (screen->fd >= 0)
        close(screen->fd);
    free(kms);
}

static int watch(const struct kms *kms, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && epoll_ctl(kms->screen.fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch_all(struct kms *kms)
{
    kms->screen.fd = epoll_create1(EPOLL_CLOEXEC);
    int status = kms->screen.fd < 0 ? -errno : watch(kms, kms->card.fd);
    status = status ? status : watch(kms, kms->pacer.fd);
    int terminal = kms->seat ? kms_seat_fd(kms->seat) : console_fd(&kms->console);
    return status ? status : watch(kms, terminal);
}

static int set_up(struct kms *kms)
{
    struct screen_info *info = &kms->screen.info;
    uint64_t monotonic = 0;
    snprintf(info->driver, sizeof(info->driver), "%s", kms->card.driver);
    snprintf(info->card, sizeof(info->card), "%s", kms->card.path);
    drmGetCap(kms->card.fd, DRM_CAP_TIMESTAMP_MONOTONIC, &monotonic);
    kms->monotonic = monotonic;
    kms->link = kms_link_create(kms->card.fd);
    int status = kms->link ? kms_save(kms) : -ENOMEM;
    status = status ? status : pacer_init(&kms->pacer, kms_rate(&kms->mode));
    if (!status && !kms->seat)
        console_open(&kms->console);
    status = status ? status : watch_all(kms);
    return status ? status : kms_fit_mode(kms);
}

/* The first canvas is black, as the kernel gives dumb buffers out. */
static int first_light(struct kms *kms)
{
    uint64_t sequence, time_ns;
    int status = kms_light(kms, true);
    kms->self_paced = !status &&
                      drmCrtcGetSequence(kms->card.fd, kms->crtc->object.id, &sequence, &time_ns) &&
                      errno == EOPNOTSUPP;
    return status;
}

static int kms_open(struct screen **screen, const char *rest, const struct screen_settings *settings,
                    struct screen_error *error)
{
    struct kms *kms = calloc(1, sizeof(*kms));
    if (!kms)
        return screen_fail(error, -ENOMEM, "out of memory for the screen");
    kms->screen.fd = kms->pacer.fd = kms->card.fd = -1;
    kms->console = (struct console){.terminal = -1, .signals = -1};
    kms->seat = kms_seat_open();
    int status = kms_find(kms, rest, settings, error);
    if (!status) {
        const char *what = "prepare";
        status = set_up(kms);
        if (!status) {
            what = "light";
            status = first_light(kms);
        }
        if (status)
            screen_fail(error, status, "%s: cannot %s %s: %s", kms->card.path, what, kms->connector->name,
                        strerror(-status));
    }
    if (status)
        kms_close(&kms->screen);
    else
        *screen = &kms->screen;
    return status;
}

static int kms_adapt(struct screen *screen, const struct frame *like)
{
    struct kms *kms = (struct kms *)screen;
    enum screen_way before = screen->info.way;
    if (kms->gone || kms->away)
        return 0; /* asked again when it is back */
    screen->info.way = kms_choose_planes(kms, like) ? SCREEN_COMPOSE : SCREEN_PLANES;
    if (screen->info.way == before && canvases_usable(&screen->canvases))
        return 0;
    bool planes = screen->info.way == SCREEN_PLANES;
    return kms_add_canvases(kms, planes ? DRM_FORMAT_ARGB8888 : DRM_FORMAT_XRGB8888);
}

/* ---- what is under way ---- */

void kms_begin(struct kms *kms, enum kms_under_way what)
{
    kms->under_way = what;
    kms->event_ns = kms->not_before_ns = 0;
    kms->committed_ns = clock_now_ns();
    pacer_next(&kms->pacer);
    if (kms->self_paced)
        kms->not_before_ns = kms->pacer.due_ns;
    else
        pacer_at(&kms->pacer, kms->committed_ns + LOST_NS);
}

/* Drivers without vertical blanks stamp an event when they send it, or not at all. */
static void on_flip(int fd, unsigned sequence, unsigned seconds, unsigned microseconds, unsigned crtc,
                    void *user)
{
    struct kms *kms = user;
    uint64_t now = clock_now_ns(), period = kms->pacer.period_ns;
    uint64_t stamp = seconds * 1000000000ull + microseconds * 1000ull;
    bool plausible = kms->monotonic && stamp <= now + period && stamp + period + 1000000 >= kms->committed_ns;
    (void)fd;
    (void)sequence;
    (void)crtc;
    kms->event_ns = plausible ? stamp : now;
}

static int read_events(struct kms *kms)
{
    drmEventContext context = {.version = 3, .page_flip_handler2 = on_flip};
    struct pollfd card = {.fd = kms->card.fd, .events = POLLIN};
    if (poll(&card, 1, 0) <= 0)
        return 0;
    if (card.revents & (POLLERR | POLLHUP | POLLNVAL))
        return -ENODEV;
    return drmHandleEvent(kms->card.fd, &context) && errno != EAGAIN && errno != EINTR ? -EIO : 0;
}

static bool is_over(struct kms *kms)
{
    uint64_t due;
    bool tick = pacer_due(&kms->pacer, &due);
    uint64_t now = clock_now_ns(); /* after the pacer's, which goes off: what was due for it is due here */
    if (!kms->under_way)
        return false;
    if (!kms->event_ns && now - kms->committed_ns >= LOST_NS) {
        log_warning("%s: no event after two seconds; going on", kms->screen.info.name);
        kms->event_ns = now;
    } else if (!kms->event_ns && tick) {
        pacer_at(&kms->pacer, kms->committed_ns + LOST_NS);
    }
    return kms->event_ns && now >= kms->not_before_ns;
}

static int complete(struct kms *kms, struct screen_shown *shown)
{
    int news = kms->under_way == KMS_FLIP ? SCREEN_SHOWN : SCREEN_BACK;
    if (kms->under_way == KMS_FLIP) {
        frame_unref(kms->current);
        kms->current = kms->pending;
        kms->pending = NULL;
        canvases_shown(&kms->screen.canvases);
        *shown = (struct screen_shown){kms->taken_ns, kms->event_ns};
    }
    kms->under_way = KMS_NOTHING;
    pacer_at(&kms->pacer, 0);
    if (!kms->away && !kms->gone && !kms->rests)
        return news;
    if (kms->away)
        kms_release_frames(kms);
    else
        kms_go_dark(kms);
    kms_come_back(kms); /* what came while this was under way had to wait */
    return news & SCREEN_SHOWN;
}

/* ---- the terminal ---- */

static void let_go(struct kms *kms)
{
    if (kms->seat) {
        kms->console.left = true;
        kms_seat_let_go(kms->seat);
    } else {
        drmDropMaster(kms->card.fd);
        console_let_go(&kms->console);
    }
}

static int take_terminal(struct kms *kms)
{
    int event = kms->seat ? kms_seat_dispatch(kms->seat) : (int)console_dispatch(&kms->console);
    switch (event) {
    case CONSOLE_LEAVES:
        let_go(kms);
        if (!kms->console.left) /* a false alarm */
            return drmSetMaster(kms->card.fd) ? -EACCES : 0;
        if (kms->away)
            return 0;
        kms->away = true;
        if (!kms->under_way)
            kms_release_frames(kms);
        return SCREEN_AWAY;
    case CONSOLE_COMES:
        kms->console.left = false;
        return kms_come_back(kms);
    default:
        return event < 0 ? event : 0;
    }
}

static int kms_dispatch(struct screen *screen, struct screen_shown *shown)
{
    struct kms *kms = (struct kms *)screen;
    int news = kms->news, status = read_events(kms);
    kms->news = 0;
    if (status || kms->taken)
        return status ? status : -EBUSY;
    if (is_over(kms))
        news |= complete(kms, shown);
    status = take_terminal(kms);
    return status < 0 ? status : news | status;
}

/* ---- updates ---- */

static bool kms_ready(const struct screen *screen)
{
    const struct kms *kms = (const struct kms *)screen;
    return !kms->under_way && !kms->gone && !kms->away && !kms->rests;
}

static int kms_finish(struct screen *screen, struct canvas *canvas)
{
    (void)screen;
    (void)canvas;
    return 0;
}

static uint32_t fb_of(const struct canvas_slot *slot)
{
    return slot && !slot->retired ? ((const struct kms_buffer *)slot->memory)->fb : 0;
}

static int fall_back(struct kms *kms, int status)
{
    struct screen_info *info = &kms->screen.info;
    snprintf(info->why, sizeof(info->why), "the planes were refused while running: %s", strerror(-status));
    info->way = SCREEN_COMPOSE;
    kms->layout = (struct kms_layout){0};
    status = kms_add_canvases(kms, DRM_FORMAT_XRGB8888);
    return status ? status : -ENOTSUP;
}

static int refused(struct kms *kms, int status)
{
    switch (status) {
    case -EBUSY:
        pacer_next(&kms->pacer); /* so that somebody comes and tries again */
        return -EBUSY;
    case -EACCES:
    case -EPERM:
        kms->away = true;
        kms->taken = !kms->seat && !kms->console.left; /* a seat tells of the switch later */
        kms->news |= SCREEN_AWAY;
        pacer_at(&kms->pacer, clock_now_ns());
        return -EACCES;
    case -ENODEV:
    case -ENXIO:
        kms->gone = true;
        kms->news |= SCREEN_GONE;
        pacer_at(&kms->pacer, clock_now_ns());
        return -ENODEV;
    default:
        return kms->screen.info.way == SCREEN_PLANES ? fall_back(kms, status) : status;
    }
}

/* canvas: the one that is new on the plane; NULL: none is. */
static int commit(struct kms *kms, struct kms_request *request, const struct kms_plane *plane,
                  const struct canvas_slot *canvas)
{
    uint32_t damage = canvas ? kms_damage(kms, plane, canvas) : 0;
    if (damage)
        kms_set(request, &plane->object, KMS_DAMAGE, damage);
    int status = kms_commit(request, &kms->card, DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT, kms);
    if (damage)
        drmModeDestroyPropertyBlob(kms->card.fd, damage);
    if (status)
        return refused(kms, status);
    kms_planes_lit(kms);
    kms_begin(kms, KMS_FLIP);
    return 0;
}

static int present_planes(struct kms *kms, const struct screen_update *update, struct canvas_slot *labels)
{
    struct kms_request request;
    uint32_t fb;
    int status = kms_import(kms->link, update->frame, &fb);
    if (status)
        return refused(kms, status);
    const struct canvas_slot *seen = labels ? labels : canvases_current(&kms->screen.canvases);
    kms_request_init(&request);
    kms_planes_request(kms, &request, &kms->layout, update->frame, fb, fb_of(seen));
    status = commit(kms, &request, kms->layout.labels, labels);
    if (!status)
        kms->pending = frame_ref(update->frame);
    return status;
}

static int present_canvas(struct kms *kms, const struct canvas_slot *slot)
{
    struct kms_request request;
    kms_request_init(&request);
    kms_compose_request(kms, &request, fb_of(slot));
    return commit(kms, &request, kms->primary, slot);
}

static int kms_present(struct screen *screen, const struct screen_update *update)
{
    struct kms *kms = (struct kms *)screen;
    bool planes = screen->info.way == SCREEN_PLANES;
    struct canvas *canvas = planes ? update->labels : update->picture;
    struct canvas_slot *slot = canvas ? canvases_lent(&screen->canvases, canvas) : NULL;
    if (kms->gone || kms->away)
        return kms->gone ? -ENODEV : -EACCES;
    if (kms->under_way || kms->rests)
        return -EBUSY;
    bool right = planes ? update->frame && !update->picture : slot && !update->frame && !update->labels;
    if (!right || (canvas && !slot))
        return -EINVAL;
    int status = planes ? present_planes(kms, update, slot) : present_canvas(kms, slot);
    if (status)
        return status;
    if (slot)
        canvases_present(&screen->canvases, slot);
    kms->taken_ns = update->time_ns;
    return 0;
}

const struct screen_kind screen_kms = {kms_open,  kms_close,  kms_adapt,   kms_dispatch, kms_recheck,
                                       kms_ready, kms_finish, kms_present, kms_rest};
