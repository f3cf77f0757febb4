/* SPDX-License-Identifier: MIT */
#include "app/command.h"
#include "app/json.h"
#include "app/say.h"
#include "base/log.h"
#include "capture/cameras.h"
#include "display/screen.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What this build cannot look for. */
static const char no_cameras[] =
#if defined(PIPIT_V4L2) && defined(PIPIT_LIBCAMERA)
    "";
#elif defined(PIPIT_V4L2)
    "This build has no libcamera, which cameras on a board's CSI connector need.";
#elif defined(PIPIT_LIBCAMERA)
    "This build has no V4L2.";
#else
    "This build has neither V4L2 nor libcamera.";
#endif
static const char no_screens[] =
#ifdef PIPIT_KMS
    "";
#else
    "This build has no DRM/KMS.";
#endif

/* "MJPG"; what is no letter becomes '?', blanks at the end go. */
static const char *fourcc(uint32_t format, char text[5])
{
    int length = 0;
    for (int i = 0; i < 4; i++) {
        int byte = (int)(format >> 8 * i & 0x7f);
        text[i] = isprint(byte) ? (char)byte : '?';
        length = text[i] == ' ' ? length : i + 1;
    }
    text[length] = 0;
    return text;
}

/* A plane of its own for the camera's picture, and one above it for the labels. Commits tell for certain. */
static bool has_planes(const struct screen_port *port)
{
    return port->primaries + port->overlays > 1 && strstr(port->formats, "AR24");
}

static struct json_object *text_or_null(const char *text)
{
    return *text ? json_text(text) : NULL;
}

/* ---- cameras ---- */

static struct json_object *size_object(const struct camera_size *size)
{
    char format[5];
    struct json_object *object = json_object_new_object(), *rates = json_object_new_array();
    json_add(object, "format", json_text(fourcc(size->format, format)));
    json_add(object, "width", json_object_new_int(size->width));
    json_add(object, "height", json_object_new_int(size->height));
    for (int i = 0; i < size->rates; i++)
        json_object_array_add(rates, json_real(size->rate[i]));
    json_add(object, "rates", rates);
    return object;
}

static struct json_object *control_object(const struct camera_control *control)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "name", json_text(control->name));
    json_add(object, "value", json_text(control->value));
    json_add(object, "minimum", json_object_new_int64(control->minimum));
    json_add(object, "maximum", json_object_new_int64(control->maximum));
    json_add(object, "default", json_object_new_int64(control->fallback));
    return object;
}

static struct json_object *camera_object(const struct camera *camera)
{
    struct json_object *object = json_object_new_object();
    struct json_object *sizes = json_object_new_array(), *controls = json_object_new_array();
    json_add(object, "id", json_text(camera->id));
    json_add(object, "name", json_text(camera->name));
    json_add(object, "path", text_or_null(camera->path));
    json_add(object, "driver", json_text(camera->driver));
    json_add(object, "bus", text_or_null(camera->bus));
    json_add(object, "problem", text_or_null(camera->problem));
    json_add(object, "same_as", text_or_null(camera->same_as));
    for (int i = 0; i < camera->sizes; i++)
        json_object_array_add(sizes, size_object(&camera->size[i]));
    for (int i = 0; i < camera->controls; i++)
        json_object_array_add(controls, control_object(&camera->control[i]));
    json_add(object, "sizes", sizes);
    json_add(object, "controls", controls);
    return object;
}

static void say_camera(const struct camera *camera)
{
    say("  %s (%s", camera->name, camera->driver);
    if (*camera->bus)
        say(", %s", camera->bus);
    if (*camera->path)
        say(", %s", camera->path);
    say(")\n    --source %s\n", camera->id);
    if (*camera->same_as)
        say("    the same camera as %s, through libcamera\n", camera->same_as);
    if (*camera->problem)
        say("    problem: %s\n", camera->problem);
    for (int i = 0; i < camera->sizes; i++) {
        const struct camera_size *size = &camera->size[i];
        char format[5];
        say("    %-4s  %dx%d", fourcc(size->format, format), size->width, size->height);
        for (int r = 0; r < size->rates; r++)
            say("%s%.4g", r ? ", " : " at ", size->rate[r]);
        say(size->rates ? " fps\n" : "\n");
    }
    for (int i = 0; i < camera->controls; i++) {
        const struct camera_control *control = &camera->control[i];
        say("    %s = %s (%lld to %lld)\n", control->name, control->value, (long long)control->minimum,
            (long long)control->maximum);
    }
}

