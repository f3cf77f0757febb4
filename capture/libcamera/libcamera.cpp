/* SPDX-License-Identifier: MIT */
/*
 * Cameras through libcamera. It has no C interface, so this file is C++; nothing thrown leaves it.
 *
 * A Session is one open camera. It belongs to its source and to every frame that is out: after the source was
 * closed the last frame_unref() frees the mapped buffers, the camera itself having been given back long ago.
 * Requests complete on libcamera's thread, which only moves them to `done`; all else runs in the caller's.
 */
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <ostream>

#include <sys/eventfd.h>
#include <unistd.h>

#include <libcamera/libcamera.h>

#include "capture/libcamera/dmabuf.h"
extern "C" {
#include "capture/backend.h"
#include "capture/libcamera/plain.h"
}

namespace
{
using namespace libcamera;

/* ---- the manager ---- */

/* libcamera ends the process when a second manager is made, and does not tell whether there is one. So this
 * much is known to the whole process: who made it, and how many use it. */
struct Manager {
    Manager()
    {
        std::lock_guard<std::mutex> guard(lock);
        if (!users) {
            only = new CameraManager;
            status = only->start();
        }
        users++;
    }
    ~Manager()
    {
        std::lock_guard<std::mutex> guard(lock);
        if (!--users)
            delete only;
    }
    Manager(const Manager &) = delete;
    Manager &operator=(const Manager &) = delete;
    static inline std::mutex lock;
    static inline CameraManager *only = nullptr;
    static inline int users = 0, status = 0; /* status: of start() */
};

std::string name_of(const Camera &camera)
{
    return camera.properties().get(properties::Model).value_or(camera.id());
}

std::string holders()
{
    char text[128];
    media_holders(text, sizeof(text));
    return text;
}

uint32_t frame_format(const PixelFormat &format)
{
    return format.modifier() ? 0 : format_from_drm(format.fourcc());
}

/* ---- controls ---- */

std::optional<double> number(const ControlValue &value)
{
    const std::string text = value.toString();
    if (value.isArray() || value.type() < ControlTypeBool || value.type() > ControlTypeFloat)
        return std::nullopt;
    return value.type() == ControlTypeBool ? text == "true" : std::strtod(text.c_str(), nullptr);
}

/* The rate is a setting of its own. */
bool settable(const ControlId &id, const ControlInfo &info)
{
#if __has_include(<libcamera/orientation.h>)
    if (id.isArray())
        return false;
#endif
    return id.id() != controls::FrameDurationLimits.id() && id.id() != controls::ColourGains.id() &&
           id.id() != controls::ColourCorrectionMatrix.id() && number(info.min()) && number(info.max());
}

/* The number of a menu's entry, which libcamera tells since 0.4 ("awb_auto"), else none. */
std::optional<double> entry(const ControlId &id, const char *text)
{
#if __has_include(<libcamera/orientation.h>)
    for (const auto &[number, camel] : id.enumerators()) {
        char name[64];
        control_name(name, sizeof(name), camel.c_str());
        if (!std::strcmp(name, text))
            return number;
    }
#endif
    return std::nullopt;
}

std::optional<ControlValue> parse(const ControlId &id, const ControlInfo &info, const char *text)
{
    const ControlType type = id.type();
    const auto named = entry(id, text);
    char *end = nullptr;
    double value = named ? *named : std::strtod(text, &end);
    bool valid =
        (named || (end != text && !*end)) && value >= *number(info.min()) && value <= *number(info.max());
    if (type == ControlTypeBool) {
        value = !std::strcmp(text, "true");
        valid = value != 0 || !std::strcmp(text, "false");
    }
    if (!valid || (type != ControlTypeFloat && value != std::nearbyint(value)))
        return std::nullopt;
    switch (type) {
    case ControlTypeBool:
        return ControlValue(value != 0);
    case ControlTypeByte:
        return ControlValue(static_cast<uint8_t>(value));
    case ControlTypeInteger32:
        return ControlValue(static_cast<int32_t>(value));
    case ControlTypeInteger64:
        return ControlValue(static_cast<int64_t>(value));
    default:
        return ControlValue(static_cast<float>(value));
    }
}

int set_control(ControlList &list, const ControlInfoMap &all, const source_control &control,
                source_error *error)
{
    std::string names;
    for (const auto &[id, info] : all) {
        char name[sizeof(control.name)];
        control_name(name, sizeof(name), id->name().c_str());
        if (!settable(*id, info))
            continue;
        names += std::string(names.empty() ? "" : ", ") + name;
        if (std::strcmp(name, control.name) != 0)
            continue;
        const auto value = parse(*id, info, control.value);
        if (!value)
            return source_fail(error, -EINVAL, "'%s' makes no sense for %s, which is %s to %s", control.value,
                               control.name, info.min().toString().c_str(), info.max().toString().c_str());
        list.set(id->id(), *value);
        return 0;
    }
    return source_fail(error, -EINVAL, "this camera has no control '%s'; it has %s", control.name,
                       names.empty() ? "none" : names.c_str());
}

/* ---- a session ---- */

struct Session;

struct Buffer {
    ~Buffer()
    {
        if (picture.drop)
            picture.drop(picture.screen);
        dmabuf_finish(&mapped);
    }
    frame picture = {};
    dmabuf mapped = {};
    FrameBuffer *memory = nullptr;
    std::unique_ptr<Request> request;
    std::shared_ptr<Session> keeper; /* while the frame is out */
};

struct Session : source {
    Session() : source()
    {
        kind = &pipit_libcamera; /* not source_libcamera, which only loads this module */
        fd = -1;
    }
    ~Session()
    {
        close();
    }
    int open(const char *id, const source_settings &wanted, source_error *error);
    int configure(const source_settings &wanted, source_error *error);
    int allocate(const source_settings &wanted, source_error *error);
    int start(const source_settings &wanted, source_error *error);
    void close() noexcept;
    void queue(Buffer *buffer);
    Buffer *completed(int *status);
    void request_completed(Request *request);
    void disconnected();
    std::shared_ptr<Session> self; /* until it is closed */
    uint32_t expected = 0;         /* the next sequence number, 0: unknown */

