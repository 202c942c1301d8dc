/*
 * member - a node of the mesh, real or claimed: it greets a relay and its
 * victim, opens a session, and can then say what no honest node would.
 */
#ifndef TESTS_ADVERSARY_MEMBER_H
#define TESTS_ADVERSARY_MEMBER_H

#include "common/core/session.h"
#include "tests/adversary/attack.h"
#include "tests/adversary/curve.h"

struct forged_member {
    const struct attack *attack;
    struct mesh_keys keys;
    struct curve_pair node; /* its identity as a CURVE key */
    struct curve_pair link; /* of this process's links */
    struct epoch epoch;
    uint32_t serial;
    struct curve relay, direct;

    bool found; /* the victim, as the relay's roster shows it */
    struct node_id victim;
    struct epoch victim_epoch;
    struct curve_key victim_link;

    struct entropy entropy;
    uint64_t ask_counter;
    struct session_counters counters;
    struct slabs slabs;
    struct session session;
};

/* What a roster shows of a node. */
typedef void member_node_fn(void *context, const struct roster_entry *entry,
                            struct bytes said,
                            const struct announcement *announcement);

struct forged_member *member_new(const struct attack *a);
void member_free(struct forged_member *m);

/* What it says of itself now: each time a newer one. */
struct bytes member_announcement(struct forged_member *m, uint8_t *room);
/* HELLO for a relay, of this member's certificate. Room: PACKET_SIZE. */
struct bytes member_relay_hello(struct forged_member *m, uint8_t *room);
/* HELLO for a direct link, with any announcement. Room: PACKET_SIZE. */
struct bytes link_hello(struct bytes announcement, uint8_t *room);

/* Connects to attack.relay and greets it; reads the roster until it is whole.
 * False if that fails. `each` may be NULL. */
bool member_meets(struct forged_member *m, member_node_fn *each,
                  void *context) MUST_USE;
/* Connects to the victim's listener (attack.target) and is greeted back. */
bool member_links(struct forged_member *m) MUST_USE;
/* A session with the victim by the direct link. */
bool member_opens_session(struct forged_member *m) MUST_USE;
void session_prepare(struct forged_member *m);

#endif
