/* SPDX-License-Identifier: MIT */
#include "app/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 sequence at `at` (RFC 3629), 0 when it is none. */
static size_t sequence(const unsigned char *at)
{
    size_t length = at[0] < 0x80   ? 1
                    : at[0] < 0xc2 ? 0
                    : at[0] < 0xe0 ? 2
                    : at[0] < 0xf0 ? 3
                    : at[0] < 0xf5 ? 4
                                   : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return length;
}

struct json_object *json_text(const char *text)
{
    char *valid = text ? malloc(3 * strlen(text) + 1) : NULL;
    size_t used = 0;
    if (!valid)
        return NULL;
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        size_t length = sequence(at);
        memcpy(valid + used, length ? (const char *)at : "\xef\xbf\xbd", length ? length : 3);
        used += length ? length : 3;
        at += length ? length : 1;
    }
    struct json_object *object = json_object_new_string_len(valid, (int)used);
    free(valid);
    return object;
}

struct json_object *json_real(double value)
{
    char digits[40];
    if (!isfinite(value))
        return NULL;
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtof(digits, NULL) == (float)value)
            break;
    }
    return json_object_new_double_s(value, digits);
}

struct json_object *json_ms(double ms)
{
    char digits[40];
    snprintf(digits, sizeof(digits), "%.3f", ms);
    return json_object_new_double_s(ms, digits);
}

void json_add(struct json_object *object, const char *key, struct json_object *value)
{
    json_object_object_add(object, key, value);
}

void json_print(struct json_object *object)
{
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

void json_print_error(const char *file, const char *error)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "file", json_text(file));
    json_add(object, "error", json_text(error));
    json_print(object);
}
