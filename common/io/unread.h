/*
 * unread - what connections sent that libzmq has and we have not: the limits of
 * each, and of all together.
 *
 * libzmq hands a message on with its last frame, and keeps all frames before
 * it, however many. Only the kernel knows that they came. So it is asked how
 * much each connection received; what was handed on is taken from that, and
 * who goes beyond the limit is cut. The owner of a connection says what was
 * handed on by an addition (unread_took), and nothing else is done for each
 * message.
 *
 * A connection that sends is looked at every UNREAD_LOOK_MS; one that does not
 * costs nothing: the world says when something comes (unread_heard). This
 * module is the table, without the world; on a loop it is common/io/intake.h.
 */
#ifndef COMMON_IO_UNREAD_H
#define COMMON_IO_UNREAD_H

#include "common/base/instant.h"

#include <stddef.h>

enum {
    UNREAD_LOOK_MS = 10,
    /*
     * Memory that bytes on the wire cost at the most, in fifths of their
     * number. libzmq has 64 bytes for each frame, and 96 more for what is
     * longer than 33 bytes; a frame of 34 is 69 bytes on the wire.
     */
    UNREAD_COST_FIFTHS = 12,
    /* The key exchange of CURVE, and what else comes before a first packet. */
    UNREAD_HANDSHAKE = 1024,
};

/* What the kernel knows of a connection. */
struct unread_seen {
    uint64_t received; /* since it was made */
    uint64_t waiting;  /* of these libzmq has not read yet */
};

struct unread_conn;

struct unread_world {
    void *context;
    /* False: it is gone. */
    bool (*look)(void *context, int fd, struct unread_seen *seen);
    /* unread_heard shall be called once when something comes, also if it came
     * a moment ago. */
    void (*watch)(void *context, int fd);
    /* Much was freed: the system can have it back. */
    void (*give_back)(void *context);
};

/* A connection, in its owner's struct. */
struct unread_conn {
    int fd;
    size_t limit;  /* in bytes on the wire */
    uint64_t took; /* handed on to us, as bytes on the wire */
    uint64_t came; /* to libzmq, when it was looked at last */
    uint64_t held; /* the difference then; part of the sum */
    /* Shuts the connection down; may remove this one, and no other. */
    void (*cut)(void *owner, const char *reason);
    void *owner;
    bool is_cut;
    bool awake; /* looked at again and again */
    struct unread_conn *previous;
    struct unread_conn *next;
};

struct unread_list {
    struct unread_conn *first;
};

struct unread {
    struct unread_world world;
    size_t memory;   /* that all together may cost */
    uint64_t held;   /* by all together, in bytes on the wire */
    uint64_t took_back; /* of those cut, until it is given back */
    struct unread_list awake;
    struct unread_list asleep;
    struct instant look_at;
    struct instant give_back_at;
};

void unread_init(struct unread *u, const struct unread_world *world,
                 size_t memory);
/* Those that hold too much for a smaller one are cut when it is due. */
void unread_set_memory(struct unread *u, size_t memory);

/* Counts `c` (zeroed but for cut and owner) from now on. */
void unread_add(struct unread *u, struct unread_conn *c, int fd, size_t limit,
                struct instant now);
/* Nothing happens if it was never added. */
void unread_remove(struct unread *u, struct unread_conn *c);

/* A frame with so many bytes was handed on. */
static inline void unread_took(struct unread_conn *c, size_t size)
{
    /* CURVE's command, nonce, tag and flags; ZMTP's flags and length. */
    size_t sealed = size + 8 + 8 + 16 + 1;

    c->took += sealed + (sealed > 255 ? 9 : 2);
}

/* Something came for `c`, whom nobody looked at. */
void unread_heard(struct unread *u, struct unread_conn *c, struct instant now);

struct instant unread_deadline(const struct unread *u);
/* Cuts who has too much ("unread"), and, while all together have, whoever has
 * most ("memory"). */
void unread_due(struct unread *u, struct instant now);

#endif
