/* SPDX-License-Identifier: MIT */
/* Averages over areas: against the exact ones, and against the sums in fixed point, one sample at a time. */
#include "base/shrink.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POISON = 0xA5 };

static const struct shrink_size sizes[] = {
    {{630, 630}, {224, 224}, 1}, {{315, 315}, {112, 112}, 2}, {{630, 630}, {300, 300}, 1},
    {{1, 1}, {1, 1}, 1},         {{7, 5}, {7, 5}, 3},         {{2, 3}, {1, 1}, 4},
    {{1, 97}, {1, 13}, 2},       {{97, 1}, {13, 1}, 1},       {{33, 35}, {32, 34}, 1},
    {{101, 67}, {51, 66}, 3},    {{129, 61}, {43, 9}, 4},     {{640, 480}, {37, 29}, 1},
    {{513, 300}, {8, 5}, 2},     {{641, 257}, {10, 4}, 1},    {{999, 1003}, {15, 15}, 1},
    {{1000, 1001}, {3, 2}, 3},   {{4096, 130}, {1, 1}, 1},    {{3, 5000}, {2, 7}, 1},
    {{64, 65500}, {1, 1}, 1},    {{65500, 3}, {2, 1}, 1},     {{65500, 300}, {1, 299}, 1},
    {{1280, 720}, {640, 360}, 1}};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

struct picture {
    struct shrink_in in;
    uint8_t *bytes, *out[4];
    ptrdiff_t stride;
};

static uint8_t noise(unsigned i)
{
    i = (i ^ i >> 15) * 2246822519U;
    return (uint8_t)((i ^ i >> 13) * 2654435761U >> 24);
}

/* Exactly as large as what may be read: AddressSanitizer looks on. Noise, or black and white rows or columns.
 */
static struct picture picture_of(const struct shrink_size *size, enum shrink_places places, int kind)
{
    ptrdiff_t row = (ptrdiff_t)size->in[0] * size->channels * (places == SHRINK_ALL ? 1 : 2);
    ptrdiff_t stride = row + 13;
    struct picture p = {.in = {NULL, stride, places}, .stride = size->out[0] + 5};
    p.bytes = malloc((size_t)(stride * (size->in[1] - 1) + row));
    ck_assert_ptr_nonnull(p.bytes);
    for (ptrdiff_t i = 0; i < stride * (size->in[1] - 1) + row; i++)
        p.bytes[i] = kind == 0 ? noise((unsigned)i) : (kind == 1 ? i / stride : i % stride) % 3 ? 0 : 255;
    p.in.data = p.bytes;
    for (int c = 0; c < size->channels; c++) {
        p.out[c] = malloc((size_t)(p.stride * size->out[1]));
        ck_assert_ptr_nonnull(p.out[c]);
        memset(p.out[c], POISON, (size_t)(p.stride * size->out[1]));
    }
    return p;
}

static void picture_finish(struct picture *p)
{
    free(p->bytes);
    for (int c = 0; c < 4; c++)
        free(p->out[c]);
}

static uint8_t sample_of(const struct picture *p, const struct shrink_size *size, int x, int y, int c)
{
    ptrdiff_t at = (ptrdiff_t)x * size->channels + c;
    at = p->in.places == SHRINK_ALL ? at : 2 * at + (p->in.places == SHRINK_ODD);
    return p->in.data[y * p->in.stride + at];
}

/* ---- the exact average ---- */

/* How much of sample i lies within output `at`. */
static double overlap(int i, int at, const struct shrink_size *size, int d)
{
    double ratio = (double)size->in[d] / size->out[d];
    return fmin(i + 1, (at + 1) * ratio) - fmax(i, at * ratio);
}

static double average(const struct picture *p, const struct shrink_size *size, int x, int y, int c)
{
    double sum = 0, weights = 0;
    int64_t left = (int64_t)x * size->in[0] / size->out[0], top = (int64_t)y * size->in[1] / size->out[1];
    for (int i = (int)top; i < size->in[1] && overlap(i, y, size, 1) > 0; i++)
        for (int j = (int)left; j < size->in[0] && overlap(j, x, size, 0) > 0; j++) {
            double weight = overlap(i, y, size, 1) * overlap(j, x, size, 0);
            sum += weight * sample_of(p, size, j, i, c);
            weights += weight;
        }
    return sum / weights;
}

/* ---- the same integers as everywhere ---- */

/* Where a sample ends within an output, in weights, rounded: see base/shrink.c. */
static int64_t place(int64_t at, int64_t to, int64_t from)
{
    return (at * to + from / 2) / from;
}

static int64_t weight_of(int i, int at, const struct shrink_size *size, int d, int64_t to, int64_t from)
{
    int64_t in = size->in[d], out = size->out[d], begin = at * in, end = begin + in;
    int64_t first = i * out < begin ? begin : i * out, last = (i + 1) * out > end ? end : (i + 1) * out;
    return first < last ? place(last, to, from) - place(first, to, from) : 0;
}

