/* SPDX-License-Identifier: MIT */
#include "capture/photo/jpeg_reader.h"

#include <errno.h>

_Noreturn void jpeg_reader_fail(struct jpeg_reader *reader, int status)
{
    reader->status = status;
    longjmp(reader->failed, 1);
}

static void on_error(j_common_ptr info)
{
    struct jpeg_reader *reader = info->client_data;
    info->err->format_message(info, reader->text);
    jpeg_reader_fail(reader, -EINVAL);
}

/* libjpeg warns and makes up what is missing; a kiosk must not name what was never seen. */
static void on_message(j_common_ptr info, int level)
{
    const struct jpeg_reader *reader = info->client_data;
    int code = info->err->msg_code;
    if (level < 0 && code != 0 && !(reader->forgive && reader->forgive(reader, code)))
        on_error(info);
}

static void on_output(j_common_ptr info)
{
    (void)info;
}

static void on_progress(j_common_ptr info)
{
    struct jpeg_reader *reader = info->client_data;
    if (reader->info.input_scan_number > JPEG_SCANS_MAX)
        jpeg_reader_fail(reader, -E2BIG);
}

void jpeg_reader_init(struct jpeg_reader *reader)
{
    reader->info.err = jpeg_std_error(&reader->manager);
    reader->info.client_data = reader;
    reader->manager.error_exit = on_error;
    reader->manager.emit_message = on_message;
    reader->manager.output_message = on_output;
    reader->progress.progress_monitor = on_progress;
    reader->status = 0;
    reader->text[0] = 0;
}
