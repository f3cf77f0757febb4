/* SPDX-License-Identifier: MIT */
/* JSON lines on standard output, through json-c. Every function takes ownership of what it is given. */
#ifndef PIPIT_APP_JSON_H
#define PIPIT_APP_JSON_H

#include <json-c/json.h>

/* Text that may come from a file: what is no UTF-8 becomes U+FFFD. NULL becomes null. */
struct json_object *json_text(const char *text);
/* A number in as few digits as give it back exactly as a float; what is not finite becomes null. */
struct json_object *json_real(double value);
struct json_object *json_ms(double ms); /* milliseconds, three decimals */
void json_add(struct json_object *object, const char *key, struct json_object *value);
void json_print(struct json_object *object); /* one line */
void json_print_error(const char *file, const char *error);

#endif
