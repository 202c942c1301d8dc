/*
 * outside - this node's addresses as others see them: asks STUN servers, and
 * tells from the answers which kind of NAT stands between [P-11.2].
 *
 * Pure: the owner passes servers, time and datagrams, and sends what
 * outside_next writes. It asks for each socket that somebody wants to know the
 * outside addresses of; socket 0 is asked for at the start and after each
 * change of the network as well.
 */
#ifndef EDGE_CORE_OUTSIDE_H
#define EDGE_CORE_OUTSIDE_H

#include "common/base/instant.h"
#include "common/core/entropy.h"
#include "common/wire/punch.h"

enum {
    OUTSIDE_SERVERS = 32, /* addresses */
    OUTSIDE_SOCKETS = 16, /* asked for at a time */
    OUTSIDE_FOUND = 4,    /* addresses of a socket that are kept */
};

struct outside_request {
    uint32_t socket;
    struct address to;
    uint8_t bytes[20];
};

/* What is known of one socket. */
struct outside_view {
    bool done;                     /* every server answered, or had its time */
    bool answered_v4, answered_v6; /* a server answered over this family */
    int servers; /* server addresses that answered, without their ports */
    enum nat_mapping mapping; /* of IPv4 if that was asked, else of IPv6 */
    int8_t step;              /* DEPENDENT: ports come in sequence; or 0 */
    int count;
    struct address found[OUTSIDE_FOUND]; /* the newest first */
    struct span rtt; /* of the fastest answer; negative: unknown */
};

struct outside;

struct outside *outside_new(struct entropy *entropy); /* borrowed */
void outside_free(struct outside **self);

/* The servers to ask; the addresses of this host (MAPPING_NONE if a server sees
 * one of them). */
void outside_servers(struct outside *o, const struct address *list,
                     size_t count);
void outside_hosts(struct outside *o, const struct address *list, size_t count);
/* All answers so far are void. */
void outside_network_changed(struct outside *o, struct instant now);
/* Asks for the socket, unless answers are younger than `fresh`. */
void outside_ask(struct outside *o, uint32_t socket, struct span fresh,
                 struct instant now);
void outside_forget(struct outside *o, uint32_t socket);

/* A datagram of STUN came. False: it is not an answer to a request of ours. */
bool outside_take(struct outside *o, uint32_t socket,
                  const struct address *from, struct bytes datagram,
                  struct instant now);
/* True: something was asked that has an end now (see `done`). */
bool outside_due(struct outside *o, struct instant now);
struct instant outside_deadline(const struct outside *o);
bool outside_next(struct outside *o, struct outside_request *r,
                  struct instant now) MUST_USE;

/* False: nothing was asked for this socket. */
bool outside_get(const struct outside *o, uint32_t socket,
                 struct outside_view *view);

#endif