    std::mutex lock; /* of what libcamera's thread and those of the frames' last unref touch: */
    bool running = false, gone = false;
    std::vector<Buffer *> done;

    std::optional<Manager> manager;
    std::shared_ptr<Camera> camera;
    std::unique_ptr<CameraConfiguration> configuration;
    std::unique_ptr<FrameBufferAllocator> allocator;
    std::vector<std::unique_ptr<Buffer>> buffers;
};

void Session::request_completed(Request *request)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!running || request->status() == Request::RequestCancelled)
        return;
    done.push_back(buffers[request->cookie()].get());
    eventfd_write(fd, 1);
}

void Session::disconnected()
{
    std::lock_guard<std::mutex> guard(lock);
    gone = true;
    if (running)
        eventfd_write(fd, 1);
}

/* The oldest that is done, or NULL and -EAGAIN or -ENODEV. */
Buffer *Session::completed(int *status)
{
    std::lock_guard<std::mutex> guard(lock);
    Buffer *buffer = nullptr;
    eventfd_t count;
    if (!done.empty()) {
        buffer = done.front();
        done.erase(done.begin());
    }
    if (done.empty() && !gone)
        eventfd_read(fd, &count);
    *status = buffer ? 0 : gone ? -ENODEV : -EAGAIN;
    return buffer;
}

void Session::queue(Buffer *buffer)
{
    std::lock_guard<std::mutex> guard(lock);
    if (!running)
        return;
    buffer->request->reuse(Request::ReuseBuffers);
    camera->queueRequest(buffer->request.get()); /* fails when the camera is gone, which it tells itself */
}

void Session::close() noexcept
{
    lock.lock();
    const bool started = running;
    running = false;
    lock.unlock();
    if (camera) {
        if (started)
            camera->stop(); /* returns when all requests have been completed as cancelled */
        camera->requestCompleted.disconnect(this);
        camera->disconnected.disconnect(this);
        for (auto &buffer : buffers)
            buffer->request.reset();
        allocator.reset();
        configuration.reset();
        camera->release();
        camera.reset();
    }
    manager.reset();
    if (fd >= 0)
        ::close(fd);
    fd = -1;
}

/* ---- opening ---- */

