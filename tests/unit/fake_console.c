/* SPDX-License-Identifier: MIT */
#include "fake_drm_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int console_ends[2] = {-1, -1};

void fake_console_reset(void)
{
    if (pipe2(console_ends, O_CLOEXEC | O_NONBLOCK))
        perror("pipe2");
}

void fake_console_finish(void)
{
    for (int i = 0; i < 2; i++) {
        if (console_ends[i] >= 0)
            close(console_ends[i]);
        console_ends[i] = -1;
    }
}

void console_open(struct console *console)
{
    *console = (struct console){.terminal = -1, .signals = console_ends[0]};
}

void console_close(struct console *console)
{
    console->signals = -1;
}

int console_fd(const struct console *console)
{
    return console->signals;
}

void fake_terminal(enum console_event event)
{
    char byte = (char)event;
    if (write(console_ends[1], &byte, 1) != 1)
        fake.faults++;
}

enum console_event console_dispatch(struct console *console)
{
    char byte;
    if (console->signals < 0 || read(console->signals, &byte, 1) != 1)
        return CONSOLE_NOTHING;
    if (byte == CONSOLE_COMES)
        console->left = false;
    return byte;
}

void console_let_go(struct console *console)
{
    console->left = true;
    fake.faults += fake.master; /* the next one could not become master */
}
