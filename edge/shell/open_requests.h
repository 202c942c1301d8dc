/*
 * open_requests - the requests of peers that nobody here has replied to yet.
 *
 * A request is open from the moment at which a program gets it until one
 * program replies, so that each request has one reply at the most. At most
 * OPEN_REQUESTS are open: one more closes the oldest.
 */
#ifndef EDGE_SHELL_OPEN_REQUESTS_H
#define EDGE_SHELL_OPEN_REQUESTS_H

#include "common/base/map.h"
#include "common/wire/ids.h"

enum { OPEN_REQUESTS = 64 * 1024 };

struct open_request;

struct open_requests {
    struct map map;
    struct open_request *oldest, *newest;
};

void open_requests_init(struct open_requests *r, const uint8_t hash_key[16]);
void open_requests_close(struct open_requests *r);

/* No change if the request is open already. */
void open_requests_add(struct open_requests *r, const struct node_id *from,
                       uint64_t reference);
/* Closes the request; false if it is not open. */
bool open_requests_take(struct open_requests *r, const struct node_id *from,
                        uint64_t reference) MUST_USE;
/* Closes all requests of the peer. */
void open_requests_peer_left(struct open_requests *r,
                             const struct node_id *peer);

#endif
