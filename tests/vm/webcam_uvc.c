/* SPDX-License-Identifier: MIT */
#include "webcam.h"

#include <errno.h>
#include <string.h>

/* Entities of the video function. */
enum { CAMERA = 1, PROCESSING = 2, OUTPUT = 3 };
/* Requests, section 4.1 and A.8. */
enum { SET_CUR = 0x01, GET_CUR = 0x81, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF };

/* In the order of preference of a camera that hangs on USB 2: larger pictures compressed. */
static const struct mode {
    enum photo_format format;
    uint8_t index; /* of the frame within its format */
    struct uvc_size size;
    uint32_t interval[2]; /* 100 ns, shortest first */
} modes[] = {
    {PHOTO_MJPEG, 1, {640, 480}, {333333, 666666}},
    {PHOTO_MJPEG, 2, {1280, 720}, {333333, 666666}},
    {PHOTO_YUYV, 1, {640, 480}, {333333, 666666}},
    {PHOTO_YUYV, 2, {1280, 720}, {1000000, 2000000}},
};
enum { MODES = sizeof modes / sizeof modes[0], SIZES = 2 };

static const struct control {
    uint8_t unit, selector, size;
    int32_t minimum, maximum, step, fallback;
} controls[] = {
    {PROCESSING, 0x02, 2, -64, 64, 1, 0},        /* brightness */
    {PROCESSING, 0x03, 2, 0, 64, 1, 32},         /* contrast */
    {PROCESSING, 0x07, 2, 0, 128, 1, 64},        /* saturation */
    {PROCESSING, 0x05, 1, 0, 2, 1, 1},           /* power line frequency: off, 50 Hz, 60 Hz */
    {PROCESSING, 0x0a, 2, 2800, 6500, 10, 4600}, /* white balance temperature, K */
    {PROCESSING, 0x0b, 1, 0, 1, 1, 1},           /* white balance, automatic */
    {CAMERA, 0x02, 1, 1, 8, 1 | 8, 8},  /* exposure: 1 manual, 8 aperture priority; the step is a mask */
    {CAMERA, 0x04, 4, 1, 5000, 1, 156}, /* exposure time, 100 us */
};
_Static_assert(sizeof controls / sizeof controls[0] == UVC_CONTROLS, "one value a control");

static const uint8_t device_descriptor[] = {18,   1,    0x00, 0x02, 0xef, 2, 1, 64, 0x09,
                                            0x12, 0x01, 0x00, 0x00, 0x01, 1, 2, 3,  1};

static uint8_t *append(struct uvc *uvc, const uint8_t *bytes)
{
    uint8_t *place = uvc->descriptors + uvc->length;
    memcpy(place, bytes, bytes[0]);
    uvc->length += bytes[0];
    return place;
}
#define APPEND(uvc, ...) append(uvc, (const uint8_t[]){__VA_ARGS__})

/* Sections 3.7.2: one camera terminal, one processing unit, one output. */
static void append_control_interface(struct uvc *uvc)
{
    APPEND(uvc, 9, 4, 0, 0, 0, 14, 1, 0, 2);
    int start = uvc->length;
    uint8_t *header = APPEND(uvc, 13, 0x24, 1, 0x00, 0x01, 0, 0, 0x00, 0x6c, 0xdc, 0x02, 1, 1);
    APPEND(uvc, 18, 0x24, 2, CAMERA, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1 << 1 | 1 << 3, 0, 0);
    APPEND(uvc, 11, 0x24, 5, PROCESSING, CAMERA, 0, 0, 2, 1 << 0 | 1 << 1 | 1 << 3 | 1 << 6, 1 << 2 | 1 << 4,
           0);
    APPEND(uvc, 9, 0x24, 3, OUTPUT, 0x01, 0x01, 0, PROCESSING, 0);
    put_le(header + 5, 2, (uint32_t)(uvc->length - start));
}

static void append_frame(struct uvc *uvc, const struct mode *mode)
{
    uint8_t frame[34] = {sizeof frame, 0x24, mode->format == PHOTO_MJPEG ? 7 : 5, mode->index, 0};
    uint32_t bytes = (uint32_t)mode->size.width * (uint32_t)mode->size.height * 2;
    put_le(frame + 5, 2, (uint32_t)mode->size.width);
    put_le(frame + 7, 2, (uint32_t)mode->size.height);
    put_le(frame + 9, 4, bytes * 8 * (10000000 / mode->interval[1]));
    put_le(frame + 13, 4, bytes * 8 * (10000000 / mode->interval[0]));
    put_le(frame + 17, 4, bytes);
    put_le(frame + 21, 4, mode->interval[0]);
    frame[25] = 2;
    put_le(frame + 26, 4, mode->interval[0]);
    put_le(frame + 30, 4, mode->interval[1]);
    append(uvc, frame);
}

