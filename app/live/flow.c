/* SPDX-License-Identifier: MIT */
/* Who gets which frame when. Frames and canvases only change hands here; nothing is copied and nothing waits.
 */
#include "app/live/live.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { TAKEN_AT_ONCE_MAX = 8 };

void live_stop(struct live *live, int status)
{
    live->status = live->stop && live->status ? live->status : status;
    live->stop = true;
}

bool live_is_bounded(const struct live *live)
{
    const struct config *config = &live->config;
    return config->frames || config->duration > 0 || config->once;
}

static void end_cycle(struct live *live)
{
    live->cycle = live->awaits = live->known = false;
}

static void drop_next(struct live *live)
{
    if (!live->next)
        return;
    frame_unref(live->next);
    live->next = NULL;
    stats_dropped(&live->stats, STATS_DISPLAY, 1);
    end_cycle(live);
}

/* ---- frames in ---- */

/* The network sees what the screen shows: turned and mirrored as it is. */
static void offer(struct live *live, struct frame *frame)
{
    uint64_t now = clock_now_ns();
    double rate = temper_rate(live);
    if (rate > 0 && live->looked_ns && (double)(now - live->looked_ns) < 0.98e9 / rate && !live->cycle) {
        stats_dropped(&live->stats, STATS_INFERENCE, 1);
        return;
    }
    live->looked_ns = now;
    if (!brain_look(live->brain, frame, live->show.settings.turn))
        stats_dropped(&live->stats, STATS_INFERENCE, 1);
}

static void accept(struct live *live, struct frame *frame, uint64_t now)
{
    stats_done(&live->stats, STATS_CAPTURE);
    live->taken++;
    if (frame->time_ns)
        stats_time_ms(&live->stats, TIME_CAPTURE, (double)(int64_t)(now - frame->time_ns) / 1e6);
    if (live->dark)
        look_notice(&live->look, NULL, "", "");
    live->dark = live->dark_shown = false;
    if (!live->config.every_frame && frame->format != FRAME_MJPEG)
        offer(live, frame);
    drop_next(live);
    live->next = frame;
    live->cycle = live->config.every_frame;
}

void flow_take(struct live *live)
{
    struct frame *frame;
    uint64_t before = live->feed.dropped;
    int most = live->config.every_frame ? 1 : TAKEN_AT_ONCE_MAX;
    for (int i = 0; i < most && !live->cycle; i++) {
        uint64_t now = clock_now_ns();
        if (feed_take(&live->feed, &frame, now))
            break;
        accept(live, frame, now);
    }
    stats_dropped(&live->stats, STATS_CAPTURE, (unsigned)(live->feed.dropped - before));
}

/* ---- results ---- */

static void model_came(struct live *live, struct brain_model *model)
{
    live->model_stand_in = model->stand_in || model->status;
    live->model_status = model->status;
    memcpy(live->model_why, model->why, sizeof(live->model_why));
    if (model->status) {
        journal_tell(JOURNAL_MODEL_OTHER, NULL, "%s", model->why);
        if (live->seen.has_model) /* it goes on */
            return;
        if (live_is_bounded(live))
            live_stop(live, model->status);
        live->awaits = false; /* there will be no result */
        live->known = live->cycle;
        return;
    }
    if (model->stand_in)
        journal_tell(JOURNAL_MODEL_OTHER, model->name, "%s; %s takes its place", model->why, model->name);
    journal_tell(JOURNAL_MODEL, model->name, "the model is %s, %s", model->name,
                 model->classes ? "a classifier" : "a detector");
    look_nothing(&live->look);
    if (seen_model(&live->seen, model))
        live_stop(live, EX_OSERR);
}

/* What a start is measured by. A first result takes longer than those after it: all is touched for the first
 * time. */
static void tell_first_picture(const struct live *live)
{
    log_info("the first picture is on the screen, %.2f s after the start",
             clock_ms_since(live->started_ns) / 1e3);
}

