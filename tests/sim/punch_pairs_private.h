/*
 * punch_pairs_private - declarations that the files of punch_pairs share.
 *
 *     punch_pairs.c        runs the machines
 *     punch_pairs_build.c  makes the network around them
 *     punch_chaos.c        random pairs, and the table of all kinds
 */
#ifndef TESTS_SIM_PUNCH_PAIRS_PRIVATE_H
#define TESTS_SIM_PUNCH_PAIRS_PRIVATE_H

#include "edge/core/outside.h"
#include "edge/core/punch.h"
#include "tests/sim/punch_pairs.h"

enum {
    SERVER_HOST = 200, /* the first server's, and those after it */
    RECORDS = 64,      /* under way */
};

struct pair_socket {
    uint32_t number;
    uint16_t port;
};

struct pair_end {
    int host;
    struct address ip;
    struct punch *punch;
    struct outside *outside;
    struct entropy entropy;
    uint32_t next_socket;
    struct pair_socket *sockets;
    size_t socket_count, socket_room;
    bool looks;
    uint32_t looked;
    int rounds, sends, records; /* the last two: of this round */
    bool has_many, had_many, is_won, is_connected;
    struct punch_do won;
    struct instant won_at, hello_at;
    struct instant failed_at; /* 0: long ago */
    struct instant wake_at;   /* an event is posted for then */
};

struct pair_record {
    bool is_used;
    uint8_t bytes[PUNCH_RECORD_SIZE];
    size_t size;
};

struct punched_pair {
    const struct pair_conf *conf;
    enum punch_sabotage sabotage;
    struct pair_end ends[2];
    struct pair_record records[RECORDS];
    struct span record_delay[2]; /* from each end */
};

/* The network, the servers, and the machines of both ends; sets the owner. */
void pair_build(struct world *w, struct punched_pair *p);
void pair_open_socket(struct world *w, struct pair_end *e, uint32_t number,
                      uint16_t port);

#endif
