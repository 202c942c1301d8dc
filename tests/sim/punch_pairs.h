/*
 * punch_pairs - pairs of real punch machines behind NAT boxes.
 *
 * A pair has a world of its own: two hosts with edge/core/punch and
 * edge/core/outside, STUN servers, and a way for records beside the NATs, as a
 * relay is. When both ends have won a pair of addresses, datagrams pass over it
 * both ways, as a connection's would. A pair runs until it is connected, or for
 * as long as it is said; then nothing is wanted any more, and all is closed.
 *
 * punch-agree    both ends win with one key, one of them as the leader
 * punch-works    datagrams pass over the pair that was won, both ways
 * punch-bounds   a round sends no more probes and records than it may
 * punch-pauses   and rounds that failed do not follow each other too soon
 * punch-sockets  of all sockets that were opened only the winner's stays
 * punch-rests    the machine does what is due, and waits then
 * punch-direct   a pair that can be direct is
 * punch-first    in the first round, if nothing is lost
 */
#ifndef TESTS_SIM_PUNCH_PAIRS_H
#define TESTS_SIM_PUNCH_PAIRS_H

#include "tests/sim/udp_world.h"

/* Where an end is. */
struct pair_home {
    struct nat_conf boxes[2]; /* the inner one first */
    int box_count;
};

struct pair_conf {
    struct pair_home homes[2]; /* the leader's first */
    bool is_shared;            /* both are in the first home */
    bool carrier_is_shared;    /* both outer boxes are the first one's */
    bool is_v6;
    bool easy_only; /* the other one takes part in no round of many sockets */
    unsigned loss_percent; /* of datagrams and records, in each direction */
    /* Records take so long from the leader, and from the other; 0: random. */
    struct span delays[2];
    struct span limit; /* so long it runs at most */
};

struct pair_result {
    bool is_direct, had_many;
    int rounds; /* of the leader */
    struct span took;
    char failure[200]; /* of a checker; empty: none */
};

enum punch_sabotage {
    PUNCH_SABOTAGE_NONE,
    PUNCH_SABOTAGE_KEY,      /* one end has another key */
    PUNCH_SABOTAGE_DEAD,     /* nothing passes over the pair that was won */
    PUNCH_SABOTAGE_FLOOD,    /* each probe is sent many times */
    PUNCH_SABOTAGE_HASTY,    /* each round that failed is followed by another */
    PUNCH_SABOTAGE_KEEPS,    /* sockets are not closed */
    PUNCH_SABOTAGE_RESTLESS, /* what is due is not done */
    PUNCH_SABOTAGE_DEAF,     /* no probe arrives */
    PUNCH_SABOTAGE_FAR,      /* no time to live is low */
    PUNCH_SABOTAGE_COUNT,
};

const char *punch_sabotage_name(enum punch_sabotage s);
const char *punch_sabotage_found_by(enum punch_sabotage s);

/* A home behind a box of that kind (or NAT_OPEN of nat_ends.h), of which there
 * are two: number 0 and 1. */
struct pair_home pair_home(int kind, int number);
/* Behind a carrier's box of that kind as well. */
struct pair_home pair_home_of_carrier(int kind, int carrier, int number);

enum pair_expected { PAIR_EASY, PAIR_HARD, PAIR_RELAYED };

/* HARD: by many sockets; 1 of 50 fails by chance. */
enum pair_expected pair_expected(const struct pair_conf *conf);
/* The kinds of boxes, and none: of a pair_home. */
enum { PAIR_KINDS = 7 };
extern const int pair_kinds[PAIR_KINDS];
const char *pair_kind_name(int kind);

/* Runs the pair in a world. */
struct pair_result pair_run_in(struct world *w, const struct pair_conf *conf,
                               enum punch_sabotage s);
/* The same, in a world of that seed. */
struct pair_result pair_run(const struct pair_conf *conf, uint64_t seed,
                            enum punch_sabotage s);

/* A random pair in this world, which fails if a checker complains. */
void punch_chaos_run(struct world *w, enum punch_sabotage s);
/* Prints what becomes of all pairs of kinds, with so many seeds for each.
 * Returns how many are not as expected. */
int punch_table(uint64_t seeds);

#endif
