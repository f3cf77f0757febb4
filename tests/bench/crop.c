/* SPDX-License-Identifier: MIT */
/* What it costs to put a camera's picture into a network's input (crop, filter, colours, normalisation),
 * beside the inference of MobileNetV3-Small that follows, on one thread; medians of alternating runs. */
#include "pipit.h"
#include "base/clock.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define YUYV PIPIT_FOURCC('Y', 'U', 'Y', 'V')
#define NV12 PIPIT_FOURCC('N', 'V', '1', '2')

enum { WIDTH = 1280, HEIGHT = 720, RUNS = 101 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, RUNS, sizeof(*values), ascending);
    return values[RUNS / 2];
}

static struct pipit_image camera(uint32_t format, const uint8_t *bytes)
{
    struct pipit_image image = {.format = format, .width = WIDTH, .height = HEIGHT, .data = {bytes}};
    image.stride[0] = format == YUYV ? 2 * WIDTH : WIDTH;
    if (format == NV12) {
        image.data[1] = bytes + WIDTH * HEIGHT;
        image.stride[1] = WIDTH;
    }
    return image;
}

static void bench(const char *network, const char *name, const struct pipit_image *image, int bytes)
{
    double in[RUNS], run[RUNS];
    struct pipit_model *model;
    struct pipit_error error;
    struct pipit_settings settings;
    pipit_settings_defaults(&settings);
    settings.threads = 1;
    settings.fit = PIPIT_FIT_CROP;
    settings.has_normalisation = !strstr(network, "int8"); /* whose quantisation says it */
    for (int c = 0; c < 3; c++)
        settings.mean[c] = settings.std[c] = 127.5F;
    if (pipit_model_random(&model, network, 1, &settings, &error) < 0)
        errx(1, "%s", error.text);
    for (int i = -5; i < RUNS; i++) {
        uint64_t start = clock_now_ns();
        if (pipit_model_set_image(model, image, &error) < 0)
            errx(1, "%s", error.text);
        uint64_t half = clock_now_ns();
        pipit_model_run(model);
        if (i >= 0) {
            in[i] = (double)(half - start) / 1e6;
            run[i] = clock_ms_since(half);
        }
    }
    double ms = median(in), inference = median(run);
    printf("%-6s %-28s %8.3f ms  %6.2f GB/s  inference %8.3f ms  %5.1f %%\n", name, network, ms,
           bytes / ms / 1e6, inference, 100 * ms / inference);
    pipit_model_destroy(model);
}

int main(void)
{
    static const char *const networks[] = {"mobilenet-v3-small", "mobilenet-v3-small@300",
                                           "mobilenet-v3-small/int8", "mobilenet-v3-small@300/int8"};
    uint8_t *bytes = malloc(2 * WIDTH * HEIGHT);
    if (!bytes)
        err(1, "memory");
    for (int i = 0; i < 2 * WIDTH * HEIGHT; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 24);
    printf("camera's bytes of %dx%d, cut and filtered to the network's input\n", WIDTH, HEIGHT);
    for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
        struct pipit_image yuyv = camera(YUYV, bytes), nv12 = camera(NV12, bytes);
        bench(networks[i], "YUYV", &yuyv, 2 * WIDTH * HEIGHT);
        bench(networks[i], "NV12", &nv12, WIDTH * HEIGHT * 3 / 2);
    }
    free(bytes);
    return 0;
}
