/* SPDX-License-Identifier: MIT */
/* The last settings that made sense, for the day when a file of them is broken. */
#include "app/config.h"
#include "app/state.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void keep(const char *text, size_t size)
{
    char *path = state_path("pipit.conf");
    int status = path ? state_write(path, text, size) : 0;
    if (status)
        log_warning("the settings cannot be kept in %s: %s", path, strerror(-status));
    free(path);
}

int config_load_keep(struct config *config, const struct config_origin *origin, struct config_error *error)
{
    struct config_origin copied = *origin;
    char *text = NULL;
    size_t size = 0;
    copied.copy = open_memstream(&text, &size);
    int status = config_load(config, &copied, error);
    bool whole = copied.copy && !fclose(copied.copy);
    if (!status && whole)
        keep(text, size);
    free(text);
    return status;
}

int config_load_last(struct config *config, const struct config_origin *origin)
{
    struct config_error error;
    struct config_origin last = *origin;
    char *path = state_path("pipit.conf");
    if (!path)
        return -ENOENT;
    last.is_copy = true;
    last.file = path;
    int status = config_load(config, &last, &error);
    last.file = "/dev/null";
    if (status) {
        log_warning("%s; the defaults are taken", error.text);
        status = config_load(config, &last, &error);
    }
    free(path);
    return status;
}
