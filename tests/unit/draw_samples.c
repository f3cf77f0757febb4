/* SPDX-License-Identifier: MIT */
/*
 * Screens to be looked at: overlays on photos, as PNG files.
 *
 * usage: draw_samples FOLDER PHOTO...   Each screen takes the next photo; without photos they are grey.
 */
#include "capture/photo/photo.h"
#include "display/compose.h"
#include "display/headless/png_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv.h>

struct sample {
    const char *name;
    int width, height;
    bool fill;
    struct overlay overlay;
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define BOXES(array) .boxes = (array), .box_count = COUNT(array)
#define LINES(array) .lines = (array), .line_count = COUNT(array)

static const struct overlay_box street[] = {
    {{0.62F, 0.55F, 0.99F, 0.83F}, 0, "Car", "69 %"},
    {{0.48F, 0.68F, 0.65F, 1.01F}, 1, "Person", "43 %"},
    {{0.24F, 0.69F, 0.44F, 1.01F}, 1, "Person", "35 %"},
    {{0.00F, 0.69F, 0.16F, 1.00F}, 1, "Person", "35 %"},
};
static const struct overlay_box table[] = {
    {{0.00F, 0.43F, 0.97F, 0.99F}, 2, "Table", "59 %"},
    {{0.23F, 0.24F, 0.42F, 0.46F}, 1, "Person", "38 %"},
    {{0.60F, 0.20F, 0.80F, 0.50F}, 1, "Person", "32 %"},
    {{0.05F, 0.28F, 0.22F, 0.60F}, 3, "Chair", "35 %"},
    {{0.73F, 0.50F, 0.91F, 0.59F}, 5, "Coffee cup", "30 %"},
};
static const struct overlay_box crowd[] = {
    {{0.30F, 0.30F, 0.50F, 0.80F}, 1, "Person", "91 %"},
    {{0.32F, 0.32F, 0.52F, 0.82F}, 1, "Person", "88 %"},
    {{0.34F, 0.30F, 0.54F, 0.80F}, 1, "Person", "85 %"},
    {{0.36F, 0.31F, 0.56F, 0.81F}, 1, "Person", "81 %"},
    {{0.38F, 0.33F, 0.58F, 0.83F}, 1, "Person", "74 %"},
    {{0.40F, 0.60F, 0.48F, 0.72F}, 0, "Handbag", "60 %"},
    {{0.30F, 0.31F, 0.37F, 0.41F}, 4, "Hat", "55 %"},
    {{0.46F, 0.62F, 0.55F, 0.72F}, 6, "Coffee cup", "42 %"},
    {{0.01F, 0.01F, 0.12F, 0.20F}, 7, "Tree", "40 %"},
    {{0.90F, 0.90F, 0.999F, 0.999F}, 5, "Footwear", "38 %"},
};
static const struct overlay_box scripts[] = {
    {{0.03F, 0.10F, 0.30F, 0.42F},
     0,
     "Gartenrotschwanz-Weibchen im Übergangskleid auf dem Fensterbrett",
     "83 %"},
    {{0.36F, 0.10F, 0.64F, 0.42F}, 1, "فنجان قهوة", "٧٧ ٪"},
    {{0.70F, 0.10F, 0.97F, 0.42F}, 2, "清水寺", "71 %"},
    {{0.03F, 0.56F, 0.22F, 0.90F}, 3, "कॉफ़ी का प्याला", "66 %"},
    {{0.27F, 0.56F, 0.46F, 0.90F}, 5, "ถ้วยกาแฟ", "64 %"},
    {{0.52F, 0.56F, 0.71F, 0.90F}, 6, "🦜 Ara", "58 %"},
    {{0.77F, 0.56F, 0.97F, 0.90F}, 4, "ספל קפה על שולחן עץ ישן", "51 %"},
};
static const struct overlay_line parrot[] = {
    {"Scarlet macaw", "92 %", 0.92F},
    {"Military macaw", "4 %", 0.04F},
    {"Sulphur-crested cockatoo, Kakatoe galerita", "2 %", 0.02F},
    {"Lorikeet", "1 %", 0.01F},
};
static const struct overlay_line arabic[] = {{"ببغاء المكاو القرمزي", "٩٢ ٪", 0.92F},
                                             {"ببغاء المكاو العسكري", "٤ ٪", 0.04F},
                                             {"كوكاتو", "٢ ٪", 0.02F}};

static const struct overlay_line scripts_card[] = {
    {"金剛鸚哥（コンゴウインコ）", "62 %", 0.62F},
    {"תוכי ארה אדומה", "21 %", 0.21F},
    {"Кубок, чашка", "12 %", 0.12F},
    {"ნიჟარა 🐚", "9 %", 0.09F},
    {"នំប៉័ង", "7 %", 0.07F},
};

static const struct sample samples[] = {
    {"street", 1280, 720, true, {BOXES(street), .status = "C920   1280x720   30 fps   24 ms"}},
    {"table", 1280, 720, false, {BOXES(table), .status = "replay   8 fps   96 ms"}},
    {"crowd", 1280, 720, true, {BOXES(crowd), .status = "C920   30 fps"}},
    {"scripts", 1280, 720, true, {BOXES(scripts), .status = "OV5647   30 fps"}},
    {"card", 1280, 720, true, {LINES(parrot), .status = "C920   30 fps   18 ms"}},
    {"card-arabic", 1280, 720, true, {LINES(arabic), .language = "ar"}},
    {"card-and-boxes", 1280, 720, true, {BOXES(crowd), LINES(parrot), .margin = 0.05F, .status = "30 fps"}},
    {"card-scripts", 1280, 720, true, {LINES(scripts_card), .language = "ja"}},
    {"notice", 1280, 720, true, {.notice = "No camera", .notice_detail = "Plug the camera in · code C1"}},
    {"notice-live",
     1280,
     720,
     true,
     {.notice = "Keine Kamera",
      .notice_detail = "Bitte das Kabel der Kamera prüfen; es geht von selbst weiter · C1",
      .status = "C920   0 fps"}},
    {"portrait", 720, 1280, true, {BOXES(table), LINES(parrot), .status = "C920   30 fps"}},
    {"portrait-fit", 720, 1280, false, {BOXES(table), .status = "C920   30 fps"}},
    {"large", 3840, 2160, true, {BOXES(street), LINES(parrot), .status = "C920   1280x720   30 fps   24 ms"}},
    {"small", 640, 480, true, {BOXES(scripts), .status = "C920   640x480   30 fps   24 ms"}},
    {"tiny", 320, 240, true, {BOXES(street), LINES(parrot), .status = "30 fps"}},
};

static struct frame *photo(const char *path)
{
    struct photo_error error;
    struct frame *frame = NULL;
    if (path && photo_read(&frame, path, &error))
        fprintf(stderr, "%s: %s\n", path, error.text);
    return frame;
}

/* The largest part of the frame that has the screen's aspect; or the largest such place on the screen. */
static struct area inscribe(int width, int height, int of_width, int of_height)
{
    struct area area = {0, 0, width, (int)((int64_t)width * of_height / of_width)};
    if (area.height > height)
        area = (struct area){0, 0, (int)((int64_t)height * of_width / of_height), height};
    area.x = (width - area.width) / 2;
    area.y = (height - area.height) / 2;
    return area;
}

static int draw(const struct sample *sample, const char *folder, struct frame *in)
{
    struct frame *canvas = frame_create(FRAME_XRGB32, sample->width, sample->height);
    struct frame *out = frame_create(FRAME_RGB24, sample->width, sample->height);
    struct converter *converter = converter_create();
    struct labels labels = {0};
    struct canvas onto = {.frame = *canvas};
    struct area to = area_of(canvas), from = area_of(in), picture = to;
    if (sample->fill) {
        from = inscribe(in->width, in->height, to.width, to.height);
        picture.width = in->width * to.width / from.width;
        picture.height = in->height * to.height / from.height;
        picture.x = -from.x * to.width / from.width;
        picture.y = -from.y * to.height / from.height;
    } else {
        picture = to = inscribe(to.width, to.height, in->width, in->height);
    }
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s.png", folder, sample->name);
    int failed = labels_draw(&labels, &sample->overlay, sample->width, sample->height, picture);
    if (!failed)
        failed = compose(converter, in, from, (struct turn){0}, &onto, to, &labels);
    if (!failed) {
        ARGBToRAW(canvas->data[0], (int)canvas->stride[0], out->data[0], (int)out->stride[0], out->width,
                  out->height);
        failed = png_write(out, path);
    }
    printf("%s: %s, %d areas\n", path, failed ? strerror(-failed) : "ok", labels.areas);
    labels_finish(&labels);
    converter_destroy(converter);
    frame_unref(canvas);
    frame_unref(out);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: draw_samples FOLDER PHOTO...\n");
        return 64;
    }
    for (int i = 0; i < COUNT(samples); i++) {
        struct frame *in = photo(argc > 2 ? argv[2 + i % (argc - 2)] : NULL);
        if (!in && (in = frame_create(FRAME_RGB24, 640, 480)))
            memset(in->data[0], i % 2 ? 0xff : 0x30, (size_t)in->stride[0] * 480);
        failed |= in ? draw(&samples[i], argv[1], in) : 1;
        frame_unref(in);
    }
    return !!failed;
}
