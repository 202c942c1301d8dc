/*
 * udp_checkers_private - declarations that the files of the UDP
 * checkers share.
 *
 *     udp_checkers.c      links and datagrams
 *     udp_checkers_nat.c  boxes
 */
#ifndef TESTS_SIM_UDP_CHECKERS_PRIVATE_H
#define TESTS_SIM_UDP_CHECKERS_PRIVATE_H

#include "tests/sim/udp_checkers.h"

/* An inside endpoint's traffic with a remote, by an outside endpoint. */
struct nat_flow {
    struct address inside, outside, remote;
    struct instant used;     /* when a datagram last refreshed it */
    struct address made_for; /* the remote of the first flow of its mapping,
                                or another one in its scope */
};

struct nat_record {
    struct nat_conf conf; /* as it was told */
    struct nat_flow *flows;
    struct nat_flow *taken; /* tuples that the box took; without `inside` */
    size_t flow_count, flow_capacity;
    size_t taken_count, taken_capacity;
};

/* A datagram on a link. */
struct udp_transit {
    uint64_t id;
    enum udp_direction direction;
    struct instant entered;
    size_t size;
    struct udp_link link; /* as it was told, when it entered */
    unsigned left;        /* so often */
};

struct plug_record {
    struct nat_record *box; /* NULL: a host's plug */
    int host;
    struct address address; /* of a host */
    struct udp_link links[2];
    struct udp_transit *transits; /* by time of entering */
    size_t count, capacity;
};

struct sent_record {
    uint64_t hash;
    size_t size;
    bool ended;
};

struct udp_checkers {
    struct plug_record *plugs;
    size_t plug_count, plug_capacity;
    struct sent_record *sent; /* by id - 1 */
    size_t sent_count, sent_capacity;
};

/* Room for the items with these indices, zeroed. */
void *udp_checkers_room(void *items, size_t count, size_t *capacity,
                        size_t size);

void nat_record_went_out(struct world *w, struct nat_record *r,
                         const struct udp_seen *seen);
void nat_record_went_in(struct world *w, struct nat_record *r,
                        const struct udp_seen *seen);
void nat_record_ended(struct world *w, struct nat_record *r,
                      const struct udp_seen *seen);

#endif
