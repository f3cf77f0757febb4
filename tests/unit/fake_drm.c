/* SPDX-License-Identifier: MIT */
#include "fake_drm_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>

struct fake fake;

enum { ITEMS_MAX = 256, BLOBS_MAX = 32, FIRST_IMPORT = 1 << 24 };

const char *const fake_names[FAKE_NAMES] = {
    "CRTC_ID", "MODE_ID",  "ACTIVE",         "FB_ID",          "SRC_X",       "SRC_Y",
    "SRC_W",   "SRC_H",    "CRTC_X",         "CRTC_Y",         "CRTC_W",      "CRTC_H",
    "type",    "rotation", "zpos",           "COLOR_ENCODING", "COLOR_RANGE", "pixel blend mode",
    "alpha",   "EDID",     "FB_DAMAGE_CLIPS"};

struct state fake_now;
static int pipe_ends[2] = {-1, -1};
static void *flip_user;
static uint64_t flip_stamp;
static uint32_t next_id;
static bool imported[100]; /* dmabufs by descriptor - 500 */
static struct {
    uint32_t id, size;
    bool gone;
    char data[1024];
} blobs[BLOBS_MAX];

/* ---- values ---- */

static uint32_t property_id(const char *name)
{
    for (int i = 0; i < FAKE_NAMES; i++)
        if (!strcmp(fake_names[i], name))
            return FAKE_PROPERTY + (uint32_t)i;
    return 0;
}

static struct value *find(struct state *state, uint32_t object, uint32_t property)
{
    for (int i = 0; i < state->count; i++)
        if (state->value[i].object == object && state->value[i].property == property)
            return &state->value[i];
    return NULL;
}

static uint64_t get(struct state *state, uint32_t object, const char *name)
{
    struct value *value = find(state, object, property_id(name));
    return value ? value->value : 0;
}

uint64_t fake_value(uint32_t object, const char *property)
{
    return get(&fake_now, object, property);
}

void fake_set(uint32_t object, const char *property, uint64_t value)
{
    struct value *at = find(&fake_now, object, property_id(property));
    if (!at)
        at = &fake_now.value[fake_now.count++];
    *at = (struct value){object, property_id(property), value};
}

const struct fake_plane *fake_plane(uint32_t id)
{
    for (int i = 0; i < fake.plane_count; i++)
        if (fake.planes[i].id == id)
            return &fake.planes[i];
    return NULL;
}

drmModeModeInfo fake_mode(int width, int height, int rate, bool preferred)
{
    drmModeModeInfo mode = {.hdisplay = (uint16_t)width,
                            .vdisplay = (uint16_t)height,
                            .htotal = (uint16_t)(width + 100),
                            .vtotal = (uint16_t)(height + 50),
                            .vrefresh = (uint32_t)rate,
                            .type = preferred ? DRM_MODE_TYPE_PREFERRED : 0};
    mode.clock = (uint32_t)((width + 100) * (height + 50) * (int64_t)rate / 1000);
    snprintf(mode.name, sizeof(mode.name), "%dx%d", width, height);
    return mode;
}

/* A console as a kernel shows it: one framebuffer on the primary plane, and a cursor left over by somebody.
 */
static void show_console(void)
{
    drmModeModeInfo mode = fake_mode(1024, 768, 60, false);
    fake.fbs[0] = (struct fake_fb){FAKE_CONSOLE_FB, 1024, 768, DRM_FORMAT_XRGB8888, {4096}, {0}};
    blobs[0].id = 900;
    blobs[0].size = sizeof(mode);
    memcpy(blobs[0].data, &mode, sizeof(mode));
    fake_set(FAKE_CONNECTOR, "CRTC_ID", FAKE_CRTC);
    fake_set(FAKE_CRTC, "MODE_ID", 900);
    fake_set(FAKE_CRTC, "ACTIVE", 1);
    fake_set(51, "FB_ID", FAKE_CONSOLE_FB);
    fake_set(51, "CRTC_ID", FAKE_CRTC);
    fake_set(51, "SRC_W", 1024ull << 16);
    fake_set(51, "SRC_H", 768ull << 16);
    fake_set(51, "CRTC_W", 1024);
    fake_set(51, "CRTC_H", 768);
}

