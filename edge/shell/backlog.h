/*
 * backlog - packets that a link could not take yet, in order.
 *
 * A node stops writing to a link that told BLOCKED, so this holds what one step
 * wrote at most. The limit is for the case that it does not.
 */
#ifndef EDGE_SHELL_BACKLOG_H
#define EDGE_SHELL_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

enum { BACKLOG_BYTES = 16 * 1024 * 1024 };

/* A zeroed backlog is empty and ready. */
struct backlog {
    zmq_msg_t *packets;
    size_t first;
    size_t count;
    size_t capacity;
    size_t bytes;
};

void backlog_close(struct backlog *b);
bool backlog_is_empty(const struct backlog *b);
/* Takes the message's content; false (and nothing taken) beyond the limit, or
 * without memory. */
bool backlog_add(struct backlog *b, zmq_msg_t *m);
/* The oldest; only if there is one. */
zmq_msg_t *backlog_first(struct backlog *b);
/* The oldest was sent (and is thereby empty). */
void backlog_drop(struct backlog *b);

#endif