bool choose(StreamConfiguration &stream, const source_settings &wanted)
{
    const Size size(wanted.width ? wanted.width : 1280, wanted.height ? wanted.height : 720);
    const StreamFormats all = stream.formats();
    int64_t best = -1;
    for (const PixelFormat &format : all.pixelformats()) {
        std::vector<Size> sizes = all.sizes(format);
        const SizeRange range = all.range(format);
        if (range.hStep && range.vStep && range.contains(size))
            sizes.push_back(size);
        for (const Size &other : sizes) {
            const int64_t cost = format_cost(frame_format(format), static_cast<int>(other.width),
                                             static_cast<int>(other.height), &wanted);
            if (cost < 0 || (best >= 0 && cost >= best))
                continue;
            best = cost;
            stream.pixelFormat = format;
            stream.size = other;
        }
    }
    return best >= 0;
}

/* What was done to an upright picture, by libcamera's word. Asked for none, it undoes how the sensor is
 * mounted where it can, and says what is left; before version 0.2 only the pipelines do that which turn at
 * all. */
Transform left_over(CameraConfiguration &configuration, const Camera &camera)
{
#if __has_include(<libcamera/orientation.h>)
    static_cast<void>(camera);
    return configuration.orientation / Orientation::Rotate0;
#else
    const int rotation = camera.properties().get(properties::Rotation).value_or(0);
    const Transform left = configuration.transform;
    configuration.transform = Transform::Rot180;
    configuration.validate();
    const bool turns = configuration.transform != Transform::Identity;
    configuration.transform = left;
    configuration.validate();
    return turns ? left : transformFromRotation(rotation);
#endif
}

/* Undoes a transform: flips, then a transposition. */
turn upright(Transform transform)
{
    static constexpr turn turns[] = {{0, false},  {0, true},   {180, true},  {180, false},
                                     {270, true}, {90, false}, {270, false}, {90, true}};
    return turns[static_cast<int>(transform) & 7];
}

int Session::configure(const source_settings &wanted, source_error *error)
{
    configuration = camera->generateConfiguration({StreamRole::Viewfinder});
    if (!configuration || configuration->empty() || !choose(configuration->at(0), wanted))
        return source_fail(error, -ENOTSUP, "%s has no format that Pipit %s", info.name,
                           wanted.format ? "was told to take" : "knows");
    StreamConfiguration &stream = configuration->at(0);
    stream.bufferCount = wanted.buffers ? wanted.buffers : 6;
    if (configuration->validate() == CameraConfiguration::Invalid || !frame_format(stream.pixelFormat))
        return source_fail(error, -ENOTSUP, "%s refuses %s", info.name, stream.toString().c_str());
    info.turn = upright(left_over(*configuration, *camera));
    const int status = camera->configure(configuration.get());
    if (status)
        return source_fail(error, -EIO, "%s cannot be set to %s: %s", info.name, stream.toString().c_str(),
                           std::strerror(-status));
    info.format = frame_format(stream.pixelFormat);
    info.width = static_cast<int>(stream.size.width);
    info.height = static_cast<int>(stream.size.height);
    return 0;
}

void release(frame *picture)
{
    auto *buffer = static_cast<Buffer *>(picture->owner);
    const std::shared_ptr<Session> session = std::move(buffer->keeper); /* may be the last to hold it */
    dmabuf_end(&buffer->mapped);
    session->queue(buffer);
}

int Session::allocate(const source_settings &wanted, source_error *error)
{
    const StreamConfiguration &stream = configuration->at(0);
    const auto colour = stream.colorSpace;
    const bool full = colour && colour->range == ColorSpace::Range::Full;
    const bool wide = colour && (colour->ycbcrEncoding == ColorSpace::YcbcrEncoding::Rec709 ||
                                 colour->ycbcrEncoding == ColorSpace::YcbcrEncoding::Rec2020);
    allocator = std::make_unique<FrameBufferAllocator>(camera);
    if (allocator->allocate(stream.stream()) <= 0)
        return source_fail(error, -ENOMEM, "%s gives no buffers", info.name);
    for (const auto &memory : allocator->buffers(stream.stream())) {
        buffers.push_back(std::make_unique<Buffer>());
        Buffer &buffer = *buffers.back();
        buffer.memory = memory.get();
        buffer.picture.format = info.format;
        buffer.picture.width = info.width;
        buffer.picture.height = info.height;
        buffer.picture.matrix = wide ? FRAME_MATRIX_709 : FRAME_MATRIX_601;
        buffer.picture.full_range = full || info.format == FRAME_MJPEG;
        buffer.picture.release = release;
        buffer.picture.owner = &buffer;
        std::vector<dmabuf_plane> planes;
        for (const auto &plane : memory->planes())
            planes.push_back({plane.fd.get(), plane.offset, plane.length});
        if (dmabuf_init(&buffer.mapped, &buffer.picture, planes.data(), static_cast<int>(planes.size()),
                        stream.stride, wanted.export_dmabuf))
            return source_fail(error, -EIO, "the buffers of %s cannot be read", info.name);
        buffer.request = camera->createRequest(buffers.size() - 1);
        if (!buffer.request || buffer.request->addBuffer(stream.stream(), memory.get()))
            return source_fail(error, -ENOMEM, "%s takes no requests", info.name);
    }
    done.reserve(buffers.size());
    return 0;
}

