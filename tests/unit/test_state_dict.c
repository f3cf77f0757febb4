/* SPDX-License-Identifier: MIT */
#include "engine/import/state_dict.h"
#include "tests/unit/files.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float ramp[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                               12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
static const struct float_tensor tensors[] = {
    {"features.0.weight", 4, {2, 3, 2, 2}, ramp},
    {"features.0.bias", 1, {5}, ramp + 3},
    {"scale", 0, {0}, ramp + 7},
};
enum { TENSORS = sizeof(tensors) / sizeof(tensors[0]) };

typedef void write_fn(struct bytes *bytes, const struct float_tensor *tensors, int count);
static write_fn *const writers[] = {write_torch_old, write_torch_zip, write_safetensors, write_gguf};
enum { WRITERS = sizeof(writers) / sizeof(writers[0]) };

static int read_all(struct state_dict *dict, const struct bytes *file, struct pipit_error *error)
{
    error->text[0] = 0;
    return state_dict_init(dict, file->data, file->size, error);
}

static void expect_values(const struct state_dict *dict, const char *name, const float *values, int count)
{
    float read[64];
    const struct state_tensor *tensor = state_dict_find(dict, name);
    ck_assert_ptr_nonnull(tensor);
    ck_assert_int_eq(tensor->elements, count);
    ck_assert_int_eq(state_tensor_read(tensor, read), 0);
    ck_assert(!memcmp(read, values, (size_t)count * sizeof(*values)));
}

START_TEST(reads_every_format)
{
    struct bytes file = {0};
    struct state_dict dict;
    struct pipit_error error;
    writers[_i](&file, tensors, TENSORS);
    ck_assert_msg(read_all(&dict, &file, &error) == 0, "%s", error.text);
    ck_assert_int_eq(dict.tensors, TENSORS);
    expect_values(&dict, "features.0.weight", ramp, 24);
    expect_values(&dict, "features.0.bias", ramp + 3, 5);
    expect_values(&dict, "scale", ramp + 7, 1);
    ck_assert_int_eq(state_dict_find(&dict, "features.0.weight")->shape[1], 3);
    ck_assert_ptr_null(state_dict_find(&dict, "features.0"));
    state_dict_finish(&dict);
    bytes_free(&file);
}
END_TEST

/* A file that ends early is an error wherever it ends, and never a wrong read (sanitizers watch). */
START_TEST(every_cut_is_an_error)
{
    struct bytes file = {0};
    struct state_dict dict;
    struct pipit_error error;
    writers[_i](&file, tensors, TENSORS);
    for (size_t size = 0; size < file.size; size++) {
        uint8_t *copy = malloc(size + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, file.data, size);
        error.text[0] = 0;
        ck_assert_int_lt(state_dict_init(&dict, copy, size, &error), 0);
        ck_assert_msg(error.text[0] != 0, "no message for %zu bytes", size);
        free(copy);
    }
    bytes_free(&file);
}
END_TEST

START_TEST(every_flipped_bit_is_survived)
{
    struct bytes file = {0};
    struct state_dict dict;
    writers[_i](&file, tensors, TENSORS);
    for (size_t at = 0; at < file.size * 8; at++) {
        file.data[at / 8] ^= (uint8_t)(1 << at % 8);
        if (state_dict_init(&dict, file.data, file.size, NULL) == 0) {
            for (int i = 0; i < dict.tensors; i++) {
                float *values = calloc((size_t)dict.tensor[i].elements + 1, sizeof(*values));
                ck_assert_ptr_nonnull(values);
                state_tensor_read(&dict.tensor[i], values);
                free(values);
            }
            state_dict_finish(&dict);
        }
        file.data[at / 8] ^= (uint8_t)(1 << at % 8);
    }
    bytes_free(&file);
}
END_TEST

/* ---- torch's pickles --------------------------------------------------------------------------------------
 */

static int read_pickle(struct state_dict *dict, struct bytes *file, struct bytes *object,
                       struct pipit_error *error)
{
    const float *storage[1] = {ramp};
    const int64_t elements[1] = {24};
    *file = (struct bytes){0};
    write_torch_old_around(file, object, storage, elements, 1);
    bytes_free(object);
    return read_all(dict, file, error);
}