void fake_make_values(void)
{
    static const char *const of_plane[] = {"CRTC_ID", "FB_ID",  "SRC_X",  "SRC_Y",  "SRC_W", "SRC_H",
                                           "CRTC_X",  "CRTC_Y", "CRTC_W", "CRTC_H", "alpha"};
    fake_now.count = 0;
    for (uint32_t c = 0; c < 2; c++) {
        fake_set(FAKE_CONNECTOR + c, "CRTC_ID", 0);
        fake_set(FAKE_CONNECTOR + c, "EDID", 0);
        fake_set(FAKE_CRTC + c, "MODE_ID", 0);
        fake_set(FAKE_CRTC + c, "ACTIVE", 0);
    }
    for (int i = 0; i < fake.plane_count; i++) {
        const struct fake_plane *plane = &fake.planes[i];
        for (size_t p = 0; p < sizeof(of_plane) / sizeof(of_plane[0]); p++)
            fake_set(plane->id, of_plane[p], 0);
        fake_set(plane->id, "alpha", 0xffff);
        fake_set(plane->id, "type", plane->type);
        if (plane->zmax)
            fake_set(plane->id, "zpos", plane->zmin);
        if (plane->rotations)
            fake_set(plane->id, "rotation", DRM_MODE_ROTATE_0);
        if (plane->colours) {
            fake_set(plane->id, "COLOR_ENCODING", 5);
            fake_set(plane->id, "COLOR_RANGE", 8);
        }
        if (plane->damages)
            fake_set(plane->id, "FB_DAMAGE_CLIPS", 0);
        if (plane->blends)
            fake_set(plane->id, "pixel blend mode", 3);
    }
    show_console();
}

void fake_reset(void)
{
    fake_finish();
    fake = (struct fake){
        .planes = {{51, DRM_PLANE_TYPE_PRIMARY, 1, {DRM_FORMAT_XRGB8888}, 0, 0, 0},
                   {52, DRM_PLANE_TYPE_OVERLAY, 1, {DRM_FORMAT_NV12, DRM_FORMAT_YUYV, DRM_FORMAT_ARGB8888}},
                   {53, DRM_PLANE_TYPE_OVERLAY, 1, {DRM_FORMAT_NV12, DRM_FORMAT_ARGB8888}},
                   {54, DRM_PLANE_TYPE_CURSOR, 1, {DRM_FORMAT_ARGB8888}},
                   {55, DRM_PLANE_TYPE_PRIMARY, 2, {DRM_FORMAT_XRGB8888}}},
        .plane_count = 5,
        .vblank = true,
        .atomic = true,
        .dumb = true,
        .monotonic = true,
        .overlays_max = 8,
        .allocations_left = 1000,
    };
    for (int i = 1; i < 3; i++) {
        fake.planes[i].scales = fake.planes[i].anywhere = fake.planes[i].colours = true;
        fake.planes[i].bt709 = fake.planes[i].blends = true;
        fake.planes[i].zmin = 1;
        fake.planes[i].zmax = 4;
        fake.planes[i].rotations = DRM_MODE_ROTATE_0 | DRM_MODE_ROTATE_180 | DRM_MODE_REFLECT_X;
    }
    fake.connectors[0] =
        (struct fake_connector){DRM_MODE_CONNECTED,
                                {fake_mode(1920, 1080, 30, false), fake_mode(1280, 720, 50, false),
                                 fake_mode(1280, 720, 60, true), fake_mode(640, 480, 75, false)},
                                4};
    fake.connectors[1].status = DRM_MODE_DISCONNECTED;
    next_id = 1000;
    memset(blobs, 0, sizeof(blobs));
    memset(imported, 0, sizeof(imported));
    fake_make_values();
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK))
        perror("pipe2");
    fake_console_reset();
}

void fake_finish(void)
{
    for (int i = 0; i < 2; i++) {
        if (pipe_ends[i] >= 0)
            close(pipe_ends[i]);
        pipe_ends[i] = -1;
    }
    fake_console_finish();
}

/* ---- the system ---- */

int kms_system_cards(char (*paths)[64], int max)
{
    (void)max;
    snprintf(paths[0], 64, "/dev/dri/card0");
    return 1;
}

int kms_system_open(const char *path)
{
    (void)path;
    if (!fake.open_error)
        fake.master = !fake.other_master; /* the first to open it */
    return fake.open_error ? fake.open_error : fcntl(pipe_ends[0], F_DUPFD_CLOEXEC, 0);
}

void *kms_system_map(int fd, size_t size, uint64_t offset)
{
    (void)fd;
    (void)offset;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map == MAP_FAILED ? NULL : map;
}

/* ---- the card ---- */

