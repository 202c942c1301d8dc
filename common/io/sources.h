/*
 * sources - the networks that connections come from (address_network): counts
 * the connections of each, and limits its handshakes.
 *
 * A handshake costs the relay a thousand times what it costs a stranger,
 * because the stranger can replay a recorded one. So each network may begin a
 * limited number a second, and so may all networks together; half of the total
 * burst is reserved for networks from which a member has connected. A network
 * beyond its limit is barred for a short time: the owner makes the kernel drop
 * its SYN packets, see syn_filter.h.
 */
#ifndef COMMON_IO_SOURCES_H
#define COMMON_IO_SOURCES_H

#include "common/base/address.h"
#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/token_bucket.h"

/* How many networks without a connection are remembered, of members and of
 * strangers each; and how many networks fit in a list of bars. */
enum { SOURCES_IDLE = 4096, SOURCES_BARS = 128 };

struct sources_conf {
    uint64_t handshakes; /* a second, in total; 0: no limit */
    size_t burst;        /* of one network, at most */
};

struct source {
    uint8_t key[ADDRESS_KEY_SIZE];
    struct address network;
    size_t count;             /* open connections */
    bool member;              /* a member is or was connected from it */
    bool barred;              /* until the timer `bar` */
    struct token_bucket pace; /* the rate of its handshakes */
    struct timer bar;
    struct source *previous; /* in the list of networks without a connection */
    struct source *next;
};

struct source_list {
    struct source *first; /* the newest */
    struct source *last;
    size_t count;
};

struct sources {
    struct sources_conf conf;
    struct map map;
    struct heap timers;
    struct token_bucket pace; /* the total rate */
    struct timer strangers;   /* set: networks without a member are barred, */
    struct timer everyone;    /* or all are */
    struct source_list idle_members;
    struct source_list idle_strangers;
    bool changed; /* true: the bars changed; the owner resets it */
};

void sources_init(struct sources *s, const struct sources_conf *conf);
void sources_close(struct sources *s);

/* A connection from the address was accepted; the caller calls sources_leave
 * when it is closed. */
struct source *sources_enter(struct sources *s, const struct address *from,
                             struct instant now);
void sources_leave(struct sources *s, struct source *from);
/* Counts a handshake. False if it would be beyond the rate of the network,
 * which is then barred, or beyond the total rate: then all networks without a
 * member are barred. */
bool sources_begin_handshake(struct sources *s, struct source *from,
                             struct instant now) MUST_USE;
/* A member is connected from the network: it gets a higher rate, and its bar is
 * lifted. */
void sources_prove(struct sources *s, struct source *from);

/* Bars all networks until then. */
void sources_bar_everyone(struct sources *s, struct instant until);

/* Lifts the bars whose time is over. */
void sources_due(struct sources *s, struct instant now);
/* When the owner must call sources_due. */
struct instant sources_deadline(const struct sources *s);

/* The networks that the kernel must keep out now. */
struct bars {
    bool everyone;
    bool strangers; /* all networks but `members` */
    size_t barred_count;
    size_t member_count;
    struct address barred[SOURCES_BARS];
    struct address members[SOURCES_BARS]; /* the newest ones */
};

/* Writes the present bars to `bars`. */
void sources_bars(const struct sources *s, struct bars *bars);

#endif
