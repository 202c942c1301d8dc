/*
 * relay_link - one link to a relay; for relay_links.c and relay_link*.c only.
 *
 *     relay_links.c       all of them: turns, rooms, opening and closing
 *     relay_link.c        the life of one: its pipe, its end
 *     relay_link_read.c   bytes in: frames, the handshake, packets
 *     relay_link_write.c  bytes out: sealing, sending, the blocked
 */
#ifndef EDGE_SHELL_RELAY_LINK_H
#define EDGE_SHELL_RELAY_LINK_H

#include "common/io/byte_queue.h"
#include "common/zmtp/zmtp.h"
#include "edge/shell/relay_links.h"

enum {
    /* Bytes that are read at a time, besides the rest of a frame that has
     * begun. */
    RELAY_READ = 128 * 1024,
    RELAY_ROOM = RELAY_READ + PACKET_SIZE + ZMTP_OVERHEAD,
};

/* Received bytes of one link, of which those from `first` to `end` are still to
 * be read. The packets before may be in use until the turn is over. */
struct relay_room {
    struct relay_room *next; /* in a list of rooms */
    size_t first;
    size_t end;
    uint8_t bytes[RELAY_ROOM];
};

struct relay_link {
    struct carrier carrier; /* while `carried` */
    struct relay_links *all;
    struct relay_link *previous, *next;
    struct byte_pipe *pipe; /* NULL: there is none for its form */
    uv_timer_t timer;       /* ends an attempt, and a link that was closed */
    struct curve_key server;
    struct zmtp zmtp;
    struct byte_queue out;
    struct relay_room *room; /* NULL: no received bytes */
    enum link_failure why;   /* of the pipe's end; 0: it is not over */
    bool carried;            /* the owner has not closed it */
    bool began;              /* the pipe is open */
    bool hungry;             /* there may be bytes to read */
    bool cramped;            /* the room's end may have no space for a frame */
    bool stuffed;            /* it is not read: it makes answers only */
    bool is_over;            /* its handles close */
};

struct relay_links {
    struct link_table *links;
    relay_pipe_maker *make;
    struct entropy entropy;
    struct one_time_mac *mac; /* may be NULL */
    bool wide;                /* processor.h */
    struct relay_link *first;
    struct relay_room *used;  /* of links that ended in this turn */
    struct relay_room *spare; /* one at most */
    size_t handles;           /* links whose memory is not freed yet */
    bool in_turn;             /* a flush follows */
    bool closed;
    struct zmtp_reply reply; /* of the call that is running */
};

/* ---- relay_links.c */

/* A room without bytes; NULL: there is no memory. */
struct relay_room *relay_room_take(struct relay_links *all) MUST_USE;
/* The link has no room any more. Its packets stay until the turn is over. */
void relay_room_drop(struct relay_link *l);
/* A flush must follow, in this turn or in the next. */
void relay_links_kick(const struct relay_links *all);
/* The memory of a link was freed. */
void relay_links_freed(struct relay_links *all);

/* ---- relay_link.c */

void relay_link_start(struct relay_link *l, uint32_t id,
                      const struct curve_pair *keys,
                      const struct relay_way *way);
/* Ends the link and tells the node. */
void relay_link_ended(struct relay_link *l, enum link_failure failure);
/* Ends a link that the node forgets: once what was written has left. */
void relay_link_leave(struct relay_link *l);
/* Nobody is told. */
void relay_link_free(struct relay_link *l);

/* ---- relay_link_read.c */

void relay_link_read(struct relay_link *l);
/* Between two turns: gives the room back, or makes space at its end. */
void relay_link_settle(struct relay_link *l);

/* ---- relay_link_write.c */

/* What the machine wants sent. */
void relay_link_reply(struct relay_link *l);
/* Sends what the pipe takes, and tells the owner if the link takes packets
 * again. */
void relay_link_flush(struct relay_link *l);

extern const struct carrier_transport relay_link_transport;

#endif
