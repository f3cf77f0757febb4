/* SPDX-License-Identifier: MIT */
#include "engine/kernels/arm/depthwise_strips.h"

enum { UNIT = 16 }; /* bytes of a register */

bool strip_set_fits(const struct strip_set *set, const struct depthwise *d)
{
    int size = d->size[0], stride = d->stride[0];
    size_t unit = set->fn[0][0][0][0] ? UNIT : 2 * UNIT;
    return d->multiplier == 1 && (size == 3 || size == 5) && d->size[1] == size && stride <= 2 &&
           d->stride[1] == stride && d->dilation[0] == 1 && d->dilation[1] == 1 &&
           (size_t)d->channels * set->element % unit == 0;
}

/* The widest kind of block of those that are left. */
static int kind_of(const struct strip_set *set, const struct depthwise *d, int c)
{
    size_t left = (size_t)(d->channels - c) * set->element;
    for (int kind = STRIP_KINDS - 1; kind > 0; kind--)
        if (set->fn[kind][d->size[0] == 5][0][0] && left >= (size_t)UNIT << kind)
            return kind;
    return 0;
}

int strip_set_block(const struct strip_set *set, const struct depthwise *d, int c)
{
    return (int)(((size_t)UNIT << kind_of(set, d, c)) / set->element);
}

/* Columns of the next strip of `left`: sevens, then threes until fours come out even; 1 where nothing does.
 */
static int next_columns(int left, bool sevens)
{
    int rest = left - 7;
    if (sevens && rest >= 0 && rest != 1 && rest != 2 && rest != 5)
        return 7;
    if (left % 4 != 0 && left >= 3)
        return 3;
    return left >= 4 ? 4 : 1;
}

/* Blocks of one kind, from wide ones to narrow ones. */
struct part {
    strip_call_fn *const *fn; /* by columns */
    const void *weights;
    size_t offset;
    long blocks;
};

static int list_parts(const struct strip_set *set, const struct depthwise *d, struct part part[STRIP_KINDS])
{
    int parts = 0;
    for (int c = 0; c < d->channels; parts++) {
        int kind = kind_of(set, d, c), block = (UNIT << kind) / (int)set->element;
        size_t offset = (size_t)c * set->element;
        part[parts] = (struct part){set->fn[kind][d->size[0] == 5][d->stride[0] - 1],
                                    (const char *)d->packed + offset * (size_t)(depthwise_taps(d) + 1),
                                    offset, (d->channels - c) / block};
        c += block * (int)part[parts].blocks;
    }
    return parts;
}

/* Rows under output row y from column 0 of the image on. */
static void set_rows(const struct depthwise *d, const struct depthwise_tile *tile, int y,
                     struct strip_call *call)
{
    for (int k = 0; k < d->size[0]; k++)
        call->row[k] = tile->in[y * d->stride[0] + k];
}

/* What lies at either side of the strip from column x on, and where its inputs begin. */
static void set_columns(const struct depthwise *d, const struct depthwise_tile *tile, int x, int columns,
                        struct strip_call *call)
{
    int first = x * d->stride[1] - tile->before, last = first + (columns - 1) * d->stride[1] + d->size[1];
    call->left = first < 0 ? -first : 0;
    int width = depthwise_columns(d, tile);
    call->right = last > width ? last - width : 0;
    call->skip = (size_t)(first + call->left) * call->pixel;
}

/* Strips of `columns` columns from x on in which nothing is outside, or one in which something is. */
static int count_strips(const struct depthwise *d, const struct depthwise_tile *tile, int x, int columns,
                        bool sevens)
{
    int count = 1, reach = (columns - 1) * d->stride[1] + d->size[1], width = depthwise_columns(d, tile);
    if (x * d->stride[1] < tile->before)
        return 1;
    for (x += columns; next_columns(tile->columns - x, sevens) == columns; x += columns, count++)
        if (x * d->stride[1] - tile->before + reach > width)
            break;
    return count;
}

static void run_parts(const struct part *part, int parts, struct strip_call *call, int columns)
{
    for (int i = 0; i < parts; i++) {
        call->weights = part[i].weights;
        call->offset = part[i].offset;
        call->blocks = part[i].blocks;
        part[i].fn[columns == 7 ? 2 : columns - 3](call);
    }
}

void strip_set_run(const struct strip_set *set, const struct depthwise *d, const struct depthwise_tile *tile,
                   const void *limits)
{
    struct strip_call call = {.pixel = (size_t)d->channels * set->element,
                              .finish = finish_of(d->min_f32, d->max_f32, d->hard_swish),
                              .limits = limits};
    bool fits = strip_set_fits(set, d), sevens = d->size[0] == 5;
    struct part part[STRIP_KINDS];
    int parts = fits ? list_parts(set, d, part) : 0;
    for (int y = 0; y < tile->rows; y++) {
        if (fits)
            set_rows(d, tile, y, &call);
        call.out = (char *)tile->out + (size_t)y * tile->out_row * set->element;
        for (int x = 0, columns; x < tile->columns; x += columns) {
            columns = fits ? next_columns(tile->columns - x, sevens) : 1;
            if (columns == 1) {
                set->one(d, tile, y, x);
            } else {
                set_columns(d, tile, x, columns, &call);
                call.strips = call.right ? 1 : count_strips(d, tile, x, columns, sevens);
                run_parts(part, parts, &call, columns);
                columns *= (int)call.strips;
            }
            call.out = (char *)call.out + (size_t)columns * call.pixel;
        }
    }
}
