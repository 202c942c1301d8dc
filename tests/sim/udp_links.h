/*
 * udp_links - the links over UDP of a world's nodes.
 *
 * Each end is a connection of quic_model.h on one socket of its process. All
 * its datagrams travel through the boxes and links of udp_net.h. The node sees
 * what it sees of a stream (world.h): opened, packets, blocked, writable,
 * closed.
 */
#ifndef TESTS_SIM_UDP_LINKS_H
#define TESTS_SIM_UDP_LINKS_H

#include "tests/sim/udp_world.h"

struct udp_links;

struct udp_links *udp_links_new(void);
void udp_links_free(struct udp_links **self); /* NULL-safe; nulls */

/* CONNECT_UDP */
void udp_links_connect(struct world *w, struct process *p,
                       const struct node_todo *t);
/* False: the link is none over UDP. */
bool udp_links_write(struct world *w, const struct process *p, uint32_t link,
                     struct bytes bytes);
bool udp_links_close(struct world *w, const struct process *p, uint32_t link);
/* The process ends; `tells`: it closes its links before. */
void udp_links_end_all(struct world *w, const struct process *p, bool tells);
/* A datagram came for the process. False: it is none of a connection. */
bool udp_links_take(struct world *w, struct process *p,
                    const struct address *from, struct bytes datagram);
/* UDP_EVENT_LINK_DUE, UDP_EVENT_LINK_ROOM */
void udp_links_due(struct world *w, struct process *p, uint32_t link);
void udp_links_room(struct world *w, struct process *p, uint32_t link);
/* Links of the process that are open or opening. */
size_t udp_links_count(const struct world *w, const struct process *p);

#endif
