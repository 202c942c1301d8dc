/*
 * observers - the list of an edge's observers (struct edge_observer, edge.h),
 * and the refs of their requests.
 */
#ifndef EDGE_SHELL_OBSERVERS_H
#define EDGE_SHELL_OBSERVERS_H

#include "edge/shell/edge.h"

enum { OBSERVERS = 16 };

/* A zeroed one is empty and ready. */
struct observers {
    struct {
        const struct edge_observer *observer; /* NULL: a free slot */
        uint64_t number; /* the high bits of its refs; never used twice */
    } list[OBSERVERS];
    int used; /* slots up to the last used one */
    uint64_t last_number;
};

/* More than OBSERVERS at once are a bug. */
void observers_add(struct observers *o, const struct edge_observer *observer);
void observers_remove(struct observers *o,
                      const struct edge_observer *observer);
struct node_ref observers_ref(const struct observers *o,
                              const struct edge_observer *observer,
                              uint64_t name);
uint64_t observers_name(struct node_ref ref);

/* Calls the observers for an item of the kinds JOINED, LEFT, PATH, MESSAGE,
 * READY, GAP. A REPORT goes only to the observer that made its ref. Ignores
 * other kinds. */
void observers_tell(const struct observers *o, const struct node_todo *item);

#endif
