/*
 * relay - zs-relay as one object on a libuv loop: the hub with its clock, its
 * listening socket, its files and its log.
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

struct relay;

/* Listens, and from then on serves. `conf` is the relay's own from now on,
 * also when it fails: NULL after a line in the log. */
struct relay *relay_open(uv_loop_t *loop, struct relay_conf *conf,
                         const struct curve_pair *keys) MUST_USE;

/* Takes up the live settings of `conf` (which is then the relay's own), says
 * in the log what changed and what needs a restart, and reads the revocation
 * lists again. No connection is dropped but those of meshes taken out. */
void relay_reload(struct relay *r, struct relay_conf *conf);

/* Tells the edges, and closes everything in a moment, so that the loop ends;
 * called once more, at once. */
void relay_stop(struct relay *r);
/* After the loop ended. */
void relay_free(struct relay **self);

#endif
