/* SPDX-License-Identifier: MIT */
#include "app/json.h"
#include "app/model_open.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct result {
    const char *name;
    struct pipit_info info;
    double load_ms, median_ms, p95_ms, best_ms;
    long peak_kib, start_kib;
    int runs;
};

/* ---- measuring ---- */

static long peak_kib(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_maxrss;
}

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Seeded bytes, as pixels where the input is a picture, so that every run of every machine sees the same. */
static void fill_inputs(struct pipit_model *model)
{
    uint32_t state = 1;
    for (int i = 0; i < pipit_model_inputs(model); i++) {
        const struct pipit_tensor *input = pipit_model_input(model, i);
        for (size_t at = 0; at < input->size; at++) {
            state = state * 1664525u + 1013904223u; /* Numerical Recipes */
            ((uint8_t *)input->data)[at] = (uint8_t)(state >> 24);
        }
        for (size_t at = 0; input->type == PIPIT_F32 && at < input->size / sizeof(float); at++)
            ((float *)input->data)[at] = (float)((const uint8_t *)input->data)[at * 4] / 128 - 1;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int measure(struct pipit_model *model, const struct options *options, struct result *result)
{
    double *ms = calloc((size_t)options->runs, sizeof(*ms));
    if (!ms)
        return EX_OSERR;
    for (int i = 0; i < options->warmup; i++)
        pipit_model_run(model);
    for (int i = 0; i < options->runs; i++) {
        uint64_t start = clock_now_ns();
        pipit_model_run(model);
        ms[i] = clock_ms_since(start);
    }
    qsort(ms, (size_t)options->runs, sizeof(*ms), by_value);
    int n = options->runs, p95 = (n * 95 + 99) / 100 - 1;
    result->median_ms = n % 2 ? ms[n / 2] : (ms[n / 2 - 1] + ms[n / 2]) / 2;
    result->p95_ms = ms[p95];
    result->best_ms = ms[0];
    result->runs = n;
    free(ms);
    return EX_OK;
}

/* ---- opening: a catalogue name, a file, or the name of a network ---- */

static int open_network(struct opened *opened, const struct options *options)
{
    struct pipit_settings settings;
    struct pipit_error error;
    pipit_settings_defaults(&settings);
    settings.threads = options->threads;
    settings.cpu_mask = options->cpu_mask;
    int status = pipit_model_random(&opened->model, options->model, 1, &settings, &error);
    if (status)
        log_error("%s: %s", options->model, error.text);
    opened->name = strdup(options->model);
    return exit_status(status);
}

static bool is_network(const char *name)
{
    static const char *const families[] = {"mobilenet-v1", "mobilenet-v2", "mobilenet-v3",
                                           "efficientnet-lite", "ssd-mobilenet-v2"};
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        size_t length = strlen(families[i]);
        if (!strncmp(name, families[i], length) && access(name, F_OK))
            return true;
    }
    return false;
}

static int open_any(struct opened *opened, const struct options *options)
{
    struct pipit_settings settings;
    char *path, *name, *labels;
    int skip;
    *opened = (struct opened){0};
    bool found = false;
    if (is_network(options->model)) { /* a card of that name, with its file here, comes first */
        log_set_level(LOG_SILENT);
        found = model_find(options, "classify", &path, &name, &settings, &labels, &skip) == EX_OK &&
                !access(path, F_OK);
        log_set_level(options->verbose ? LOG_DEBUG : LOG_WARNING);
        free(path);
        free(name);
        free(labels);
        if (!found)
            return open_network(opened, options);
    }
    return model_open(opened, options, "classify");
}

/* ---- telling ---- */

static void print_layers(const struct pipit_model *model)
{
    struct pipit_step step;
    double all = 0;
    for (int i = 0; !pipit_model_step(model, i, &step); i++)
        all += step.ms;
    printf("%9s %6s %9s %8s  %-32s %-17s %-20s %s\n", "ms", "%", "M MACs", "GMAC/s", "operation", "output",
           "kernel", "name");
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        char shape[64];
        snprintf(shape, sizeof(shape), "%dx%dx%dx%d", step.out_shape[0], step.out_shape[1], step.out_shape[2],
                 step.out_shape[3]);
        printf("%9.4f %6.1f %9.3f %8.2f  %-32s %-17s %-20s %.60s\n", step.ms,
               all > 0 ? step.ms * 100 / all : 0, (double)step.macs / 1e6,
               step.ms > 0 ? (double)step.macs / step.ms / 1e6 : 0, step.operation, shape, step.kernel,
               step.name);
    }
}

