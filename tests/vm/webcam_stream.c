/* SPDX-License-Identifier: MIT */
#include "webcam.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HEADER = 12, MICROFRAME_US = 125, FRAMES_A_PHOTO = 150 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void stream_finish(struct stream *stream)
{
    free(stream->frame);
    stream->frame = NULL;
}

void stream_restart(struct stream *stream)
{
    stream->position = stream->length = 0;
    stream->next_frame = stream->next_packets = 0;
}

/* True when one of the next frames that are to be spoilt is now. */
static bool take(int *left)
{
    if (*left > 0)
        return (*left)-- > 0;
    return *left < 0;
}

/* Bytes of the entropy-coded part change, as on a bad cable; markers may come or go. */
static void corrupt(uint8_t *frame, size_t length, uint32_t seed)
{
    for (size_t i = length / 4; i + 64 < length; i += 97 + seed % 31) {
        seed = seed * 1664525 + 1013904223;
        frame[i] = (uint8_t)(seed >> 24);
    }
}

static void start_frame(struct stream *stream, const struct photos *photos)
{
    size_t length;
    const uint8_t *photo = photos_frame(photos, stream->number / FRAMES_A_PHOTO, &length);
    free(stream->frame);
    stream->frame = malloc(length);
    if (!stream->frame)
        abort();
    memcpy(stream->frame, photo, length);
    if (take(&stream->corrupt))
        corrupt(stream->frame, length, (uint32_t)stream->number);
    stream->length = take(&stream->truncated) ? length / 3 : length;
    stream->position = 0;
    stream->number++;
    stream->parity = !stream->parity;
}

/* One payload, section 2.4.3.3: header, then data. */
static size_t payload(struct stream *stream, uint8_t *out, size_t room)
{
    size_t count = stream->length - stream->position;
    if (count > room - HEADER)
        count = room - HEADER;
    bool last = stream->position + count == stream->length;
    memset(out, 0, HEADER);
    out[0] = HEADER;
    out[1] = (uint8_t)(0x80 | stream->parity | (last ? 2 : 0));
    if (last && take(&stream->bad))
        out[1] |= 0x40; /* the error bit */
    memcpy(out + HEADER, stream->frame + stream->position, count);
    stream->position += count;
    return HEADER + count;
}

static bool has_data(const struct stream *stream)
{
    return !stream->stalled && stream->position < stream->length;
}

static double complete_bulk(struct stream *stream, struct usb *usb, double time)
{
    uint8_t out[UVC_BULK];
    if (!has_data(stream))
        return stream->stalled ? 1 : stream->next_frame - time;
    size_t room = usb->pending[0].length < UVC_BULK ? usb->pending[0].length : UVC_BULK;
    if (room <= HEADER)
        return 1;
    usb_complete(usb, out, payload(stream, out, room));
    return 0;
}

/* Packets go out at the bus's own pace, with or without data. */
static double complete_isochronous(struct stream *stream, struct usb *usb, double time)
{
    struct usb_transfer *transfer = &usb->pending[0];
    if (stream->next_packets < time - 1)
        stream->next_packets = time;
    if (time < stream->next_packets)
        return stream->next_packets - time;
    uint8_t *out = malloc((size_t)transfer->packets * UVC_PACKET + 1);
    size_t length = 0;
    if (!out)
        abort();
    for (uint32_t i = 0; i < transfer->packets; i++) {
        size_t room = ntohl(transfer->packet[i].length), count = 0;
        if (room > UVC_PACKET)
            room = UVC_PACKET;
        if (has_data(stream) && room > HEADER)
            count = payload(stream, out + length, room);
        transfer->packet[i].actual = htonl((uint32_t)count);
        transfer->packet[i].status = 0;
        length += count;
    }
    stream->next_packets += transfer->packets * MICROFRAME_US * 1e-6;
    usb_complete(usb, out, length);
    free(out);
    return 0;
}

double stream_run(struct stream *stream, struct usb *usb, const struct uvc *uvc, const struct photos *photos)
{
    struct uvc_size size;
    uint32_t interval;
    double wait = 0;
    uvc_format(uvc, &size, &interval);
    while (wait <= 0) {
        double time = now();
        if (usb->count == 0)
            return 1;
        if (stream->next_frame < time - 1)
            stream->next_frame = time;
        if (!stream->stalled && stream->position >= stream->length && time >= stream->next_frame) {
            start_frame(stream, photos);
            stream->next_frame += interval * 1e-7;
        }
        wait = uvc->isochronous ? complete_isochronous(stream, usb, time) : complete_bulk(stream, usb, time);
        if (wait > 0 && wait < 1e-3)
            wait = 1e-3;
    }
    return wait;
}
