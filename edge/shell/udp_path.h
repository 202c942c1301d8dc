/*
 * udp_path - the edge's end of paths over UDP [P-11]: its sockets, and the
 * links on them.
 *
 * The node opens and closes sockets by numbers and sends datagrams of rounds
 * from them; number 0 is open all the time. What comes in is told apart by its
 * first byte: QUIC goes to the links, STUN and probes go to the node, and all
 * the rest is dropped without an answer.
 */
#ifndef EDGE_SHELL_UDP_PATH_H
#define EDGE_SHELL_UDP_PATH_H

#include "edge/shell/link_table.h"

struct udp_path;

struct udp_path_conf {
    struct link_table *links; /* outlives the path */
    uint16_t port;            /* of socket 0; 0: a free one */
    size_t hold;              /* bytes of packets that a link may hold */
    /* Socket 0 got another port; the node is told already. */
    void (*moved)(void *context);
    void *context;
};

/* Opens socket 0. NULL with errno. */
struct udp_path *udp_path_open(const struct udp_path_conf *conf) MUST_USE;
/* Ends all links; the node is not told. Packets that were written before arrive
 * within 200 ms, meanwhile the loop must run. NULL-safe. */
void udp_path_close(struct udp_path **self);
/* Tells the node the port of socket 0. */
void udp_path_tell(struct udp_path *p);
uint16_t udp_path_port(const struct udp_path *p);
/* The same, 0 if socket 0 has no IPv4. */
uint16_t udp_path_port_v4(const struct udp_path *p);

/* Carries out an item: NODE_CONNECT_UDP, UDP_OPEN, UDP_CLOSE or UDP_SEND. */
void udp_path_do(struct udp_path *p, const struct node_todo *item);
/* Sends what the links have to send. To be called at the end of each turn.
 * NULL-safe. */
void udp_path_flush(struct udp_path *p);

/* Datagrams since the start. */
struct udp_path_counters {
    uint64_t taken;     /* for links, or handed to the node */
    uint64_t strangers; /* QUIC that belongs to no link */
    uint64_t malformed; /* neither QUIC nor STUN nor a probe */
    uint64_t excess;    /* too many for the node */
    uint64_t unsent;    /* that the system refused */
};
const struct udp_path_counters *udp_path_counters(const struct udp_path *p);

#endif