static void append_format(struct uvc *uvc, enum photo_format format)
{
    if (format == PHOTO_MJPEG)
        APPEND(uvc, 11, 0x24, 6, PHOTO_MJPEG, SIZES, 1, 1, 0, 0, 0, 0);
    else
        APPEND(uvc, 27, 0x24, 4, PHOTO_YUYV, SIZES, 'Y', 'U', 'Y', '2', 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0,
               0x38, 0x9b, 0x71, 16, 1, 0, 0, 0, 0);
    for (int i = 0; i < MODES; i++) {
        if (modes[i].format == format)
            append_frame(uvc, &modes[i]);
    }
    APPEND(uvc, 6, 0x24, 13, 1, 1, 4); /* primaries and transfer of BT.709, matrix of BT.601 */
}

static void append_stream_interface(struct uvc *uvc)
{
    APPEND(uvc, 9, 4, 1, 0, !uvc->isochronous, 14, 2, 0, 0);
    int start = uvc->length;
    uint8_t *header = APPEND(uvc, 15, 0x24, 1, 2, 0, 0, 0x81, 0, OUTPUT, 0, 0, 0, 1, 0, 0);
    append_format(uvc, PHOTO_MJPEG);
    append_format(uvc, PHOTO_YUYV);
    put_le(header + 4, 2, (uint32_t)(uvc->length - start));
    if (uvc->isochronous) {
        APPEND(uvc, 9, 4, 1, 1, 1, 14, 2, 0, 0);
        APPEND(uvc, 7, 5, 0x81, 5, 0x00, 0x14, 1); /* three times 1024 bytes a microframe */
    } else {
        APPEND(uvc, 7, 5, 0x81, 2, 0x00, 0x02, 0);
    }
}

static const struct mode *find_mode(uint32_t format, uint32_t index)
{
    for (int i = 0; i < MODES; i++) {
        if (modes[i].format == format && modes[i].index == index)
            return &modes[i];
    }
    return &modes[0];
}

/* Section 4.3.1.1: the nearest that the camera can do. */
static void negotiate(struct uvc *uvc, const struct mode *mode, uint32_t interval)
{
    uint8_t *probe = uvc->probe;
    memset(probe, 0, UVC_PROBE);
    probe[0] = 1;
    probe[2] = (uint8_t)mode->format;
    probe[3] = mode->index;
    put_le(probe + 4, 4, mode->interval[interval > (mode->interval[0] + mode->interval[1]) / 2]);
    put_le(probe + 18, 4, (uint32_t)mode->size.width * (uint32_t)mode->size.height * 2);
    put_le(probe + 22, 4, uvc->isochronous ? UVC_PACKET : UVC_BULK);
}

void uvc_init(struct uvc *uvc, bool isochronous, const char *serial)
{
    memset(uvc, 0, sizeof *uvc);
    uvc->isochronous = isochronous;
    uvc->serial = serial;
    APPEND(uvc, 9, 2, 0, 0, 2, 1, 0, 0x80, 50);
    APPEND(uvc, 8, 11, 0, 2, 14, 3, 0, 2);
    append_control_interface(uvc);
    append_stream_interface(uvc);
    put_le(uvc->descriptors + 2, 2, (uint32_t)uvc->length);
    negotiate(uvc, &modes[0], 0);
    for (int i = 0; i < UVC_CONTROLS; i++)
        uvc->control[i] = controls[i].fallback;
}

enum photo_format uvc_format(const struct uvc *uvc, struct uvc_size *size, uint32_t *interval)
{
    const struct mode *mode = find_mode(uvc->probe[2], uvc->probe[3]);
    *size = mode->size;
    *interval = get_le(uvc->probe + 4, 4);
    return mode->format;
}

static int string_descriptor(const struct uvc *uvc, uint8_t index, uint8_t *data)
{
    const char *const texts[] = {"", "Pipit tests", "Emulated camera", uvc->serial};
    int length = 2;
    if (index > 3)
        return -EPIPE;
    if (index == 0) {
        put_le(data + 2, 2, 0x0409); /* English */
        length = 4;
    }
    for (const char *text = texts[index]; *text && length < 126; text++) {
        put_le(data + length, 2, (uint8_t)*text);
        length += 2;
    }
    data[0] = (uint8_t)length;
    data[1] = 3;
    return length;
}

