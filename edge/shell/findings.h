/*
 * findings - what the facts that netcheck found mean for the person at this
 * host, and what that person can do.
 *
 * Pure: facts go in, sentences come out. deploy/guide/troubleshooting.md
 * explains each id; a test compares the two.
 */
#ifndef EDGE_SHELL_FINDINGS_H
#define EDGE_SHELL_FINDINGS_H

#include "common/base/address.h"
#include "common/wire/punch.h"
#include "edge/shell/stun_probe.h"

enum {
    FINDINGS_MOST = 64, /* further ones are left out */
    FINDING_TEXT_SIZE = 400,
    FACT_RELAYS = 8,
    FACT_PORTS = 3,
    FACT_NAMES_SIZE = 128,
};

/* ---- Facts */

struct fact_port { /* a UDP port of a relay, where STUN is asked */
    uint16_t port;
    bool asked;
    enum stun_verdict verdict; /* the best of all its addresses */
};

struct fact_relay {
    const char *host;
    uint16_t port;
    bool up;               /* the node is connected to it */
    bool connects;         /* a TCP connection was made just now */
    const char *error;     /* a word of the contract; "": none */
    const char *own_error; /* the same as the node says it, see remedies.h */
    struct fact_port ports[FACT_PORTS];
    size_t port_count;
    bool skew_known;
    int64_t skew_s; /* its clock minus this host's */
    bool inspected; /* the certificate that arrives is not the relay's own */
};

struct fact_peer {
    const char *name;
    bool reachable;
    const char *why; /* of a relayed one, as node_why_name says; or "" */
    enum nat_mapping peer_mapping;
};

enum fact_udp { FACT_UDP_ON, FACT_UDP_OFF, FACT_UDP_ABSENT };

struct net_facts {
    bool has_network;              /* an interface beside loopback is up */
    char missing[FACT_NAMES_SIZE]; /* names of listen.interfaces; "": none */
    char unjoined[FACT_NAMES_SIZE];
    bool multicast, deaf;
    uint64_t beacons_sent, beacons_heard; /* on interfaces beside loopback */

    struct fact_relay relays[FACT_RELAYS];
    size_t relay_count;
    const char *proxy;       /* "": none; without user and password */
    const char *proxy_from;  /* "file", the name of a variable, or "none" */
    const char *proxy_wrong; /* why the variable's URL is not used; or "" */
    bool pac;             /* a PAC file is told of, which nobody reads here */
    const char *pac_from; /* what tells of it */

    enum fact_udp udp; /* paths.udp, and what this build has */
    bool udp_easy;
    int stun_asked; /* addresses of servers, with their ports */
    bool asked_v4, asked_v6;
    bool host_v4, host_v6; /* this host has an address beside loopback; of
                              IPv6 a global one */
    struct outside_view seen;
    bool mapped_udp;            /* the router maps a UDP port to this node */
    const char *upnp, *nat_pmp; /* as mapping_finding_name says */

    uint64_t now, not_before, not_after; /* Unix seconds; the certificate's */

    const struct fact_peer *peers;
    size_t peer_count;
};

/* True if a relay or a peer can be reached. */
bool facts_reach(const struct net_facts *f);
/* False if datagrams do not get out, or answers not back: servers that should
 * answer were asked, and none does. */
bool facts_udp_passes(const struct net_facts *f);

/* ---- Findings */

struct finding {
    const char *id;
    const char *severity; /* "error", "warning" or "info" */
    const char *remedy;   /* "": nothing needs to be done */
    char text[FINDING_TEXT_SIZE];
};

struct findings {
    size_t count;
    struct finding list[FINDINGS_MOST];
};

void findings_make(const struct net_facts *f, struct findings *out);
/* Only how this host's clock differs from its relays': uses `now` and, of the
 * relays, host, port and skew. */
void findings_make_skew(const struct net_facts *f, struct findings *out);

/* The word of the contract for an error of a relay as the node says it; of one
 * that the contract does not have, itself. */
const char *finding_relay_word(const char *own_error);

#endif