static void put_entry(struct bytes *object, const char *name, int32_t offset, int rank, const int64_t *shape,
                      const int64_t *strides)
{
    pickle_text(object, name);
    pickle_tensor(object, "FloatStorage", "0", 24, offset, rank, shape, strides);
}

START_TEST(strides_and_offsets_are_followed)
{
    static const float transposed[6] = {2, 6, 10, 3, 7, 11}, repeated[3] = {23, 23, 23};
    struct bytes object = {0}, file;
    struct state_dict dict;
    struct pipit_error error;
    bytes_text(&object, "\x80\2}(");
    put_entry(&object, "transposed", 2, 2, (int64_t[]){2, 3}, (int64_t[]){1, 4});
    put_entry(&object, "repeated", 23, 1, (int64_t[]){3}, (int64_t[]){0});
    put_entry(&object, "none", 24, 2, (int64_t[]){0, 3}, (int64_t[]){3, 1});
    put_entry(&object, "one", 5, 2, (int64_t[]){1, 1}, (int64_t[]){INT32_MAX, INT32_MAX});
    bytes_text(&object, "u.");
    ck_assert_msg(read_pickle(&dict, &file, &object, &error) == 0, "%s", error.text);
    expect_values(&dict, "transposed", transposed, 6);
    expect_values(&dict, "repeated", repeated, 3);
    expect_values(&dict, "none", repeated, 0);
    expect_values(&dict, "one", ramp + 5, 1);
    state_dict_finish(&dict);
    bytes_free(&file);
}
END_TEST

START_TEST(tensors_outside_their_storage_are_refused)
{
    static const struct {
        int32_t offset;
        int64_t shape, stride;
    } cases[] = {{24, 1, 1}, {0, 25, 1}, {1, 24, 1}, {0, 13, 2}, {-1, 1, 1}, {0, 3, INT32_MAX}, {0, -1, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes object = {0}, file;
        struct state_dict dict;
        struct pipit_error error;
        bytes_text(&object, "\x80\2}(");
        put_entry(&object, "w", cases[i].offset, 1, &cases[i].shape, &cases[i].stride);
        bytes_text(&object, "u.");
        ck_assert_int_eq(read_pickle(&dict, &file, &object, &error), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error.text, "'w'"));
        bytes_free(&file);
    }
}
END_TEST

/* {'epoch': 3, 'classes': ['cat', 'dog'], 'optimizer': {...}, 'model': {...}, 'model_ema': {...}} */
START_TEST(checkpoints_hold_the_network_in_a_dict)
{
    static const int64_t shape[] = {4}, stride[] = {1};
    struct bytes object = {0}, file;
    struct state_dict dict;
    struct pipit_error error;
    bytes_text(&object, "\x80\2}(");
    pickle_text(&object, "epoch");
    pickle_int(&object, 3);
    pickle_text(&object, "classes");
    bytes_text(&object, "](");
    pickle_text(&object, "cat");
    pickle_text(&object, "dog");
    bytes_text(&object, "e");
    pickle_text(&object, "optimizer");
    bytes_text(&object, "}(");
    put_entry(&object, "momentum", 0, 1, shape, stride);
    bytes_text(&object, "u");
    pickle_text(&object, "model");
    bytes_text(&object, "}(");
    put_entry(&object, "module.w", 0, 1, shape, stride);
    bytes_text(&object, "u");
    pickle_text(&object, "model_ema");
    bytes_text(&object, "ccollections\nOrderedDict\n)R(");
    put_entry(&object, "module.w", 4, 1, shape, stride);
    bytes_text(&object, "u}(");
    pickle_text(&object, "_metadata");
    bytes_text(&object, "Nub"); /* the OrderedDict's attributes */
    bytes_text(&object, "u.");
    ck_assert_msg(read_pickle(&dict, &file, &object, &error) == 0, "%s", error.text);
    ck_assert_int_eq(dict.tensors, 1);
    expect_values(&dict, "module.w", ramp + 4, 4);
    ck_assert(state_dict_meta(&dict, "epoch")->number == 3);
    ck_assert_int_eq(state_dict_meta(&dict, "classes")->count, 2);
    ck_assert_str_eq(state_dict_meta(&dict, "classes")->texts[1], "dog");
    state_dict_finish(&dict);
    bytes_free(&file);
}
END_TEST

