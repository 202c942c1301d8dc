/*
 * quic_link - one link over UDP, for quic_links.c: a QUIC connection, and the
 * carrier that it is to the node.
 */
#ifndef EDGE_SHELL_QUIC_LINK_H
#define EDGE_SHELL_QUIC_LINK_H

#include "edge/shell/quic_links.h"

enum {
    QUIC_SOURCE_KEY_SIZE =
        sizeof(uint32_t) + ADDRESS_KEY_SIZE + sizeof(uint16_t),
};

struct quic_link {
    struct carrier carrier;
    bool carried; /* the carrier is in its table; false: the link lingers */
    struct quic_links *all;
    struct udp_endpoint *endpoint;
    struct udp_socket *socket; /* of the endpoint */
    struct quic *quic;
    struct address local, remote;
    uint32_t label;
    uint8_t
        source[QUIC_SOURCE_KEY_SIZE]; /* the key of by_source, for a server */
    struct timer timer;
    struct instant end_by; /* the handshake, or lingering; or NEVER */
    size_t held;           /* bytes of packets that the peer has not */
    bool full;
    bool touched;
    struct quic_link *previous_touched, *next_touched;
    struct packet_queue packets; /* that came while the turn was full */
    struct udp_burst unsent;     /* while the socket's buffer is full */
};

/* quic_link.c: begins to connect. The label is chosen, and the link is in its
 * table. */
void quic_link_start(struct quic_link *l, struct udp_endpoint *from,
                     const struct node_todo *item);
/* A datagram came. May free the link. */
void quic_link_take(struct quic_link *l, const struct address *from,
                    uint8_t *bytes, size_t size, struct instant now);
/* Does what is to be done in this turn. May free the link. */
void quic_link_turn(struct quic_link *l, struct instant now);
/* The node closes it: it lingers until the peer has what was written, or is
 * freed now. */
void quic_link_close(struct quic_link *l);

/* quic_links.c: quic_link_turn is called in this turn, or in the next. */
void quic_links_touch(struct quic_link *l);
/* Takes the link out of all tables and lists. */
void quic_links_remove(struct quic_link *l);
/* Whether large datagrams vanish on the way to this host. */
bool quic_links_is_narrow(const struct quic_links *all,
                          const struct address *host);
void quic_links_note_narrow(struct quic_links *all, const struct address *host);
/* The key of by_source. */
void quic_links_write_source(uint8_t key[static QUIC_SOURCE_KEY_SIZE],
                             uint32_t endpoint, const struct address *from);

#endif
