/* SPDX-License-Identifier: MIT */
#include "app/config.h"
#include "app/heat.h"
#include "app/json.h"
#include "app/model_open.h"
#include "app/say.h"
#include "base/clock.h"
#include "base/log.h"
#include "capture/cameras.h"
#include "display/screen.h"

#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

enum verdict { RIGHT, NOTE, WRONG };
static const char *const verdicts[] = {"ok", "note", "WRONG"};

enum { CHECKS_MAX = 16, RUNS = 10, SLOW_MS = 1000, DISK_MIB = 32 };

struct check {
    const char *what;
    enum verdict verdict;
    char says[400], remedy[320]; /* remedy "": there is nothing to do */
};

struct visit {
    struct check check[CHECKS_MAX];
    int checks;
    const struct options *options;
    struct config config;
    bool active; /* the service has the devices */
};

/* ---- findings ---- */

static void find(struct visit *visit, const char *what, enum verdict verdict, const char *remedy,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void find(struct visit *visit, const char *what, enum verdict verdict, const char *remedy,
                 const char *format, ...)
{
    va_list args;
    if (visit->checks == CHECKS_MAX)
        return;
    struct check *check = &visit->check[visit->checks++];
    check->what = what;
    check->verdict = verdict;
    snprintf(check->remedy, sizeof(check->remedy), "%s", remedy);
    va_start(args, format);
    vsnprintf(check->says, sizeof(check->says), format, args);
    va_end(args);
}

/* ---- settings, service, disk ---- */

static void look_at_settings(struct visit *visit)
{
    struct config_error error = {""};
    struct config_origin origin = {.file = visit->options->config};
    config_defaults(&visit->config);
    if (config_load(&visit->config, &origin, &error))
        find(visit, "settings", WRONG, "put the line right; pipit.conf(5) tells about every key", "%s",
             error.text);
    else
        find(visit, "settings", RIGHT, "", "they make sense; camera '%s', screen '%s', model '%s'",
             visit->config.source, visit->config.screen,
             *visit->config.model ? visit->config.model : "default");
}

static bool matches(const char *pattern)
{
    glob_t found;
    bool any = !glob(pattern, 0, NULL, &found);
    if (any)
        globfree(&found);
    return any;
}

/* By what systemd leaves in the file system, so that no bus is needed. */
static void look_at_service(struct visit *visit)
{
    bool there = matches("/etc/systemd/system/pipit.service") ||
                 matches("/usr/lib/systemd/system/pipit.service") ||
                 matches("/lib/systemd/system/pipit.service"),
         enabled = matches("/etc/systemd/system/*.wants/pipit.service") ||
                   matches("/usr/lib/systemd/system/*.wants/pipit.service");
    visit->active = matches("/sys/fs/cgroup/system.slice/pipit.service") ||
                    matches("/sys/fs/cgroup/*/system.slice/pipit.service");
    if (!there)
        find(visit, "service", NOTE, "",
             "it is not installed: the live picture is started by hand, with 'pipit run'");
    else if (!enabled)
        find(visit, "service", NOTE, "'systemctl enable --now pipit' starts it now and at every boot", "%s",
             visit->active ? "it runs, but is not started at boot" : "it is installed, but not enabled");
    else if (!matches("/run/systemd/system"))
        find(visit, "service", NOTE, "", "it is enabled, but this system was not started by systemd");
    else
        find(visit, "service", visit->active ? RIGHT : WRONG,
             visit->active ? "" : "'systemctl status pipit' and 'journalctl -xeu pipit' say why", "%s",
             visit->active ? "it runs, and is started at boot" : "it is enabled, but does not run");
}

static void look_at_disk(struct visit *visit)
{
    const char *folder = getenv("STATE_DIRECTORY");
    struct statvfs disk;
    folder = folder && *folder == '/' ? folder : "/var/lib";
    if (statvfs(folder, &disk))
        return;
    double free_mib = (double)disk.f_bavail * (double)disk.f_frsize / (1 << 20);
    if (free_mib < DISK_MIB)
        find(visit, "disk", WRONG, "make room: the settings that were good last cannot be kept",
             "%.0f MiB are free in %s", free_mib, folder);
    else
        find(visit, "disk", RIGHT, "", "%.0f MiB are free in %s", free_mib, folder);
}

/* ---- devices ---- */

static bool is_ours(const struct visit *visit, const char *problem)
{
    return visit->active && strstr(problem, "pipit");
}

static void look_at_cameras(struct visit *visit)
{
    struct camera_list list;
    int usable = 0;
    if (!strncmp(visit->config.source, "replay:", 7)) {
        find(visit, "camera", NOTE, "", "the settings want none: they play %s", visit->config.source);
        return;
    }
    if (camera_list_init(&list))
        return;
    for (int i = 0; i < list.count; i++) {
        const struct camera *camera = &list.camera[i];
        bool good = !*camera->problem || is_ours(visit, camera->problem);
        usable += good;
        find(visit, "camera", good ? RIGHT : NOTE, "", "%s (%s)%s%s", camera->name, camera->id,
             *camera->problem ? ": " : "", camera->problem);
    }
    if (!usable)
        find(visit, "camera", WRONG, "plug one in, or do what is said above; 'pipit devices' tells more",
             "there is none that can be used");
    camera_list_finish(&list);
}

static void look_at_screens(struct visit *visit)
{
    struct screen_list list;
    int usable = 0;
    if (!screen_is_hardware(visit->config.screen)) {
        find(visit, "screen", NOTE, "", "the settings want none: 'screen = %s'", visit->config.screen);
        return;
    }
    if (screen_list_init(&list))
        return;
    for (int i = 0; i < list.count; i++) {
        const struct screen_port *port = &list.port[i];
        bool good = port->connected && (!*port->problem || is_ours(visit, port->problem));
        usable += good;
        if (port->connected)
            find(visit, "screen", good ? RIGHT : NOTE, "", "%s (%s, %s)%s%s", port->name, port->driver,
                 port->card, *port->problem ? ": " : "", port->problem);
    }
    if (!usable)
        find(visit, "screen", WRONG, "connect one and switch it on; 'pipit devices' tells more",
             "there is none that can be used");
    screen_list_finish(&list);
}

static bool in_group(gid_t group)
{
    gid_t groups[256];
    int count = getgroups(256, groups);
    for (int i = 0; i < count; i++)
        if (groups[i] == group)
            return true;
    return getegid() == group;
}

static void look_at_groups(struct visit *visit)
{
    static const char *const wanted[] = {"video", "render"};
    char missing[64] = "", remedy[160];
    const struct passwd *user = getpwuid(geteuid());
    if (!geteuid()) {
        find(visit, "permissions", RIGHT, "", "root may open everything");
        return;
    }
    for (int i = 0; i < 2; i++) {
        const struct group *group = getgrnam(wanted[i]);
        if (group && !in_group(group->gr_gid))
            snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s",
                     *missing ? "," : "", wanted[i]);
    }
    snprintf(remedy, sizeof(remedy), "'sudo usermod -aG %s %.60s', then log in again", missing,
             user ? user->pw_name : "USER");
    if (*missing)
        find(visit, "permissions", NOTE, remedy,
             "not in these groups, which cameras and screens belong to: %s", missing);
    else
        find(visit, "permissions", RIGHT, "", "in the groups that cameras and screens belong to");
}

