/*
 * udp_net - hosts, links and NAT boxes that carry UDP, in virtual time.
 *
 * The network is a tree of realms. The Internet is realm 0; the inside of each
 * box (nat.h) is another realm. A box is plugged into a realm, which is its
 * outside: a home behind carrier-grade NAT is a box plugged into the inside of
 * another box. A host may be plugged into several realms. In one realm all
 * hosts reach each other directly; a datagram to any other address goes out by
 * the realm's box. A firewall translates nothing: the realms on its two sides
 * share their addresses.
 *
 * Each plug (of a host, or of a box's outside) has a link with two directions.
 * The link delays, loses, doubles and reorders datagrams and drops large ones.
 * Inside a realm nothing is lost. Each box subtracts 1 from a datagram's time
 * to live, the Internet UDP_INTERNET_HOPS.
 *
 * Pure: the owner passes the time, asks when something happens next
 * (udp_net_deadline), and takes deliveries one by one (udp_net_next). The owner
 * numbers the hosts. In the simulator the owner is udp_world.h.
 */
#ifndef TESTS_SIM_UDP_NET_H
#define TESTS_SIM_UDP_NET_H

#include "common/base/bytes.h"
#include "tests/sim/nat.h"

enum {
    UDP_INTERNET = 0,
    UDP_INTERNET_HOPS = 8,
    UDP_TTL = 64,
    UDP_EPHEMERAL = 49152, /* ports from here on are given for port 0 */
};

enum udp_direction { UDP_UP, UDP_DOWN }; /* towards the Internet, or away */

struct udp_link {
    struct span delay, jitter; /* each datagram: delay, and up to jitter more */
    unsigned loss_percent, double_percent, reorder_percent;
    struct span reorder_by; /* a reordered one is late by up to so much */
    size_t mtu;             /* larger ones vanish; 0: no limit */
    bool down;
};

/* How a datagram, or a copy of it, ended. */
enum udp_fate {
    UDP_DELIVERED,
    UDP_LOST,      /* by a link */
    UDP_TOO_LARGE, /* for a link */
    UDP_NO_LINK,   /* it is down */
    UDP_NO_ROUTE,  /* no host or box has the address */
    UDP_NO_SOCKET, /* the host has the address, and no socket with the port */
    UDP_TTL_ENDED,
    UDP_NO_HAIRPIN, /* this and the following ones as in enum nat_verdict */
    UDP_FULL,
    UDP_UNMAPPED,
    UDP_FILTERED,
    UDP_TAKEN,
    UDP_FATES,
};

struct udp_packet {
    uint64_t id; /* of the datagram: its copies have the same one */
    struct address from, to;
    int ttl;
    uint8_t *data;
    size_t size; /* without IP and UDP headers */
};

struct udp_delivery {
    int host;
    struct address from; /* as translated */
    struct address to;   /* of the host; its port is the socket's */
    struct bytes bytes;  /* valid until the next call */
    uint64_t id;
};

/* A step that the observer is told of. */
enum udp_step {
    UDP_ENTERED,  /* the link of `plug` in `direction` */
    UDP_LEFT,     /* that link, at its other end */
    UDP_WENT_OUT, /* by the box of `plug`; before: the source that it had */
    UDP_WENT_IN,  /* by that box; before: the destination that it had */
    UDP_ENDED,    /* with `fate`, at `plug` or (-1) in a realm */
};

struct udp_seen {
    enum udp_step step;
    int plug;
    enum udp_direction direction;
    enum udp_fate fate;
    const struct udp_packet *packet; /* as it is after the step */
    struct address before;
    int host;    /* ENDED as DELIVERED */
    bool turned; /* WENT_OUT: the box turns it round; WENT_IN: it did */
};

typedef void udp_observer(void *context, const struct udp_seen *seen,
                          struct instant now);

struct udp_net;

struct udp_net *udp_net_new(uint64_t seed);
void udp_net_free(struct udp_net **self); /* NULL-safe; nulls */
void udp_net_observe(struct udp_net *n, udp_observer *observer, void *context);

/* --- building ---------------------------------------------------------- */

/* The box's inside is a new realm; returns its number, which is the box's as
 * well. A box's links have no delay at first. */
int udp_net_add_box(struct udp_net *n, int realm, const struct nat_conf *conf);
/* The host has this address (without a port) in the realm; links of 1 ms. */
void udp_net_plug(struct udp_net *n, int host, int realm,
                  const struct address *address);
/* Its sockets stay. */
void udp_net_unplug(struct udp_net *n, int host, int realm);
struct nat *udp_net_box(const struct udp_net *n, int box);
/* The plug of a box's outside, or of a host in a realm. */
int udp_net_plug_of_box(const struct udp_net *n, int box);
int udp_net_plug_of_host(const struct udp_net *n, int host, int realm);
/* May be changed at any time; valid until something is added. */
struct udp_link *udp_net_link(struct udp_net *n, int plug,
                              enum udp_direction direction);

/* --- sockets ----------------------------------------------------------- */

/* A socket for all addresses of the host; port 0: any. Returns the port, 0: it
 * is taken. */
uint16_t udp_net_open(struct udp_net *n, int host, uint16_t port) MUST_USE;
void udp_net_close(struct udp_net *n, int host, uint16_t port);
/* Sends from the socket, by the host's first plug of the address's family, or
 * a realm's that has the address. Returns the datagram's id, 0: the host has no
 * such plug. The socket must be open. */
uint64_t udp_net_send(struct udp_net *n, int host, uint16_t port,
                      const struct address *to, struct bytes bytes, int ttl,
                      struct instant now);

/* --- running ----------------------------------------------------------- */

/* INSTANT_NEVER: nothing is under way. */
struct instant udp_net_deadline(const struct udp_net *n);
/* Does what is due; true: a datagram arrived, and there may be more. */
bool udp_net_next(struct udp_net *n, struct instant now,
                  struct udp_delivery *delivery) MUST_USE;
const char *udp_fate_name(enum udp_fate fate);

#endif
