/* SPDX-License-Identifier: MIT */
/*
 * The virtual terminal that the screen's text belongs to. It is set to graphics, so that neither cursor nor
 * text are drawn, and asks before it is switched away (VT_PROCESS, ioctl_vt(2)) by SIGURG, a signal that does
 * no harm where nobody waits for it. That signal is blocked in the calling thread; other threads must have it
 * blocked too, as sd-event asks of all its signals, or a switch may go unnoticed and be asked for again.
 */
#ifndef PIPIT_DISPLAY_KMS_CONSOLE_H
#define PIPIT_DISPLAY_KMS_CONSOLE_H

#include <stdbool.h>

struct console {
    int terminal, signals; /* -1: there is no terminal, or none that we may use */
    int number;            /* of /dev/ttyN */
    bool left;             /* switched away */
    bool was_blocked;
};

enum console_event { CONSOLE_NOTHING, CONSOLE_LEAVES, CONSOLE_COMES };

void console_open(struct console *console); /* without a terminal all below do nothing */
void console_close(struct console *console);
int console_fd(const struct console *console); /* readable: console_dispatch(); -1: none */
enum console_event console_dispatch(struct console *console);
void console_let_go(struct console *console); /* after CONSOLE_LEAVES, when the card is free */

#endif