static void tell_first_result(const struct live *live, double took_ms)
{
    log_info("the first result is there, %.2f s after the start; it took %.2f s",
             clock_ms_since(live->started_ns) / 1e3, took_ms / 1e3);
}

static void result_came(struct live *live, const struct brain_result *result)
{
    double took_ms = result->preprocess_ms + result->inference_ms;
    if (!result->status && live->stats.inference_mean_ms <= 0)
        tell_first_result(live, took_ms);
    if (result->status)
        log_debug("the network failed on a picture: %s", strerror(-result->status));
    else
        stats_inference(&live->stats, took_ms);
    live->known = live->awaits;
    live->awaits = false;
    if (result->status || !live->seen.has_model || result->model != live->seen.model.number || live->dark)
        return;
    seen_result(&live->seen, result, &live->look);
    if (live->seen.broken)
        live_stop(live, EX_IOERR);
}

void flow_result(struct live *live)
{
    struct brain_result result;
    struct brain_model model;
    if (brain_model_news(live->brain, &model))
        model_came(live, &model);
    if (brain_result_news(live->brain, &result))
        result_came(live, &result);
}

/* ---- composing ---- */

/* What is to be written is not what was drawn last, and can be drawn. */
static bool look_changed(const struct live *live)
{
    return fonts_ready(&live->picture.fonts) &&
           (live->drawn_generation != live->show.generation ||
            memcmp(&live->picture.whole, &live->drawn_whole, sizeof(struct area)) != 0 ||
            memcmp(&live->look, &live->picture.look, sizeof(live->look)) != 0);
}

/* Where all of the turned picture would be if the screen had no edges: what the boxes are fractions of. */
static struct area whole_of(const struct frame *frame, struct area from, struct area to, struct turn turn)
{
    bool sideways = turn.rotation % 180 != 0;
    int64_t seen_width = sideways ? from.height : from.width,
            seen_height = sideways ? from.width : from.height,
            width = sideways ? frame->height : frame->width, height = sideways ? frame->width : frame->height;
    struct area whole = {0, 0, (int)(width * to.width / seen_width), (int)(height * to.height / seen_height)};
    whole.x = to.x - (whole.width - to.width) / 2; /* what is cut off is cut off evenly */
    whole.y = to.y - (whole.height - to.height) / 2;
    return whole;
}

static void place(struct live *live, const struct frame *frame)
{
    struct picture *picture = &live->picture;
    const struct screen_info *info = &live->show.info;
    picture->turn = live->show.settings.turn;
    picture->width = info->width;
    picture->height = info->height;
    picture->from = (struct area){0, 0, 0, 0};
    picture->to = picture->whole = (struct area){0, 0, info->width, info->height};
    if (!frame)
        return;
    screen_place(live->show.screen, frame, &picture->from, &picture->to);
    picture->whole = whole_of(frame, picture->from, picture->to, picture->turn);
}

/* Hands frame and canvas to the worker; frame NULL: black; canvas NULL: it is only decoded. */
static void submit(struct live *live, struct frame *frame, struct canvas *canvas, bool labels_only)
{
    struct picture *picture = &live->picture;
    picture->frame = frame;
    picture->canvas = canvas;
    picture->screen = live->show.screen;
    picture->labels_only = labels_only;
    picture->look_changed = canvas && look_changed(live);
    picture->generation = live->show.generation;
    if (picture->look_changed) {
        picture->look = live->look;
        live->drawn_generation = live->show.generation;
        live->drawn_whole = picture->whole;
    }
    live->composing = true;
    worker_submit(live->worker, &picture->task);
}

static void compose_next(struct live *live)
{
    struct canvas *canvas = screen_canvas(live->show.screen);
    struct frame *frame = live->next;
    if (!canvas)
        return;
    place(live, frame);
    live->next = NULL;
    submit(live, frame, canvas, false);
}