static void say_cameras(const struct camera_list *cameras)
{
    say_heading("Cameras\n");
    for (int i = 0; i < cameras->count; i++)
        say_camera(&cameras->camera[i]);
    if (!cameras->count)
        say("  none\n");
    if (*no_cameras)
        say("  %s\n", no_cameras);
}

/* ---- screens ---- */

static struct json_object *mode_object(const struct screen_mode *mode)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "width", json_object_new_int(mode->width));
    json_add(object, "height", json_object_new_int(mode->height));
    json_add(object, "rate", json_real(mode->rate));
    json_add(object, "preferred", json_object_new_boolean(mode->preferred));
    return object;
}

static struct json_object *format_names(const struct screen_port *port)
{
    struct json_object *names = json_object_new_array();
    char text[sizeof(port->formats)], *rest = text;
    snprintf(text, sizeof(text), "%s", port->formats);
    for (const char *name; (name = strtok_r(rest, " ", &rest));)
        json_object_array_add(names, json_text(name));
    return names;
}

static struct json_object *port_object(const struct screen_port *port)
{
    struct json_object *object = json_object_new_object();
    struct json_object *modes = json_object_new_array(), *planes = json_object_new_object();
    json_add(object, "name", json_text(port->name));
    json_add(object, "card", json_text(port->card));
    json_add(object, "driver", json_text(port->driver));
    json_add(object, "connected", json_object_new_boolean(port->connected));
    json_add(object, "problem", text_or_null(port->problem));
    for (int i = 0; i < port->modes; i++)
        json_object_array_add(modes, mode_object(&port->mode[i]));
    json_add(object, "modes", modes);
    json_add(planes, "primary", json_object_new_int(port->primaries));
    json_add(planes, "overlay", json_object_new_int(port->overlays));
    json_add(planes, "cursor", json_object_new_int(port->cursors));
    json_add(object, "planes", planes);
    json_add(object, "formats", format_names(port));
    json_add(object, "way", json_text(has_planes(port) ? "planes" : "compose"));
    return object;
}

static void say_port(const struct screen_port *port)
{
    say("  %s (%s, %s)%s\n", port->name, port->driver, port->card,
        port->connected ? "" : ", nothing connected");
    say("    --screen %s\n", port->name);
    if (*port->problem)
        say("    problem: %s\n", port->problem);
    for (int i = 0; i < port->modes; i++)
        say("    %dx%d at %.4g Hz%s\n", port->mode[i].width, port->mode[i].height, port->mode[i].rate,
            port->mode[i].preferred ? " (preferred)" : "");
    if (port->primaries + port->overlays + port->cursors == 0)
        return;
    say("    planes: %d primary, %d overlay, %d cursor; %s\n", port->primaries, port->overlays, port->cursors,
        port->formats);
    say("    %s\n", has_planes(port) ? "the picture may go to a plane of its own, the labels above it"
                                     : "the picture and its labels are drawn into one plane by the CPU");
}

static void say_screens(const struct screen_list *screens)
{
    say_heading("Screens\n");
    for (int i = 0; i < screens->count; i++)
        say_port(&screens->port[i]);
    if (!screens->count)
        say("  none\n");
    if (*no_screens)
        say("  %s\n", no_screens);
}

static void print_object(const struct camera_list *cameras, const struct screen_list *screens)
{
    struct json_object *object = json_object_new_object();
    struct json_object *all[] = {json_object_new_array(), json_object_new_array()};
    for (int i = 0; i < cameras->count; i++)
        json_object_array_add(all[0], camera_object(&cameras->camera[i]));
    for (int i = 0; i < screens->count; i++)
        json_object_array_add(all[1], port_object(&screens->port[i]));
    json_add(object, "cameras", all[0]);
    json_add(object, "screens", all[1]);
    json_print(object);
}

static int run(const struct options *options)
{
    struct camera_list cameras = {0};
    struct screen_list screens = {0};
    int status = camera_list_init(&cameras);
    status = status ? status : screen_list_init(&screens);
    if (status)
        log_error("out of memory");
    else if (options->json)
        print_object(&cameras, &screens);
    else {
        say_cameras(&cameras);
        say_screens(&screens);
    }
    camera_list_finish(&cameras);
    screen_list_finish(&screens);
    return exit_status(status);
}

const struct command command_devices = {
    .name = "devices",
    .summary = "list cameras and screens, and what keeps them from being used",
    .usage = "[--json]",
    .options = "json verbose",
    .help =
        "Each camera with the name that stays the same when it is plugged elsewhere, its formats, sizes,\n"
        "rates and controls; each connector with its modes and planes. With who holds a device that is\n"
        "busy, and which group is missing where one may not be opened.",
    .least = 0,
    .most = 0,
    .run = run,
};
