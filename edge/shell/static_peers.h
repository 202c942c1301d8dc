/*
 * peers - resolves the endpoints of discovery.peers, at the start and again
 * each minute.
 */
#ifndef EDGE_SHELL_STATIC_PEERS_H
#define EDGE_SHELL_STATIC_PEERS_H

#include "edge/shell/event_queue.h"

struct peers;

enum { PEERS = 256 };

/* Adds the addresses to the turn as PEERS_ARE, and again when they change. Each
 * text is HOST:PORT; malformed ones and those beyond PEERS are ignored. */
struct peers *peers_open(uv_loop_t *loop, struct turn *turn,
                         const char *const *texts, size_t count);
/* The memory is freed once the loop ran. NULL-safe. */
void peers_close(struct peers **self);

#endif
