/* SPDX-License-Identifier: MIT */
#include "webcam.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define ATTACH "/sys/devices/platform/vhci_hcd.0/attach"

/* Commands of the protocol; an answer is the request's plus two. */
enum { SUBMIT = 1, UNLINK = 2, SUBMITTED = 3, UNLINKED = 4 };

void usb_plug(struct usb *usb, int port)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        err(71, "socketpair");
    FILE *attach = fopen(ATTACH, "w");
    if (!attach)
        err(69, "%s (modprobe vhci_hcd)", ATTACH);
    /* Port, socket, the device's bus and number, and its speed: 3 is high speed. */
    fprintf(attach, "%d %d %d 3", port, pair[1], 1 << 16 | (port + 2));
    if (fclose(attach))
        err(69, "vhci_hcd port %d", port);
    close(pair[1]);
    usb->socket = pair[0];
}

static void remove_transfer(struct usb *usb, int index)
{
    free(usb->pending[index].packet);
    usb->count--;
    memmove(usb->pending + index, usb->pending + index + 1,
            sizeof usb->pending[0] * (size_t)(usb->count - index));
}

void usb_unplug(struct usb *usb)
{
    while (usb->count > 0)
        remove_transfer(usb, usb->count - 1);
    if (usb->socket >= 0) {
        shutdown(usb->socket, SHUT_RDWR);
        close(usb->socket);
    }
    usb->socket = -1;
}

static bool receive(struct usb *usb, void *data, size_t size)
{
    return recv(usb->socket, data, size, MSG_WAITALL) == (ssize_t)size;
}

/* Should the kernel have let go, usb_receive() says so next. */
static void send_parts(struct usb *usb, struct iovec *part, int count)
{
    while (count > 0) {
        struct msghdr message = {.msg_iov = part, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(usb->socket, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return;
        while (count > 0 && (size_t)sent >= part->iov_len) {
            sent -= (ssize_t)part->iov_len;
            part++;
            count--;
        }
        if (count > 0) {
            part->iov_base = (char *)part->iov_base + sent;
            part->iov_len -= (size_t)sent;
        }
    }
}

static int unlink_transfer(struct usb *usb, uint32_t sequence, uint32_t victim)
{
    uint32_t answer[USB_HEADER / 4] = {htonl(UNLINKED), htonl(sequence)};
    for (int i = 0; i < usb->count; i++) {
        if (usb->pending[i].sequence == victim) {
            remove_transfer(usb, i);
            answer[5] = htonl((uint32_t)-ECONNRESET);
            break;
        }
    }
    struct iovec part = {answer, sizeof answer};
    send_parts(usb, &part, 1);
    return 0;
}

static int queue(struct usb *usb, const struct usb_request *request, const uint32_t *header)
{
    uint32_t packets = ntohl(header[8]);
    struct usb_transfer *transfer = &usb->pending[usb->count];
    if (usb->count == USB_PENDING_MAX)
        errx(70, "more than %d transfers are waiting", USB_PENDING_MAX);
    *transfer =
        (struct usb_transfer){.sequence = request->sequence, .length = request->length, .start = header[7]};
    if (packets > 0 && packets <= 1024) {
        transfer->packets = packets;
        transfer->packet = calloc(packets, sizeof *transfer->packet);
        if (!transfer->packet || !receive(usb, transfer->packet, packets * sizeof *transfer->packet)) {
            free(transfer->packet);
            return -1;
        }
    }
    usb->count++;
    return 0;
}

int usb_receive(struct usb *usb, struct usb_request *request)
{
    uint32_t header[USB_HEADER / 4];
    if (!receive(usb, header, sizeof header))
        return -1;
    uint32_t command = ntohl(header[0]), endpoint = ntohl(header[4]);
    request->sequence = ntohl(header[1]);
    request->in = ntohl(header[3]) == 1;
    request->length = ntohl(header[6]);
    memcpy(request->setup, header + 10, sizeof request->setup);
    if (command == UNLINK)
        return unlink_transfer(usb, request->sequence, ntohl(header[5]));
    if (command != SUBMIT)
        errx(70, "the kernel sent command %u", command);
    if (endpoint > 0)
        return queue(usb, request, header);
    if (request->length > sizeof request->data)
        errx(70, "a control transfer of %u bytes", request->length);
    if (!request->in && request->length > 0 && !receive(usb, request->data, request->length))
        return -1;
    return 1;
}

void usb_answer(struct usb *usb, struct usb_request *request, int count)
{
    uint32_t answer[USB_HEADER / 4] = {htonl(SUBMITTED), htonl(request->sequence)};
    size_t length = 0;
    if (count < 0)
        answer[5] = htonl((uint32_t)count);
    else if (request->in)
        length = (uint32_t)count < request->length ? (uint32_t)count : request->length;
    answer[6] = htonl(count < 0 ? 0 : request->in ? (uint32_t)length : request->length);
    struct iovec part[] = {{answer, sizeof answer}, {request->data, length}};
    send_parts(usb, part, 2);
}

void usb_complete(struct usb *usb, const uint8_t *data, size_t length)
{
    struct usb_transfer *transfer = &usb->pending[0];
    uint32_t answer[USB_HEADER / 4] = {htonl(SUBMITTED), htonl(transfer->sequence)};
    answer[6] = htonl((uint32_t)length);
    answer[7] = transfer->start;
    answer[8] = htonl(transfer->packets);
    struct iovec part[] = {{answer, sizeof answer},
                           {(void *)data, length},
                           {transfer->packet, transfer->packets * sizeof *transfer->packet}};
    send_parts(usb, part, 3);
    remove_transfer(usb, 0);
}
