/* SPDX-License-Identifier: MIT */
#include "app/live/journal.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* <systemd/sd-journal.h> would bring syslog's names, which are the log's own here. */
extern int sd_journal_sendv(const struct iovec *iov, int n);

static const struct {
    const char *id, *field; /* MESSAGE_ID, as in systemd/pipit.catalog */
    int priority;           /* of syslog(3): 3 error, 4 warning, 5 notice, 6 information */
} events[JOURNAL_EVENTS] = {
    [JOURNAL_CAMERA] = {"4bf441a0ca6949df82bdd8f8cb14259e", "PIPIT_CAMERA", 6},
    [JOURNAL_CAMERA_LOST] = {"f331b94b4d7a43e6869288ecfad0d86c", "PIPIT_CAMERA", 4},
    [JOURNAL_SCREEN] = {"66c7aad77cef46369dfed9697f7c024f", "PIPIT_SCREEN", 6},
    [JOURNAL_SCREEN_LOST] = {"73184769a0da47ec90f4c0f68e561e9c", "PIPIT_SCREEN", 4},
    [JOURNAL_MODEL] = {"5304d1d925f143d5a734a800d166dabd", "PIPIT_MODEL", 6},
    [JOURNAL_MODEL_OTHER] = {"8dfee808c97d442f8050d7a6dccdc29b", "PIPIT_MODEL", 3},
    [JOURNAL_SETTINGS] = {"baeb4b25082d4cfea65bffc6b4f7ca42", "PIPIT_FILE", 3},
    [JOURNAL_HUNG] = {"ee758e115e6c492e8e15a4433319b377", "PIPIT_MODEL", 3},
    [JOURNAL_HEAT] = {"87485197f33e4adaa8c2356195642cd5", "PIPIT_STEP", 5},
};

/* JOURNAL_STREAM is "DEVICE:INODE" of the standard error that the journal reads: systemd.exec(5). */
static bool under_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat error;
    char *end;
    if (!stream || fstat(STDERR_FILENO, &error))
        return false;
    unsigned long long device = strtoull(stream, &end, 10);
    return *end == ':' && device == error.st_dev && strtoull(end + 1, NULL, 10) == error.st_ino;
}

static void tell_log(int priority, const char *text)
{
    if (priority <= 3)
        log_error("%s", text);
    else if (priority == 4)
        log_warning("%s", text);
    else
        log_info("%s", text);
}

static struct iovec field(char *text, size_t size, const char *name, const char *value)
{
    int length = snprintf(text, size, "%s=%s", name, value);
    return (struct iovec){text, length < (int)size ? (size_t)length : size - 1};
}

static int send(enum journal_event event, const char *subject, const char *text)
{
    char message[1024], id[64], priority[16], level[2] = {(char)('0' + events[event].priority), 0}, own[256],
                                              name[] = "SYSLOG_IDENTIFIER=pipit";
    struct iovec fields[] = {field(message, sizeof(message), "MESSAGE", text),
                             field(id, sizeof(id), "MESSAGE_ID", events[event].id),
                             field(priority, sizeof(priority), "PRIORITY", level),
                             {name, sizeof(name) - 1},
                             field(own, sizeof(own), events[event].field, subject ? subject : "")};
    return sd_journal_sendv(fields, subject ? 5 : 4);
}

void journal_tell(enum journal_event event, const char *subject, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return;
    if (!under_journal() || send(event, subject, text) < 0)
        tell_log(events[event].priority, text);
    free(text);
}
