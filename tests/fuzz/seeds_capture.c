/* SPDX-License-Identifier: MIT */
/* Writes the seeds of fuzz_photo, fuzz_mjpeg or fuzz_y4m: seeds_capture photo|mjpeg|y4m FOLDER. */
#include "tests/unit/photo_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <png.h>

static const struct jpeg_kind jpegs[] = {
    {.width = 16, .height = 16, .across = 2, .down = 2},
    {.width = 17, .height = 9, .across = 2, .down = 1, .no_huffman = true},
    {.width = 8, .height = 8, .own_huffman = true},
    {.width = 13, .height = 11, .channels = 1},
    {.width = 24, .height = 16, .across = 2, .down = 2, .restart = 1},
    {.width = 24, .height = 16, .across = 2, .down = 2, .progressive = true},
    {.width = 16, .height = 8, .rgb = true},
    {.width = 16, .height = 8, .channels = 4},
    {.width = 10, .height = 6, .orientation = 6},
};
enum { JPEGS = sizeof(jpegs) / sizeof(jpegs[0]) };

static void save(const char *folder, const char *name, int number, struct bytes *bytes)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s%d", folder, name, number);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes->data, 1, bytes->size, file) != bytes->size || fclose(file)) {
        perror(path);
        exit(74);
    }
    bytes_free(bytes);
}

static void save_jpegs(const char *folder)
{
    for (int i = 0; i < JPEGS; i++) {
        struct bytes bytes = {0};
        picture_jpeg(&bytes, &jpegs[i]);
        save(folder, "jpeg", i, &bytes);
    }
}

static void save_pngs(const char *folder)
{
    static const struct {
        int colour, depth;
    } kinds[] = {{PNG_COLOR_TYPE_GRAY, 1},     {PNG_COLOR_TYPE_GRAY, 16}, {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
                 {PNG_COLOR_TYPE_PALETTE, 4},  {PNG_COLOR_TYPE_RGB, 8},   {PNG_COLOR_TYPE_RGB, 16},
                 {PNG_COLOR_TYPE_RGB_ALPHA, 8}};
    for (int i = 0; i < (int)(sizeof(kinds) / sizeof(kinds[0])); i++) {
        struct bytes bytes = {0};
        picture_png(&bytes, 9, 7, kinds[i].colour, kinds[i].depth, i % 2);
        save(folder, "png", i, &bytes);
    }
}

/* Pictures in a row, the second one cut off, headers between them. */
static void save_film(const char *folder)
{
    struct bytes film = {0};
    for (int i = 0; i < 3; i++) {
        struct bytes one = {0};
        bytes_text(&film, "\r\n--next\r\nContent-Type: image/jpeg\r\n\r\n");
        picture_jpeg(&one, &jpegs[i]);
        bytes_put(&film, one.data, one.size - (i == 1 ? 30 : 0));
        bytes_free(&one);
    }
    save(folder, "film", 0, &film);
}

static void save_y4ms(const char *folder)
{
    static const struct {
        const char *header;
        int bytes;
    } films[] = {{"YUV4MPEG2 W4 H4 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n", 24},
                 {"YUV4MPEG2 W5 H3 F30000:1001 C422 XCOLORRANGE=FULL\n", 33},
                 {"YUV4MPEG2 W4 H2 C444\n", 24},
                 {"YUV4MPEG2 H2 W4 Cmono\n", 8}};
    for (int i = 0; i < 4; i++) {
        struct bytes bytes = {0};
        bytes_text(&bytes, films[i].header);
        for (int k = 0; k < 2; k++) {
            bytes_text(&bytes, k ? "FRAME Ip\n" : "FRAME\n");
            for (int n = 0; n < films[i].bytes; n++)
                bytes_number(&bytes, (uint64_t)n, 1);
        }
        save(folder, "y4m", i, &bytes);
    }
}

int main(int count, char **arguments)
{
    if (count != 3)
        return 64;
    const char *what = arguments[1], *folder = arguments[2];
    mkdir(folder, 0777);
    if (!strcmp(what, "y4m"))
        save_y4ms(folder);
    else
        save_jpegs(folder);
    if (!strcmp(what, "photo"))
        save_pngs(folder);
    if (!strcmp(what, "mjpeg"))
        save_film(folder);
    return 0;
}