static int get_descriptor(const struct uvc *uvc, const uint8_t *setup, uint8_t *data)
{
    switch (setup[3]) {
    case 1:
        memcpy(data, device_descriptor, sizeof device_descriptor);
        return sizeof device_descriptor;
    case 2:
        memcpy(data, uvc->descriptors, (size_t)uvc->length);
        return uvc->length;
    case 3:
        return string_descriptor(uvc, setup[2], data);
    default:
        return -EPIPE;
    }
}

/* USB 2.0, section 9.4. */
static int standard_request(struct uvc *uvc, const uint8_t *setup, uint8_t *data)
{
    switch (setup[1]) {
    case 0: /* status */
        put_le(data, 2, 0);
        return 2;
    case 6:
        return get_descriptor(uvc, setup, data);
    case 8: /* configuration */
        data[0] = 1;
        return 1;
    case 10: /* alternate setting */
        data[0] = uvc->streaming;
        return 1;
    case 11:
        if (setup[4] == 1)
            uvc->streaming = setup[2] != 0;
        return 0;
    case 1: /* features, address, configuration */
    case 3:
    case 5:
    case 9:
        return 0;
    default:
        return -EPIPE;
    }
}

static int stream_request(struct uvc *uvc, const uint8_t *setup, uint32_t length, uint8_t *data)
{
    const struct mode *mode = find_mode(uvc->probe[2], uvc->probe[3]);
    uint8_t kept[UVC_PROBE];
    memcpy(kept, uvc->probe, sizeof kept);
    switch (setup[1]) {
    case SET_CUR:
        if (length >= 8)
            negotiate(uvc, find_mode(data[2], data[3]), get_le(data + 4, 4));
        uvc->committed |= setup[3] == 2;
        return 0;
    case GET_LEN:
        put_le(data, 2, UVC_PROBE);
        return 2;
    case GET_INFO:
        data[0] = 3;
        return 1;
    case GET_RES:
        memset(data, 0, UVC_PROBE);
        return UVC_PROBE;
    case GET_MAX:
        negotiate(uvc, mode, mode->interval[1]);
        break;
    case GET_MIN:
        negotiate(uvc, mode, 0);
        break;
    case GET_DEF:
        negotiate(uvc, &modes[0], 0);
        break;
    default:
        break;
    }
    memcpy(data, uvc->probe, UVC_PROBE);
    memcpy(uvc->probe, kept, sizeof kept);
    return UVC_PROBE;
}

static int unit_request(struct uvc *uvc, const uint8_t *setup, uint8_t *data)
{
    int i = 0;
    while (i < UVC_CONTROLS && (controls[i].unit != setup[5] || controls[i].selector != setup[3]))
        i++;
    if (i == UVC_CONTROLS)
        return -EPIPE;
    const struct control *control = &controls[i];
    const int32_t value[] = {uvc->control[i], control->minimum, control->maximum, control->step};
    switch (setup[1]) {
    case SET_CUR:
        uvc->control[i] =
            control->size == 2 ? (int16_t)get_le(data, 2) : (int32_t)get_le(data, control->size);
        return 0;
    case GET_LEN:
        put_le(data, 2, control->size);
        return 2;
    case GET_INFO:
        data[0] = 3;
        return 1;
    case GET_DEF:
        put_le(data, control->size, (uint32_t)control->fallback);
        return control->size;
    case GET_CUR:
    case GET_MIN:
    case GET_MAX:
    case GET_RES:
        put_le(data, control->size, (uint32_t)value[setup[1] - GET_CUR]);
        return control->size;
    default:
        return -EPIPE;
    }
}

int uvc_control(struct uvc *uvc, struct usb_request *request)
{
    const uint8_t *setup = request->setup;
    int result;
    if ((setup[0] & 0x60) == 0)
        return standard_request(uvc, setup, request->data);
    if (setup[4] == 1) /* the streaming interface */
        return setup[3] == 1 || setup[3] == 2 ? stream_request(uvc, setup, request->length, request->data)
                                              : -EPIPE;
    if (setup[5] == 0 && setup[3] == 2) { /* why the last request was refused */
        request->data[0] = uvc->error;
        return 1;
    }
    result = unit_request(uvc, setup, request->data);
    uvc->error = result < 0 ? 6 : 0; /* invalid control */
    return result;
}
