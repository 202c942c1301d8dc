/*
 * member - a dishonest node of the mesh, with a real or a false identity. It
 * sends HELLO to a relay and to its victim, opens a session, and can then send
 * packets that no honest node would send.
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
    struct curve_pair link; /* the key of its links */
    struct epoch epoch;
    uint32_t serial;
    struct curve relay, direct;

    bool found; /* the relay's roster has the victim */
    struct node_id victim;
    struct epoch victim_epoch;
    struct curve_key victim_link;

    struct entropy entropy;
    uint64_t ask_counter;
    struct session_counters counters;
    struct slabs slabs;
    struct session session;
};

/* Called for each node of the roster. */
typedef void member_node_fn(void *context, const struct roster_entry *entry,
                            struct bytes said,
                            const struct announcement *announcement);

struct forged_member *member_new(const struct attack *a);
void member_free(struct forged_member *m);

/* Writes its announcement into `room`, with a newer version at each call. */
struct bytes member_announcement(struct forged_member *m, uint8_t *room);
/* Writes its HELLO for a relay into `room`, of PACKET_SIZE bytes. */
struct bytes member_relay_hello(struct forged_member *m, uint8_t *room);
/* Writes a HELLO for a direct link, with any announcement, into `room`, of
 * PACKET_SIZE bytes. */
struct bytes link_hello(struct bytes announcement, uint8_t *room);

/* Connects to attack.relay, sends HELLO and reads the whole roster, calling
 * `each` (may be NULL) for each node. False if that fails. */
bool member_meets(struct forged_member *m, member_node_fn *each,
                  void *context) MUST_USE;
/* Connects to the victim's listener (attack.target) and exchanges HELLOs. */
bool member_links(struct forged_member *m) MUST_USE;
/* Opens a session with the victim over the direct link. */
bool member_opens_session(struct forged_member *m) MUST_USE;
void session_prepare(struct forged_member *m);

#endif