/* There is no camera: the notice, or the last labels, over black. */
static void compose_dark(struct live *live)
{
    place(live, NULL);
    if (live->dark_shown && !look_changed(live))
        return;
    if (show_adapts(&live->show, live->worker, live->picture.black) || live->show.info.way != SCREEN_COMPOSE)
        return;
    struct canvas *canvas = screen_canvas(live->show.screen);
    if (!canvas)
        return;
    place(live, NULL); /* it may have been adapted */
    live->dark_shown = true;
    submit(live, NULL, canvas, false);
}

/* The camera's own buffer is shown; labels follow when they are drawn. */
static void pass_on(struct live *live)
{
    struct show *show = &live->show;
    show->frame = show->info.way == SCREEN_PLANES ? frame_ref(live->next) : NULL;
    show->taken_ns = live->next->time_ns;
    show->is_camera = show->waits = true;
    frame_unref(live->next);
    live->next = NULL;
}

static void draw_labels(struct live *live)
{
    place(live, live->next);
    struct canvas *canvas =
        live->show.labels || !look_changed(live) ? NULL : screen_canvas(live->show.screen);
    if (canvas)
        submit(live, NULL, canvas, true);
}

/* Decoded for the network alone, when that has time. */
static bool decode_next(struct live *live)
{
    bool wanted = live->next->format == FRAME_MJPEG && brain_hungry(live->brain) && worker_idle(live->worker);
    if (wanted)
        submit(live, frame_ref(live->next), NULL, false);
    return wanted;
}

/* every-frame: a frame goes on only when the network has answered. */
static bool waits_for_result(struct live *live)
{
    if (!live->cycle || live->known)
        return false;
    if (live->awaits)
        return true;
    if (live->model_status && !live->seen.has_model)
        return false;
    if (live->next->format == FRAME_MJPEG) {
        if (worker_idle(live->worker)) {
            submit(live, live->next, NULL, false);
            live->next = NULL;
        }
        return true;
    }
    live->awaits = true;
    offer(live, live->next);
    return true;
}

static void move_next(struct live *live)
{
    struct show *show = &live->show;
    if (waits_for_result(live) || show->waits || show->lent)
        return;
    if (show->gone || show->away) {
        decode_next(live);
        drop_next(live);
        return;
    }
    if (show_adapts(show, live->worker, live->next))
        return;
    enum screen_way way = show->info.way;
    if (way == SCREEN_COMPOSE) {
        if (worker_idle(live->worker))
            compose_next(live);
        return;
    }
    if (way == SCREEN_NOTHING)
        decode_next(live);
    else if (worker_idle(live->worker))
        draw_labels(live);
    pass_on(live);
}

/* No frame is on its way any more: it is on the screen, or was given up with it. */
static bool at_rest(const struct live *live)
{
    const struct show *show = &live->show;
    return !live->next && !live->composing && !show->waits && !show->lent &&
           (show->gone || show->away || show->rests || screen_ready(show->screen));
}

void flow_move(struct live *live)
{
    uint64_t now = clock_now_ns();
    show_present(&live->show, now);
    if (worker_idle(live->worker) && feed_wants_worker(&live->feed, now)) {
        live_unwatch(live, true);
        feed_submit(&live->feed, live->worker, &live->config);
    }
    if (worker_idle(live->worker) && now >= live->heat_ns)
        temper_submit(live, now);
    if (worker_idle(live->worker) && show_wants_worker(&live->show, now)) {
        live_unwatch(live, false);
        show_submit(&live->show, live->worker, &live->config, now);
    }
    if (live->next)
        move_next(live);
    else if (live->dark && worker_idle(live->worker) && !live->show.waits && !live->show.gone &&
             !live->show.away && !live->show.rests)
        compose_dark(live);
    show_present(&live->show, now);
    if (live->cycle && at_rest(live))
        end_cycle(live);
    if (live->feed.state == FEED_ENDED && at_rest(live)) {
        if (live->feed.problem != -ENODATA)
            log_error("%s", live->feed.why);
        live_stop(live, live->feed.problem == -ENODATA ? EX_OK : exit_status(live->feed.problem));
    }
}