START_TEST(other_objects_are_refused_by_name)
{
    static const struct {
        const char *opcodes, *named;
    } cases[] = {
        {"cos\nsystem\n(U\2lstR.", "os.system"},
        {"cbuiltins\neval\n)R.", "builtins.eval"},
        {"\x8c\2os\x8c\6system\x93)R.", "os.system"},
        {"ctorchvision.models.mobilenetv3\nMobileNetV3\n)\x81.",
         "torchvision.models.mobilenetv3.MobileNetV3"},
        {"(i__main__\nNet\n.", "0x69"},
        {"ctorch._utils\n_rebuild_qtensor\n)R.", "torch._utils._rebuild_qtensor"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes object = {0}, file;
        struct state_dict dict;
        struct pipit_error error;
        bytes_text(&object, "\x80\2");
        bytes_text(&object, cases[i].opcodes);
        ck_assert_int_eq(read_pickle(&dict, &file, &object, &error), -ENOTSUP);
        ck_assert_msg(strstr(error.text, cases[i].named) != NULL, "%s", error.text);
        bytes_free(&file);
    }
}
END_TEST

/* Nesting, self-reference and repetition cost no more than their bytes. */
START_TEST(hostile_pickles_end)
{
    struct bytes object = {0}, file;
    struct state_dict dict;
    struct pipit_error error;
    bytes_text(&object, "\x80\2");
    for (int i = 0; i < 100000; i++)
        bytes_text(&object, "](");
    bytes_text(&object, ".");
    ck_assert_int_lt(read_pickle(&dict, &file, &object, &error), 0);
    bytes_free(&file);
    bytes_text(&object, "\x80\2}q");
    bytes_number(&object, 0, 1);
    bytes_text(&object, "(");
    for (int i = 0; i < 50; i++) {
        char name[8];
        snprintf(name, sizeof(name), "d%d", i);
        pickle_text(&object, name);
        bytes_text(&object, "h");
        bytes_number(&object, 0, 1); /* the dict itself */
    }
    bytes_text(&object, "u.");
    ck_assert_int_lt(read_pickle(&dict, &file, &object, &error), 0);
    bytes_free(&file);
    bytes_text(&object, "\x80\2Nr\xff\xff\xff\x7f.");
    ck_assert_int_eq(read_pickle(&dict, &file, &object, &error), -EINVAL);
    bytes_free(&file);
}
END_TEST

START_TEST(shared_storages_are_counted)
{
    struct bytes object = {0}, file;
    struct state_dict dict;
    struct pipit_error error;
    bytes_text(&object, "\x80\2}(");
    put_entry(&object, "w", 0, 2, (int64_t[]){1000, 1000}, (int64_t[]){0, 0}); /* 4 MB out of one float */
    bytes_text(&object, "u.");
    ck_assert_int_eq(read_pickle(&dict, &file, &object, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "claim"));
    bytes_free(&file);
}
END_TEST

START_TEST(compressed_archives_are_read)
{
    struct bytes object = {0}, file = {0};
    struct state_dict dict;
    struct pipit_error error;
    const float *storage[1] = {ramp};
    bytes_text(&object, "\x80\2}(");
    put_entry(&object, "w", 0, 1, (int64_t[]){24}, (int64_t[]){1});
    bytes_text(&object, "u.");
    write_torch_zip_around(&file, &object, storage, (int64_t[]){24}, 1, 1);
    ck_assert_msg(read_all(&dict, &file, &error) == 0, "%s", error.text);
    expect_values(&dict, "w", ramp, 24);
    state_dict_finish(&dict);
    bytes_free(&object);
    bytes_free(&file);
}
END_TEST

/* ---- element types ----------------------------------------------------------------------------------------
 */

START_TEST(every_type_becomes_float)
{
    static const struct {
        enum state_type type;
        const char *bytes;
        float value;
    } cases[] = {
        {STATE_F32, "\0\0\xc0\xbf", -1.5f},
        {STATE_F16, "\0\x3e", 1.5f},
        {STATE_F16, "\1\0", 0x1p-24f},
        {STATE_F16, "\xff\x7b", 65504},
        {STATE_F16, "\0\x84", -0x1p-14f},
        {STATE_BF16, "\xc0\xbf", -1.5f},
        {STATE_F64, "\0\0\0\0\0\0\xf8\xbf", -1.5f},
        {STATE_I8, "\xfe", -2},
        {STATE_U8, "\xfe", 254},
        {STATE_I16, "\xfe\xff", -2},
        {STATE_I32, "\xfe\xff\xff\xff", -2},
        {STATE_I64, "\xfe\xff\xff\xff\xff\xff\xff\xff", -2},
        {STATE_BOOL, "\1", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        float value;
        struct state_tensor tensor = {
            .type = cases[i].type, .elements = 1, .data = (const uint8_t *)cases[i].bytes};
        ck_assert_int_eq(state_tensor_read(&tensor, &value), 0);
        ck_assert_msg(value == cases[i].value, "type %d: %g", cases[i].type, (double)value);
    }
    float none;
    ck_assert_int_eq(state_tensor_read(&(struct state_tensor){.type = STATE_OTHER}, &none), -ENOTSUP);
}
END_TEST

/* ---- GGUF and safetensors ---------------------------------------------------------------------------------
 */

START_TEST(gguf_has_metadata)
{
    struct bytes file = {0};
    struct state_dict dict;
    struct pipit_error error;
    write_gguf(&file, tensors, TENSORS);
    ck_assert_int_eq(read_all(&dict, &file, &error), 0);
    ck_assert(state_dict_meta(&dict, "net.bn_eps")->number == (double)0.002f);
    ck_assert_int_eq(state_dict_meta(&dict, "net.mean")->count, 3);
    ck_assert(state_dict_meta(&dict, "net.mean")->numbers[2] == 0.125);
    ck_assert_str_eq(state_dict_meta(&dict, "net.classes")->texts[0], "yes");
    state_dict_finish(&dict);
    file.data[4] = 1;
    ck_assert_int_eq(read_all(&dict, &file, &error), -ENOTSUP);
    ck_assert_ptr_nonnull(strstr(error.text, "version 1"));
    bytes_free(&file);
}
END_TEST

START_TEST(bad_safetensors_headers_are_refused)
{
    static const char *const headers[] = {
        "{",
        "{}}",
        "{\"w\":1}",
        "{\"w\":{}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9],\"data_offsets\":[0,4]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[[[[[[1]]]]]],\"data_offsets\":[0,4]}}",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        struct bytes file = {0};
        struct state_dict dict;
        struct pipit_error error;
        bytes_number(&file, strlen(headers[i]), 8);
        bytes_text(&file, headers[i]);
        bytes_number(&file, 0, 8); /* the data */
        ck_assert_msg(read_all(&dict, &file, &error) < 0, "%s", headers[i]);
        ck_assert_str_ne(error.text, "");
        bytes_free(&file);
    }
}
END_TEST

START_TEST(names_are_unique)
{
    static const struct float_tensor twice[] = {{"w", 1, {2}, ramp}, {"w", 1, {2}, ramp}};
    struct bytes file = {0};
    struct state_dict dict;
    struct pipit_error error;
    write_gguf(&file, twice, 2);
    ck_assert_int_eq(read_all(&dict, &file, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "'w'"));
    bytes_free(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state_dict");
    TCase *tests = tcase_create("state_dict");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, reads_every_format, 0, WRITERS);
    tcase_add_loop_test(tests, every_cut_is_an_error, 0, WRITERS);
    tcase_add_loop_test(tests, every_flipped_bit_is_survived, 0, WRITERS);
    tcase_add_test(tests, strides_and_offsets_are_followed);
    tcase_add_test(tests, tensors_outside_their_storage_are_refused);
    tcase_add_test(tests, checkpoints_hold_the_network_in_a_dict);
    tcase_add_test(tests, other_objects_are_refused_by_name);
    tcase_add_test(tests, hostile_pickles_end);
    tcase_add_test(tests, shared_storages_are_counted);
    tcase_add_test(tests, compressed_archives_are_read);
    tcase_add_test(tests, every_type_becomes_float);
    tcase_add_test(tests, gguf_has_metadata);
    tcase_add_test(tests, bad_safetensors_headers_are_refused);
    tcase_add_test(tests, names_are_unique);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