static void print_people(const struct result *r, const struct pipit_model *model, bool per_layer)
{
    char cpu[128];
    pipit_cpu_format(r->info.cpu, cpu, sizeof(cpu));
    printf("%s  (%d threads, cpu %s, %d runs)\n", r->name, r->info.threads, cpu, r->runs);
    printf("  median      %8.3f ms   p95 %.3f ms   best %.3f ms\n", r->median_ms, r->p95_ms, r->best_ms);
    printf("  speed       %8.2f GMAC/s   (%.1f M multiply-adds)\n", (double)r->info.macs / r->median_ms / 1e6,
           (double)r->info.macs / 1e6);
    printf("  load        %8.1f ms   from opening the file to the first answer\n", r->load_ms);
    printf("  memory      %8ld KiB at most, %ld KiB above the start\n", r->peak_kib,
           r->peak_kib - r->start_kib);
    if (per_layer)
        print_layers(model);
}

static struct json_object *json_layers(const struct pipit_model *model)
{
    struct json_object *list = json_object_new_array();
    struct pipit_step step;
    for (int i = 0; !pipit_model_step(model, i, &step); i++) {
        struct json_object *entry = json_object_new_object();
        json_add(entry, "name", json_text(step.name));
        json_add(entry, "operation", json_text(step.operation));
        json_add(entry, "kernel", json_text(step.kernel));
        json_add(entry, "macs", json_object_new_int64(step.macs));
        json_add(entry, "ms", json_real(step.ms));
        json_object_array_add(list, entry);
    }
    return list;
}

static void print_programs(const struct result *r, const struct pipit_model *model, bool per_layer)
{
    struct json_object *object = json_object_new_object();
    char cpu[128];
    pipit_cpu_format(r->info.cpu, cpu, sizeof(cpu));
    json_add(object, "model", json_text(r->name));
    json_add(object, "threads", json_object_new_int(r->info.threads));
    json_add(object, "cpu", json_text(cpu));
    json_add(object, "runs", json_object_new_int(r->runs));
    json_add(object, "median_ms", json_ms(r->median_ms));
    json_add(object, "p95_ms", json_ms(r->p95_ms));
    json_add(object, "load_ms", json_ms(r->load_ms));
    json_add(object, "macs", json_object_new_int64(r->info.macs));
    json_add(object, "gmacs_per_s", json_real((double)r->info.macs / r->median_ms / 1e6));
    json_add(object, "peak_rss_kib", json_object_new_int64(r->peak_kib));
    json_add(object, "rss_above_start_kib", json_object_new_int64(r->peak_kib - r->start_kib));
    if (per_layer)
        json_add(object, "layers", json_layers(model));
    json_print(object);
}

static int run(const struct options *options)
{
    struct options wanted = *options;
    struct opened opened;
    struct result result = {.start_kib = resident_kib()};
    wanted.model = options->argument[0];
    uint64_t start = clock_now_ns();
    int status = open_any(&opened, &wanted);
    if (status) {
        model_close(&opened);
        return status;
    }
    pipit_model_info(opened.model, &result.info);
    fill_inputs(opened.model);
    pipit_model_run(opened.model);
    result.load_ms = clock_ms_since(start);
    result.name = opened.name;
    status = measure(opened.model, options, &result);
    result.peak_kib = peak_kib();
    if (options->per_layer)
        pipit_model_run_timed(opened.model);
    if (!status && options->json)
        print_programs(&result, opened.model, options->per_layer);
    else if (!status)
        print_people(&result, opened.model, options->per_layer);
    model_close(&opened);
    return status;
}

const struct command command_bench = {
    .name = "bench",
    .summary = "measure how fast a network runs on this machine",
    .usage = "MODEL|NETWORK [--threads N] [--runs N] [--per-layer] [--json]",
    .options = "threads cpu-mask runs warmup per-layer json verbose",
    .help =
        "Median and 95th percentile of the latency, speed, memory, and the time from opening the file to the "
        "first\n"
        "answer. NETWORK[:WIDTH][@RESOLUTION][/int8] is a network with random weights, so that no file is "
        "needed:\n"
        "mobilenet-v1, mobilenet-v2, mobilenet-v3-small, mobilenet-v3-large, efficientnet-lite0 to -lite4,\n"
        "ssd-mobilenet-v2.\n\n"
        "  pipit bench mobilenet-v3-small:0.75@192/int8 --threads 2",
    .least = 1,
    .most = 1,
    .run = run,
};