static int64_t down(const struct picture *p, const struct shrink_size *size, int x, int y, int c,
                    int64_t *total)
{
    int64_t in = size->in[1], out = size->out[1], sum = 0;
    bool wide = in / out >= 64;
    *total = 0;
    for (int i = (int)(y * in / out); i < in && i * out < (y + 1) * in; i++) {
        int64_t weight =
            wide ? weight_of(i, y, size, 1, 65536, in) : weight_of(i, y, size, 1, 256 * out / in, out);
        weight = weight > 65535 ? 65535 : weight;
        sum += weight * sample_of(p, size, x, i, c);
        *total += weight;
    }
    *total = wide ? 256 : *total;
    return wide ? sum >> 8 : sum;
}

static uint8_t fixed(const struct picture *p, const struct shrink_size *size, int x, int y, int c)
{
    int64_t in = size->in[0], out = size->out[0], sum = 0, total = 256;
    bool wide = in / out >= 64;
    for (int i = (int)(x * in / out); i < in && i * out < (x + 1) * in; i++) {
        int64_t weight = weight_of(i, x, size, 0, 65536, in);
        weight = weight > 65535 ? 65535 : weight;
        int64_t product = down(p, size, i, y, c, &total) * weight;
        sum += wide ? product : product >> 16;
    }
    sum = wide ? sum >> 16 : sum;
    if (total < 128)
        ck_abort_msg("weights add up to %d", (int)total);
    return (uint8_t)((sum + 128 + (wide ? 0 : in / out / 2 + 1) +
                      (sum * ((256 - total) * 65536 / total) >> 16)) >>
                     8);
}

/* ---- tests ---- */

static void check_sample(const struct picture *p, const struct shrink_size *size, int x, int y, int c)
{
    int got = p->out[c][y * p->stride + x], same = fixed(p, size, x, y, c);
    double exact = average(p, size, x, y, c);
    if (got != same || fabs(got - exact) > 1.0) /* a passed assertion is a system call */
        ck_abort_msg("%dx%d to %dx%d, %d channels (%d, %d, %d): %d for %d, exactly %f", size->in[0],
                     size->in[1], size->out[0], size->out[1], size->channels, x, y, c, got, same, exact);
}

static void check_picture(const struct shrink_size *size, enum shrink_places places, int kind)
{
    struct picture p = picture_of(size, places, kind);
    struct shrink *shrink = shrink_create(size);
    ck_assert_ptr_nonnull(shrink);
    for (int y = 0, rows = 1; y < size->out[1]; y += rows, rows = 40) {
        uint8_t *out[4] = {NULL};
        rows = rows < size->out[1] - y ? rows : size->out[1] - y;
        for (int c = 0; c < size->channels && c < 3; c++)
            out[c] = p.out[c] + y * p.stride;
        shrink_rows(shrink, &p.in, y, rows, out, p.stride);
    }
    /* all of a small result, some of a large one */
    int64_t area = (int64_t)size->out[0] * size->out[1] * (1 + size->in[0] / size->out[0]);
    int step = area * (1 + size->in[1] / size->out[1]) > 20000 ? 7 : 1;
    for (int c = 0; c < size->channels && c < 3; c++)
        for (int y = 0; y < size->out[1]; y++) {
            for (int x = y % step; x < size->out[0]; x += step)
                check_sample(&p, size, x, y, c);
            for (int x = size->out[0]; x < p.stride; x++)
                ck_assert(p.out[c][y * p.stride + x] == POISON);
        }
    shrink_destroy(shrink);
    picture_finish(&p);
}

START_TEST(test_noise)
{
    check_picture(&sizes[_i], SHRINK_ALL, 0);
    check_picture(&sizes[_i], SHRINK_EVEN, 0);
    check_picture(&sizes[_i], SHRINK_ODD, 0);
}
END_TEST

START_TEST(test_stripes)
{
    check_picture(&sizes[_i], SHRINK_ALL, 1);
    check_picture(&sizes[_i], SHRINK_ALL, 2);
}
END_TEST

/* One colour stays what it is. */
START_TEST(test_plain)
{
    struct picture p = picture_of(&sizes[_i], SHRINK_ALL, 0);
    struct shrink *shrink = shrink_create(&sizes[_i]);
    ptrdiff_t row = (ptrdiff_t)sizes[_i].in[0] * sizes[_i].channels;
    ck_assert_ptr_nonnull(shrink);
    ck_assert(!memcmp(shrink_size(shrink), &sizes[_i], sizeof(sizes[_i])));
    for (int value = 0; value < 256; value += 51) {
        memset(p.bytes, value, (size_t)(p.in.stride * (sizes[_i].in[1] - 1) + row));
        shrink_rows(shrink, &p.in, 0, sizes[_i].out[1], p.out, p.stride);
        for (int c = 0; c < sizes[_i].channels; c++)
            for (int y = 0; y < sizes[_i].out[1]; y++)
                for (int x = 0; x < sizes[_i].out[0] && p.out[c]; x++)
                    ck_assert(p.out[c][y * p.stride + x] == value);
    }
    shrink_destroy(shrink);
    picture_finish(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shrink");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_noise, 0, SIZES);
    tcase_add_loop_test(tcase, test_stripes, 0, SIZES);
    tcase_add_loop_test(tcase, test_plain, 0, SIZES);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return !!failed;
}
