/* SPDX-License-Identifier: MIT */
#include "app/ini_file.h"

#include "app/command.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

struct reading {
    ini_file_take *take;
    void *user;
    FILE *file;
    int line;          /* that is being read */
    int status, wrong; /* the first failure and its line */
    char why[320];
};

static int wrong(struct reading *reading, int status)
{
    reading->status = status;
    reading->wrong = reading->line;
    return 0;
}

/* Called by libinih for every key; after the first failure the rest is of no interest. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    if (reading->status)
        return 0;
    int status = reading->take(reading->user, section, name, value, reading->why, sizeof(reading->why));
    return status ? wrong(reading, status) : 1;
}

/* fgets() that counts lines: inih would take the rest of a long line for a line of its own. */
static char *next_line(char *out, int room, void *stream)
{
    struct reading *reading = stream;
    if (!fgets(out, room, reading->file))
        return NULL;
    reading->line++;
    size_t length = strlen(out);
    if (length + 1 == (size_t)room && out[length - 1] != '\n' && !reading->status) {
        snprintf(reading->why, sizeof(reading->why), "the line is longer than %d bytes", room - 1);
        wrong(reading, -EINVAL);
    }
    return out;
}

static int parse(struct reading *reading, const char *path)
{
    reading->file = fopen(path, "re");
    if (!reading->file)
        return -errno;
    errno = 0;
    int line = ini_parse_stream(next_line, reading, on_key, reading), status = reading->status;
    if (!status && ferror(reading->file))
        status = errno ? -errno : -EIO;
    else if (!status && line) {
        reading->wrong = line;
        status = -EINVAL;
    }
    fclose(reading->file);
    return status;
}

int ini_file_read(const char *path, ini_file_take *take, void *user, char *text, size_t text_size)
{
    struct reading reading = {.take = take, .user = user};
    int status = parse(&reading, path);
    if (status && reading.wrong)
        snprintf(text, text_size, "%s: line %d: %s", path, reading.wrong,
                 *reading.why ? reading.why : "is no section and no 'key = value'");
    else if (status)
        snprintf(text, text_size, "%s: %s", path, *reading.why ? reading.why : strerror(-status));
    return status;
}

int ini_file_unknown(const char *key, const char *const *names, char *why, size_t why_size)
{
    const char *meant = nearest_name(key, names);
    snprintf(why, why_size, "there is no key '%s'%s%s%s", key, meant ? "; did you mean '" : "",
             meant ? meant : "", meant ? "'?" : "");
    return -EINVAL;
}
