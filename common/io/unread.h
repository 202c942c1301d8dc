/*
 * unread - bytes that connections sent, that libzmq holds and that nobody has
 * read yet: a limit for each connection, and one for all together.
 *
 * libzmq hands a message on with its last frame, and keeps all frames before
 * it, however many. Only the kernel knows that they came. So the kernel is
 * asked how much each connection received; what was read is subtracted, and a
 * connection beyond its limit is cut. For each packet that it reads the owner
 * does one addition (unread_took), and no more.
 *
 * While any connection holds much, those that do are looked at every
 * UNREAD_BUSY_MS. Else some of all are every UNREAD_IDLE_MS, and all at once
 * when the process grew meanwhile. Without a connection there is no deadline.
 *
 * This is the table; what it asks the system stands in struct unread_world.
 */
#ifndef COMMON_IO_UNREAD_H
#define COMMON_IO_UNREAD_H

#include "common/base/assert.h"
#include "common/base/instant.h"

#include <stddef.h>

enum {
    UNREAD_BUSY_MS = 10,
    UNREAD_IDLE_MS = 50,
    /* Connections that hold little are looked at so many at a time, */
    UNREAD_LOOKS = 256,
    /* and all of them when the process has grown by so much. */
    UNREAD_GROWTH = 4 * 1024 * 1024,
    /*
     * What unread bytes cost in memory at the most, in halves of them. Measured
     * with libzmq 4.3.4: 4.1 times as much for frames of a byte (36 on the
     * wire), 3.1 for those of 34 bytes, 1.8 for 1,000, 1.0 for 64 KiB.
     */
    UNREAD_COST_HALVES = 9,
    /* Held by connections that went: it is worth while to return it. */
    UNREAD_FREED = 1024 * 1024,
    /* Before the memory that libzmq frees after a cut goes to the system. */
    UNREAD_GIVE_BACK_MS = 500,
};

/* What the kernel knows of a connection. */
struct unread_seen {
    uint64_t received; /* since it was made */
    uint64_t waiting;  /* of these libzmq has not taken yet */
};

struct unread_world {
    void *context;
    /* False if the connection is gone. */
    bool (*look)(void *context, int fd, struct unread_seen *seen);
    /* The process's memory in bytes, about. */
    uint64_t (*memory)(void *context);
    /* Much was freed a moment ago: returns it to the system. */
    void (*give_back)(void *context);
};

/* The kernel's word, and glibc's. */
struct unread_world unread_world_open(void);
void unread_world_close(struct unread_world *w);

/* A connection, in its owner's struct. */
struct unread_conn {
    int fd;
    size_t limit;  /* of what it holds, in bytes on the wire */
    uint64_t took; /* what was read of it, in bytes on the wire */
    uint64_t came; /* to libzmq, when it was looked at last */
    uint64_t held; /* came less took; a part of unread's sum */
    /* Shuts the connection down. It may remove this one, but no other. */
    void (*cut)(void *owner, const char *reason);
    void *owner;
    struct unread_conn **list; /* NULL: not added, or cut */
    struct unread_conn *previous;
    struct unread_conn *next;
};

struct unread {
    struct unread_world world;
    size_t memory_limit;
    uint64_t held;             /* sum of the connections' */
    struct unread_conn *quiet; /* hold little; the next to be looked at first */
    struct unread_conn *busy;
    size_t quiet_count;
    uint64_t memory_was;
    uint64_t freed; /* was held by connections that went */
    struct instant look_at;
    struct instant give_back_at;
};

/* `memory`: what all together may cost, in bytes. */
void unread_init(struct unread *u, const struct unread_world *world,
                 size_t memory);
void unread_set_memory(struct unread *u, size_t memory);

/* Watches a connection from now on. `c` is zero but for `cut` and `owner`. */
void unread_add(struct unread *u, struct unread_conn *c, int fd, size_t limit,
                struct instant now);
/* Does nothing if it is not watched. */
void unread_remove(struct unread *u, struct unread_conn *c);

/* A packet of so many bytes was read. */
static inline void unread_took(struct unread_conn *c, size_t size)
{
    /* CURVE adds its command's name, a nonce, a tag and flags, ZMTP its flags
     * and a length. */
    size_t sealed = size + 8 + 8 + 16 + 1;

    c->took += sealed + (sealed > UINT8_MAX ? 9 : 2);
}

/* Much was freed, or is in a moment: it is to go back to the system. */
void unread_freed(struct unread *u, struct instant now);

struct instant unread_deadline(const struct unread *u);
/* Cuts a connection that holds too much (reason "unread"), and the one that
 * holds most while all together may cost too much ("memory"); they do not while
 * the whole process takes less. */
void unread_due(struct unread *u, struct instant now);

#endif
