/* SPDX-License-Identifier: MIT */
#include "app/command.h"
#include "base/log.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 256 };

struct known {
    const char *name, *argument, *help;
    char letter;
    int (*set)(struct options *options, const char *text); /* -EINVAL: makes no sense */
    const char *word; /* in command.options, where two options share a name; NULL: the name */
};

/* ---- values ---- */

static int whole(const char *text, long least, long most, int *value)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < least || number > most)
        return -EINVAL;
    *value = (int)number;
    return 0;
}

static int real(const char *text, char **end, float *value)
{
    *value = strtof(text, end);
    return *end == text || !isfinite(*value) ? -EINVAL : 0;
}

/* One number for all channels, or three. */
static int triple(const char *text, float *values)
{
    char *end;
    int count = 0;
    for (; count < 3; text = end + 1) {
        if (real(text, &end, &values[count++]))
            return -EINVAL;
        if (*end != ',')
            break;
    }
    if (*end || count == 2)
        return -EINVAL;
    if (count == 1)
        values[1] = values[2] = values[0];
    return 0;
}

/* ---- options ---- */

static int set_model(struct options *o, const char *text)
{
    o->model = text;
    return *text ? 0 : -EINVAL;
}

static int set_labels(struct options *o, const char *text)
{
    o->labels = text;
    return *text ? 0 : -EINVAL;
}

static int set_output(struct options *o, const char *text)
{
    o->output = text;
    return *text ? 0 : -EINVAL;
}

static int set_output_dir(struct options *o, const char *text)
{
    o->output_dir = text;
    return *text ? 0 : -EINVAL;
}

static int set_top(struct options *o, const char *text)
{
    return whole(text, 1, 100000, &o->top);
}

static int set_threads(struct options *o, const char *text)
{
    return whole(text, 1, 64, &o->threads);
}

static int set_runs(struct options *o, const char *text)
{
    return whole(text, 1, 1000000, &o->runs);
}

static int set_warmup(struct options *o, const char *text)
{
    return whole(text, 0, 1000000, &o->warmup);
}

static int set_threshold(struct options *o, const char *text)
{
    char *end;
    return real(text, &end, &o->threshold) || *end || o->threshold < 0 || o->threshold > 1 ? -EINVAL : 0;
}

static int set_mean(struct options *o, const char *text)
{
    o->has_mean = true;
    return triple(text, o->mean);
}

static int set_std(struct options *o, const char *text)
{
    o->has_std = true;
    int status = triple(text, o->std);
    return status || o->std[0] == 0 || o->std[1] == 0 || o->std[2] == 0 ? -EINVAL : 0;
}

static int set_fit(struct options *o, const char *text)
{
    o->fit = !strcmp(text, "crop") ? PIPIT_FIT_CROP : PIPIT_FIT_STRETCH;
    return !strcmp(text, "crop") || !strcmp(text, "stretch") ? 0 : -EINVAL;
}

static int set_cpu_mask(struct options *o, const char *text)
{
    return pipit_cpu_parse(text, &o->cpu_mask);
}

static int set_precision(struct options *o, const char *text)
{
    return pipit_precision_parse(text, &o->precision);
}

static int set_calibrate(struct options *o, const char *text)
{
    o->calibrate = text;
    return *text ? 0 : -EINVAL;
}

static int set_config(struct options *o, const char *text)
{
    o->config = text;
    return *text ? 0 : -EINVAL;
}

static int set_json(struct options *o, const char *text)
{
    (void)text;
    o->json = true;
    return 0;
}

static int set_verbose(struct options *o, const char *text)
{
    (void)text;
    o->verbose = true;
    log_set_level(LOG_DEBUG);
    return 0;
}

static int set_tensor(struct options *o, const char *text)
{
    (void)text;
    o->tensor = true;
    return 0;
}

static int set_per_layer(struct options *o, const char *text)
{
    (void)text;
    o->per_layer = true;
    return 0;
}

static int set_method(struct options *o, const char *text)
{
    static const char *const names[] = {[PIPIT_CALIBRATION_MSE] = "mse",
                                        [PIPIT_CALIBRATION_MINMAX] = "minmax",
                                        [PIPIT_CALIBRATION_PERCENTILE] = "percentile"};
    for (int i = PIPIT_CALIBRATION_MSE; i <= PIPIT_CALIBRATION_PERCENTILE; i++)
        if (!strcmp(text, names[i])) {
            o->calibration = (enum pipit_calibration)i;
            return 0;
        }
    return -EINVAL;
}

static int set_keep_float(struct options *o, const char *text)
{
    o->keep_float = strcmp(text, "auto") ? 0 : KEEP_FLOAT_AUTO;
    return o->keep_float || !strcmp(text, "none") ? 0 : whole(text, 0, 10000, &o->keep_float);
}

