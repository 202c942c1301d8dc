/*
 * nat_filter - tells from whom a NAT, or a firewall, lets datagrams in: asks
 * servers of STUN from a fresh socket to answer from a port that this socket
 * never sent to as well [P-10.5].
 *
 * Pure, like outside, which tells first which servers answer. At the beginning,
 * and at each nat_filter_deadline, the owner sends what nat_filter_next writes,
 * until it returns false; it passes what comes in. When it is done, the verdict
 * stays.
 */
#ifndef EDGE_CORE_NAT_FILTER_H
#define EDGE_CORE_NAT_FILTER_H

#include "common/wire/stun.h"
#include "edge/core/outside.h"

enum { NAT_FILTER_SERVERS = 4 };

/* The words of RFC 4787, as far as one server address can show it. */
enum nat_filtering {
    FILTERING_UNKNOWN,
    FILTERING_BY_ADDRESS_AT_MOST, /* endpoint-independent, or by address */
    FILTERING_BY_PORT,            /* address and port-dependent */
};

struct nat_filter_server {
    struct address asked;
    struct stun_id id;
    uint8_t request[STUN_TWO_REQUEST_SIZE];
    uint16_t second_port; /* as the first answer says; 0: none came so far */
};

struct nat_filter {
    struct nat_filter_server servers[NAT_FILTER_SERVERS];
    size_t count;
    size_t next; /* the server to ask next in this round of sends */
    int sends;   /* rounds that are complete */
    struct instant began;
    bool passed; /* a second answer came */
    struct outside_answer answers[OUTSIDE_SERVERS];
    size_t answer_count;
};

/*
 * Chooses the servers among the answers of outside_answers: of this family,
 * each address once, those behind the NAT if there is one (`has_nat`).
 */
void nat_filter_begin(struct nat_filter *f, struct entropy *entropy,
                      const struct outside_answer *answers, size_t count,
                      enum address_family family, bool has_nat,
                      struct instant now);

/* The next request to send from the fresh socket; false: none now. */
bool nat_filter_next(struct nat_filter *f, struct address *to,
                     struct bytes *request, struct instant now) MUST_USE;
void nat_filter_take(struct nat_filter *f, const struct address *from,
                     struct bytes datagram);
bool nat_filter_is_done(const struct nat_filter *f, struct instant now);
struct instant nat_filter_deadline(const struct nat_filter *f);
enum nat_filtering nat_filter_verdict(const struct nat_filter *f);

#endif
