/*
 * relay - zs-relay as one object on a libuv loop.
 *
 * It gives the hub (hub.h) its clock, its listening socket, its files and its
 * log.
 *
 *     relay = relay_open(&loop, &conf, &keys);
 *     ... uv_run ...
 *     relay_free(&relay);
 */
#ifndef RELAY_SHELL_RELAY_H
#define RELAY_SHELL_RELAY_H

#include <uv.h>

#include "common/base/assert.h"
#include "common/conf/relay_conf.h"
#include "common/core/secrets.h"

struct relay_server;

/* Starts to listen and to serve. The relay owns `conf` from now on, on failure
 * too. Returns NULL after it logged the reason. */
struct relay_server *relay_open(uv_loop_t *loop, struct relay_conf *conf,
                                const struct curve_pair *keys) MUST_USE;

/* Applies the live settings of `conf`, which the relay owns from now on; logs
 * which settings changed and which need a restart; reads the revocation lists
 * again. Drops only the connections of meshes that were removed. */
void relay_reload(struct relay_server *r, struct relay_conf *conf);

/* Sends SHUTDOWN to the edges and closes everything 200 ms later, so that the
 * loop ends. A second call closes everything at once. */
void relay_stop(struct relay_server *r);
/* The caller calls this after the loop has ended. NULL-safe. */
void relay_free(struct relay_server **self);

#endif
