/*
 * quic_links - links over UDP: QUIC connections as carriers [P-11.8].
 *
 * A link begins with the pair of addresses that a round found, and is open when
 * the handshake is done. Its datagrams are found by the label in their
 * connection id; those of a client's handshake by the addresses. What a link
 * has to send leaves in quic_links_flush, together, at the end of a turn of the
 * loop.
 */
#ifndef EDGE_SHELL_QUIC_LINKS_H
#define EDGE_SHELL_QUIC_LINKS_H

#include "common/base/heap.h"
#include "edge/shell/link_table.h"
#include "edge/shell/quic.h"
#include "edge/shell/udp_endpoints.h"

enum {
    QUIC_LINKS_NARROW = 64,
    QUIC_LINKS_COARSE_US = 1500, /* from then on milliseconds are enough */
};

struct quic_link;

struct quic_links {
    struct link_table *links;
    size_t hold;          /* bytes of packets that a link may hold */
    struct map by_label;  /* all of them */
    struct map by_source; /* of those that are servers */
    struct heap timers;
    struct quic_link *first_touched, *last_touched;
    size_t touched;
    size_t waiting;    /* links with packets for which the turn was full */
    int fine_fd;       /* counts microseconds, but costs system calls; */
    uv_poll_t fine;    /* this is its handle */
    uv_timer_t coarse; /* counts milliseconds */
    int open_timers;
    struct instant armed; /* one of them fires then, or before */
    struct address narrow[QUIC_LINKS_NARROW]; /* hosts whose paths lost large
                                                datagrams */
    size_t narrowed;
    bool closed, ending;
    void (*ended)(void *context); /* once it is closed and no link is left */
    void *context;
    uint8_t buffer[QUIC_BURST_SIZE];
};

/* False with errno: no descriptor is left. */
bool quic_links_open(struct quic_links *all, struct link_table *links,
                     size_t hold) MUST_USE;
/* Ends all links; the node is not told. They stay for a moment, until what was
 * written before has arrived. `ended` is called once, at the end, when the
 * memory of `all` may be freed. */
void quic_links_close(struct quic_links *all, void (*ended)(void *context),
                      void *context);

/* Opens a link as NODE_CONNECT_UDP says. `from` may be NULL: the node has no
 * such socket. */
void quic_links_connect(struct quic_links *all, struct udp_endpoint *from,
                        const struct node_todo *item);
/* A datagram that may be QUIC came. False: it belongs to no link. */
bool quic_links_take(struct quic_links *all, const struct udp_endpoint *at,
                     const struct address *from, uint8_t *bytes, size_t size,
                     struct instant now);
/* The socket takes datagrams again. */
void quic_links_writable(struct quic_links *all, const struct udp_socket *s);
/* True: packets wait for the next turn. The caller receives nothing until
 * then. */
bool quic_links_are_full(const struct quic_links *all);
/* Sends what the links have to send. To be called at the end of each turn, and
 * after datagrams that came when all was closed. */
void quic_links_flush(struct quic_links *all);

#endif
