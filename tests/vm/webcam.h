/* SPDX-License-Identifier: MIT */
/*
 * An emulated USB camera for the guest's own kernel: uvcvideo binds to it as to any webcam. The device speaks
 * USB/IP (Documentation/usb/usbip_protocol.rst) to the kernel's vhci_hcd over a socket pair, so nothing of it
 * is on a network. Video is UVC 1.0 (USB Device Class Definition for Video Devices, 1.0a): MJPEG and YUYV of
 * photographs.
 *
 * uvcvideo gives bulk transfers of at most 32 packets of 512 bytes, so a payload must fit into 16 KiB.
 */
#ifndef PIPIT_TESTS_VM_WEBCAM_H
#define PIPIT_TESTS_VM_WEBCAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t get_le(const uint8_t *bytes, int size)
{
    uint32_t value = 0;
    for (int i = 0; i < size; i++)
        value |= (uint32_t)bytes[i] << 8 * i;
    return value;
}

static inline void put_le(uint8_t *bytes, int size, uint32_t value)
{
    for (int i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
}

/* The photographs, each cut to the frame's shape and scaled. Errors end the program with a sentence. */
enum photo_format { PHOTO_MJPEG = 1, PHOTO_YUYV = 2 }; /* the numbers of the formats in the descriptors */
struct photos;
struct photos *photos_create(char **paths, int count);
void photos_destroy(struct photos *photos);
/* Makes every photo ready for frames of this format and size. */
void photos_prepare(struct photos *photos, enum photo_format format, int width, int height);
const uint8_t *photos_frame(const struct photos *photos, int number,
                            size_t *length); /* number modulo count */

/* USB/IP: requests for endpoint 0 are handed out, transfers for the video endpoint wait until there is data.
 */
enum { USB_PENDING_MAX = 64, USB_HEADER = 48 };
struct usb_packet {
    uint32_t offset, length, actual, status; /* big endian, as they travel */
};
struct usb_transfer {
    uint32_t sequence, length, start, packets; /* packets: 0 for bulk */
    struct usb_packet *packet;
};
struct usb {
    int socket; /* -1: unplugged */
    struct usb_transfer pending[USB_PENDING_MAX];
    int count;
};
struct usb_request {
    uint32_t sequence, length;
    bool in;
    uint8_t setup[8];
    uint8_t data[4096]; /* what came with it, then what goes back */
};
void usb_plug(struct usb *usb, int port);
void usb_unplug(struct usb *usb);
/* Reads one message. 1: *request wants usb_answer(); 0: it was dealt with; -1: the kernel let go of the
 * device. */
int usb_receive(struct usb *usb, struct usb_request *request);
/* count: bytes of request->data to send, or -EPIPE to stall. */
void usb_answer(struct usb *usb, struct usb_request *request, int count);
/* Completes the oldest transfer with data; its packets' actual lengths must be set. */
void usb_complete(struct usb *usb, const uint8_t *data, size_t length);

/* The video function: descriptors, controls and negotiation. */
enum { UVC_PROBE = 26, UVC_BULK = 16384, UVC_PACKET = 3 * 1024, UVC_CONTROLS = 8 };
struct uvc {
    bool isochronous;
    const char *serial;
    uint8_t descriptors[512];
    int length;
    uint8_t probe[UVC_PROBE];
    bool committed, streaming; /* committed: since the last look; streaming: frames are wanted */
    int32_t control[UVC_CONTROLS];
    uint8_t error;
};
void uvc_init(struct uvc *uvc, bool isochronous, const char *serial);
/* Answers request into its data; the bytes, or -EPIPE. */
int uvc_control(struct uvc *uvc, struct usb_request *request);
struct uvc_size {
    int width, height;
};
/* What was negotiated: format, size and the frame's interval in 100 ns. */
enum photo_format uvc_format(const struct uvc *uvc, struct uvc_size *size, uint32_t *interval);

/* The stream of frames, and what is to be wrong with it. */
struct stream {
    bool stalled;
    int corrupt, truncated, bad; /* so many of the next frames; -1: all */
    uint8_t *frame;
    size_t length, position;
    int number; /* of the frame; changes with the photo's turn */
    bool parity;
    double next_frame, next_packets; /* seconds */
};
void stream_finish(struct stream *stream);
void stream_restart(struct stream *stream);
/* Sends what is due; returns the seconds until there is more to do. */
double stream_run(struct stream *stream, struct usb *usb, const struct uvc *uvc, const struct photos *photos);

#endif
