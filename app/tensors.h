/* SPDX-License-Identifier: MIT */
/* How infer and info tell what a tensor is. */
#ifndef PIPIT_APP_TENSORS_H
#define PIPIT_APP_TENSORS_H

#include <pipit.h>

#include <json-c/json.h>

/* {"name", "shape", "type", "quantisation": {"scale": [...], "zero_point": [...], "axis"} or null} */
struct json_object *json_tensor(const struct pipit_tensor *tensor);
/* "1 x 224 x 224 x 3 uint8, scale 0.0078125, zero point 128" */
const char *tensor_text(const struct pipit_tensor *tensor, char *text, size_t size);

#endif
