/* SPDX-License-Identifier: MIT */
/* A sub-command, its options and how it ends. */
#ifndef PIPIT_APP_COMMAND_H
#define PIPIT_APP_COMMAND_H

#include <pipit.h>

#include <stdbool.h>
#include <sysexits.h>

enum { KEEP_FLOAT_AUTO = -1 };

struct options {
    const char *model, *labels, *output, *output_dir, *config; /* NULL: not given */
    int top, threads, runs, warmup;
    float threshold; /* < 0: not given */
    float leave;     /* the model answers down to this part of the threshold; 0: to all of it */
    float mean[3], std[3];
    bool has_mean, has_std;
    enum pipit_fit fit;
    unsigned cpu_mask;
    enum pipit_precision precision;
    const char *calibrate; /* photos for int8, a file or a folder; NULL: none */
    bool or_float;         /* what int8 does not come about for is opened in float32, with a warning */
    enum pipit_calibration calibration;
    int keep_float; /* so many layers, or KEEP_FLOAT_AUTO */
    bool json, verbose, tensor, per_layer;
    bool verify;     /* the model's file must have the checksum of its card */
    char **argument; /* what is no option */
    int arguments;
};

struct command {
    const char *name, *summary;
    const char *usage;                         /* after "pipit NAME " */
    const char *options;                       /* long names, separated by spaces */
    const char *help;                          /* some sentences and examples */
    int least, most;                           /* arguments; most -1: any number */
    int (*run)(const struct options *options); /* returns an exit status of sysexits.h */
    int (*main)(int argc, char **argv);        /* instead, for a command with options of its own */
};

extern const struct command command_classify, command_detect, command_infer, command_info, command_bench,
    command_models, command_devices, command_doctor, command_quantize, command_run;

/* Fills options from argv[1..]. Returns -1 to go on, or an exit status (help was shown, or usage is wrong).
 */
int options_parse(struct options *options, const struct command *command, int argc, char **argv);
/* "  -m, --model MODEL  ..." for every option of the command. */
void options_help(const struct command *command);

/* The exit status for a negative errno. */
int exit_status(int error);
/* The same where something is written. */
int output_status(int error);
/* Writes the sentence and returns `status`. */
int failure(struct pipit_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells of a failure with a file: on standard error, and with --json as {"file", "error"} on standard output
 * too. */
void report(const struct options *options, const char *file, const struct pipit_error *error);
/* Standard output, flushed: EX_OK, or EX_IOERR with a message when it could not be written. */
int finish_output(int status);
/* Of the names (ended by NULL), the one that `text` was meant to be, or NULL. */
const char *nearest_name(const char *text, const char *const *names);

#endif