static const struct known known[] = {
    {"model", "MODEL", "a name of the catalogue ('pipit models list') or a file", 'm', set_model},
    {"top", "COUNT", "how many names to give (3)", 'k', set_top},
    {"threshold", "T", "leave out objects with a score below this, 0 to 1", 't', set_threshold},
    {"output", "OUT.png|DIR", "draw the answer into a PNG file, or into one a photo in a folder", 'o',
     set_output},
    {"output", "FILE.tflite", "what the int8 file is called (MODEL.int8.tflite, in this folder)", 'o',
     set_output, "output-file"},
    {"method", "minmax|percentile|mse", "how the range of a layer is chosen (mse)", 0, set_method},
    {"keep-float", "auto|none|N", "which layers stay in float: the sensitive ones, or the N worst (auto)", 0,
     set_keep_float},
    {"output-dir", "DIR", "where the output tensors go; made if it is not there", 'd', set_output_dir},
    {"tensor", NULL, "INPUT is the input tensor's own bytes; several inputs one behind the other", 0,
     set_tensor},
    {"labels", "FILE", "names of the classes, one a line", 'l', set_labels},
    {"mean", "M|R,G,B", "normalisation: input = (byte - mean) / std", 0, set_mean},
    {"std", "S|R,G,B", "see --mean", 0, set_std},
    {"fit", "stretch|crop", "how a photo becomes the network's square", 0, set_fit},
    {"threads", "N", "1 to 64 (one a processor)", 'j', set_threads},
    {"cpu-mask", "FLAGS", "CPU features that may be used: all, none, or as in 'neon,dotprod'", 0,
     set_cpu_mask},
    {"precision", "f32|f16|bf16|int8",
     "what a float model computes in (f32); f16: half the memory, 3 digits; bf16: 2; int8: a quarter", 0,
     set_precision},
    {"calibrate", "FILE|DIR", "photos like those that it will see, which a float model needs for int8", 0,
     set_calibrate},
    {"runs", "N", "how often to run (50)", 'n', set_runs},
    {"warmup", "N", "runs before those that count (5)", 0, set_warmup},
    {"per-layer", NULL, "a table of every step or layer", 0, set_per_layer},
    {"config", "FILE", "look at this and FILE.d/*.conf instead of the system's pipit.conf", 0, set_config},
    {"json", NULL, "one JSON object a line, for programs", 0, set_json},
    {"verbose", NULL, "say more", 'v', set_verbose},
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static bool takes(const struct command *command, const struct known *option)
{
    const char *word = option->word ? option->word : option->name;
    size_t length = strlen(word);
    for (const char *at = command->options; (at = strstr(at, word)); at += length)
        if ((at == command->options || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    return false;
}

void options_help(const struct command *command)
{
    for (int i = 0; i < KNOWN; i++) {
        char left[64];
        if (!takes(command, &known[i]))
            continue;
        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", known[i].letter ? '-' : ' ',
                 known[i].letter ? known[i].letter : ' ', known[i].letter ? "," : " ", known[i].name,
                 known[i].argument ? " " : "", known[i].argument ? known[i].argument : "");
        printf("  %-27s  %s\n", left, known[i].help);
    }
}

static int show_help(const struct command *command)
{
    printf("usage: pipit %s %s\n\n%s\n\n", command->name, command->usage, command->help);
    options_help(command);
    return EX_OK;
}

static int wrong_option(const struct command *command, int argc, char **argv)
{
    const char *names[KNOWN + 2] = {"help"}, *given = argv[optind - 1 < argc ? optind - 1 : argc - 1];
    for (int i = 0, n = 1; i < KNOWN; i++)
        if (takes(command, &known[i]))
            names[n++] = known[i].name;
    const char *meant = !strncmp(given, "--", 2) ? nearest_name(given + 2, names) : NULL;
    if (meant)
        log_error("'pipit %s' has no option '%s'; did you mean '--%s'?", command->name, given, meant);
    else
        log_error("'pipit %s' has no option '%s'; 'pipit %s --help' lists them", command->name, given,
                  command->name);
    return EX_USAGE;
}

static void make_tables(const struct command *command, struct option *longs, char *shorts)
{
    *shorts++ = ':';
    *shorts++ = 'h';
    for (int i = 0; i < KNOWN; i++) {
        if (!takes(command, &known[i]))
            continue;
        int has = known[i].argument ? required_argument : no_argument;
        *longs++ = (struct option){known[i].name, has, NULL, FIRST + i};
        if (known[i].letter)
            *shorts++ = known[i].letter;
        if (known[i].letter && known[i].argument)
            *shorts++ = ':';
    }
    *longs++ = (struct option){"help", no_argument, NULL, 'h'};
    *longs = (struct option){0};
    *shorts = 0;
}

static const struct known *by_code(int code)
{
    for (int i = 0; i < KNOWN; i++)
        if (code == FIRST + i || (known[i].letter && code == known[i].letter))
            return &known[i];
    return NULL;
}

static int check_arguments(const struct options *o, const struct command *command)
{
    if (o->arguments >= command->least && (command->most < 0 || o->arguments <= command->most))
        return -1;
    log_error("usage: pipit %s %s", command->name, command->usage);
    return EX_USAGE;
}

int options_parse(struct options *o, const struct command *command, int argc, char **argv)
{
    struct option longs[KNOWN + 2];
    char shorts[3 * KNOWN + 4];
    int code;
    *o = (struct options){
        .top = 3, .runs = 50, .warmup = 5, .threshold = -1, .cpu_mask = ~0u, .keep_float = KEEP_FLOAT_AUTO};
    make_tables(command, longs, shorts);
    opterr = 0;
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const struct known *option = by_code(code);
        if (code == 'h')
            return show_help(command);
        if (code == ':') {
            log_error("'%s' wants a value; 'pipit %s --help' tells which", argv[optind - 1], command->name);
            return EX_USAGE;
        }
        if (!option)
            return wrong_option(command, argc, argv);
        if (option->set(o, optarg)) {
            log_error("'%s' makes no sense for --%s %s (%s)", optarg, option->name, option->argument,
                      option->help);
            return EX_USAGE;
        }
    }
    o->argument = argv + optind;
    o->arguments = argc - optind;
    if (o->has_mean != o->has_std) {
        log_error("--mean and --std go together");
        return EX_USAGE;
    }
    if (o->calibrate && o->precision != PIPIT_PRECISION_INT8) {
        log_error("--calibrate goes with --precision int8");
        return EX_USAGE;
    }
    return check_arguments(o, command);
}
