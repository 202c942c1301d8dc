/*
 * outside - this node's addresses as others see them: asks STUN servers, and
 * tells from the answers which kind of NAT stands between [P-11.2].
 *
 * Pure: the owner passes servers, time and datagrams, and sends what
 * outside_next writes. It asks for each socket that somebody wants to know the
 * outside addresses of; socket 0 is asked for when the servers become known,
 * when they change, and after each change of the network as well.
 *
 * After each call that takes `now` or servers the owner calls outside_due, and
 * then outside_next until it returns false.
 */
#ifndef EDGE_CORE_OUTSIDE_H
#define EDGE_CORE_OUTSIDE_H

#include "common/base/instant.h"
#include "common/core/entropy.h"
#include "common/wire/punch.h"

enum {
    OUTSIDE_SERVERS = 32, /* addresses; further ones are left out */
    OUTSIDE_SOCKETS = 16, /* known at a time; a further one replaces the one
                             that was asked for longest ago, but not 0 */
    OUTSIDE_FOUND = 4,    /* addresses of a socket that are told */
};

struct outside_request {
    uint32_t socket;
    struct address to;
    uint8_t bytes[20];
};

/* What is known of one socket. While it is asked for again, the earlier answers
 * count until their servers gave newer ones, or let their time pass. */
struct outside_view {
    bool done;                     /* every server answered, or had its time */
    bool answered_v4, answered_v6; /* a server answered over this family */
    enum nat_mapping mapping; /* of IPv4 if a server answered over it, else of
                                 IPv6 */
    int servers; /* that answered over this family; several ports of one
                    address are one server */
    int8_t step; /* DEPENDENT: ports come in sequence; or 0 */
    int count;
    struct address found[OUTSIDE_FOUND]; /* half of them for each family; what
                                            the last server saw comes first */
    struct span rtt; /* of the fastest answer; negative: unknown */
};

/* What one server said of a socket. */
struct outside_answer {
    struct address server;
    struct address seen; /* NONE: no answer */
    bool natted;         /* `seen` is no address of this host */
    struct span rtt;
};

struct outside;

struct outside *outside_new(struct entropy *entropy); /* borrowed */
void outside_free(struct outside **self);             /* NULL-safe */

/* The servers to ask. The same list again changes nothing. */
void outside_servers(struct outside *o, const struct address *list,
                     size_t count);
/* The addresses of this host: a server that sees one of them has no NAT before
 * it. Those beyond 64 are left out. */
void outside_hosts(struct outside *o, const struct address *list, size_t count);
/* All answers so far are void, and each known socket is asked for again. */
void outside_network_changed(struct outside *o, struct instant now);
/* Asks for the socket, unless the last asking began less than `fresh` ago. */
void outside_ask(struct outside *o, uint32_t socket, struct span fresh,
                 struct instant now);
void outside_forget(struct outside *o, uint32_t socket);

/* A datagram of STUN came. False: it is not an answer to a request of ours. */
bool outside_take(struct outside *o, uint32_t socket,
                  const struct address *from, struct bytes datagram,
                  struct instant now);
/* True: something that was asked for is `done` now, once for each asking. */
bool outside_due(struct outside *o, struct instant now);
struct instant outside_deadline(const struct outside *o);
bool outside_next(struct outside *o, struct outside_request *r,
                  struct instant now) MUST_USE;

/* False: nothing was asked for this socket. */
bool outside_get(const struct outside *o, uint32_t socket,
                 struct outside_view *view);
/* The servers that were asked for this socket, in their order. */
size_t outside_answers(const struct outside *o, uint32_t socket,
                       struct outside_answer list[static OUTSIDE_SERVERS]);

#endif
