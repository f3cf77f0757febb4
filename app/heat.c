/* SPDX-License-Identifier: MIT */
#include "app/heat.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIPS_MAX = 16 };

static const double usual_limit = 80, near = 3, cool = 10;
static const uint64_t second = 1000000000, act_every_s = 10, cool_for_s = 60;

/* ---- sysfs ---- */

const char *heat_sysfs(void)
{
    const char *sysfs = getenv("PIPIT_SYSFS");
    return sysfs && *sysfs ? sysfs : "/sys";
}

/* One line, without its end. */
static bool read_line(const char *folder, const char *name, char *line, size_t size)
{
    char path[512];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return false;
    FILE *file = fopen(path, "re");
    bool read = file && fgets(line, (int)size, file);
    if (file)
        fclose(file);
    if (read)
        line[strcspn(line, "\n")] = 0;
    return read;
}

/* Thousandths of a degree. Sensors that are switched off answer with what no board survives. */
static bool read_celsius(const char *folder, const char *name, double *celsius)
{
    char line[32], *end;
    if (!read_line(folder, name, line, sizeof(line)))
        return false;
    *celsius = strtod(line, &end) / 1000;
    return end != line && *celsius > -40 && *celsius < 150;
}

/* Documentation/driver-api/thermal/sysfs-api.rst */
static double limit_of(const char *zone)
{
    double limit = usual_limit, at;
    bool found = false;
    for (int i = 0; i < TRIPS_MAX; i++) {
        char name[40], type[32];
        snprintf(name, sizeof(name), "trip_point_%d_type", i);
        if (!read_line(zone, name, type, sizeof(type)))
            break;
        snprintf(name, sizeof(name), "trip_point_%d_temp", i);
        bool slows = !strcmp(type, "passive") || !strcmp(type, "hot");
        if (!slows || !read_celsius(zone, name, &at) || at < 40 || (found && at > limit))
            continue;
        limit = at;
        found = true;
    }
    return limit;
}

static void read_zone(struct heat *heat, const char *folder)
{
    struct heat zone = *heat;
    if (!read_celsius(folder, "temp", &zone.celsius))
        return;
    zone.limit = limit_of(folder);
    if (*heat->zone && heat->limit - heat->celsius <= zone.limit - zone.celsius)
        return;
    if (!read_line(folder, "type", zone.zone, sizeof(zone.zone)))
        snprintf(zone.zone, sizeof(zone.zone), "%s", "unnamed");
    *heat = zone;
}

void heat_read(struct heat *heat, const char *sysfs)
{
    char pattern[256], line[32];
    glob_t zones;
    *heat = (struct heat){.limit = usual_limit};
    snprintf(pattern, sizeof(pattern), "%s/class/thermal/thermal_zone*", sysfs);
    if (!glob(pattern, 0, NULL, &zones)) {
        for (size_t i = 0; i < zones.gl_pathc; i++)
            read_zone(heat, zones.gl_pathv[i]);
        globfree(&zones);
    }
    snprintf(pattern, sizeof(pattern), "%s/devices/platform/soc/soc:firmware", sysfs);
    unsigned long bits =
        read_line(pattern, "get_throttled", line, sizeof(line)) ? strtoul(line, NULL, 16) : 0;
    heat->low_power = bits & 1;
    heat->throttled = bits & 0xe;
}

/* ---- the plan ---- */

static bool change(struct heat_plan *plan, int by, uint64_t now)
{
    plan->level = (enum heat_level)((int)plan->level + by);
    plan->changed_ns = now;
    plan->cool_ns = by < 0 ? now : 0;
    return true;
}

bool heat_step(struct heat_plan *plan, const struct heat *heat, uint64_t now)
{
    double room = *heat->zone ? heat->limit - heat->celsius : cool;
    if (heat->throttled || room <= near) {
        plan->cool_ns = 0;
        bool settled = !plan->changed_ns || now - plan->changed_ns >= act_every_s * second;
        return plan->level < HEAT_SMALLER_MODEL && settled && change(plan, 1, now);
    }
    if (room < cool)
        plan->cool_ns = 0;
    else if (!plan->cool_ns)
        plan->cool_ns = now;
    bool cooled = plan->cool_ns && now - plan->cool_ns >= cool_for_s * second;
    return plan->level > HEAT_NONE && cooled && change(plan, -1, now);
}
