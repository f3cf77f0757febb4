/* SPDX-License-Identifier: MIT */
/* Motion-JPEG frames as cameras send them: their planes, and what is refused. */
#include "capture/mjpeg.h"
#include "tests/unit/photo_files.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct mjpeg *decoder;

static void setup(void)
{
    decoder = mjpeg_create();
    ck_assert_ptr_nonnull(decoder);
}

static void teardown(void)
{
    mjpeg_destroy(decoder);
}

/* From bytes that end where the frame ends, so that sanitizers see a read beyond them. */
static int decode_bytes(const void *data, size_t size, int width, int height, struct frame **out)
{
    uint8_t *copy = malloc(size + !size);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, data, size);
    struct frame in = {.format = FRAME_MJPEG,
                       .width = width,
                       .height = height,
                       .planes = 1,
                       .data = {copy},
                       .size = size,
                       .sequence = 7,
                       .time_ns = 1234};
    int status = mjpeg_decode(decoder, &in, out);
    free(copy);
    return status;
}

static struct frame *decode(const struct jpeg_kind *kind)
{
    struct bytes bytes = {0};
    struct frame *frame;
    picture_jpeg(&bytes, kind);
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, kind->width, kind->height, &frame), 0);
    bytes_free(&bytes);
    return frame;
}

static void check_planes(const struct frame *frame, const struct jpeg_kind *kind)
{
    size_t row[FRAME_PLANES_MAX];
    int rows[FRAME_PLANES_MAX];
    int planes = frame_layout(frame->format, frame->width, frame->height, row, rows);
    ck_assert_int_eq(frame->planes, planes);
    for (int p = 0; p < planes; p++)
        for (int y = 0; y < rows[p]; y++)
            for (int x = 0; x < (int)row[p]; x++) {
                int across = p && kind->across ? kind->across : 1, down = p && kind->down ? kind->down : 1;
                int right = across * x + across - 1, below = down * y + down - 1;
                int sum = picture_value(kind, across * x, down * y, p) +
                          picture_value(kind, right < kind->width ? right : kind->width - 1,
                                        below < kind->height ? below : kind->height - 1, p);
                ck_assert_int_le(abs(frame->data[p][y * frame->stride[p] + x] - sum / 2), 4);
            }
}

static const struct {
    struct jpeg_kind kind;
    uint32_t format;
} good[] = {
    {{.width = 64, .height = 48, .across = 2, .down = 2}, FRAME_YUV420},
    {{.width = 64, .height = 48, .across = 2, .down = 1}, FRAME_YUV422P},
    {{.width = 64, .height = 48}, FRAME_YUV444P},
    {{.width = 64, .height = 48, .channels = 1}, FRAME_GREY},
    {{.width = 33, .height = 17, .channels = 1, .across = 2, .down = 2}, FRAME_GREY},
    {{.width = 51, .height = 35, .across = 2, .down = 2}, FRAME_YUV420},
    {{.width = 49, .height = 33, .across = 2, .down = 1}, FRAME_YUV422P},
    {{.width = 1, .height = 1, .across = 2, .down = 2}, FRAME_YUV420},
    {{.width = 65, .height = 9}, FRAME_YUV444P},
    {{.width = 64, .height = 48, .across = 2, .down = 1, .no_huffman = true}, FRAME_YUV422P},
    {{.width = 64, .height = 48, .across = 2, .down = 2, .own_huffman = true}, FRAME_YUV420},
    {{.width = 64, .height = 48, .across = 2, .down = 2, .restart = 2}, FRAME_YUV420},
    {{.width = 51, .height = 35, .across = 2, .down = 2, .progressive = true}, FRAME_YUV420},
};

START_TEST(test_kinds)
{
    struct frame *frame = decode(&good[_i].kind);
    ck_assert_uint_eq(frame->format, good[_i].format);
    ck_assert_uint_eq(frame->sequence, 7);
    ck_assert_uint_eq(frame->time_ns, 1234);
    ck_assert_int_eq(frame->matrix, FRAME_MATRIX_601);
    ck_assert(frame->full_range);
    check_planes(frame, &good[_i].kind);
    frame_unref(frame);
}
END_TEST

/* One decoder for all of them, up and down. A picture's own Huffman tables are not the next one's. */
START_TEST(test_changes)
{
    int count = (int)(sizeof(good) / sizeof(good[0]));
    for (int i = 0; i < 2 * count; i++) {
        const struct jpeg_kind *kind = &good[i < count ? i : 2 * count - 1 - i].kind;
        struct frame *frame = decode(kind);
        check_planes(frame, kind);
        frame_unref(frame);
    }
}
END_TEST