drmVersionPtr drmGetVersion(int fd)
{
    (void)fd;
    drmVersionPtr version = calloc(1, sizeof(*version));
    if (version)
        version->name = "fake";
    return version;
}

void drmFreeVersion(drmVersionPtr version)
{
    free(version);
}

int drmGetCap(int fd, uint64_t capability, uint64_t *value)
{
    (void)fd;
    *value = capability == DRM_CAP_DUMB_BUFFER ? fake.dumb : fake.monotonic;
    return 0;
}

int drmSetClientCap(int fd, uint64_t capability, uint64_t value)
{
    (void)fd;
    (void)value;
    errno = EOPNOTSUPP;
    return capability == DRM_CLIENT_CAP_ATOMIC && !fake.atomic ? -1 : 0;
}

int drmIsMaster(int fd)
{
    (void)fd;
    return fake.master;
}

int drmSetMaster(int fd)
{
    (void)fd;
    fake.master = !fake.other_master;
    errno = EBUSY;
    return fake.master ? 0 : -1;
}

int drmDropMaster(int fd)
{
    (void)fd;
    fake.master = false;
    return 0;
}

int drmCrtcGetSequence(int fd, uint32_t crtc, uint64_t *sequence, uint64_t *ns)
{
    (void)fd;
    (void)crtc;
    *sequence = *ns = 0;
    errno = EOPNOTSUPP;
    return fake.vblank ? 0 : -1;
}

/* A CRTC keeps its mode, whoever destroys it. */
static bool in_use(uint32_t blob)
{
    return blob &&
           (get(&fake_now, FAKE_CRTC, "MODE_ID") == blob || get(&fake_now, FAKE_CRTC + 1, "MODE_ID") == blob);
}

int drmModeCreatePropertyBlob(int fd, const void *data, size_t size, uint32_t *id)
{
    (void)fd;
    for (int i = 0; i < BLOBS_MAX; i++)
        if ((!blobs[i].id || blobs[i].gone) && !in_use(blobs[i].id) && size <= sizeof(blobs[i].data)) {
            *id = blobs[i].id = ++next_id;
            blobs[i].gone = false;
            blobs[i].size = (uint32_t)size;
            memcpy(blobs[i].data, data, size);
            fake.blobs++;
            return 0;
        }
    return -ENOMEM;
}

int drmModeDestroyPropertyBlob(int fd, uint32_t id)
{
    (void)fd;
    for (int i = 0; i < BLOBS_MAX; i++)
        if (blobs[i].id == id && !blobs[i].gone && id != 900) {
            blobs[i].gone = true;
            fake.blobs--;
            return 0;
        }
    fake.faults++;
    return -ENOENT;
}

drmModePropertyBlobPtr drmModeGetPropertyBlob(int fd, uint32_t id)
{
    (void)fd;
    for (int i = 0; i < BLOBS_MAX; i++)
        if (id && blobs[i].id == id) {
            drmModePropertyBlobPtr blob = calloc(1, sizeof(*blob));
            blob->id = id;
            blob->length = blobs[i].size;
            blob->data = malloc(blob->length);
            memcpy(blob->data, blobs[i].data, blob->length);
            return blob;
        }
    errno = ENOENT;
    return NULL;
}

void drmModeFreePropertyBlob(drmModePropertyBlobPtr blob)
{
    if (blob)
        free(blob->data);
    free(blob);
}

/* ---- buffers ---- */

int drmModeCreateDumbBuffer(int fd, uint32_t width, uint32_t height, uint32_t bpp, uint32_t flags,
                            uint32_t *handle, uint32_t *pitch, uint64_t *size)
{
    (void)fd;
    (void)flags;
    if (fake.allocations_left-- <= 0)
        return -ENOMEM;
    fake.handles++;
    *handle = ++next_id;
    *pitch = (width * bpp / 8 + 63) / 64 * 64;
    *size = (uint64_t)*pitch * height;
    return 0;
}

int drmModeDestroyDumbBuffer(int fd, uint32_t handle)
{
    return drmCloseBufferHandle(fd, handle);
}

int drmModeMapDumbBuffer(int fd, uint32_t handle, uint64_t *offset)
{
    (void)fd;
    *offset = handle;
    return 0;
}

int drmPrimeFDToHandle(int fd, int prime, uint32_t *handle)
{
    (void)fd;
    fake.faults += prime < 500 || prime > 599; /* not one of the tests' descriptors */
    if (*handle != 0 || prime == 599) {
        errno = EINVAL;
        return -1;
    }
    *handle = FIRST_IMPORT + (uint32_t)prime; /* one buffer, one handle, however often it is asked for */
    fake.handles += !imported[prime - 500];
    imported[prime - 500] = true;
    return 0;
}

