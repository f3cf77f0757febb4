/* SPDX-License-Identifier: MIT */
/* Names a picture: cc name.c $(pkg-config --cflags --libs pipit); ./a.out MODEL WIDTH HEIGHT <picture.rgb */
#include <pipit.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 4)
        errx(1, "usage: name MODEL WIDTH HEIGHT <picture.rgb");
    int width = (int)strtol(argv[2], NULL, 10), height = (int)strtol(argv[3], NULL, 10);
    size_t size = width > 0 && height > 0 ? 3 * (size_t)width * (size_t)height : 0;
    unsigned char *pixels = malloc(size + 1);
    if (!pixels || fread(pixels, 1, size, stdin) != size)
        errx(1, "standard input must be %zu bytes: R, G, B, row by row", size);
    struct pipit_image image = {.format = PIPIT_RGB24, .width = width, .height = height, .data = {pixels}};
    image.stride[0] = 3 * (ptrdiff_t)width;
    struct pipit_model *model;
    struct pipit_error error;
    struct pipit_class top[3];
    int found = pipit_model_open(&model, argv[1], NULL, &error);
    if (found < 0 || (found = pipit_classify(model, &image, top, 3, &error)) < 0)
        errx(1, "%s: %s", argv[1], error.text);
    for (int i = 0; i < found; i++) {
        const char *label = pipit_model_label(model, top[i].index);
        printf("%.4f %s\n", (double)top[i].score, label ? label : "?");
    }
    pipit_model_destroy(model);
    free(pixels);
}
