/*
 * observers - who is told what happens to an edge.
 */
#ifndef EDGE_SHELL_OBSERVERS_H
#define EDGE_SHELL_OBSERVERS_H

#include "edge/shell/edge.h"

enum { OBSERVERS = 16 };

/* A zeroed one is empty and ready. */
struct observers {
    struct {
        const struct edge_observer *observer; /* NULL: a free place */
        uint64_t number; /* of its refs; never used twice */
    } list[OBSERVERS];
    int used; /* places, the free ones between them included */
    uint64_t last_number;
    uint64_t last_ref;
};

/* There is a place for it: more than OBSERVERS at once is a bug. */
void observers_add(struct observers *o, const struct edge_observer *observer);
void observers_remove(struct observers *o,
                      const struct edge_observer *observer);
struct node_ref observers_ref(struct observers *o,
                              const struct edge_observer *observer);
struct node_ref observers_ref_named(const struct observers *o,
                                    const struct edge_observer *observer,
                                    uint64_t name);
uint64_t observers_name(struct node_ref ref);

/* Tells what an item is about to those who want to know: JOINED, LEFT, PATH,
 * MESSAGE, REPORT, READY. Other items are nobody's matter. */
void observers_tell(const struct observers *o, const struct node_todo *item);

#endif
