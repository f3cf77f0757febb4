/* SPDX-License-Identifier: MIT */
#include "display/kms/console.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/kd.h>
#include <linux/vt.h>

/* The terminal in front, if we may use it: our own, or any as root. */
static int open_terminal(int *number)
{
    static const char *const paths[] = {"/dev/tty", "/dev/tty0"};
    for (int i = 0; i < 2; i++) {
        struct vt_stat state;
        unsigned device;
        int fd = open(paths[i], O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 && !ioctl(fd, VT_GETSTATE, &state) && !ioctl(fd, TIOCGDEV, &device) &&
            minor(device) == state.v_active) {
            *number = state.v_active;
            return fd;
        }
        if (fd >= 0)
            close(fd);
    }
    return -1;
}

static int take_signal(struct console *console)
{
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGURG);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    console->was_blocked = sigismember(&before, SIGURG);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

void console_open(struct console *console)
{
    struct vt_mode mode = {.mode = VT_PROCESS, .relsig = SIGURG, .acqsig = SIGURG};
    *console = (struct console){.terminal = -1, .signals = -1};
    int fd = open_terminal(&console->number);
    if (fd < 0)
        return;
    if (ioctl(fd, KDSETMODE, KD_GRAPHICS)) { /* not our terminal, and not root: text stays hidden below */
        close(fd);
        return;
    }
    console->terminal = fd;
    console->signals = take_signal(console);
    if (console->signals >= 0)
        ioctl(fd, VT_SETMODE, &mode);
}

static void give_signal_back(struct console *console)
{
    sigset_t signals;
    close(console->signals);
    sigemptyset(&signals);
    sigaddset(&signals, SIGURG);
    if (!console->was_blocked)
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void console_close(struct console *console)
{
    struct vt_mode mode = {.mode = VT_AUTO};
    char path[32];
    if (console->terminal < 0)
        return;
    if (ioctl(console->terminal, VT_SETMODE, &mode)) { /* a login that ended hung our descriptor up */
        close(console->terminal);
        snprintf(path, sizeof(path), "/dev/tty%d", console->number);
        console->terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        ioctl(console->terminal, VT_SETMODE, &mode);
    }
    ioctl(console->terminal, KDSETMODE, KD_TEXT);
    if (console->terminal >= 0)
        close(console->terminal);
    if (console->signals >= 0)
        give_signal_back(console);
    *console = (struct console){.terminal = -1, .signals = -1};
}

int console_fd(const struct console *console)
{
    return console->signals;
}

enum console_event console_dispatch(struct console *console)
{
    struct signalfd_siginfo info;
    if (console->signals < 0 || read(console->signals, &info, sizeof(info)) != sizeof(info))
        return CONSOLE_NOTHING;
    if (!console->left)
        return CONSOLE_LEAVES;
    console->left = false;
    ioctl(console->terminal, VT_RELDISP, VT_ACKACQ);
    return CONSOLE_COMES;
}

void console_let_go(struct console *console)
{
    /* Refused where no switch is asked for: somebody else's SIGURG. */
    console->left = !ioctl(console->terminal, VT_RELDISP, 1);
}
