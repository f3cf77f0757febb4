/* SPDX-License-Identifier: MIT */
/* Photos, folders and films as a source. */
#include "base/clock.h"
#include "capture/source.h"
#include "tests/unit/photo_files.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], name[128];
static struct source_settings settings;
static struct source_error error;
static struct source *source;

static void setup(void)
{
    strcpy(folder, "/tmp/pipit-replay-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    source_defaults(&settings);
    settings.rate = 1000;
    source = NULL;
}

static void teardown(void)
{
    char command[128];
    source_close(source);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void save(const char *file, const struct bytes *bytes)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(bytes->data, 1, bytes->size, out), bytes->size);
    ck_assert_int_eq(fclose(out), 0);
}

static int open_source(const char *file)
{
    snprintf(name, sizeof(name), "replay:%s/%s", folder, file);
    settings.name = name;
    error.text[0] = 0;
    int status = source_open(&source, &settings, &error);
    ck_assert_msg((status != 0) == (error.text[0] != 0), "%d: %s", status, error.text);
    return status;
}

static void open_good(const char *file)
{
    int status = open_source(file);
    ck_assert_msg(!status, "%d: %s", status, error.text);
}

/* Waits for the next frame, or for news. */
static int take(struct frame **frame)
{
    int status;
    do {
        struct pollfd poller = {.fd = source_fd(source), .events = POLLIN};
        ck_assert_int_eq(poll(&poller, 1, 10000), 1);
    } while ((status = source_take(source, frame)) == -EAGAIN);
    return status;
}

static struct frame *take_good(void)
{
    struct frame *frame;
    ck_assert_int_eq(take(&frame), 0);
    return frame;
}

static void save_jpeg(const char *file, int width, int height, int shade)
{
    struct bytes bytes = {0};
    struct jpeg_kind kind = {.width = width, .height = height, .across = 2, .down = 2, .shade = shade};
    picture_jpeg(&bytes, &kind);
    save(file, &bytes);
    bytes_free(&bytes);
}

/* ---- photos ---- */

START_TEST(test_photo)
{
    save_jpeg("a.jpg", 40, 30, 0);
    open_good("a.jpg");
    struct source_info info;
    source_info(source, &info);
    ck_assert_str_eq(info.name, "a.jpg");
    ck_assert_str_eq(info.id, name);
    ck_assert_uint_eq(info.format, FRAME_RGB24);
    ck_assert_int_eq(info.width, 40);
    struct frame *first = take_good(), *second = take_good();
    ck_assert_ptr_ne(first, second);
    ck_assert_ptr_eq(first->data[0], second->data[0]);
    ck_assert_uint_eq(first->sequence, 0);
    ck_assert_uint_eq(second->sequence, 1);
    ck_assert_uint_ge(second->time_ns, first->time_ns + 1000000);
    source_close(source);
    source = NULL;
    ck_assert_int_eq(second->data[0][0], first->data[0][0]);
    frame_unref(first);
    frame_unref(second);
}
END_TEST

START_TEST(test_once)
{
    struct frame *frame;
    save_jpeg("a.jpg", 40, 30, 0);
    settings.once = true;
    open_good("a.jpg");
    frame_unref(take_good());
    ck_assert_int_eq(take(&frame), -ENODATA);
    ck_assert_int_eq(take(&frame), -ENODATA);
    ck_assert_ptr_null(frame);
}
END_TEST

START_TEST(test_photo_formats)
{
    struct bytes bytes = {0};
    struct jpeg_kind kind = {.width = 41, .height = 31, .channels = 1};
    picture_jpeg(&bytes, &kind);
    save("a.jpg", &bytes);
    bytes_free(&bytes);
    settings.format = FRAME_YUV420;
    open_good("a.jpg");
    struct frame *frame = take_good();
    ck_assert_uint_eq(frame->format, FRAME_YUV420);
    ck_assert(frame->full_range);
    ck_assert_int_le(abs(frame->data[0][4 * frame->stride[0] + 5] - picture_value(&kind, 5, 4, 0)), 3);
    ck_assert_int_le(abs(frame->data[1][15 * frame->stride[1] + 20] - 128), 1);
    ck_assert_int_le(abs(frame->data[2][15 * frame->stride[2] + 20] - 128), 1);
    frame_unref(frame);
    source_close(source);
    source = NULL;
    settings.format = FRAME_XRGB32;
    settings.width = 20;
    settings.height = 20;
    open_good("a.jpg");
    frame = take_good();
    ck_assert_uint_eq(frame->format, FRAME_XRGB32);
    ck_assert_int_eq(frame->width, 20);
    ck_assert_int_eq(frame->height, 15);
    frame_unref(frame);
    source_close(source);
    source = NULL;
    settings.format = FRAME_NV12;
    ck_assert_int_eq(open_source("a.jpg"), -ENOTSUP);
}
END_TEST

