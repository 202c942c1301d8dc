/*
 * sources - the networks that connections come from (address_network): how
 * many there are of each, and how many handshakes each may begin.
 *
 * A handshake costs the relay a thousand times what it costs a stranger, who
 * may send one that was recorded. So each network begins so many a second, and
 * so do all together; half of the burst of all is kept for networks that a
 * member came from. A network that is over its rate is barred for a moment:
 * the owner has the kernel ignore what it opens, see syn_filter.h.
 */
#ifndef COMMON_IO_SOURCES_H
#define COMMON_IO_SOURCES_H

#include "common/base/address.h"
#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/pace.h"

/* Networks without a connection that are remembered, of members and others;
 * and those in a list of bars. */
enum { SOURCES_IDLE = 4096, SOURCES_BARS = 128 };

struct sources_conf {
    uint64_t handshakes; /* a second, of all; 0: no limit */
    size_t burst;        /* of one network, at the most */
};

struct source {
    uint8_t key[ADDRESS_KEY_SIZE];
    struct address network;
    size_t count;     /* connections that are open */
    bool member;      /* a member is or was connected from it */
    bool barred;      /* until `bar` is due */
    struct pace pace; /* of its handshakes */
    struct timer bar;
    struct source *previous; /* among those without a connection */
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
    struct pace pace;       /* of all */
    struct timer strangers; /* armed: networks without members are barred, */
    struct timer everyone;  /* or all are */
    struct source_list idle_members;
    struct source_list idle_strangers;
    bool changed; /* the bars; the owner's to take back */
};

void sources_init(struct sources *s, const struct sources_conf *conf);
void sources_close(struct sources *s);

/* A connection from there is open; sources_leave when it closed. */
struct source *sources_enter(struct sources *s, const struct address *from,
                             struct instant now);
void sources_leave(struct sources *s, struct source *from);
/* False: a handshake more would be over the rate. The network is barred, or
 * all that no member came from. */
bool sources_begin_handshake(struct sources *s, struct source *from,
                             struct instant now) MUST_USE;
/* A member is connected from there. */
void sources_prove(struct sources *s, struct source *from);

/* Nobody is to be let in until then. */
void sources_bar_everyone(struct sources *s, struct instant until);

/* Lifts what bars are due. */
void sources_due(struct sources *s, struct instant now);
struct instant sources_deadline(const struct sources *s);

/* Who is to be kept out now. */
struct bars {
    bool everyone;
    bool strangers; /* who is none of `members` */
    size_t barred_count;
    size_t member_count;
    struct address barred[SOURCES_BARS];
    struct address members[SOURCES_BARS]; /* the newest */
};

void sources_bars(const struct sources *s, struct bars *bars);

#endif
