/* SPDX-License-Identifier: MIT */
/* pipit run: its options are the keys of pipit.conf. */
#include "app/command.h"
#include "app/config.h"
#include "app/live/live.h"
#include "app/state.h"
#include "base/log.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 64, OPTIONS_MAX = 256, FIRST = 256, CONFIG = FIRST + KEYS_MAX, LARGE = 128 << 10 };

struct given {
    struct config_option option[OPTIONS_MAX];
    struct config_origin origin;
};

static void print_option(char letter, const char *name, const char *argument, const char *help)
{
    char left[64];
    snprintf(left, sizeof(left), "%c%c%s --%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
             letter ? "," : " ", name, argument ? " " : "", argument ? argument : "");
    printf("  %-33s  %s\n", left, help);
}

static int help(void)
{
    printf("usage: pipit run [--source SOURCE] [--screen SCREEN] [-m MODEL] [OPTION]...\n\n%s\n\n",
           command_run.help);
    print_option(0, "config", "FILE", "read this and FILE.d/*.conf instead of the system's pipit.conf");
    for (int i = 0; i < config_keys_count; i++) {
        const struct config_key *key = &config_keys[i];
        char text[256];
        snprintf(text, sizeof(text), "%s%s%s%s", key->help, *key->fallback ? " (" : "", key->fallback,
                 *key->fallback ? ")" : "");
        print_option(key->letter, key->name, key->argument ? key->argument : "[yes|no]", text);
    }
    print_option('v', "verbose", NULL, "say more");
    return EX_OK;
}

/* ---- parsing ---- */

static void make_tables(struct option *longs, char *shorts)
{
    *shorts++ = ':';
    *shorts++ = 'h';
    *shorts++ = 'v';
    for (int i = 0; i < config_keys_count && i < KEYS_MAX; i++) {
        const struct config_key *key = &config_keys[i];
        *longs++ = (struct option){key->name, key->argument ? required_argument : optional_argument, NULL,
                                   FIRST + i};
        if (key->letter) {
            *shorts++ = key->letter;
            *shorts++ = ':';
        }
    }
    *longs++ = (struct option){"config", required_argument, NULL, CONFIG};
    *longs++ = (struct option){"help", no_argument, NULL, 'h'};
    *longs++ = (struct option){"verbose", no_argument, NULL, 'v'};
    *longs = (struct option){0};
    *shorts = 0;
}

static int wrong_option(const char *given)
{
    const char *names[KEYS_MAX + 4] = {"config", "help", "verbose"};
    for (int i = 0; i < config_keys_count && i < KEYS_MAX; i++)
        names[i + 3] = config_keys[i].name;
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
    const char *meant = !strncmp(name, "--", 2) ? nearest_name(name + 2, names) : NULL;
    if (meant)
        log_error("'pipit run' has no option '%s'; did you mean '--%s'?", given, meant);
    else
        log_error("'pipit run' has no option '%s'; 'pipit run --help' lists them", given);
    return EX_USAGE;
}

static const struct config_key *key_of(int code)
{
    for (int i = 0; i < config_keys_count; i++)
        if (code == FIRST + i || (config_keys[i].letter && code == config_keys[i].letter))
            return &config_keys[i];
    return NULL;
}

static int add_option(struct given *given, const struct config_key *key, const char *value)
{
    struct config trial;
    struct config_error error;
    if (given->origin.options == OPTIONS_MAX) {
        log_error("there are more than %d options", OPTIONS_MAX);
        return EX_USAGE;
    }
    config_defaults(&trial);
    if (config_set(&trial, key, value, &error)) {
        log_error("%s", error.text);
        return EX_USAGE;
    }
    given->option[given->origin.options++] = (struct config_option){key, value};
    return -1;
}

static int take(struct given *given, int code, const char *name)
{
    const struct config_key *key = key_of(code);
    if (key)
        return add_option(given, key, optarg ? optarg : "yes");
    switch (code) {
    case CONFIG:
        given->origin.file = optarg;
        return -1;
    case 'v':
        log_set_level(LOG_DEBUG);
        return -1;
    case 'h':
        return help();
    case ':':
        log_error("'%s' wants a value; 'pipit run --help' tells which", name);
        return EX_USAGE;
    default:
        return wrong_option(name);
    }
}

/* -1 to go on, or an exit status. */
static int parse(struct given *given, int argc, char **argv)
{
    struct option longs[KEYS_MAX + 4];
    char shorts[3 * KEYS_MAX];
    int code, status = -1;
    make_tables(longs, shorts);
    opterr = 0;
    while (status < 0 && (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1)
        status = take(given, code, argv[optind - 1 < argc ? optind - 1 : argc - 1]);
    if (status < 0 && optind < argc) {
        log_error("'%s' is no option; 'pipit run --help' lists them", argv[optind]);
        status = EX_USAGE;
    }
    return status;
}

/* Devices can be had once only. */
static int run_once(const struct config *config, const struct config_origin *origin, const char *why)
{
    int holder;
    bool devices = strncmp(config->source, "replay:", 7) != 0;
    if (!state_lock(devices, &holder))
        return live_run(config, origin, why);
    log_error("the live picture runs already, as process %d: end that one first ('systemctl stop pipit' if "
              "it is the "
              "service)",
              holder);
    return EX_TEMPFAIL;
}

/* What is large (pictures, weights, tables) comes from the system and goes back there, from the first to the
 * last. Else glibc raises its limit once some of it was freed, and puts it into the heap, which is full of
 * holes after years of reloads and other screens. Nothing so large is allocated for each picture. */
static void keep_memory_whole(void)
{
    mallopt(M_MMAP_THRESHOLD, LARGE);
}

static int run(int argc, char **argv)
{
    static struct given given; /* too large for a stack */
    struct config config;
    struct config_error error;
    given = (struct given){.origin = {.option = given.option}};
    log_set_level(LOG_INFO);
    int status = parse(&given, argc, argv);
    if (status >= 0)
        return status;
    signal(SIGPIPE, SIG_IGN);
    keep_memory_whole();
    if (!config_load_keep(&config, &given.origin, &error))
        return run_once(&config, &given.origin, NULL);
    log_error("%s", error.text);
    if (config_load_last(&config, &given.origin))
        return EX_CONFIG;
    log_warning("going on with the last settings that made sense");
    return run_once(&config, &given.origin, error.text);
}

const struct command command_run = {
    .name = "run",
    .summary = "name what a camera sees, live on a screen",
    .usage = "[OPTION]...",
    .help = "Shows the camera's picture on a screen at the camera's own rate, with names over it, until it "
            "is told\n"
            "to stop. Settings come from pipit.conf(5); each key is an option too. SIGHUP reads the files "
            "again.\n\n"
            "  pipit run\n"
            "  pipit run --source v4l2:/dev/video0 --screen HDMI-A-1 --model mobilenet-v3-large-float\n"
            "  pipit run --source replay:street.y4m --screen png:pictures --every-frame --once",
    .main = run,
};