/* In the order of their numbers; what is no photo, or a damaged one, is left out. */
START_TEST(test_folder)
{
    struct bytes bytes = {0};
    char path[128];
    save_jpeg("p10.jpg", 16, 16, 0);
    save_jpeg("p9.JPEG", 17, 16, 0);
    picture_png(&bytes, 18, 16, 2, 8, false);
    save("p11.png", &bytes);
    save("p12.txt", &bytes);
    bytes.size /= 2;
    save("p8.png", &bytes);
    bytes_free(&bytes);
    snprintf(path, sizeof(path), "%s/sub.jpg", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(open_source("sub.jpg"), -ENOENT);
    open_good("");
    static const int width[] = {17, 16, 18, 17};
    for (int i = 0; i < 4; i++) {
        struct frame *frame = take_good();
        ck_assert_int_eq(frame->width, width[i]);
        ck_assert_uint_eq(frame->sequence, (unsigned)i);
        frame_unref(frame);
    }
}
END_TEST

/* Who holds all buffers loses frames, and is told how many. */
START_TEST(test_buffers)
{
    struct frame *frame[3];
    save_jpeg("a.jpg", 16, 16, 0);
    settings.buffers = 2;
    open_good("a.jpg");
    frame[0] = take_good();
    frame[1] = take_good();
    while (source_dropped(source) < 3)
        ck_assert_int_eq(source_take(source, &frame[2]), -EAGAIN);
    frame_unref(frame[0]);
    frame[2] = take_good();
    ck_assert_uint_eq(frame[2]->sequence, 5);
    frame_unref(frame[1]);
    frame_unref(frame[2]);
}
END_TEST

/* ---- Y4M ---- */

static void y4m(struct bytes *bytes, const char *header, size_t frame, int frames)
{
    bytes_text(bytes, header);
    for (int i = 0; i < frames; i++) {
        bytes_text(bytes, i % 2 ? "FRAME Ip\n" : "FRAME\n");
        for (size_t k = 0; k < frame; k++)
            bytes_put(bytes, &(uint8_t){(uint8_t)(i * 16 + (int)k % 16)}, 1);
    }
}

static int open_y4m(const char *header, size_t frame, int frames)
{
    struct bytes bytes = {0};
    y4m(&bytes, header, frame, frames);
    save("film.y4m", &bytes);
    bytes_free(&bytes);
    return open_source("film.y4m");
}

static const struct {
    const char *header;
    uint32_t format;
    size_t bytes;
    bool full;
} y4ms[] = {
    {"YUV4MPEG2 W6 H4 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n", FRAME_YUV420, 36, false},
    {"YUV4MPEG2 W5 H3 F30000:1001 C420mpeg2\n", FRAME_YUV420, 27, false},
    {"YUV4MPEG2 H3 W5\n", FRAME_YUV420, 27, false},
    {"YUV4MPEG2 W6 H4 F25:1 C420 XCOLORRANGE=FULL\n", FRAME_YUV420, 36, true},
    {"YUV4MPEG2 W5 H4 F25:1 C422\n", FRAME_YUV422P, 44, false},
    {"YUV4MPEG2 W6 H4 F25:1 C444 XCOLORRANGE=LIMITED\n", FRAME_YUV444P, 72, false},
    {"YUV4MPEG2 W6 H4 F25:1 Cmono\n", FRAME_GREY, 24, false},
};

START_TEST(test_y4m)
{
    int status = open_y4m(y4ms[_i].header, y4ms[_i].bytes, 3);
    ck_assert_msg(!status, "%s", error.text);
    for (int i = 0; i < 7; i++) {
        struct frame *frame = take_good();
        ck_assert_uint_eq(frame->format, y4ms[_i].format);
        ck_assert_int_eq(frame->full_range, y4ms[_i].full);
        ck_assert_uint_eq(frame->sequence, (unsigned)i);
        ck_assert_int_eq(frame->data[0][0], i % 3 * 16);
        int last = frame->planes - 1;
        size_t row[FRAME_PLANES_MAX];
        int rows[FRAME_PLANES_MAX];
        frame_layout(frame->format, frame->width, frame->height, row, rows);
        ck_assert_int_eq(frame->data[last][(rows[last] - 1) * frame->stride[last] + (int)row[last] - 1],
                         i % 3 * 16 + (int)(y4ms[_i].bytes - 1) % 16);
        frame_unref(frame);
    }
    ck_assert_uint_eq(source_dropped(source), 0);
}
END_TEST

/* The file's own rate where none is asked for; frames are due when it says. */
START_TEST(test_y4m_rate)
{
    settings.rate = 0;
    ck_assert_int_eq(open_y4m("YUV4MPEG2 W6 H4 F200:1\n", 36, 4), 0);
    struct source_info info;
    source_info(source, &info);
    ck_assert_double_eq(info.rate, 200);
    uint64_t before = 0;
    for (int i = 0; i < 4; i++) {
        struct frame *frame = take_good();
        ck_assert_uint_le(frame->time_ns, clock_now_ns());
        ck_assert_uint_ge(frame->time_ns, before);
        before = frame->time_ns + 5000000;
        frame_unref(frame);
    }
}
END_TEST

START_TEST(test_y4m_hd)
{
    ck_assert_int_eq(open_y4m("YUV4MPEG2 W1280 H2 F25:1 C420\n", 1280 * 3, 1), 0);
    struct frame *frame = take_good();
    ck_assert_int_eq(frame->matrix, FRAME_MATRIX_709);
    frame_unref(frame);
}
END_TEST

static const struct {
    const char *header;
    size_t bytes;
    int status;
} bad_y4ms[] = {
    {"YUV4MPEG2 W6 H4 C420p10\n", 72, -ENOTSUP},
    {"YUV4MPEG2 W6 H4 C411\n", 36, -ENOTSUP},
    {"YUV4MPEG2 W6 C420\n", 36, -EINVAL},
    {"YUV4MPEG2 W0 H4\n", 36, -EINVAL},
    {"YUV4MPEG2 W-6 H4\n", 36, -EINVAL},
    {"YUV4MPEG2 W6x H4\n", 36, -EINVAL},
    {"YUV4MPEG2 W99999999999 H4\n", 36, -EINVAL},
    {"YUV4MPEG2 W16384 H16384 C444\n", 36, -EINVAL},
    {"YUV4MPEG2 W6 H5\n", 36, -EINVAL},
    {"YUV4MPEG2 W4 H4\n", 36, -EINVAL},
    {"YUV4MPEG2 W8 H40\n", 36, -EINVAL},
    {"YUV4MPEG W6 H4\n", 36, -EINVAL},
    {"YUV4MPEG2 W6 H4", 0, -EINVAL},
};

START_TEST(test_y4m_lies)
{
    ck_assert_int_eq(open_y4m(bad_y4ms[_i].header, bad_y4ms[_i].bytes, 2), bad_y4ms[_i].status);
    ck_assert_ptr_null(source);
}
END_TEST

/* What is cut off at the end is counted, and no frame. */
START_TEST(test_y4m_cut)
{
    struct bytes bytes = {0};
    struct frame *frame;
    y4m(&bytes, "YUV4MPEG2 W6 H4 F25:1\n", 36, 3);
    bytes.size -= 5;
    save("cut.y4m", &bytes);
    settings.once = true;
    open_good("cut.y4m");
    frame_unref(take_good());
    frame_unref(take_good());
    ck_assert_int_eq(take(&frame), -ENODATA);
    ck_assert_uint_eq(source_dropped(source), 1);
    bytes_free(&bytes);
}
END_TEST

/* ---- Motion-JPEG ---- */

static void add_jpeg(struct bytes *bytes, int shade)
{
    struct jpeg_kind kind = {.width = 48, .height = 32, .across = 2, .down = 1, .no_huffman = true};
    kind.shade = shade;
    picture_jpeg(bytes, &kind);
}

static void make_mjpeg(struct bytes *bytes, size_t *size)
{
    for (int i = 0; i < 3; i++) {
        struct bytes one = {0};
        add_jpeg(&one, 50 * i);
        size[i] = one.size;
        bytes_put(bytes, one.data, one.size);
        bytes_free(&one);
    }
}

START_TEST(test_mjpeg)
{
    struct bytes bytes = {0};
    size_t size[3];
    make_mjpeg(&bytes, size);
    save("film.mjpeg", &bytes);
    bytes_free(&bytes);
    open_good("film.mjpeg");
    for (int i = 0; i < 7; i++) {
        struct frame *frame = take_good();
        ck_assert_uint_eq(frame->format, FRAME_MJPEG);
        ck_assert_int_eq(frame->width, 48);
        ck_assert_int_eq(frame->height, 32);
        ck_assert_uint_eq(frame->size, size[i % 3]);
        frame_unref(frame);
    }
}
END_TEST

/* A picture that is cut off ends where the next begins; headers of a multipart stream are passed over. */
START_TEST(test_mjpeg_cut)
{
    struct bytes bytes = {0}, one = {0};
    struct frame *frame;
    add_jpeg(&one, 0);
    bytes_text(&bytes, "--next\r\nContent-Type: image/jpeg\r\n\r\n");
    bytes_put(&bytes, one.data, one.size);
    bytes_text(&bytes, "\r\n--next\r\n\r\n");
    bytes_put(&bytes, one.data, one.size - 40);
    bytes_put(&bytes, one.data, one.size);
    bytes_put(&bytes, one.data, one.size - 40);
    save("film", &bytes);
    settings.once = true;
    open_good("film");
    for (int i = 0; i < 3; i++) {
        frame = take_good();
        ck_assert_uint_eq(frame->size, i == 1 ? one.size - 40 : one.size);
        ck_assert_int_eq(memcmp(frame->data[0], one.data, frame->size), 0);
        frame_unref(frame);
    }
    ck_assert_int_eq(take(&frame), -ENODATA);
    ck_assert_uint_eq(source_dropped(source), 1);
    bytes_free(&bytes);
    bytes_free(&one);
}
END_TEST

/* A photo with a preview behind it stays a photo. */
START_TEST(test_photo_with_preview)
{
    struct bytes bytes = {0};
    struct jpeg_kind large = {.width = 64, .height = 64}, small = {.width = 16, .height = 16};
    picture_jpeg(&bytes, &large);
    picture_jpeg(&bytes, &small);
    save("a.jpg", &bytes);
    bytes_free(&bytes);
    open_good("a.jpg");
    struct frame *frame = take_good();
    ck_assert_uint_eq(frame->format, FRAME_RGB24);
    frame_unref(frame);
}
END_TEST

/* The name says what the bytes do not: a film, if only of one picture. */
START_TEST(test_one_picture)
{
    static const struct {
        const char *file;
        uint32_t format;
    } kinds[] = {{"one.mjpeg", FRAME_MJPEG}, {"one.MJPG", FRAME_MJPEG}, {"one.jpg", FRAME_RGB24}};
    struct bytes bytes = {0};
    add_jpeg(&bytes, 0);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        save(kinds[i].file, &bytes);
        open_good(kinds[i].file);
        for (int turn = 0; turn < 2; turn++) {
            struct frame *frame = take_good();
            ck_assert_uint_eq(frame->format, kinds[i].format);
            ck_assert_int_eq(frame->width, 48);
            frame_unref(frame);
        }
        source_close(source);
        source = NULL;
    }
    bytes_free(&bytes);
}
END_TEST

