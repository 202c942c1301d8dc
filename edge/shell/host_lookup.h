/*
 * lookup - resolves a host name in libuv's thread pool.
 */
#ifndef EDGE_SHELL_HOST_LOOKUP_H
#define EDGE_SHELL_HOST_LOOKUP_H

#include "common/base/address.h"

#include <stddef.h>
#include <uv.h>

enum { LOOKUP_ADDRESSES = 8 };

struct lookup;

/* Called once with the result. `count` 0: `error` is the text of libuv for it.
 * The caller's pointer to the lookup is NULL already. */
typedef void lookup_done(void *context, const struct address *list,
                         size_t count, const char *error);

/* If `host` is an address, calls `done` before it returns. Otherwise *lookup is
 * set until the result is there; that pointer must not move meanwhile. */
void lookup_start(struct lookup **lookup, uv_loop_t *loop, const char *host,
                  uint16_t port, lookup_done *done, void *context);
/* `done` will not be called. NULL-safe. A request that has begun may keep the
 * loop running until getaddrinfo returns. */
void lookup_cancel(struct lookup **lookup);

#endif
