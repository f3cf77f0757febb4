/* SPDX-License-Identifier: MIT */
#include "app/live/stats.h"

#include "app/json.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void stats_done(struct stats *stats, enum stats_rate rate)
{
    stats->done[rate]++;
}

void stats_dropped(struct stats *stats, enum stats_rate rate, unsigned frames)
{
    stats->dropped[rate] += frames;
}

void stats_time_ms(struct stats *stats, enum stats_time time, double ms)
{
    if (ms >= 0)
        histogram_add(&stats->time[time], (uint64_t)(ms * 1e6));
}

void stats_inference(struct stats *stats, double ms)
{
    stats_done(stats, STATS_INFERENCE);
    stats_time_ms(stats, TIME_INFERENCE, ms);
    stats->inference_mean_ms = stats->inference_mean_ms > 0 ? 0.9 * stats->inference_mean_ms + 0.1 * ms : ms;
}

double unix_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t process_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void stats_begin(struct stats *stats, uint64_t inference_cpu_ns, uint64_t now)
{
    for (int i = 0; i < STATS_RATES; i++)
        stats->done[i] = stats->dropped[i] = 0;
    for (int i = 0; i < TIMES; i++)
        histogram_clear(&stats->time[i]);
    stats->start_ns = now;
    stats->process_cpu_ns = process_cpu_ns();
    stats->inference_cpu_ns = inference_cpu_ns;
}

/* ---- JSON ---- */

static struct json_object *rounded(double value, int decimals)
{
    char digits[40];
    if (!(value > -1e15 && value < 1e15))
        return NULL;
    snprintf(digits, sizeof(digits), "%.*f", decimals, value);
    return json_object_new_double_s(value, digits);
}

static struct json_object *quantiles(const struct histogram *histogram)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "p50", rounded(histogram_ms(histogram, 0.5), 3));
    json_add(object, "p99", rounded(histogram_ms(histogram, 0.99), 3));
    return object;
}

static struct json_object *loop_times(const struct histogram *histogram)
{
    struct json_object *object = quantiles(histogram);
    json_add(object, "p999", rounded(histogram_ms(histogram, 0.999), 3));
    json_add(object, "max", rounded(histogram_ms(histogram, 1), 3));
    return object;
}

static struct json_object *stages(const struct stats *stats)
{
    static const char *const names[] = {"capture", "convert", "inference", "draw", "flip"};
    struct json_object *object = json_object_new_object();
    for (int i = 0; i <= TIME_FLIP; i++)
        json_add(object, names[i], quantiles(&stats->time[i]));
    return object;
}

static struct json_object *dropped(const struct stats *stats)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "capture", json_object_new_int64(stats->dropped[STATS_CAPTURE]));
    json_add(object, "display", json_object_new_int64(stats->dropped[STATS_DISPLAY]));
    json_add(object, "inference", json_object_new_int64(stats->dropped[STATS_INFERENCE]));
    return object;
}

/* Per cent of one core. */
static struct json_object *processor(const struct stats *stats, uint64_t inference_cpu_ns, double seconds)
{
    struct json_object *object = json_object_new_object();
    double all = (double)(process_cpu_ns() - stats->process_cpu_ns) / 1e7 / seconds,
           inference = (double)(inference_cpu_ns - stats->inference_cpu_ns) / 1e7 / seconds;
    json_add(object, "inference", rounded(inference, 1));
    json_add(object, "rest", rounded(all - inference > 0 ? all - inference : 0, 1));
    return object;
}

static int64_t resident_kib(void)
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    int read = fscanf(file, "%ld %ld", &total, &resident);
    fclose(file);
    return read == 2 ? (int64_t)resident * (sysconf(_SC_PAGESIZE) / 1024) : 0;
}

/* "." and "..", and the folder's own descriptor, do not count. */
static int open_files(void)
{
    int count = -3;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count < 0 ? 0 : count;
}

static double seconds_of(const struct stats *stats, uint64_t now)
{
    double seconds = (double)(now - stats->start_ns) / 1e9;
    return seconds > 1e-3 ? seconds : 1e-3;
}

void stats_rates(struct stats *stats, uint64_t now)
{
    double seconds = seconds_of(stats, now);
    stats->capture_fps = stats->done[STATS_CAPTURE] / seconds;
    stats->display_fps = stats->done[STATS_DISPLAY] / seconds;
    stats->inference_fps = stats->done[STATS_INFERENCE] / seconds;
    stats->glass_ms = histogram_ms(&stats->time[TIME_GLASS], 0.5);
    stats->inference_ms = histogram_ms(&stats->time[TIME_INFERENCE], 0.5);
}

struct json_object *stats_json(const struct stats *stats, struct json_object *objects,
                               uint64_t inference_cpu_ns, uint64_t now)
{
    struct json_object *object = json_object_new_object();
    json_add(object, "t", rounded(unix_time(), 3));
    json_add(object, "capture_fps", rounded(stats->capture_fps, 2));
    json_add(object, "display_fps", rounded(stats->display_fps, 2));
    json_add(object, "inference_fps", rounded(stats->inference_fps, 2));
    json_add(object, "dropped", dropped(stats));
    json_add(object, "ms", stages(stats));
    json_add(object, "glass_ms", quantiles(&stats->time[TIME_GLASS]));
    json_add(object, "loop_ms", loop_times(&stats->time[TIME_LOOP]));
    json_add(object, "cpu_percent", processor(stats, inference_cpu_ns, seconds_of(stats, now)));
    json_add(object, "objects", objects);
    json_add(object, "rss_kib", json_object_new_int64(resident_kib()));
    json_add(object, "fds", json_object_new_int(open_files()));
    return object;
}