int drmCloseBufferHandle(int fd, uint32_t handle)
{
    (void)fd;
    bool import = handle >= FIRST_IMPORT;
    fake.faults += !handle || (import && !imported[handle - FIRST_IMPORT - 500]);
    if (import)
        imported[handle - FIRST_IMPORT - 500] = false;
    fake.handles--;
    return 0;
}

/* Since Linux 6.2 a card refuses what none of its planes can show. */
static bool any_plane_takes(uint32_t format)
{
    for (int i = 0; i < FAKE_PLANES_MAX; i++)
        for (int f = 0; f < 8; f++)
            if (fake.planes[i].formats[f] == format)
                return true;
    return false;
}

int drmModeAddFB2(int fd, uint32_t width, uint32_t height, uint32_t format, const uint32_t handles[4],
                  const uint32_t pitches[4], const uint32_t offsets[4], uint32_t *id, uint32_t flags)
{
    (void)fd;
    (void)flags;
    if (!any_plane_takes(format))
        return -EINVAL;
    for (int i = 0; i < FAKE_FBS_MAX && handles[0]; i++)
        if (!fake.fbs[i].id) {
            *id = ++next_id;
            fake.fbs[i] = (struct fake_fb){*id, width, height, format, {0}, {0}, handles[0] >= FIRST_IMPORT};
            memcpy(fake.fbs[i].pitch, pitches, sizeof(fake.fbs[i].pitch));
            memcpy(fake.fbs[i].offset, offsets, sizeof(fake.fbs[i].offset));
            return 0;
        }
    return -ENOMEM;
}

const struct fake_fb *fake_fb(uint32_t id)
{
    for (int i = 0; id && i < FAKE_FBS_MAX; i++)
        if (fake.fbs[i].id == id)
            return &fake.fbs[i];
    return NULL;
}

int fake_fbs(void)
{
    int count = 0;
    for (int i = 0; i < FAKE_FBS_MAX; i++)
        count += fake.fbs[i].id && fake.fbs[i].id != FAKE_CONSOLE_FB;
    return count;
}

void fake_card_closed(void)
{
    for (int i = 0; i < FAKE_FBS_MAX; i++)
        if (fake.fbs[i].imported)
            fake.fbs[i].id = 0;
}

/* A plane that shows it goes dark, as in the kernel; nobody who means well lets that happen. */
int drmModeRmFB(int fd, uint32_t id)
{
    (void)fd;
    for (int i = 0; i < fake.plane_count; i++)
        fake.faults += get(&fake_now, fake.planes[i].id, "FB_ID") == id;
    for (int i = 0; i < FAKE_FBS_MAX; i++)
        if (fake.fbs[i].id == id) {
            fake.fbs[i].id = 0;
            return 0;
        }
    fake.faults++;
    return -ENOENT;
}

/* ---- commits ---- */

struct _drmModeAtomicReq {
    struct value item[ITEMS_MAX];
    int count;
};

drmModeAtomicReqPtr drmModeAtomicAlloc(void)
{
    fake.requests++;
    return calloc(1, sizeof(struct _drmModeAtomicReq));
}

void drmModeAtomicFree(drmModeAtomicReqPtr request)
{
    fake.requests -= request != NULL;
    free(request);
}

int drmModeAtomicAddProperty(drmModeAtomicReqPtr request, uint32_t object, uint32_t property, uint64_t value)
{
    if (property / 1000 != object)
        return -EINVAL; /* not a property of this object */
    request->item[request->count] = (struct value){object, property % 1000, value};
    return ++request->count;
}

