/*
 * send_queue - packets that a link could not take yet, in order.
 *
 * A node stops writing to a link that told BLOCKED, so this holds what one step
 * wrote at most. The limit is for the case that it does not.
 */
#ifndef EDGE_SHELL_SEND_QUEUE_H
#define EDGE_SHELL_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

enum { SEND_QUEUE_BYTES = 16 * 1024 * 1024 };

/* A zeroed backlog is empty and ready. */
struct send_queue {
    zmq_msg_t *packets;
    size_t first;
    size_t count;
    size_t capacity;
    size_t bytes;
};

void send_queue_close(struct send_queue *b);
bool send_queue_is_empty(const struct send_queue *b);
/* Takes the message's content; false (and nothing taken) beyond the limit, or
 * without memory. */
bool send_queue_add(struct send_queue *b, zmq_msg_t *m);
/* The oldest; only if there is one. */
zmq_msg_t *send_queue_first(struct send_queue *b);
/* The oldest was sent (and is thereby empty). */
void send_queue_drop(struct send_queue *b);

#endif