/* ---- streams ---- */

/* It may be opened before anyone writes. */
START_TEST(test_named_pipe)
{
    struct bytes bytes = {0};
    char path[128];
    add_jpeg(&bytes, 0);
    snprintf(path, sizeof(path), "%s/pipe", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    pid_t writer = fork();
    if (!writer) {
        int fd = open(path, O_WRONLY); /* waits for the reader */
        _exit(fd < 0 || write(fd, bytes.data, bytes.size) != (ssize_t)bytes.size);
    }
    open_good("pipe");
    struct frame *frame = take_good();
    ck_assert_uint_eq(frame->size, bytes.size);
    frame_unref(frame);
    ck_assert_int_eq(take(&frame), -ENODATA);
    bytes_free(&bytes);
}
END_TEST

/* Standard input becomes a pipe that holds the bytes; returns its other end. */
static int feed(const struct bytes *bytes)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], bytes->data, bytes->size), (ssize_t)bytes->size);
    ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    settings.name = "replay:-";
    return ends[1];
}

START_TEST(test_stream)
{
    struct bytes bytes = {0}, rest = {0};
    struct frame *frame[2], *none;
    y4m(&bytes, "YUV4MPEG2 W6 H4 F500:1\n", 36, 2);
    y4m(&rest, "", 36, 1);
    bytes_put(&bytes, rest.data, 20);
    int end = feed(&bytes);
    ck_assert_int_eq(source_open(&source, &settings, &error), 0);
    frame[0] = take_good();
    frame[1] = take_good();
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(frame[i]->data[2][5], 16 * i + 35 % 16);
    ck_assert_int_eq(source_take(source, &none), -EAGAIN);
    struct pollfd poller = {.fd = source_fd(source), .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, 20), 0);
    ck_assert_int_eq(write(end, rest.data + 20, rest.size - 20), (ssize_t)rest.size - 20);
    frame_unref(take_good());
    close(end);
    ck_assert_int_eq(take(&none), -ENODATA);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(frame[i]->data[2][5], 16 * i + 35 % 16);
        frame_unref(frame[i]);
    }
    ck_assert_uint_eq(source_dropped(source), 0);
    bytes_free(&bytes);
    bytes_free(&rest);
}
END_TEST

