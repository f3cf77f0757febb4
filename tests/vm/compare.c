/* SPDX-License-Identifier: MIT */
/*
 * Compares two PNG pictures of one size, or says how one looks. Prints the mean absolute difference of all
 * channels and the worst one of any 16 x 16 block, in steps of 255. Exit status 1 when a limit is passed.
 * Usage: compare A.png B.png [MEAN [BLOCK]]       compare --mean A.png [X Y WIDTH HEIGHT]: prints "R G B" of
 * a part
 */
#include <err.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture {
    int width, height;
    unsigned char *rgb;
};

static void read_picture(struct picture *picture, const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path))
        errx(66, "%s: %s", path, image.message);
    image.format = PNG_FORMAT_RGB;
    picture->rgb = malloc(PNG_IMAGE_SIZE(image));
    if (!picture->rgb || !png_image_finish_read(&image, NULL, picture->rgb, 0, NULL))
        errx(66, "%s: %s", path, image.message);
    picture->width = (int)image.width;
    picture->height = (int)image.height;
}

static long block_difference(const struct picture *a, const struct picture *b, int left, int top, long *count)
{
    long sum = 0;
    *count = 0;
    for (int y = top; y < top + 16 && y < a->height; y++) {
        for (int x = left * 3; x < (left + 16) * 3 && x < a->width * 3; x++) {
            size_t at = (size_t)y * (size_t)a->width * 3 + (size_t)x;
            sum += abs(a->rgb[at] - b->rgb[at]);
            ++*count;
        }
    }
    return sum;
}

static int compare(const struct picture *a, const struct picture *b, double mean_limit, double block_limit)
{
    long total = 0, all = 0, count;
    double worst = 0;
    int worst_x = 0, worst_y = 0;
    if (a->width != b->width || a->height != b->height)
        errx(1, "%dx%d and %dx%d", a->width, a->height, b->width, b->height);
    for (int y = 0; y < a->height; y += 16) {
        for (int x = 0; x < a->width; x += 16) {
            long sum = block_difference(a, b, x, y, &count);
            double mean = (double)sum / (double)count;
            total += sum;
            all += count;
            if (mean > worst) {
                worst = mean;
                worst_x = x;
                worst_y = y;
            }
        }
    }
    double mean = (double)total / (double)all;
    printf("mean difference %.2f, worst block %.1f at %d,%d\n", mean, worst, worst_x, worst_y);
    return mean > mean_limit || worst > block_limit;
}

static int print_mean(const struct picture *picture, char **part)
{
    int left = part[0] ? atoi(part[0]) : 0, top = part[0] ? atoi(part[1]) : 0;
    int width = part[0] ? atoi(part[2]) : picture->width, height = part[0] ? atoi(part[3]) : picture->height;
    double sum[3] = {0};
    if (left < 0 || top < 0 || width < 1 || height < 1 || left + width > picture->width ||
        top + height > picture->height)
        errx(64, "the part is not within %dx%d", picture->width, picture->height);
    for (int y = top; y < top + height; y++) {
        for (int x = left; x < left + width; x++) {
            for (int c = 0; c < 3; c++)
                sum[c] += picture->rgb[((size_t)y * (size_t)picture->width + (size_t)x) * 3 + (size_t)c];
        }
    }
    double area = (double)width * height;
    printf("%.1f %.1f %.1f\n", sum[0] / area, sum[1] / area, sum[2] / area);
    return 0;
}

int main(int argc, char **argv)
{
    struct picture a, b;
    if ((argc == 3 || argc == 7) && !strcmp(argv[1], "--mean")) {
        read_picture(&a, argv[2]);
        return print_mean(&a, argv + 3);
    }
    if (argc < 3)
        errx(64, "usage: compare A.png B.png [MEAN [BLOCK]] | --mean A.png [X Y WIDTH HEIGHT]");
    read_picture(&a, argv[1]);
    read_picture(&b, argv[2]);
    return compare(&a, &b, argc > 3 ? atof(argv[3]) : 255, argc > 4 ? atof(argv[4]) : 255);
}
