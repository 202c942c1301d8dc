/*
 * stun_servers - resolves the STUN servers that the node asks [P-11.2]: each
 * relay's host at the port of its URL, at 443 and at 3478, and discovery.stun.
 *
 * Each name is looked up at the start, when the network changed, and every five
 * minutes; sooner while one has no address.
 */
#ifndef EDGE_SHELL_STUN_SERVERS_H
#define EDGE_SHELL_STUN_SERVERS_H

#include "edge/shell/edge_relay.h"
#include "edge/shell/event_queue.h"

struct stun_servers;

enum {
    STUN_HOSTS = 24,       /* names or addresses; further ones are left out */
    STUN_SERVERS_MAX = 32, /* addresses with a port; further ones as well */
    /* Where relays answer unless listen.udp says otherwise. */
    STUN_HTTPS_PORT = 443,
    STUN_PORT = 3478,
};

/* Queues the addresses as STUN_SERVERS_ARE, and again when they
 * change: of each name one of each family. `texts`: HOST:PORT; malformed ones
 * are ignored. */
struct stun_servers *stun_servers_open(uv_loop_t *loop,
                                       struct event_queue *events,
                                       const struct edge_relay *relays,
                                       size_t relay_count,
                                       const char *const *texts, size_t count);
/* The network changed: looks the names up now. NULL-safe. */
void stun_servers_again(struct stun_servers *s);
/* The memory is freed once the loop ran. NULL-safe. */
void stun_servers_close(struct stun_servers **self);

#endif
