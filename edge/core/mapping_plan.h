/*
 * mapping_plan - which request to send to the router next, so that it forwards
 * ports of its outside address to this node.
 *
 * The plan works in rounds. A round finds out by NAT-PMP, then by UPnP, whether
 * the router serves the protocol, and asks for each port until a protocol
 * grants it. A granted lease is renewed, by the protocol that granted it, at
 * half of its life. While a port has no lease, a round follows after 2 s, then
 * after three times as long each time, up to 10 min. A network change begins a
 * round at once, and so does another port: the lease for the port before is
 * given back first.
 *
 * The module sends nothing and reads no clock. The owner carries out one
 * request at a time:
 *
 *     while (mapping_plan_next(&plan, now, &request))
 *         carry it out, then mapping_plan_answer(&plan, now, &answer);
 *     and again at mapping_plan_deadline
 */
#ifndef EDGE_CORE_MAPPING_PLAN_H
#define EDGE_CORE_MAPPING_PLAN_H

#include "common/base/address.h"
#include "common/base/instant.h"

/* In the order in which they are tried. */
enum mapping_protocol { MAPPING_NAT_PMP, MAPPING_UPNP };
enum mapping_port { MAPPING_TCP, MAPPING_UDP };
enum { MAPPING_PROTOCOLS = 2, MAPPING_PORTS = 2 };

/* What is known of a protocol at this node's router. */
enum mapping_finding {
    FINDING_OFF,     /* switched off, or not part of this build */
    FINDING_UNKNOWN, /* no answer is there yet */
    FINDING_NONE,    /* there is no router, or it does not answer */
    FINDING_FOUND,   /* the router answered, and grants what was asked for */
    FINDING_REFUSED, /* the router answered, and refuses */
};

/* "nat_pmp" and "upnp"; "tcp" and "udp"; "off", "unknown", "none", ... */
const char *mapping_protocol_name(enum mapping_protocol protocol);
const char *mapping_port_name(enum mapping_port port);
const char *mapping_finding_name(enum mapping_finding finding);

/* The router forwards `outside` to the port `inside` of this node. */
struct mapping_lease {
    struct address outside; /* port 0: there is no lease */
    uint16_t inside;
    enum mapping_protocol protocol;
};

struct mapping_state {
    enum mapping_finding findings[MAPPING_PROTOCOLS];
    struct mapping_lease leases[MAPPING_PORTS];
};

/* True if hosts of the Internet may reach the lease's outside address: it is an
 * IPv4 address that is not private, shared by a carrier (100.64.0.0/10),
 * loopback or link-local. */
bool mapping_lease_is_public(const struct mapping_lease *lease);

enum mapping_request_kind {
    MAPPING_FIND, /* asks for the router's outside address */
    MAPPING_MAP,
    MAPPING_UNMAP,
};

struct mapping_request {
    enum mapping_request_kind kind;
    enum mapping_protocol protocol;
    enum mapping_port port; /* MAP, UNMAP */
    uint16_t inside;        /* MAP, UNMAP */
    uint16_t outside;       /* MAP: the preferred one; UNMAP: the leased one */
    struct span lease;      /* MAP */
};

enum mapping_result {
    MAPPING_SILENT, /* no answer, or none that makes sense */
    MAPPING_DENIED, /* the router answered that it does not do that */
    MAPPING_GRANTED,
};

struct mapping_answer {
    enum mapping_result result;
    struct address outside; /* FIND: the IP address; MAP: the port */
    struct span lease;      /* MAP */
};

struct mapping_conf {
    uint16_t ports[MAPPING_PORTS];  /* to map; 0: none */
    bool served[MAPPING_PROTOCOLS]; /* this build has the protocol */
};

struct mapping_plan {
    struct mapping_conf conf;
    struct mapping_state state;
    struct instant renew_at[MAPPING_PORTS]; /* of the leases */
    struct instant until[MAPPING_PORTS];
    bool due[MAPPING_PORTS];         /* to be mapped in this round */
    bool asked[MAPPING_PROTOCOLS];   /* in this round, */
    bool passed[MAPPING_PROTOCOLS];  /* or left out, as it holds no lease */
    bool answers[MAPPING_PROTOCOLS]; /* found in this round */
    bool tried[MAPPING_PROTOCOLS][MAPPING_PORTS];
    struct address outside[MAPPING_PROTOCOLS]; /* the router's; port 0 */
    struct mapping_request request;            /* sent last */
    bool waiting;                              /* for its answer */
    bool stale; /* that answer is of the network before */
    bool in_round;
    bool all_due; /* the next round renews all leases */
    bool stopping;
    bool changed;
    struct instant round_at; /* of the next round */
    struct instant begun_at; /* of the last one */
    struct span pause;       /* after the next round without success */
};

/* The first round begins at once. */
void mapping_plan_init(struct mapping_plan *plan,
                       const struct mapping_conf *conf, struct instant now);
/* The request to send now. False: there is none, or the answer to the last one
 * is missing. */
bool mapping_plan_next(struct mapping_plan *plan, struct instant now,
                       struct mapping_request *request) MUST_USE;
/* The answer to the last request. What makes no sense in it, such as a lease of
 * no time, counts as a refusal. */
void mapping_plan_answer(struct mapping_plan *plan, struct instant now,
                         const struct mapping_answer *answer);
/* The network changed. `moved`: this node has another router or another address
 * towards it, so the leases are lost. A missing answer will not count. Rounds
 * begin at least 1 s apart. */
void mapping_plan_network_changed(struct mapping_plan *plan, struct instant now,
                                  bool moved);
/* This node's port is another one, or 0: none. */
void mapping_plan_port_moved(struct mapping_plan *plan, struct instant now,
                             enum mapping_port port, uint16_t inside);
/* From now on there are only requests that give the leases back, one each, and
 * one that the router may have granted without being waited for. */
void mapping_plan_stop(struct mapping_plan *plan);
/* After mapping_plan_stop: everything is given back. */
bool mapping_plan_is_done(const struct mapping_plan *plan);
/* When mapping_plan_next may have a request, or a lease ends. */
struct instant mapping_plan_deadline(const struct mapping_plan *plan);
/* True if the state changed since the last call. */
bool mapping_plan_changed(struct mapping_plan *plan);

#endif
