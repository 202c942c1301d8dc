/*
 * attack - the parameters and the results of every attack.
 *
 * An attack is bounded in count and in time, runs at the lowest priority, and
 * has one daemon of the test itself as its target. An attack does not fail
 * because the target defends itself: it counts and prints what happened, and
 * the script judges.
 */
#ifndef TESTS_ADVERSARY_ATTACK_H
#define TESTS_ADVERSARY_ATTACK_H

#include "common/conf/identity.h"
#include "tests/adversary/sockets.h"
#include "tests/adversary/speech.h"

struct attack {
    struct target target;
    struct target relay;  /* where a member meets its victim */
    struct curve_key key; /* the target's: a relay's, or an edge's link key */
    struct curve_key relay_key;
    const char *victim;   /* a node's name */
    const char *key_file; /* of the relay that the attack pretends to be */
    const char *identity; /* a file; NULL: a stranger */
    const char *token;    /* of the HTTP API */
    uint64_t count;       /* of connections, or of other repetitions */
    uint64_t rate;        /* a second */
    uint64_t ends_ms;     /* of attack_now_ms */
    uint64_t most;   /* bytes of frames on a connection, which then pauses */
    size_t size;     /* of a frame or message */
    const char *say; /* the name of the speech; NULL: "zmtp" with a key */
    struct speech speech;
    struct bytes announcement; /* recorded; empty: none */
    struct edge_identity self; /* read from `identity` */
};

struct tally {
    uint64_t opened, refused; /* connections that could, could not be made */
    uint64_t cut;             /* connections that the target closed */
    uint64_t first_cut_ms, last_cut_ms; /* since the start */
    uint64_t sent;                      /* repetitions */
    uint64_t bytes;
    uint64_t answers;
};

typedef void attack_fn(const struct attack *a, struct tally *t);

/* Strangers. */
attack_fn attack_silent, attack_slow, attack_half, attack_mute;
attack_fn attack_recorded, attack_fresh;
attack_fn attack_returning, attack_endless, attack_updates;
/* Messages of endless frames. */
attack_fn attack_frames;
/* Recorded greetings. */
attack_fn attack_link_hellos, attack_relay_hellos;
/* Members. */
attack_fn attack_roster, attack_inits, attack_unknown, attack_announce;
attack_fn attack_deaf;
/* A false relay. */
attack_fn attack_relay;
/* Local programs, and clients of the HTTP port. */
attack_fn attack_api_flood, attack_api_lines, attack_api_idle;
attack_fn attack_web_flood, attack_web_large, attack_web_slow;

bool attack_is_over(const struct attack *a);
void tally_cut(struct tally *t);

#endif