START_TEST(test_mjpeg_stream)
{
    struct bytes bytes = {0};
    struct frame *frame;
    size_t size[3];
    make_mjpeg(&bytes, size);
    int end = feed(&bytes);
    close(end);
    ck_assert_int_eq(source_open(&source, &settings, &error), 0);
    for (int i = 0; i < 3; i++) {
        frame = take_good();
        ck_assert_uint_eq(frame->size, size[i]);
        frame_unref(frame);
    }
    ck_assert_int_eq(take(&frame), -ENODATA);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_refused)
{
    struct bytes bytes = {0};
    bytes_text(&bytes, "hello");
    save("a.jpg", &bytes);
    ck_assert_int_eq(open_source("a.jpg"), -ENOTSUP);
    bytes.size = 0;
    save("b.jpg", &bytes);
    ck_assert_int_eq(open_source("b.jpg"), -ENOTSUP);
    ck_assert_int_eq(open_source("absent"), -ENOENT);
    ck_assert_int_eq(open_source(""), -ENOENT);
    bytes_text(&bytes, "\xff\xd8\xff\xd9");
    save("c.jpg", &bytes);
    ck_assert_int_eq(open_source("c.jpg"), -EINVAL);
    bytes_free(&bytes);
    int end = feed(&bytes);
    close(end);
    ck_assert_int_eq(source_open(&source, &settings, &error), -ENOTSUP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tests = tcase_create("sources");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_photo);
    tcase_add_test(tests, test_once);
    tcase_add_test(tests, test_photo_formats);
    tcase_add_test(tests, test_folder);
    tcase_add_test(tests, test_buffers);
    tcase_add_loop_test(tests, test_y4m, 0, (int)(sizeof(y4ms) / sizeof(y4ms[0])));
    tcase_add_test(tests, test_y4m_rate);
    tcase_add_test(tests, test_y4m_hd);
    tcase_add_loop_test(tests, test_y4m_lies, 0, (int)(sizeof(bad_y4ms) / sizeof(bad_y4ms[0])));
    tcase_add_test(tests, test_y4m_cut);
    tcase_add_test(tests, test_mjpeg);
    tcase_add_test(tests, test_mjpeg_cut);
    tcase_add_test(tests, test_photo_with_preview);
    tcase_add_test(tests, test_one_picture);
    tcase_add_test(tests, test_named_pipe);
    tcase_add_test(tests, test_stream);
    tcase_add_test(tests, test_mjpeg_stream);
    tcase_add_test(tests, test_refused);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
