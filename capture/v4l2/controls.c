/* SPDX-License-Identifier: MIT */
#include "capture/v4l2/v4l2.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void v4l2_control_name(char *name, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text && used + 2 < size; text++) {
        if (isalnum((unsigned char)*text))
            name[used++] = (char)tolower((unsigned char)*text);
        else if (used > 0 && name[used - 1] != '_')
            name[used++] = '_';
    }
    while (used > 0 && name[used - 1] == '_')
        used--;
    name[used] = 0;
}

/* ---- what there is ---- */

/* The next control with one value that can be set. False: that was the last. */
static bool next_control(int fd, struct v4l2_query_ext_ctrl *query)
{
    for (;;) {
        query->id |= V4L2_CTRL_FLAG_NEXT_CTRL;
        if (v4l2_call(fd, VIDIOC_QUERY_EXT_CTRL, query))
            return false;
        bool is_value = query->type == V4L2_CTRL_TYPE_INTEGER || query->type == V4L2_CTRL_TYPE_BOOLEAN ||
                        query->type == V4L2_CTRL_TYPE_MENU || query->type == V4L2_CTRL_TYPE_INTEGER_MENU ||
                        query->type == V4L2_CTRL_TYPE_INTEGER64 || query->type == V4L2_CTRL_TYPE_BITMASK;
        if (is_value && !(query->flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_READ_ONLY)))
            return true;
    }
}

static bool is_menu(const struct v4l2_query_ext_ctrl *query)
{
    return query->type == V4L2_CTRL_TYPE_MENU || query->type == V4L2_CTRL_TYPE_INTEGER_MENU;
}

static bool menu_entry(int fd, const struct v4l2_query_ext_ctrl *query, int64_t index, char *text,
                       size_t size)
{
    struct v4l2_querymenu menu = {.id = query->id, .index = (uint32_t)index};
    if (v4l2_call(fd, VIDIOC_QUERYMENU, &menu))
        return false;
    if (query->type == V4L2_CTRL_TYPE_INTEGER_MENU)
        snprintf(text, size, "%lld", (long long)menu.value);
    else
        snprintf(text, size, "%.31s", (const char *)menu.name);
    return true;
}

/* Reads or sets one value. */
static int access_value(int fd, unsigned long request, const struct v4l2_query_ext_ctrl *query,
                        int64_t *value)
{
    struct v4l2_ext_control control = {.id = query->id};
    struct v4l2_ext_controls controls = {.which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1, .controls = &control};
    bool wide = query->type == V4L2_CTRL_TYPE_INTEGER64;
    if (wide)
        control.value64 = *value;
    else
        control.value = (int32_t)*value;
    int status = v4l2_call(fd, request, &controls);
    *value = wide ? control.value64 : control.value;
    return status;
}

static void describe(int fd, const struct v4l2_query_ext_ctrl *query, struct camera_control *control)
{
    int64_t value = 0;
    *control = (struct camera_control){
        .minimum = query->minimum, .maximum = query->maximum, .fallback = query->default_value};
    v4l2_control_name(control->name, sizeof(control->name), query->name);
    if (access_value(fd, VIDIOC_G_EXT_CTRLS, query, &value))
        return;
    if (query->type == V4L2_CTRL_TYPE_BOOLEAN)
        snprintf(control->value, sizeof(control->value), value ? "true" : "false");
    else if (!is_menu(query) || !menu_entry(fd, query, value, control->value, sizeof(control->value)))
        snprintf(control->value, sizeof(control->value), "%lld", (long long)value);
}

int v4l2_controls_list(const struct v4l2_device *device, struct camera_control **control, int *controls)
{
    struct v4l2_query_ext_ctrl query = {0};
    *control = NULL;
    *controls = 0;
    while (next_control(device->fd, &query)) {
        struct camera_control *more = realloc(*control, ((size_t)*controls + 1) * sizeof(*more));
        if (!more) {
            free(*control);
            *control = NULL;
            *controls = 0;
            return -ENOMEM;
        }
        *control = more;
        describe(device->fd, &query, &more[(*controls)++]);
    }
    return 0;
}

/* ---- setting ---- */

static bool read_number(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 0);
    return *text && !*end && !errno;
}

static bool read_switch(const char *text, int64_t *value)
{
    static const char *const words[][3] = {{"false", "no", "off"}, {"true", "yes", "on"}};
    for (int on = 0; on < 2; on++)
        for (int i = 0; i < 3; i++)
            if (!strcasecmp(text, words[on][i])) {
                *value = on;
                return true;
            }
    return read_number(text, value);
}

