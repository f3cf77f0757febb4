/* SPDX-License-Identifier: MIT */
/*
 * Every character of the label files and of the world's scripts has a glyph.
 *
 * usage: test_fonts FOLDER   The folder of the label files. 77: the fonts that the packages name are not
 * here.
 */
#include "display/overlay/overlay.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pango/pangocairo.h>

static const char *const scripts[] = {
    "Ärger, ŒUVRE, żółć, İstanbul, ßẞ, Ñandú",
    "Tiếng Việt: cốc cà phê",
    "Ελληνικά: φλιτζάνι",
    "Русский: чашка, ґ, ѣ",
    "Հայերեն գավաթ",
    "ქართული ჭიქა",
    "עברית: סֵפֶל",
    "العربية: فِنْجَان",
    "فارسی: فنجان قهوه پچگژ",
    "اردو: پیالی ٹھنڈی ڑے",
    "हिन्दी: कॉफ़ी का प्याला",
    "বাংলা: কফি কাপ",
    "ਪੰਜਾਬੀ ਕੱਪ",
    "ગુજરાતી કપ",
    "ଓଡ଼ିଆ କପ୍",
    "தமிழ் கோப்பை",
    "తెలుగు కప్పు",
    "ಕನ್ನಡ ಬಟ್ಟಲು",
    "മലയാളം കപ്പ്",
    "සිංහල කෝප්පය",
    "ไทย: ถ้วยกาแฟ",
    "ລາວ ຈອກ",
    "བོད་སྐད་ དཀར་ཡོལ།",
    "မြန်မာ ခွက်",
    "ខ្មែរ ពែង",
    "አማርኛ ኩባያ",
    "ᏣᎳᎩ",
    "ᠮᠣᠩᠭᠣᠯ",
    "简体中文：咖啡杯",
    "繁體中文：咖啡杯，鸚鵡",
    "日本語：コーヒーカップ、湯呑み",
    "한국어: 커피잔",
    "☕ 🦜 🐈 🚗 👩‍🚀 🇩🇪 👍🏽",
    "½ ° · … – — “ ” ‘ ’ « » € £ ₹ × ± ≈ → ★",
};
enum { SCRIPTS = sizeof(scripts) / sizeof(scripts[0]) };

struct words {
    struct overlay_line *line;
    int count, room;
};

/* A word a line, since what an ellipsis stands for is not counted. */
static void add_words(struct words *words, char *text)
{
    for (char *word = strtok(text, " \t\r\n"); word; word = strtok(NULL, " \t\r\n")) {
        if (words->count == words->room) {
            words->room = words->room ? 2 * words->room : 1024;
            words->line = realloc(words->line, (size_t)words->room * sizeof(*words->line));
            if (!words->line)
                exit(1);
        }
        struct overlay_line *line = &words->line[words->count++];
        *line = (struct overlay_line){.bar = 0};
        snprintf(line->label, sizeof(line->label), "%s", word);
    }
}

static int missing(struct overlay_painter *painter, const char *name, struct words *words)
{
    struct overlay overlay = {.lines = words->line, .line_count = words->count};
    struct overlay_plan *plan =
        overlay_plan_create(painter, &overlay, 8000, 720, (struct area){0, 0, 8000, 720});
    int count = plan ? overlay_plan_missing(plan) : 1;
    overlay_plan_destroy(plan);
    if (count)
        printf("%s: %d characters have no glyph\n", name, count);
    words->count = 0;
    return count;
}

static int missing_in_text(struct overlay_painter *painter, struct words *words, const char *text)
{
    char copy[256];
    snprintf(copy, sizeof(copy), "%s", text);
    add_words(words, copy);
    return missing(painter, text, words);
}

static int missing_in_file(struct overlay_painter *painter, struct words *words, const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof(line), file))
        add_words(words, line);
    fclose(file);
    printf("%s: %d words\n", path, words->count);
    return missing(painter, path, words);
}

static int missing_in_folder(struct overlay_painter *painter, struct words *words, const char *folder)
{
    int count = 0, files = 0;
    char path[1024];
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".txt"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        count += missing_in_file(painter, words, path);
        files++;
    }
    if (dir)
        closedir(dir);
    return files ? count : 1;
}

static bool has_family(const char *name)
{
    PangoFontFamily **families;
    int count;
    bool found = false;
    pango_font_map_list_families(pango_cairo_font_map_get_default(), &families, &count);
    for (int i = 0; i < count; i++)
        found |= !strcmp(pango_font_family_get_name(families[i]), name);
    g_free(families);
    return found;
}

int main(int argc, char **argv)
{
    static const char *const wanted[] = {"Noto Sans", "Noto Sans Thai", "Noto Sans CJK JP",
                                         "Noto Color Emoji"};
    struct words words = {0};
    if (argc != 2)
        return 64;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!has_family(wanted[i])) {
            printf("no font '%s' here: install fonts-noto-core, -cjk and -color-emoji\n", wanted[i]);
            return 77;
        }
    struct overlay_painter *painter = overlay_painter_create();
    int failed = missing_in_folder(painter, &words, argv[1]);
    for (int i = 0; i < SCRIPTS; i++)
        failed += missing_in_text(painter, &words, scripts[i]);
    if (!missing_in_text(painter, &words, "\xf4\x8f\xbf\xbd")) { /* U+10FFFD, private use */
        printf("what no font has was not missed\n");
        failed++;
    }
    free(words.line);
    overlay_painter_destroy(painter);
    return !!failed;
}