static int check_plane(struct state *next, const struct fake_plane *plane)
{
    uint32_t fb_id = (uint32_t)get(next, plane->id, "FB_ID"),
             crtc = (uint32_t)get(next, plane->id, "CRTC_ID");
    uint64_t width = get(next, plane->id, "SRC_W"), height = get(next, plane->id, "SRC_H");
    const struct fake_fb *fb = fake_fb(fb_id);
    bool takes = false;
    if (!fb_id != !crtc)
        return -EINVAL;
    if (!fb_id)
        return 0;
    if (!fb)
        return -ENOENT;
    for (int f = 0; f < 8; f++)
        takes = takes || plane->formats[f] == fb->format;
    if (!takes || !(plane->crtcs & 1u << (crtc - FAKE_CRTC)))
        return -EINVAL;
    if (get(next, plane->id, "SRC_X") + width > (uint64_t)fb->width << 16 ||
        get(next, plane->id, "SRC_Y") + height > (uint64_t)fb->height << 16)
        return -ENOSPC;
    uint64_t shown_width = get(next, plane->id, "CRTC_W"), shown_height = get(next, plane->id, "CRTC_H");
    if (!plane->scales && (shown_width != width >> 16 || shown_height != height >> 16))
        return -ERANGE;
    drmModePropertyBlobPtr mode = drmModeGetPropertyBlob(0, (uint32_t)get(next, crtc, "MODE_ID"));
    bool covers = mode && shown_width == ((drmModeModeInfo *)mode->data)->hdisplay &&
                  shown_height == ((drmModeModeInfo *)mode->data)->vdisplay;
    drmModeFreePropertyBlob(mode);
    return covers || plane->anywhere ? 0 : -EINVAL;
}

static int check(struct state *next)
{
    int overlays = 0;
    for (int i = 0; i < fake.plane_count; i++) {
        int status = check_plane(next, &fake.planes[i]);
        if (status)
            return status;
        overlays += fake.planes[i].type == DRM_PLANE_TYPE_OVERLAY && get(next, fake.planes[i].id, "FB_ID");
    }
    if (overlays > fake.overlays_max)
        return -ENOSPC;
    bool active = get(next, FAKE_CRTC, "ACTIVE");
    if (active && (!get(next, FAKE_CRTC, "MODE_ID") || get(next, FAKE_CONNECTOR, "CRTC_ID") != FAKE_CRTC))
        return -EINVAL;
    return fake.needs_primary && !get(next, FAKE_CRTC, "MODE_ID") != !get(next, 51, "FB_ID") ? -EINVAL : 0;
}

static int apply(struct state *next, const struct value *item, uint32_t flags)
{
    static const char *const modeset[] = {"MODE_ID", "ACTIVE"};
    struct value *at = find(next, item->object, item->property);
    const struct fake_plane *plane = fake_plane(item->object);
    if (!at)
        return -ENOENT;
    bool needs = item->object == FAKE_CONNECTOR || item->object == FAKE_CONNECTOR + 1;
    for (int i = 0; i < 2; i++)
        needs = needs || !strcmp(fake_names[item->property - FAKE_PROPERTY], modeset[i]);
    if (needs && at->value != item->value && !(flags & DRM_MODE_ATOMIC_ALLOW_MODESET))
        return -EINVAL;
    if (plane && item->property == property_id("zpos") &&
        (plane->zmin == plane->zmax || item->value < plane->zmin || item->value > plane->zmax))
        return -EINVAL;
    if (plane && item->property == property_id("rotation") && item->value & ~plane->rotations)
        return -EINVAL;
    at->value = item->value;
    return 0;
}

int drmModeAtomicCommit(int fd, const drmModeAtomicReqPtr request, uint32_t flags, void *user)
{
    (void)fd;
    struct state next = fake_now;
    bool test = flags & DRM_MODE_ATOMIC_TEST_ONLY;
    int status = fake.master ? 0 : -EACCES;
    fake.tests += test;
    if (!status && !test && fake.flip_pending && flags & DRM_MODE_ATOMIC_NONBLOCK)
        status = -EBUSY;
    if (!status && !test)
        status = fake.commit_error;
    for (int i = 0; i < request->count && !status; i++)
        status = apply(&next, &request->item[i], flags);
    if (!status)
        status = check(&next);
    if (status || test)
        return status;
    fake_now = next;
    fake_take_damage();
    fake.commits++;
    fake.last_flags = flags;
    fake.flip_pending = flags & DRM_MODE_PAGE_FLIP_EVENT;
    flip_user = user;
    return 0;
}

void fake_flip(uint64_t stamp_ns)
{
    flip_stamp = stamp_ns;
    fake.faults += !fake.flip_pending;
    fake.flip_pending = false;
    if (write(pipe_ends[1], "f", 1) != 1)
        fake.faults++;
}

int drmHandleEvent(int fd, drmEventContextPtr context)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        return -1;
    context->page_flip_handler2(fd, 1, (unsigned)(flip_stamp / 1000000000),
                                (unsigned)(flip_stamp / 1000 % 1000000), FAKE_CRTC, flip_user);
    return 0;
}
