/*
 * door_private - what the door's files share.
 *
 *     door.c        listeners, the turn, what is due, the interface
 *     door_conn.c   a connection's life: accepted, carrier, ended
 *     door_first.c  the first bytes: which protocol a connection speaks
 *     door_wrap.h   ZMTP inside other protocols: door_wrap.c, door_web.c,
 *                   door_tls.c
 *     door_read.c   bytes in: frames, the handshake, packets
 *     door_write.c  bytes out: sealing, sending, the blocked
 */
#ifndef RELAY_SHELL_DOOR_PRIVATE_H
#define RELAY_SHELL_DOOR_PRIVATE_H

#include "common/base/heap.h"
#include "common/zmtp/zmtp.h"
#include "common/io/byte_queue.h"
#include "relay/shell/door.h"

enum {
    /* Room for the plaintext of what TLS reads, with a record from before. */
    DOOR_PLAIN_ROOM = 160 * 1024,
    /* Bytes that are read from one connection in a turn, besides the rest of a
     * frame that has begun. All connections share the buffer. */
    DOOR_READ = 256 * 1024,
    /* Reads in a turn from connections in their handshake: one costs up to 0.5
     * ms, and what members say waits meanwhile. */
    DOOR_SHAKES = 8,
    /* A queue of so many bytes is sent before the turn ends. */
    DOOR_SEND = 256 * 1024,
    /* While so many bytes wait for a connection, a PING gets no answer: the
     * other end has more to read than it reads. */
    DOOR_PONGS = 4 * 1024,
    /* Memory that empty queues keep, in all. */
    DOOR_KEPT = 4 * 1024 * 1024,
};

struct door_conn;

struct door_list {
    struct door_conn *first;
    struct door_conn *last;
    size_t count;
};

/* The lists that a connection can be in, one link for each. */
enum door_list_of {
    DOOR_ALL,
    DOOR_PARTIAL, /* holds the beginning of a frame, or of a record of TLS, the
                   * oldest first */
    DOOR_TLS,     /* has TLS and is no member's, the oldest first */
    DOOR_UNSENT,  /* has bytes to send at the end of the turn */
    DOOR_LISTS,
};

struct door_link {
    bool in;
    struct door_conn *previous;
    struct door_conn *next;
};

/* The beginning of a frame whose end has not come. */
struct door_partial {
    uint8_t *data;
    size_t size;
    size_t need; /* the size of the frame, as far as its head tells */
    size_t room;
};

/* Which way a connection's bytes take. */
enum door_way {
    DOOR_FIRST,   /* its first bytes have not told yet [P-13.1] */
    DOOR_PLAIN,   /* ZMTP, straight from the socket */
    DOOR_WRAPPED, /* ZMTP inside other protocols: see door_wrap.h */
};

struct door_wrap;

struct door_conn {
    struct carrier carrier; /* once `carried`: from its first packet on */
    struct door *door;
    struct door_link links[DOOR_LISTS];
    uv_poll_t poll;
    int events; /* that poll waits for */
    int fd;
    enum door_way way;
    bool shaken; /* the handshake of CURVE is over */
    bool carried;
    bool proved;
    bool full;    /* the kernel takes no more bytes now */
    bool mute;    /* sending failed; what came before may still be read */
    bool is_over; /* its descriptor is closed */
    /* A load balancer passes it on, and has not told for whom. */
    bool unnamed;
    struct address address; /* of the client */
    struct curve_key key;
    struct instant since; /* the accept */
    struct timer due;     /* its next time limit */
    struct zmtp zmtp;     /* once its greeting may come */
    struct door_partial partial;
    struct byte_queue out;
    struct door_wrap *wrap; /* NULL unless DOOR_WRAPPED */
};

struct door_listener {
    uv_poll_t poll;
    struct door *door;
    int fd;
    struct door_listener *next;
};

struct door {
    struct zloop *zloop;
    struct curve_pair keys;
    struct entropy entropy;
    struct one_time_mac *mac; /* may be NULL */
    bool wide;                /* processor.h */
    struct door_conf conf;
    struct entrance_user user;
    struct carriers carriers;
    struct gate *gate;
    struct door_listener *listeners;
    struct door_list lists[DOOR_LISTS];
    struct heap timers; /* of connections */
    bool stopping;
    uint64_t next_id;
    size_t partial_bytes;        /* room of all partials, and begun records */
    size_t tls_bytes;            /* of all connections with TLS */
    unsigned shakes;             /* of DOOR_SHAKES, in this turn */
    size_t kept_bytes;           /* room of all queues that are empty */
    struct instant accept_at;    /* accepting is paused until then */
    struct instant give_back_at; /* freed memory goes to the system then */
    struct zmtp_reply reply;     /* of the call that is running */
    struct tls_pair *tls; /* for new connections; NULL: TLS is not served */
    uint8_t in[DOOR_READ];
    uint8_t plain[DOOR_PLAIN_ROOM];
};

