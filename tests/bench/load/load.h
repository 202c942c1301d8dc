/*
 * load - a load generator that does the same work on each compared library.
 *
 * Each link_STACK.c sends and receives by the API of that library; the roles
 * (roles.c) are the same for all. A program is started as
 *
 *     bench_STACK source|sink|ping|pong|pace|watch [--KEY VALUE]...
 *
 * For tests/bench/run it prints READY when the other end may start, START when
 * the measurement begins, and RESULT KEY=NUMBER... at the end.
 */
#ifndef TESTS_BENCH_LOAD_LOAD_H
#define TESTS_BENCH_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load {
    const char *role;
    const char *mode;      /* direct, udp, relay or fan */
    const char *form;      /* zs: loop or thread */
    const char *mesh;      /* zs: the folder with the identities */
    const char *relay;     /* zs: the relay's URL */
    const char *proxy;     /* zs: the proxy's URL; none: no proxy */
    const char *interface; /* zs: the direct links' */
    const char *url;
    const char *ca;     /* nats, mqtt, paho, nng: a file of certificates */
    const char *key;    /* nng, the listener: a file of certificate and key */
    const char *own;    /* zyre: the left end's address; `url` is the right's */
    const char *gossip; /* zyre: the endpoint by which the ends meet */
    long receivers;     /* links of one sink, in mode fan */
    long peers;  /* zs: so many must be present before the source sends */
    long first;  /* zs, idle: the number of the first node */
    long pair;   /* zs: of several at once, src-PAIR and dst-PAIR; 0: one */
    long size;   /* bytes of a message */
    long window; /* messages in flight; 0: 8 MiB of them, `most` at most */
    long most;
    long rate; /* messages a second, of a source in bursts; 0: as many as it
                  takes */
    double seconds;
};

extern struct load load;

enum {
    LOAD_SMALLEST = 64
}; /* shorter messages belong to the roles' own protocol */

/* Called for each received message, with the number of the sink's link. One
 * link always calls from the same thread, different links may use different
 * ones. */
typedef void load_message(size_t link, const void *data, size_t size);

/* ---- Implemented by link_STACK.c */

/* Opens the link, and returns once the other end can be reached. */
void link_open(load_message *on_message);
void link_send(const void *data, size_t size);
/* Waits up to `timeout_ms` milliseconds for messages, and passes them on. */
void link_poll(int timeout_ms);
void link_close(void);
/* Runs a role that only this library needs (a relay); false if load.role is
 * none of those. */
bool link_role(void);

/* ---- Implemented by roles.c and main.c */

bool load_is_left(void); /* source, ping or pace */
bool load_is(const char *mode);
uint64_t load_now_ns(void);
void load_say(const char *word);
void load_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void role_source(void);
void role_sink(void);
void role_ping(void);
void role_pong(void);
void role_pace(void);
void role_watch(void);

#endif
