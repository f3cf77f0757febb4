/* SPDX-License-Identifier: MIT */
/*
 * The canvases of a screen and where each of them is: free, lent to whoever draws, presented (pending), or on
 * the screen (current). A retired canvas has the wrong size or format by now; it is destroyed as soon as it
 * is neither lent nor seen.
 */
#ifndef PIPIT_DISPLAY_CANVASES_H
#define PIPIT_DISPLAY_CANVASES_H

#include "display/screen.h"

enum canvas_state { CANVAS_FREE, CANVAS_LENT, CANVAS_PENDING, CANVAS_CURRENT };

struct canvas_slot {
    struct canvas canvas; /* first: a canvas is its slot */
    enum canvas_state state;
    bool retired;
    uint64_t picture; /* the number of the presented picture that it was last; 0: none */
    void *memory;     /* of the kind */
    struct canvas_slot *next;
};

struct canvases {
    struct canvas_slot *first;
    uint64_t presented;                        /* pictures so far */
    void (*destroy)(struct canvas_slot *slot); /* frees memory, not the slot */
};

/* A new free canvas in front of the others, zeroed; the caller fills `frame` and `memory`. NULL: no memory.
 */
struct canvas_slot *canvases_add(struct canvases *canvases);
struct canvas *canvases_take(struct canvases *canvases); /* lends the one that was free longest; or NULL */
/* The canvas's slot, if it is lent and not retired. NULL otherwise. */
struct canvas_slot *canvases_lent(const struct canvases *canvases, const struct canvas *canvas);
void canvases_give_back(struct canvases *canvases, const struct canvas *canvas);
void canvases_present(struct canvases *canvases, struct canvas_slot *slot); /* lent to pending */
/* The pending canvas, if any, is current from now on, and the current one free; so is a retired one. */
void canvases_shown(struct canvases *canvases);
void canvases_hidden(struct canvases *canvases); /* neither pending nor current any more: all dark */
struct canvas_slot *canvases_current(const struct canvases *canvases); /* not retired; or NULL */
void canvases_retire(struct canvases *canvases);
bool canvases_usable(const struct canvases *canvases); /* there is one that is not retired */
void canvases_finish(struct canvases *canvases);       /* lent ones too */

#endif
