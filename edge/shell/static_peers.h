/*
 * static_peers - resolves the endpoints of discovery.peers, the peers that the
 * configuration names, at the start and again each minute.
 */
#ifndef EDGE_SHELL_STATIC_PEERS_H
#define EDGE_SHELL_STATIC_PEERS_H

#include "edge/shell/event_queue.h"

struct static_peers;

enum { STATIC_PEERS = 256 };

/* Queues the addresses as PEERS_ARE, and again when they change. Each
 * text is HOST:PORT; malformed ones and those beyond STATIC_PEERS are ignored.
 */
struct static_peers *static_peers_open(uv_loop_t *loop,
                                       struct event_queue *events,
                                       const char *const *texts, size_t count);
/* The memory is freed once the loop ran. NULL-safe. */
void static_peers_close(struct static_peers **self);

#endif