/* ---- model and speed ---- */

static double best_ms(struct pipit_model *model)
{
    double best = 0;
    for (int i = 0; i <= RUNS && best < SLOW_MS; i++) {
        uint64_t start = clock_now_ns();
        pipit_model_run(model);
        double ms = clock_ms_since(start);
        best = i <= 1 || ms < best ? ms : best; /* the first one warms up */
    }
    return best;
}

static void look_at_speed(struct visit *visit, struct pipit_model *model)
{
    struct pipit_info info;
    char cpu[128];
    double ms = best_ms(model);
    pipit_model_info(model, &info);
    const bool other = info.precision != PIPIT_PRECISION_F32;
    pipit_cpu_format(info.cpu, cpu, sizeof(cpu));
    find(visit, "speed", ms < SLOW_MS ? RIGHT : NOTE,
         ms < SLOW_MS ? "" : "choose a smaller model: 'pipit models list'",
         "%.1f ms for one result%s%s, with %d threads%s and %s", ms, other ? " in " : "",
         other ? pipit_precision_name(info.precision) : "", info.threads,
         info.unlike ? " on processors of unlike speed" : "", cpu);
}

/* In the settings' precision, or, as the service does it, in float32 where int8 does not come about. */
static int open_in_precision(struct visit *visit, struct opened *opened, struct options *wanted,
                             struct pipit_error *error)
{
    struct pipit_error other = {""};
    wanted->precision = visit->config.precision;
    wanted->calibrate = *visit->config.calibrate ? visit->config.calibrate : NULL;
    int status = model_open(opened, wanted, "detect", error);
    if (!status || wanted->precision != PIPIT_PRECISION_INT8)
        return status;
    model_close(opened);
    wanted->precision = PIPIT_PRECISION_F32;
    if (model_open(opened, wanted, "detect", &other))
        return status;
    find(visit, "precision", WRONG,
         "let 'calibrate' in pipit.conf name a folder with photos like those that it will see, or set "
         "another precision",
         "%s", error->text);
    return EX_OK;
}

