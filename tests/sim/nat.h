/*
 * nat - one NAT box or firewall: which UDP datagrams pass, and as whose.
 *
 * Pure: addresses, time and random numbers go in, a verdict comes out. The
 * terms are those of RFC 4787. The owner calls nat_out for a datagram that
 * comes from the inside, and nat_in for one that comes from the outside; both
 * rewrite the addresses. udp_net.h connects boxes with each other.
 *
 * A mapping joins an inside endpoint (address and port) to an outside one. Its
 * scope is what the mapping behaviour says: all remotes, one remote address, or
 * one remote endpoint. A session is a remote that the inside endpoint sent to
 * by the mapping; the filter lets in only what a live session allows. A session
 * lives for `timeout` after its last datagram, a mapping for as long as its
 * last session.
 *
 * A box without outside addresses translates nothing: it is a firewall, as IPv6
 * has them, and only filters.
 */
#ifndef TESTS_SIM_NAT_H
#define TESTS_SIM_NAT_H

#include "common/base/address.h"
#include "tests/sim/rng.h"

enum { NAT_OUTSIDE_MAX = 4, NAT_PORT_FIRST = 1024, NAT_PORT_LAST = 65535 };

/* How a mapping, or a permission to enter, depends on the remote endpoint.
 * Each one is stricter than the one before. */
enum nat_behaviour {
    NAT_ENDPOINT_INDEPENDENT,
    NAT_ADDRESS_DEPENDENT,
    NAT_ADDRESS_AND_PORT_DEPENDENT,
};

/* The outside port of a new mapping. A taken one is passed over. */
enum nat_ports {
    NAT_PORTS_PRESERVED, /* the inside port; a random one if that is taken */
    NAT_PORTS_SEQUENTIAL,
    NAT_PORTS_RANDOM,
};

struct nat_conf {
    enum nat_behaviour mapping, filtering;
    enum nat_ports ports;
    struct address outside[NAT_OUTSIDE_MAX]; /* without ports */
    size_t outside_count;                    /* 0: a firewall */
    /* All mappings of an inside address use one outside address ("paired"
     * pooling); else each mapping may get another one. */
    bool paired;
    /* Two mappings may have one outside endpoint if their scopes differ, as in
     * Linux. Only if the filter is at least as strict as the mapping, which is
     * not endpoint-independent. */
    bool shares_ports;
    bool hairpins;
    /* A datagram from outside for which there is no mapping makes an entry of
     * the box's own, as connection tracking does in a Linux router that accepts
     * or rejects new input on its WAN side. The entry takes the tuple of
     * outside endpoint and remote endpoint: a mapping for that remote gets
     * another port while the entry lives. A box that drops new input before it
     * is tracked does not do so. */
    bool takes_tuples;
    bool inbound_refreshes; /* outbound traffic always does */
    struct span timeout;
    struct span taken_timeout;      /* of tuples that it took; 0: timeout */
    uint16_t first_port, last_port; /* both 0: NAT_PORT_FIRST to _LAST */
    size_t mappings_max;            /* of the box; 0: no limit */
    size_t mappings_per_host_max;   /* of an inside address; 0: no limit */
};

enum nat_verdict {
    NAT_PASSED,
    NAT_TURNED,     /* nat_out: to be given to nat_in of the same box */
    NAT_NO_HAIRPIN, /* nat_out: to the box's own address, which drops it */
    NAT_FULL,       /* nat_out: no port is free, or a limit is reached */
    NAT_UNMAPPED,   /* nat_in: there is no such mapping */
    NAT_FILTERED,   /* nat_in: there is, and it does not let the remote in */
    NAT_TAKEN,      /* nat_in: the box took the tuple for its own */
};

struct nat;

struct nat *nat_new(const struct nat_conf *conf);
void nat_free(struct nat **self); /* NULL-safe; nulls */

/* A datagram from the inside. PASSED and TURNED set *from to the outside
 * endpoint; all other verdicts drop the datagram. */
enum nat_verdict nat_out(struct nat *n, struct address *from,
                         const struct address *to, struct instant now,
                         struct rng *rng);
/* A datagram from the outside. PASSED sets *to to the inside endpoint; all
 * other verdicts drop the datagram. */
enum nat_verdict nat_in(struct nat *n, const struct address *from,
                        struct address *to, struct instant now);
/* Whether the address is one of the box's outside addresses. */
bool nat_has(const struct nat *n, const struct address *a);
/* The box restarts: all mappings are gone. With an address (else NULL), all
 * outside addresses are replaced by that one. */
void nat_restart(struct nat *n, const struct address *outside);
/* Live mappings. */
size_t nat_mappings(struct nat *n, struct instant now);

/* Whether a permission or mapping made for `known` is good for `remote`. */
bool nat_covers(enum nat_behaviour b, const struct address *known,
                const struct address *remote);

/* --- kinds of boxes that are common -------------------------------------- */

enum nat_kind {
    NAT_FULL_CONE,       /* mapping independent, no filter */
    NAT_RESTRICTED_CONE, /* mapping independent, filter by address */
    NAT_HOME,            /* mapping independent, filter by address and port */
    NAT_PLAIN,    /* Linux `masquerade`: ports are preserved for each remote */
    NAT_SYM,      /* Linux `masquerade fully-random` */
    NAT_FIREWALL, /* no translation, filter by address and port */
    NAT_KINDS,
};

/* Without an outside address; 2 min, inbound traffic refreshes as well, no
 * hairpin; new input on the WAN side is dropped; what is taken is so for 30 s.
 */
struct nat_conf nat_kind_conf(enum nat_kind kind);
const char *nat_kind_name(enum nat_kind kind);

#endif