/* Microseconds between pictures, 0: the camera does not let it be set. */
int64_t frame_duration(const ControlInfoMap &all, double rate)
{
    const auto entry = all.find(&controls::FrameDurationLimits);
    const auto low = entry == all.end() ? std::nullopt : number(entry->second.min());
    const auto high = entry == all.end() ? std::nullopt : number(entry->second.max());
    if (!low || !high || !(*low > 0 && *low <= *high))
        return 0;
    return static_cast<int64_t>(std::clamp(1e6 / (rate > 0 ? rate : 60), *low, *high));
}

int Session::start(const source_settings &wanted, source_error *error)
{
    ControlList list(camera->controls());
    const int64_t duration = frame_duration(camera->controls(), wanted.rate);
    const int64_t limits[] = {duration, duration};
    for (int i = 0; i < wanted.controls; i++) {
        const int status = set_control(list, camera->controls(), wanted.control[i], error);
        if (status)
            return status;
    }
    if (duration)
        list.set(controls::FrameDurationLimits.id(), ControlValue(Span<const int64_t>(limits, 2)));
    info.rate = duration ? 1e6 / static_cast<double>(duration) : 0;
    camera->requestCompleted.connect(this, &Session::request_completed);
    camera->disconnected.connect(this, &Session::disconnected);
    int status = camera->start(&list);
    if (status)
        return source_fail(error, -EIO, "%s cannot be started: %s", info.name, std::strerror(-status));
    running = true;
    buffers[0]->request->controls().merge(list); /* some pipelines read those of start(), some these */
    for (const auto &buffer : buffers)
        status = status ? status : camera->queueRequest(buffer->request.get());
    return status ? source_fail(error, -EIO, "%s refuses requests: %s", info.name, std::strerror(-status))
                  : 0;
}

int Session::open(const char *id, const source_settings &wanted, source_error *error)
{
    std::string names;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    manager.emplace();
    if (fd < 0 || manager->status)
        return source_fail(error, -EIO, "libcamera cannot start: %s", std::strerror(-manager->status));
    std::shared_ptr<Camera> found;
    for (const auto &other : manager->only->cameras()) {
        names += (names.empty() ? "" : ", ") + other->id();
        if (!found && (!*id || other->id() == id))
            found = other;
    }
    if (!found && media_forbidden())
        return source_fail(error, -EACCES,
                           "the cameras may not be opened: add this user to the group 'video'");
    if (!found && names.empty())
        return source_fail(error, -ENODEV,
                           "libcamera finds no camera: check its cable and the board's setup");
    if (!found)
        return source_fail(error, -ENOENT, "there is no camera '%s'; libcamera has %s", id, names.c_str());
    std::snprintf(info.name, sizeof(info.name), "%s", name_of(*found).c_str());
    std::snprintf(info.id, sizeof(info.id), "libcamera:%s", found->id().c_str());
    std::snprintf(info.driver, sizeof(info.driver), "libcamera");
    info.dmabuf = wanted.export_dmabuf;
    int status = found->acquire();
    if (status)
        return source_fail(error, status == -EBUSY ? -EBUSY : -EIO, "%s is in use by %s", info.name,
                           holders().c_str());
    camera = found; /* to be released from here on */
    status = configure(wanted, error);
    status = status ? status : allocate(wanted, error);
    return status ? status : start(wanted, error);
}

/* ---- a source ---- */

