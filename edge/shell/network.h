/*
 * network - watches the host's interfaces and reports changes.
 *
 * Netlink reports changes at once. A scan every five seconds finds those that
 * netlink missed.
 */
#ifndef EDGE_SHELL_NETWORK_H
#define EDGE_SHELL_NETWORK_H

#include "edge/shell/interfaces.h"

#include <uv.h>

struct network;

/* Called with the new list after a change. */
typedef void network_changed(void *context, const struct interfaces *all);

/* `names` (borrowed until closed): as for interfaces_scan. `changed` is not
 * called for the first list, which network_now returns at once. */
struct network *network_open(uv_loop_t *loop, const char *const *names,
                             size_t name_count, network_changed *changed,
                             void *context);
const struct interfaces *network_now(const struct network *n);
/* The memory is freed once the loop ran. NULL-safe. */
void network_close(struct network **self);

#endif