/* ---- door.c ----------------------------------------------------------- */

void door_list_add(struct door_conn *c, enum door_list_of of);
/* Does nothing if it is not in the list. */
void door_list_remove(struct door_conn *c, enum door_list_of of);
/* A descriptor is free again. */
void door_accept_soon(struct door *d);

/* False: those who may stay leave no room for one more connection with TLS. */
bool door_has_room(struct door *d) MUST_USE;

/* ---- door_conn.c ------------------------------------------------------ */

/* The connection owns `fd` from now on, unless the gate cuts it at once. */
void door_conn_accepted(struct door *d, int fd, const struct address *address);
/* True if the address may name clients: a load balancer's. */
bool door_is_proxy(const struct door *d, const struct address *address);
/* A load balancer named the client, or said that there is none (NULL). False:
 * the gate has cut the connection. */
bool door_conn_named(struct door_conn *c,
                     const struct address *client) MUST_USE;
/* ZMTP begins: the machine is ready, and its greeting leaves. Ends a connection
 * whose client should have been named before [P-13.3]. */
void door_conn_greet(struct door_conn *c);
/* The first packet is there. False: the gate has cut the connection. */
bool door_conn_carry(struct door_conn *c) MUST_USE;
/* Ends the connection now and tells the owner. `what`, if not NULL, is an event
 * for the log. `c` stays valid until the loop's next turn. */
void door_conn_end(struct door_conn *c, const char *what, const char *reason);
/* The other end broke the protocol. */
void door_conn_failed(struct door_conn *c);
/* Ends the use of the connection: its keys are erased and the owner hears the
 * end. The descriptor stays. */
void door_conn_forget(struct door_conn *c);
/* Its time limit has passed. */
void door_conn_due(struct door_conn *c, struct instant now);
/* Lets poll wait for what the connection's state asks for. */
void door_conn_watch(struct door_conn *c);

/* ---- door_read.c ------------------------------------------------------ */

void door_conn_read(struct door_conn *c);
/* Takes bytes of ZMTP, and decrypts them where they are. */
void door_conn_take(struct door_conn *c, uint8_t *data, size_t size);
/* Keeps bytes whose rest has not come. */
void door_partial_keep(struct door_conn *c, const uint8_t *data, size_t size);
void door_partial_free(struct door_conn *c);
/* Takes them away, not to be freed with the connection: the caller frees
 * `data`. */
struct door_partial door_partial_take(struct door_conn *c);

/* ---- door_first.c ----------------------------------------------------- */

/* Reads from a connection that is DOOR_FIRST. */
void door_first_read(struct door_conn *c);

/* ---- door_write.c ----------------------------------------------------- */

/* Room for `size` more bytes in one of a connection's queues, and what was
 * written there. While a queue is empty, its room counts as kept. */
uint8_t *door_queue_reserve(struct door *d, struct byte_queue *q, size_t size);
void door_queue_added(struct door_conn *c, struct byte_queue *q, size_t size);
/* The queue became empty: keeps its room, or frees it. */
void door_queue_emptied(struct door *d, struct byte_queue *q);
void door_queue_free(struct door *d, struct byte_queue *q);

/* What the machine wants sent. */
void door_conn_reply(struct door_conn *c);
/* A PING from this connection gets an answer now. */
bool door_conn_answers(const struct door_conn *c);
/* True: it takes a packet now, and needs its bytes no more afterwards. */
bool door_conn_takes(const struct door_conn *c);
/* Sends what the kernel takes, and tells the owner if the connection takes
 * packets again. */
void door_conn_flush(struct door_conn *c);
void door_conn_writable(struct door_conn *c);
/* Sends nothing more; the connection ends once the other end closes it. */
void door_conn_mute(struct door_conn *c);
/* Bytes that wait for the kernel. */
size_t door_conn_unsent(const struct door_conn *c);

extern const struct carrier_transport door_transport;

#endif