static void look_at_model(struct visit *visit)
{
    struct options wanted = *visit->options;
    struct opened opened;
    struct pipit_error error = {""};
    wanted.verify = true;
    if (!wanted.model && *visit->config.model)
        wanted.model = visit->config.model;
    if (open_in_precision(visit, &opened, &wanted, &error)) {
        find(visit, "model", WRONG,
             "'pipit models list' names those that are here, 'pipit models fetch' gets others", "%s",
             error.text);
    } else {
        find(visit, "model", RIGHT, "", "%s (%s)", opened.name, opened.path);
        look_at_speed(visit, opened.model);
    }
    model_close(&opened);
}

static void look_at_heat(struct visit *visit)
{
    struct heat heat;
    heat_read(&heat, heat_sysfs());
    bool hot = heat.throttled || (*heat.zone && heat.celsius >= heat.limit);
    if (*heat.zone)
        find(visit, "heat", hot ? WRONG : RIGHT, hot ? "give it air, a heat sink or a fan" : "",
             "%s is at %.0f degrees Celsius of %.0f%s", heat.zone, heat.celsius, heat.limit,
             heat.throttled ? ", and the board slows itself down" : "");
    else
        find(visit, "heat", hot ? WRONG : NOTE, hot ? "give it air, a heat sink or a fan" : "", "%s",
             hot ? "the board slows itself down" : "this machine does not tell its temperature");
    if (heat.low_power)
        find(visit, "power", WRONG, "use the board's own power supply and a short, thick cable",
             "the supply is too weak");
}

/* ---- telling ---- */

static void machine(char *text, size_t size)
{
    static const char *const names[] = {"/proc/device-tree/model", "/sys/class/dmi/id/product_name"};
    struct utsname system;
    char board[96] = "";
    for (int i = 0; i < 2 && !*board; i++) {
        FILE *file = fopen(names[i], "re");
        if (file && fgets(board, sizeof(board), file))
            board[strcspn(board, "\n")] = 0;
        if (file)
            fclose(file);
    }
    uname(&system);
    snprintf(text, size, "%s, Linux %s, %s", *board ? board : "unknown board", system.release,
             system.machine);
}

static void print_people(const struct visit *visit, const char *where)
{
    say("pipit %s on %s\n", pipit_version(), where);
    for (int i = 0; i < visit->checks; i++) {
        const struct check *check = &visit->check[i];
        say("%-6s %-12s %s\n", verdicts[check->verdict], check->what, check->says);
        if (*check->remedy)
            say("%-19s -> %s\n", "", check->remedy);
    }
}

static void print_programs(const struct visit *visit, const char *where)
{
    struct json_object *object = json_object_new_object(), *list = json_object_new_array();
    for (int i = 0; i < visit->checks; i++) {
        const struct check *check = &visit->check[i];
        struct json_object *entry = json_object_new_object();
        json_add(entry, "check", json_text(check->what));
        json_add(entry, "verdict", json_text(check->verdict == WRONG ? "wrong" : verdicts[check->verdict]));
        json_add(entry, "says", json_text(check->says));
        json_add(entry, "remedy", json_text(*check->remedy ? check->remedy : NULL));
        json_object_array_add(list, entry);
    }
    json_add(object, "version", json_text(pipit_version()));
    json_add(object, "machine", json_text(where));
    json_add(object, "checks", list);
    json_print(object);
}

static int run(const struct options *options)
{
    static void (*const looks[])(struct visit * visit) = {
        look_at_settings, look_at_service, look_at_cameras, look_at_screens,
        look_at_groups,   look_at_model,   look_at_heat,    look_at_disk,
    };
    struct visit *visit = calloc(1, sizeof(*visit));
    char where[320];
    int wrong = 0;
    if (!visit)
        return EX_OSERR;
    visit->options = options;
    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++)
        looks[i](visit);
    for (int i = 0; i < visit->checks; i++)
        wrong += visit->check[i].verdict == WRONG;
    machine(where, sizeof(where));
    if (options->json)
        print_programs(visit, where);
    else
        print_people(visit, where);
    free(visit);
    return wrong ? EX_UNAVAILABLE : EX_OK;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "check everything that the live picture needs, and say what to do",
    .usage = "[--config FILE] [--model MODEL] [--json]",
    .options = "config model json verbose",
    .help = "Settings, service, cameras, screens, permissions, the model, its checksum and its speed in\n"
            "the settings' precision, heat and disk. Attach what it says to a report. Exit status: 0 when\n"
            "nothing is wrong, else 69.",
    .least = 0,
    .most = 0,
    .run = run,
};
