/* SPDX-License-Identifier: MIT */
#include "app/tensors.h"

#include "app/json.h"

#include <stdio.h>

static struct json_object *json_quantisation(const struct pipit_tensor *tensor)
{
    if (!tensor->scales)
        return NULL;
    struct json_object *object = json_object_new_object();
    struct json_object *scales = json_object_new_array(), *zeros = json_object_new_array();
    for (int i = 0; i < tensor->scales; i++) {
        json_object_array_add(scales, json_real((double)tensor->scale[i]));
        json_object_array_add(zeros, json_object_new_int(tensor->zero_point[i]));
    }
    json_add(object, "scale", scales);
    json_add(object, "zero_point", zeros);
    json_add(object, "axis", json_object_new_int(tensor->quant_axis));
    return object;
}

struct json_object *json_tensor(const struct pipit_tensor *tensor)
{
    struct json_object *object = json_object_new_object(), *shape = json_object_new_array();
    for (int i = 0; i < tensor->rank; i++)
        json_object_array_add(shape, json_object_new_int(tensor->shape[i]));
    json_add(object, "name", json_text(tensor->name));
    json_add(object, "shape", shape);
    json_add(object, "type", json_text(pipit_type_name(tensor->type)));
    json_add(object, "quantisation", json_quantisation(tensor));
    return object;
}

const char *tensor_text(const struct pipit_tensor *tensor, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; i < tensor->rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%d", i ? " x " : "", (int)tensor->shape[i]);
    if (used < size)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "scalar ",
                                 pipit_type_name(tensor->type));
    if (tensor->scales == 1 && used < size)
        used += (size_t)snprintf(text + used, size - used, ", scale %.9g, zero point %d",
                                 (double)tensor->scale[0], (int)tensor->zero_point[0]);
    if (tensor->channels_first && used < size)
        snprintf(text + used, size - used, ", channels first");
    return text;
}
