/*
 * lookup - the addresses of a host's name, found off the loop.
 */
#ifndef EDGE_SHELL_LOOKUP_H
#define EDGE_SHELL_LOOKUP_H

#include "common/base/address.h"

#include <stddef.h>
#include <uv.h>

enum { LOOKUP_ADDRESSES = 8 };

struct lookup;

/* `count` 0: `error` says why, as getaddrinfo does. The lookup is over: the
 * pointer to it is NULL already. */
typedef void lookup_done(void *context, const struct address *list,
                         size_t count, const char *error);

/* Numbers are answered from within the call. *lookup is set as long as the
 * answer is not there, and must stay where it is until then. */
void lookup_start(struct lookup **lookup, uv_loop_t *loop, const char *host,
                  uint16_t port, lookup_done *done, void *context);
/* There will be no answer. NULL-safe. The system may keep the loop busy until
 * its own timeout. */
void lookup_cancel(struct lookup **lookup);

#endif
