/* SPDX-License-Identifier: MIT */
#include "webcam.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] = "usage: webcam [-i] [-p PORT] [-s SERIAL] [-c FIFO] PHOTO.jpg...\n"
                            "       webcam -w WIDTHxHEIGHT PHOTO.jpg >FRAME.jpg\n"
                            "Plugs an emulated USB camera into this kernel's vhci_hcd (root, modprobe "
                            "vhci_hcd), or writes the very JPEG that\n"
                            "it sends. It sends each photo for 150 frames. -i: isochronous, not bulk. "
                            "Commands are lines in FIFO, made here:\n"
                            "unplug, plug [PORT], stall, resume, quit; corrupt N, truncate N, error N spoil "
                            "the next N frames (-1: all).\n";

struct webcam {
    struct usb usb;
    struct uvc uvc;
    struct stream stream;
    struct photos *photos;
    int port, commands;
    bool isochronous, quit;
    const char *serial, *fifo;
};

static void plug(struct webcam *webcam, int port)
{
    if (webcam->usb.socket >= 0)
        return;
    if (port >= 0)
        webcam->port = port;
    uvc_init(&webcam->uvc, webcam->isochronous, webcam->serial);
    stream_restart(&webcam->stream);
    usb_plug(&webcam->usb, webcam->port);
    printf("plugged into port %d\n", webcam->port);
}

static void unplug(struct webcam *webcam)
{
    usb_unplug(&webcam->usb);
    printf("unplugged\n");
}

static void command(struct webcam *webcam, const char *line)
{
    char word[16] = "";
    int number = -1;
    if (sscanf(line, "%15s %d", word, &number) < 1)
        return;
    printf("command: %s\n", line);
    if (!strcmp(word, "unplug"))
        unplug(webcam);
    else if (!strcmp(word, "plug"))
        plug(webcam, number);
    else if (!strcmp(word, "stall") || !strcmp(word, "resume"))
        webcam->stream.stalled = word[0] == 's';
    else if (!strcmp(word, "corrupt"))
        webcam->stream.corrupt = number;
    else if (!strcmp(word, "truncate"))
        webcam->stream.truncated = number;
    else if (!strcmp(word, "error"))
        webcam->stream.bad = number;
    else if (!strcmp(word, "quit"))
        webcam->quit = true;
    else
        printf("there is no command %s\n", word);
}

/* Lines shorter than a pipe's atomic size come whole. */
static void read_commands(struct webcam *webcam)
{
    char text[512], *rest = text, *line;
    ssize_t length = read(webcam->commands, text, sizeof text - 1);
    if (length <= 0)
        return;
    text[length] = 0;
    while ((line = strsep(&rest, "\n"))) {
        if (*line)
            command(webcam, line);
    }
}

static void open_commands(struct webcam *webcam)
{
    webcam->commands = -1;
    if (!webcam->fifo)
        return;
    if (mkfifo(webcam->fifo, 0600) && errno != EEXIST)
        err(73, "%s", webcam->fifo);
    webcam->commands = open(webcam->fifo, O_RDWR | O_CLOEXEC);
    if (webcam->commands < 0)
        err(66, "%s", webcam->fifo);
}

static void serve(struct webcam *webcam)
{
    static struct usb_request request;
    int result = usb_receive(&webcam->usb, &request);
    if (result < 0) {
        printf("the kernel let go of the camera\n");
        unplug(webcam);
        return;
    }
    if (result > 0)
        usb_answer(&webcam->usb, &request, uvc_control(&webcam->uvc, &request));
    if (webcam->uvc.committed) {
        struct uvc_size size;
        uint32_t interval;
        enum photo_format format = uvc_format(&webcam->uvc, &size, &interval);
        webcam->uvc.committed = false;
        photos_prepare(webcam->photos, format, size.width, size.height);
        stream_restart(&webcam->stream);
        printf("%s %dx%d every %.1f ms\n", format == PHOTO_MJPEG ? "MJPEG" : "YUYV", size.width, size.height,
               interval / 1e4);
    }
}

static void run(struct webcam *webcam)
{
    while (!webcam->quit) {
        double wait = webcam->usb.socket >= 0
                          ? stream_run(&webcam->stream, &webcam->usb, &webcam->uvc, webcam->photos)
                          : 1;
        struct pollfd poll_fd[] = {{.fd = webcam->usb.socket, .events = POLLIN},
                                   {.fd = webcam->commands, .events = POLLIN}};
        if (poll(poll_fd, 2, wait >= 1 ? 1000 : (int)(wait * 1000)) < 0 && errno != EINTR)
            err(71, "poll");
        if (poll_fd[0].revents)
            serve(webcam);
        if (poll_fd[1].revents)
            read_commands(webcam);
    }
}

static int write_frame(struct photos *photos, const char *size)
{
    int width, height;
    size_t length;
    if (sscanf(size, "%dx%d", &width, &height) != 2 || width < 16 || height < 16)
        errx(64, "-w %s: not WIDTHxHEIGHT", size);
    photos_prepare(photos, PHOTO_MJPEG, width, height);
    const uint8_t *frame = photos_frame(photos, 0, &length);
    return fwrite(frame, length, 1, stdout) == 1 && fflush(stdout) == 0 ? 0 : 74;
}

int main(int argc, char **argv)
{
    struct webcam webcam = {.usb.socket = -1, .serial = "0001"};
    const char *write_size = NULL;
    int option, status = 0;
    while ((option = getopt(argc, argv, "c:ip:s:w:")) != -1) {
        switch (option) {
        case 'c':
            webcam.fifo = optarg;
            break;
        case 'i':
            webcam.isochronous = true;
            break;
        case 'p':
            webcam.port = atoi(optarg);
            break;
        case 's':
            webcam.serial = optarg;
            break;
        case 'w':
            write_size = optarg;
            break;
        default:
            fputs(usage, stderr);
            return 64;
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        return 64;
    }
    setvbuf(stdout, NULL, write_size ? _IOFBF : _IOLBF, 0);
    webcam.photos = photos_create(argv + optind, argc - optind);
    if (write_size) {
        status = write_frame(webcam.photos, write_size);
    } else {
        open_commands(&webcam);
        plug(&webcam, -1);
        run(&webcam);
        unplug(&webcam);
    }
    stream_finish(&webcam.stream);
    photos_destroy(webcam.photos);
    return status;
}
