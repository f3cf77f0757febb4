/* SPDX-License-Identifier: MIT */
#include "display/canvases.h"

#include <stdlib.h>

struct canvas_slot *canvases_add(struct canvases *canvases)
{
    struct canvas_slot *slot = calloc(1, sizeof(*slot));
    if (slot) {
        slot->next = canvases->first;
        canvases->first = slot;
    }
    return slot;
}

struct canvas *canvases_take(struct canvases *canvases)
{
    struct canvas_slot *best = NULL;
    for (struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        if (slot->state == CANVAS_FREE && !slot->retired && (!best || slot->picture < best->picture))
            best = slot;
    if (!best)
        return NULL;
    best->state = CANVAS_LENT;
    return &best->canvas;
}

static void sweep(struct canvases *canvases)
{
    for (struct canvas_slot **at = &canvases->first; *at;) {
        struct canvas_slot *slot = *at;
        if (slot->retired && slot->state == CANVAS_FREE) {
            *at = slot->next;
            canvases->destroy(slot);
            free(slot);
        } else {
            at = &slot->next;
        }
    }
}

struct canvas_slot *canvases_lent(const struct canvases *canvases, const struct canvas *canvas)
{
    struct canvas_slot *slot = canvases->first;
    while (slot && &slot->canvas != canvas)
        slot = slot->next;
    return slot && slot->state == CANVAS_LENT && !slot->retired ? slot : NULL;
}

void canvases_give_back(struct canvases *canvases, const struct canvas *canvas)
{
    for (struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        if (&slot->canvas == canvas && slot->state == CANVAS_LENT) {
            slot->state = CANVAS_FREE;
            slot->picture = 0;
        }
    sweep(canvases);
}

void canvases_present(struct canvases *canvases, struct canvas_slot *slot)
{
    slot->state = CANVAS_PENDING;
    slot->picture = ++canvases->presented;
}

void canvases_shown(struct canvases *canvases)
{
    bool pending = false;
    for (const struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        pending = pending || slot->state == CANVAS_PENDING;
    for (struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        if (slot->state == CANVAS_CURRENT && (pending || slot->retired))
            slot->state = CANVAS_FREE;
        else if (slot->state == CANVAS_PENDING)
            slot->state = CANVAS_CURRENT;
    sweep(canvases);
}

void canvases_hidden(struct canvases *canvases)
{
    for (struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        if (slot->state != CANVAS_LENT)
            slot->state = CANVAS_FREE;
    sweep(canvases);
}

struct canvas_slot *canvases_current(const struct canvases *canvases)
{
    struct canvas_slot *slot = canvases->first;
    while (slot && (slot->state != CANVAS_CURRENT || slot->retired))
        slot = slot->next;
    return slot;
}

void canvases_retire(struct canvases *canvases)
{
    for (struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        slot->retired = true;
    sweep(canvases);
}

bool canvases_usable(const struct canvases *canvases)
{
    const struct canvas_slot *slot = canvases->first;
    while (slot && slot->retired)
        slot = slot->next;
    return slot != NULL;
}

void canvases_finish(struct canvases *canvases)
{
    for (struct canvas_slot *slot = canvases->first; slot; slot = slot->next)
        slot->state = CANVAS_FREE;
    canvases_retire(canvases);
}
