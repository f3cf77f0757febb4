/* SPDX-License-Identifier: MIT */
#include "app/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void language_of(const char *setting, char *language, size_t size)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    const char *value = strcmp(setting, "auto") ? setting : NULL;
    for (int i = 0; i < 3 && !value; i++) {
        value = getenv(variables[i]);
        value = value && *value ? value : NULL;
    }
    value = value ? value : "";
    size_t length = strcspn(value, ".@"); /* as in "de_AT.UTF-8@euro" */
    bool none = length == 0 || strchr(value, '/') || !strncmp(value, "C", length) ||
                !strncmp(value, "POSIX", length) ||
                (!strncmp(value, "en", 2) && (length == 2 || value[2] == '_'));
    snprintf(language, size, "%.*s", none ? 0 : (int)length, value);
}

/* ---- translations ---- */

static int read_beside(const char *labels, const char *language, int length, char **text, size_t *size)
{
    char *path;
    size_t stem = strlen(labels);
    if (stem > 4 && !strcmp(labels + stem - 4, ".txt"))
        stem -= 4;
    if (asprintf(&path, "%.*s.%.*s.txt", (int)stem, labels, length, language) < 0)
        return -ENOMEM;
    int status = text_read(path, text, size);
    free(path);
    return status;
}

/* "de_AT", then "de". -ENOENT: there is neither. */
static int read_translation(const char *labels, const char *language, char **text, size_t *size)
{
    int status = read_beside(labels, language, (int)strlen(language), text, size);
    if (status == -ENOENT && strchr(language, '_'))
        status = read_beside(labels, language, (int)strcspn(language, "_"), text, size);
    return status;
}

/* Cuts the text into lines; returns how many (CR and LF are taken off; an empty last line is none). */
static int cut(char *text, const char **line, int most)
{
    int count = 0;
    while (*text) {
        char *end = text + strcspn(text, "\n"), *next = *end ? end + 1 : end;
        *end = 0;
        if (end > text && end[-1] == '\r')
            end[-1] = 0;
        if (count < most)
            line[count] = text;
        count++;
        text = next;
    }
    return count;
}

/* The translation has a line for each line of the label file, of which the model may leave the first ones
 * out. */
static int translate(struct names *names, const struct opened *opened, const char *language)
{
    size_t size = 0;
    int labels = pipit_model_labels(opened->model), skip = opened->labels_skip;
    int status = opened->labels && *language && labels
                     ? read_translation(opened->labels, language, &names->text, &size)
                     : -ENOENT;
    if (status)
        return status;
    const char **line = calloc((size_t)labels + (size_t)skip, sizeof(*line));
    if (!line)
        return -ENOMEM;
    int lines = cut(names->text, line, labels + skip);
    if (lines == labels + skip) {
        memmove(line, line + skip, (size_t)labels * sizeof(*line));
        names->name = line;
        names->count = labels;
        return 0;
    }
    free(line);
    return -EINVAL;
}

static int take_labels(struct names *names, const struct pipit_model *model)
{
    int count = pipit_model_labels(model);
    size_t size = 1;
    for (int i = 0; i < count; i++)
        size += strlen(pipit_model_label(model, i)) + 1;
    names->text = malloc(size);
    names->name = calloc((size_t)count + 1, sizeof(*names->name));
    if (!names->text || !names->name)
        return -ENOMEM;
    char *at = names->text;
    for (int i = 0; i < count; i++) {
        names->name[i] = at;
        at = stpcpy(at, pipit_model_label(model, i)) + 1;
    }
    names->count = count;
    return 0;
}

int names_init(struct names *names, const struct opened *opened, const char *language, bool *translated)
{
    *names = (struct names){0};
    int status = translate(names, opened, language);
    *translated = !status;
    if (!status)
        return 0;
    names_finish(names);
    int failed = take_labels(names, opened->model);
    if (failed)
        names_finish(names);
    return failed ? failed : status == -ENOENT ? 0 : status;
}

void names_finish(struct names *names)
{
    free(names->text);
    free(names->name);
    *names = (struct names){0};
}

const char *names_of(const struct names *names, int index, char *text, size_t size)
{
    if (index >= 0 && index < names->count && *names->name[index])
        return names->name[index];
    snprintf(text, size, "class %d", index);
    return text;
}