START_TEST(test_truncated)
{
    struct jpeg_kind kind = good[_i].kind;
    struct bytes bytes = {0};
    struct frame *frame;
    picture_jpeg(&bytes, &kind);
    for (size_t size = 0; size + 4 < bytes.size; size += 1 + size / 64) {
        ck_assert_int_eq(decode_bytes(bytes.data, size, kind.width, kind.height, &frame), -EBADMSG);
        ck_assert_ptr_null(frame);
    }
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, kind.width, kind.height, &frame), 0);
    frame_unref(frame);
    bytes_free(&bytes);
}
END_TEST

/* Webcams pad pictures, and leave the end marker out. */
START_TEST(test_harmless)
{
    struct jpeg_kind kind = {.width = 64, .height = 48, .across = 2, .down = 1};
    struct bytes bytes = {0};
    struct frame *frame;
    picture_jpeg(&bytes, &kind);
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size - 2, 64, 48, &frame), 0);
    check_planes(frame, &kind);
    frame_unref(frame);
    bytes.size -= 2;
    bytes_put(&bytes, "\0\0\0\0\0\0\xff\xd9\0\0\0\0", 12);
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, 64, 48, &frame), 0);
    check_planes(frame, &kind);
    frame_unref(frame);
    bytes_free(&bytes);
}
END_TEST

START_TEST(test_refused)
{
    struct jpeg_kind rgb = {.width = 16, .height = 16, .rgb = true},
                     cmyk = {.width = 16, .height = 16, .channels = 4},
                     wide = {.width = 64, .height = 16, .across = 4},
                     tall = {.width = 16, .height = 64, .down = 2}, fine = {.width = 16, .height = 16};
    const struct jpeg_kind *const unsupported[] = {&rgb, &cmyk, &wide, &tall};
    struct bytes bytes = {0};
    struct frame *frame;
    for (int i = 0; i < 4; i++) {
        picture_jpeg(&bytes, unsupported[i]);
        ck_assert_int_eq(
            decode_bytes(bytes.data, bytes.size, unsupported[i]->width, unsupported[i]->height, &frame),
            -ENOTSUP);
        bytes_free(&bytes);
    }
    picture_jpeg(&bytes, &fine);
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, 16, 15, &frame), -EBADMSG);
    ck_assert_int_eq(decode_bytes("", 0, 16, 16, &frame), -EBADMSG);
    ck_assert_int_eq(decode_bytes("\xff\xd8\xff\xd9", 4, 16, 16, &frame), -EBADMSG);
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, 16, 16, &frame), 0);
    frame_unref(frame);
    bytes_free(&bytes);
}
END_TEST

/* Without quantisation tables there is no picture, whatever the one before had. */
START_TEST(test_no_quantisation)
{
    struct jpeg_kind kind = {.width = 16, .height = 16};
    struct bytes bytes = {0};
    struct frame *frame;
    frame_unref(decode(&kind));
    picture_jpeg(&bytes, &kind);
    for (size_t at = 2; bytes.data[at + 1] != 0xda;
         at += 2 + ((size_t)bytes.data[at + 2] << 8 | bytes.data[at + 3]))
        if (bytes.data[at + 1] == 0xdb)
            bytes.data[at + 1] = 0xed; /* APP13 */
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, 16, 16, &frame), -EBADMSG);
    bytes_free(&bytes);
}
END_TEST

/* The same pixels come again; when all are out there is no frame; frames outlive the decoder. */
START_TEST(test_pool)
{
    enum { MOST = 64 };
    struct jpeg_kind kind = {.width = 64, .height = 48, .across = 2, .down = 2};
    struct frame *out[MOST];
    struct bytes bytes = {0};
    int count = 0, status;
    struct frame *first = decode(&kind);
    const uint8_t *pixels = first->data[0];
    frame_unref(first);
    picture_jpeg(&bytes, &kind);
    while ((status = decode_bytes(bytes.data, bytes.size, 64, 48, &out[count])) == 0)
        ck_assert_int_lt(++count, MOST);
    ck_assert_int_eq(status, -ENOBUFS);
    ck_assert_int_ge(count, 5);
    ck_assert_ptr_eq(out[0]->data[0], pixels);
    frame_unref(out[--count]);
    ck_assert_int_eq(decode_bytes(bytes.data, bytes.size, 64, 48, &out[count]), 0);
    mjpeg_destroy(decoder);
    decoder = NULL;
    for (int i = 0; i <= count; i++) {
        check_planes(out[i], &kind);
        frame_unref(out[i]);
    }
    bytes_free(&bytes);
}
END_TEST

int main(void)
{
    int kinds = (int)(sizeof(good) / sizeof(good[0]));
    Suite *suite = suite_create("mjpeg");
    TCase *tests = tcase_create("frames");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, test_kinds, 0, kinds);
    tcase_add_test(tests, test_changes);
    tcase_add_loop_test(tests, test_truncated, 0, kinds);
    tcase_add_test(tests, test_harmless);
    tcase_add_test(tests, test_refused);
    tcase_add_test(tests, test_no_quantisation);
    tcase_add_test(tests, test_pool);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