/* ---- pictures out ---- */

static void decoded_only(struct live *live, struct frame *decoded)
{
    if (!live->config.every_frame) {
        offer(live, decoded);
        return;
    }
    live->awaits = true;
    live->next = frame_ref(decoded);
    offer(live, decoded);
}

static void hand_over(struct live *live)
{
    struct picture *picture = &live->picture;
    struct show *show = &live->show;
    if (picture->labels_only) {
        show->labels = picture->canvas;
        return;
    }
    show->picture = picture->canvas;
    show->is_camera = picture->decoded != NULL;
    show->taken_ns = picture->decoded ? picture->decoded->time_ns : 0;
    show->waits = true;
}

static void failed(struct live *live, int status)
{
    const struct picture *picture = &live->picture;
    bool damaged = picture->decode_status == -EBADMSG || picture->decode_status == -ENOBUFS,
         ours = picture->decode_status || status == -ENOTSUP || status == -ENOMEM || status == -EINVAL;
    if (damaged) {
        log_debug("a picture was damaged");
    } else if (ours) {
        if (!live->told_convert)
            log_error("a picture cannot be shown: %s", strerror(-status));
        live->told_convert = true;
    } else { /* whoever reads is gone, or the disk is full */
        if (status != -EPIPE)
            log_error("cannot write to %s: %s", live->show.info.name, strerror(-status));
        live_stop(live, output_status(status));
    }
    if (picture->frame)
        stats_dropped(&live->stats, STATS_DISPLAY, 1);
    end_cycle(live);
}

static void count_times(struct live *live)
{
    const struct picture *picture = &live->picture;
    if (picture->frame)
        stats_time_ms(&live->stats, TIME_CONVERT, (double)picture->convert_ns / 1e6);
    if (picture->draw_ns)
        stats_time_ms(&live->stats, TIME_DRAW, (double)picture->draw_ns / 1e6);
}

void flow_drawn(struct task *task)
{
    struct live *live = (struct live *)((char *)task - offsetof(struct live, picture.task));
    struct picture *picture = &live->picture;
    bool stale = picture->canvas && picture->generation != live->show.generation;
    live->composing = false;
    count_times(live);
    if (picture->status)
        failed(live, picture->status);
    else if (!picture->canvas)
        decoded_only(live, picture->decoded);
    else if (!live->config.every_frame && picture->frame && picture->frame->format == FRAME_MJPEG)
        offer(live, picture->decoded);
    if (picture->canvas && (picture->status || stale)) {
        screen_give_back(live->show.screen, picture->canvas);
        live->dark_shown = false;
        if (stale)
            end_cycle(live);
    } else if (picture->canvas) {
        hand_over(live);
    }
    frame_unref(picture->frame);
    frame_unref(picture->decoded);
    picture->frame = picture->decoded = NULL;
    picture->canvas = NULL;
}

void flow_shown(struct live *live)
{
    struct show_news news;
    show_dispatch(&live->show, &news);
    if (news.shown && !live->show.stand_in && !live->lit_ns)
        live->lit_ns = clock_now_ns();
    if (!news.shown || !news.camera)
        return;
    stats_done(&live->stats, STATS_DISPLAY);
    stats_time_ms(&live->stats, TIME_FLIP, news.flip_ms);
    stats_time_ms(&live->stats, TIME_GLASS, news.glass_ms);
    end_cycle(live);
    if (!live->shown++)
        tell_first_picture(live);
    if (live->config.frames && live->shown >= live->config.frames)
        live_stop(live, EX_OK);
}

void flow_release(struct live *live)
{
    frame_unref(live->next);
    live->next = NULL;
    brain_forget(live->brain);
}