/* False: it goes back to the camera, counted when it was damaged. */
bool accept(Session &session, Buffer &buffer)
{
    const FrameMetadata &data = buffer.memory->metadata();
    frame &picture = buffer.picture;
    const uint32_t lost = data.sequence - session.expected;
    if (data.status == FrameMetadata::FrameSuccess || data.status == FrameMetadata::FrameError) {
        session.dropped += session.expected && lost < 1000 ? lost : 0;
        session.expected = data.sequence + 1;
    }
    picture.size = data.planes().size() ? data.planes()[0].bytesused : 0;
    const bool empty =
        picture.format == FRAME_MJPEG && (!picture.size || picture.size > buffer.mapped.map[0].size);
    if (data.status == FrameMetadata::FrameError || (data.status == FrameMetadata::FrameSuccess && empty))
        session.dropped++;
    if (data.status != FrameMetadata::FrameSuccess || empty)
        return false;
    const auto stamp = buffer.request->metadata().get(controls::SensorTimestamp);
    picture.sequence = data.sequence;
    picture.time_ns = stamp_from_libcamera(stamp ? static_cast<uint64_t>(*stamp) : data.timestamp);
    dmabuf_begin(&buffer.mapped);
    return true;
}

int take(source *base, frame **picture)
{
    auto *session = static_cast<Session *>(base);
    int status;
    while (Buffer *buffer = session->completed(&status)) {
        if (accept(*session, *buffer)) {
            buffer->keeper = session->self;
            buffer->picture.refs = 1;
            *picture = &buffer->picture;
            return 0;
        }
        session->queue(buffer);
    }
    return status;
}

int left(source *base)
{
    const auto &all = static_cast<Session *>(base)->buffers;
    return static_cast<int>(
        std::count_if(all.begin(), all.end(), [](const auto &one) { return one->picture.refs == 0; }));
}

void close(source *base)
{
    auto *session = static_cast<Session *>(base);
    session->close();
    const auto last = std::move(session->self); /* its frames may still hold it */
}

int open(source **out, const char *rest, const source_settings *settings, source_error *error)
{
    try {
        auto session = std::make_shared<Session>();
        const int status = session->open(rest, *settings, error);
        if (status)
            return status;
        session->self = session;
        *out = session.get();
        return 0;
    } catch (const std::bad_alloc &) {
        return source_fail(error, -ENOMEM, "out of memory");
    } catch (const std::exception &what) {
        return source_fail(error, -EIO, "libcamera: %s", what.what());
    }
}

/* ---- the list ---- */

bool list_one(camera &entry, Camera &found)
{
    const auto configuration = found.generateConfiguration({StreamRole::Viewfinder});
    const int64_t duration = frame_duration(found.controls(), 1e6);
    const StreamFormats all =
        configuration && !configuration->empty() ? configuration->at(0).formats() : StreamFormats();
    bool added = true;
    std::snprintf(entry.id, sizeof(entry.id), "libcamera:%s", found.id().c_str());
    std::snprintf(entry.name, sizeof(entry.name), "%s", name_of(found).c_str());
    std::snprintf(entry.driver, sizeof(entry.driver), "libcamera");
    for (const PixelFormat &format : all.pixelformats())
        for (const Size &size : all.sizes(format))
            added = added && camera_add_size(
                                 &entry, frame_format(format) ? frame_format(format) : format.fourcc(),
                                 size.width, size.height, duration ? 1e6 / static_cast<double>(duration) : 0);
    for (const auto &[id, info] : found.controls()) {
        camera_control *control =
            settable(*id, info) ? camera_add_control(&entry, id->name().c_str()) : nullptr;
        added = added && (control || !settable(*id, info));
        if (!control)
            continue;
        std::snprintf(control->value, sizeof(control->value), "%s", info.def().toString().c_str());
        control->minimum = std::llround(*number(info.min()));
        control->maximum = std::llround(*number(info.max()));
        control->fallback = std::llround(number(info.def()).value_or(0));
    }
    if (found.acquire())
        std::snprintf(entry.problem, sizeof(entry.problem), "in use by %s", holders().c_str());
    else
        found.release();
    return added;
}

int list(camera_list *list)
{
    try {
        const Manager manager;
        if (manager.status)
            return 0;
        for (const auto &found : manager.only->cameras()) {
            camera *entry = camera_list_add(list);
            if (!entry || !list_one(*entry, *found))
                return -ENOMEM;
        }
        return 0;
    } catch (const std::exception &) {
        return -ENOMEM;
    }
}

} // namespace

/* What module.c looks for. */
extern "C" __attribute__((visibility("default")))
const source_kind pipit_libcamera = {"libcamera", open, close, take, list, left};
