/*
 * peers - the addresses of discovery.peers: names are resolved off the loop,
 * and again each minute.
 */
#ifndef EDGE_SHELL_PEERS_H
#define EDGE_SHELL_PEERS_H

#include "edge/shell/turn.h"

struct peers;

enum { PEERS = 256 };

/* What is found is added to the turn as PEERS_ARE, again when it changed. Texts
 * are host:port; what is no endpoint or beyond PEERS is left out. */
struct peers *peers_open(uv_loop_t *loop, struct turn *turn,
                         const char *const *texts, size_t count);
/* Its memory frees itself once the loop ran. NULL-safe. */
void peers_close(struct peers **self);

#endif
