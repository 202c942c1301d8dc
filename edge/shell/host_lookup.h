/*
 * host_lookup - resolves a host name in libuv's thread pool.
 */
#ifndef EDGE_SHELL_HOST_LOOKUP_H
#define EDGE_SHELL_HOST_LOOKUP_H

#include "common/base/address.h"

#include <stddef.h>
#include <uv.h>

enum { HOST_LOOKUP_ADDRESSES = 8 };

struct host_lookup;

/* Called once with the result. `count` 0: `error` is the text of libuv for it.
 * The caller's pointer to the lookup is NULL already. */
typedef void host_lookup_done(void *context, const struct address *list,
                              size_t count, const char *error);

/* If `host` is an address, calls `done` before it returns. Otherwise *lookup is
 * set until the result is there; that pointer must not move meanwhile. */
void host_lookup_start(struct host_lookup **lookup, uv_loop_t *loop,
                       const char *host, uint16_t port, host_lookup_done *done,
                       void *context);
/* `done` will not be called. NULL-safe. A request that has begun may keep the
 * loop running until getaddrinfo returns. */
void host_lookup_cancel(struct host_lookup **lookup);

#endif
