/*
 * heap - a binary heap of timers: tells which deadline is next.
 *
 * The timers are embedded in the structs of their owners. Setting, moving and
 * removing a timer costs O(log n), asking for the next deadline O(1).
 */
#ifndef COMMON_BASE_HEAP_H
#define COMMON_BASE_HEAP_H

#include "common/base/instant.h"

#include <stddef.h>

struct timer {
    struct instant at;
    size_t place; /* 1-based index in the heap; 0: not set */
    void *owner;
};

struct heap {
    struct timer **timers;
    size_t count;
    size_t capacity;
};

/* A zeroed heap is empty and ready for use. heap_close frees the heap's array
 * and unsets the timers; the timers' memory stays with their owners. */
void heap_close(struct heap *h);
/* Sets the timer or moves it; INSTANT_NEVER removes it. */
void heap_set(struct heap *h, struct timer *t, struct instant at);
/* Unsets the timer; does nothing if it is not set. */
void heap_remove(struct heap *h, struct timer *t);
/* The earliest deadline; INSTANT_NEVER if the heap is empty. */
struct instant heap_deadline(const struct heap *h);
/* Removes and returns the earliest timer if its deadline has passed, else
 * returns NULL. */
struct timer *heap_due(struct heap *h, struct instant now);

#endif