/* An entry by its text, however it is spelt, or by its number. */
static bool read_menu(int fd, const struct v4l2_query_ext_ctrl *query, const char *text, int64_t *value)
{
    char entry[40], name[40], wanted[40];
    v4l2_control_name(wanted, sizeof(wanted), text);
    for (int64_t i = query->minimum; i <= query->maximum && i < query->minimum + 256; i++) {
        if (!menu_entry(fd, query, i, entry, sizeof(entry)))
            continue;
        v4l2_control_name(name, sizeof(name), entry);
        if (!strcmp(name, wanted)) {
            *value = i;
            return true;
        }
    }
    return query->type == V4L2_CTRL_TYPE_MENU && read_number(text, value) &&
           menu_entry(fd, query, *value, entry, sizeof(entry));
}

static void list_entries(int fd, const struct v4l2_query_ext_ctrl *query, char *text, size_t size)
{
    char entry[40];
    size_t used = 0;
    text[0] = 0;
    for (int64_t i = query->minimum; i <= query->maximum && i < query->minimum + 64 && used < size; i++)
        if (menu_entry(fd, query, i, entry, sizeof(entry)))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", entry);
}

static int refuse(int fd, const struct v4l2_query_ext_ctrl *query, const struct source_control *control,
                  struct source_error *error)
{
    char entries[120];
    if (!is_menu(query))
        return source_fail(error, -EINVAL, "%s is %lld to %lld, not %s", control->name,
                           (long long)query->minimum, (long long)query->maximum, control->value);
    list_entries(fd, query, entries, sizeof(entries));
    return source_fail(error, -EINVAL, "%s is one of %s, not %s", control->name, entries, control->value);
}

static int set_value(int fd, const struct v4l2_query_ext_ctrl *query, const struct source_control *control,
                     struct source_error *error)
{
    int64_t value = 0;
    bool known = is_menu(query)                          ? read_menu(fd, query, control->value, &value)
                 : query->type == V4L2_CTRL_TYPE_BOOLEAN ? read_switch(control->value, &value)
                                                         : read_number(control->value, &value);
    bool bits = query->type == V4L2_CTRL_TYPE_BITMASK;
    if (!known || (!bits && (value < query->minimum || value > query->maximum)))
        return refuse(fd, query, control, error);
    int status = access_value(fd, VIDIOC_S_EXT_CTRLS, query, &value);
    return status ? source_fail(error, status == -ENODEV ? status : -EINVAL,
                                "the camera does not take %s = %s: %s", control->name, control->value,
                                strerror(-status))
                  : 0;
}

/* How many pairs of letters of one name the other has, as a share of all. "exposure" is near
 * "exposure_time_absolute". */
static double likeness(const char *name, const char *other)
{
    int shared = 0, pairs = 0;
    for (; name[0] && name[1]; name++, pairs++)
        for (const char *at = other; at[0] && at[1]; at++)
            if (at[0] == name[0] && at[1] == name[1]) {
                shared++;
                break;
            }
    return pairs ? (double)shared / pairs : 0;
}

static int unknown(int fd, const char *name, struct source_error *error)
{
    struct v4l2_query_ext_ctrl query = {0};
    char nearest[48] = "", other[48];
    double best = 0;
    while (next_control(fd, &query)) {
        v4l2_control_name(other, sizeof(other), query.name);
        double like = likeness(name, other) + likeness(other, name);
        if (like > best) {
            best = like;
            snprintf(nearest, sizeof(nearest), "%s", other);
        }
    }
    return nearest[0] ? source_fail(error, -EINVAL, "this camera has no control %s; the nearest is %s", name,
                                    nearest)
                      : source_fail(error, -EINVAL, "this camera has no control %s", name);
}

static int set_control(int fd, const struct source_control *control, struct source_error *error)
{
    struct v4l2_query_ext_ctrl query = {0};
    char wanted[48], name[48];
    v4l2_control_name(wanted, sizeof(wanted), control->name);
    while (next_control(fd, &query)) {
        v4l2_control_name(name, sizeof(name), query.name);
        if (!strcmp(name, wanted))
            return set_value(fd, &query, control, error);
    }
    return unknown(fd, wanted, error);
}

int v4l2_controls_set(const struct v4l2_device *device, const struct source_settings *settings,
                      struct source_error *error)
{
    int status = 0;
    for (int i = 0; i < settings->controls && !status; i++)
        status = set_control(device->fd, &settings->control[i], error);
    return status;
}
