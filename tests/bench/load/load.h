/*
 * load - a load generator: the same work for every stack that is compared.
 *
 * Each link_STACK.c says how messages travel with that stack's own library; the
 * roles (roles.c) are written once. A program is run as
 *
 *     bench_STACK source|sink|ping|pong [--KEY VALUE]...
 *
 * It prints READY when it may be used, START when what is measured begins, and
 * RESULT with words KEY=NUMBER when it is over, for tests/bench/run.
 */
#ifndef TESTS_BENCH_LOAD_LOAD_H
#define TESTS_BENCH_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    const char *role;
    const char *mode;  /* direct, relay or fan */
    const char *form;  /* zs: loop or thread */
    const char *mesh;  /* zs: the folder with the identities */
    const char *relay; /* zs: the relay's URL */
    const char *url;
    const char *ca;     /* nats, mqtt, nng: a file of certificates */
    const char *key;    /* nng, who listens: a file of certificate and key */
    const char *own;    /* zyre: the left end's address, `url` is the right's */
    const char *gossip; /* zyre: where the ends hear of each other */
    long receivers;     /* links of one sink, in mode fan */
    long peers;  /* zs: so many must be present before anything is sent */
    long first;  /* zs, idle: the number of the first node */
    long pair;   /* zs: of several at once, src-PAIR and dst-PAIR; 0: one */
    long size;   /* bytes of a message */
    long window; /* sent and not yet had; 0: 8 MiB, and `most` at the most */
    long most;
    long rate; /* messages a second, in bursts; 0: as many as it takes */
    double seconds;
};

extern struct load load;

enum { LOAD_SMALLEST = 64 }; /* what is shorter is the roles' own */

/* A message came by the sink's link of that number: from any thread, but all
 * of one link's from the same. */
typedef void load_message(size_t link, const void *data, size_t size);

/* ---- Of the stack */

/* Until the other side can be reached. */
void link_open(load_message *on_message);
void link_send(const void *data, size_t size);
/* Waits up to so many milliseconds until something came, and hands it over. */
void link_poll(int timeout_ms);
void link_close(void);
/* A role of its own (a relay); false: it has none of that name. */
bool link_role(void);

/* ---- Of the roles */

bool load_is_left(void); /* source or ping */
bool load_is(const char *mode);
uint64_t load_now_ns(void);
void load_say(const char *word);
void load_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void role_source(void);
void role_sink(void);
void role_ping(void);
void role_pong(void);

#endif
