/*
 * held - how much libzmq holds of what was written to one connection.
 *
 * libzmq's own limit counts packets, of 64 KiB as of 64 B, and it does not say
 * when one is out. So a packet that is not small goes with a note, which comes
 * back once libzmq is done with it (it has encrypted it, and has at most one
 * such on its hands). Notes come back on libzmq's threads, also after the
 * connection is forgotten here.
 */
#ifndef RELAY_SHELL_HELD_H
#define RELAY_SHELL_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

enum {
    /* What libzmq may hold: enough to keep it busy until it is asked again. */
    HELD_BYTES = 1024 * 1024,
    /* Smaller packets cost no note; libzmq's own limit counts them. */
    HELD_PACKET = 1024,
};

struct held;

struct held *held_new(void);
/* The connection is forgotten. NULL-safe. */
void held_release(struct held **self);
bool held_has_room(const struct held *h);
/* The packet, unchanged and not copied, counts until libzmq is done with it. */
void held_add(struct held *h, zmq_msg_t *packet);

#endif
