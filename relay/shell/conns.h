/*
 * conns - the front's table of connections: by number, by routing id, and in
 * two lists: those that libzmq takes no more packets for, with the packets
 * kept for them, and those whose socket closed.
 */
#ifndef RELAY_SHELL_CONNS_H
#define RELAY_SHELL_CONNS_H

#include <zmq.h>

#include "common/base/address.h"
#include "common/base/map.h"
#include "common/io/send_credit.h"
#include "common/wire/ids.h"

enum {
    ROUTE_SIZE = 5, /* libzmq's own routing ids: a zero and a counter */
    USER_SIZE = 64, /* a key in hexadecimal, see zap.h */
    /* What libzmq may hold of one connection's: enough to keep it busy until
     * it is asked again; and how much it is at least, a packet with others. */
    HELD_BYTES = 1024 * 1024,
    HELD_BYTES_MIN = 128 * 1024,
};

/* A packet that libzmq did not take. */
struct kept {
    struct kept *next;
    zmq_msg_t packet;
};

struct conn {
    uint64_t id;
    uint8_t route[ROUTE_SIZE];
    char user[USER_SIZE];
    struct curve_key key;
    struct address address;
    int fd;
    struct send_credit *held; /* what libzmq has of what was written to it */
    bool dropped;             /* the hub wants to hear no more of it */
    bool blocked;             /* in the list of the blocked */
    bool closing;             /* in the list of the closing */
    struct kept *first;
    struct kept *last;
    struct conn *next_blocked;
    struct conn *next_closing;
};

struct conns {
    struct map routes; /* route -> conn */
    struct map ids;    /* id -> conn */
    uint64_t last_id;
    struct conn *first_blocked;
    struct conn *last_blocked;
    size_t blocked_count;
    struct conn *closing;
};

void conns_init(struct conns *t);
void conns_close(struct conns *t);

/* The number that conns_add will give. */
uint64_t conns_next_id(const struct conns *t);
/* Copies `conn`, numbers it, and makes what it holds. Another one with its
 * route is closing. */
struct conn *conns_add(struct conns *t, const struct conn *conn);
void conns_remove(struct conns *t, struct conn *c);
struct conn *conns_by_id(const struct conns *t, uint64_t id);
struct conn *conns_by_route(const struct conns *t, const uint8_t *route);

void conns_set_closing(struct conns *t, struct conn *c);
/* Takes the list of the closing: walk it by next_closing. */
struct conn *conns_take_closing(struct conns *t);

/* Moves the packet to the end of those kept. The connection is blocked. */
void conns_keep(struct conns *t, struct conn *c, zmq_msg_t *packet);
/* Drops the first of those kept. */
void conn_drop_kept(struct conn *c);
void conns_set_blocked(struct conns *t, struct conn *c);
/* What libzmq may hold of one connection's where all together may have
 * `memory`: the more of them are blocked, the less. */
size_t conns_held_limit(const struct conns *t, size_t memory);
void conns_unblock(struct conns *t, struct conn *c);

#endif
