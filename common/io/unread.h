/*
 * unread - limits the bytes that libzmq has received and the owner has not
 * read: for each connection, and for all together.
 *
 * libzmq hands a message over when its last frame has come, and keeps all
 * frames before that, however many. Only the kernel knows how many bytes came.
 * So this module asks the kernel how much each connection received, subtracts
 * the bytes that the owner has read, and cuts a connection beyond its limit.
 * For each packet that it reads, the owner only does one addition
 * (unread_took).
 *
 * While some connections hold many bytes, those are checked every
 * UNREAD_BUSY_MS. Of the others, a few are checked every UNREAD_IDLE_MS, and
 * all at once if the process grew. Without a connection there is no deadline.
 *
 * This module is pure; struct unread_world holds its calls to the system.
 */
#ifndef COMMON_IO_UNREAD_H
#define COMMON_IO_UNREAD_H

#include "common/base/assert.h"
#include "common/base/instant.h"

#include <stddef.h>

enum {
    UNREAD_BUSY_MS = 10,
    UNREAD_IDLE_MS = 50,
    /* How many connections that hold little are checked at a time; */
    UNREAD_LOOKS = 256,
    /* all of them if the process grew by this many bytes. */
    UNREAD_GROWTH = 4 * 1024 * 1024,
    /*
     * The memory that an unread byte costs at most, in halves of a byte.
     * Measured with libzmq 4.3.4: 4.1 bytes with frames of 1 byte (36 on the
     * wire), 3.1 with 34 bytes, 1.8 with 1,000, 1.0 with 64 KiB.
     */
    UNREAD_COST_HALVES = 9,
    /* When closed connections held this many bytes, freed memory is returned.
     */
    UNREAD_FREED = 1024 * 1024,
    /* The wait after a cut until libzmq has freed the memory. */
    UNREAD_GIVE_BACK_MS = 500,
};

/* The kernel's counts of a connection. */
struct unread_seen {
    uint64_t received; /* since the connection was made */
    uint64_t waiting;  /* of these, bytes that libzmq has not read yet */
};

struct unread_world {
    void *context;
    /* Reads the counts; false if the connection is gone. */
    bool (*look)(void *context, int fd, struct unread_seen *seen);
    /* The memory of the process, in bytes, roughly. */
    uint64_t (*memory)(void *context);
    /* Returns freed memory to the system. */
    void (*give_back)(void *context);
};

/* The calls to the real system (kernel and glibc). */
struct unread_world unread_world_open(void);
void unread_world_close(struct unread_world *w);

/* A connection; a member of its owner's struct. */
struct unread_conn {
    int fd;
    size_t limit;  /* of the unread bytes, counted on the wire */
    uint64_t took; /* bytes that the owner has read, on the wire */
    uint64_t came; /* bytes that libzmq had read at the last check */
    uint64_t held; /* came less took; part of the sum in struct unread */
    /* Shuts the connection down; the callee may remove this connection, but no
     * other. */
    void (*cut)(void *owner, const char *reason);
    void *owner;
    /* The list it is in; NULL: not watched, or cut. */
    struct unread_conn **list;
    struct unread_conn *previous;
    struct unread_conn *next;
};

struct unread {
    struct unread_world world;
    size_t memory_limit;
    uint64_t held; /* the sum over all connections */
    /* Those that hold little; the next one to check is first. */
    struct unread_conn *quiet;
    struct unread_conn *busy;
    size_t quiet_count;
    uint64_t memory_was;
    uint64_t freed; /* bytes that closed connections held */
    struct instant look_at;
    struct instant give_back_at;
};

/* `memory`: the bytes of memory that unread bytes may cost in total. */
void unread_init(struct unread *u, const struct unread_world *world,
                 size_t memory);
void unread_set_memory(struct unread *u, size_t memory);

/* Watches a connection from now on. `c` must be zeroed but for `cut` and
 * `owner`. */
void unread_add(struct unread *u, struct unread_conn *c, int fd, size_t limit,
                struct instant now);
/* Ends the watch; does nothing if there is none. */
void unread_remove(struct unread *u, struct unread_conn *c);

/* The owner has read a packet of this size. */
static inline void unread_took(struct unread_conn *c, size_t size)
{
    /* CURVE adds the name of its command, a nonce, a tag and flags; ZMTP adds
     * flags and a length. */
    size_t sealed = size + 8 + 8 + 16 + 1;

    c->took += sealed + (sealed > UINT8_MAX ? 9 : 2);
}

/* The owner has closed many connections: their memory goes back to the system
 * soon. */
void unread_freed(struct unread *u, struct instant now);

/* When the owner must call unread_due. */
struct instant unread_deadline(const struct unread *u);
/* Cuts each connection that holds more than its limit (reason "unread"), and
 * the one that holds most while all together cost too much ("memory"), unless
 * the whole process takes less than that. */
void unread_due(struct unread *u, struct instant now);

#endif
