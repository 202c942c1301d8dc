/*
 * steps - the three steps that the benchmark measures: of sender, relay and
 * receiver. Callgrind collects only inside of these functions, and their
 * allocations are counted. The sender's step includes submitting its messages.
 */
#ifndef TESTS_BENCH_CORE_STEPS_H
#define TESTS_BENCH_CORE_STEPS_H

#include "edge/core/node.h"
#include "relay/core/hub.h"

struct steps_message {
    bool publish; /* else it has a ref and goes to a peer */
    struct node_ref ref;
    struct node_id to;
    struct message message;
};

/* Submits the messages, then steps; returns how many messages the node
 * accepted. Not measured. */
size_t steps_submit(struct node *n, struct instant now,
                    const struct steps_message *messages, size_t message_count,
                    const struct node_event *events, size_t count,
                    struct todo *todo);
/* The same, measured. */
size_t steps_sender(struct node *n, struct instant now,
                    const struct steps_message *messages, size_t message_count,
                    const struct node_event *events, size_t count,
                    struct todo *todo);
void steps_receiver(struct node *n, struct instant now,
                    const struct node_event *events, size_t count,
                    struct todo *todo);
void steps_relay(struct hub *h, struct instant now,
                 const struct hub_event *event, struct hub_todos *todos);

/* Blocks that the steps took from malloc, calloc and realloc. */
uint64_t steps_allocations(void);

/* While a mesh is built, all signatures count as valid: under valgrind a
 * thousand nodes would spend minutes on checking them. */
void steps_trust(bool trust);

#endif
