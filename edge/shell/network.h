/*
 * network - keeps an eye on the host's interfaces.
 *
 * The kernel tells changes over netlink; what it fails to tell is found within
 * five seconds.
 */
#ifndef EDGE_SHELL_NETWORK_H
#define EDGE_SHELL_NETWORK_H

#include "edge/shell/interfaces.h"

#include <uv.h>

struct network;

/* The interfaces are other ones now. */
typedef void network_changed(void *context, const struct interfaces *all);

/* `names` (borrowed until closed): as for interfaces_scan. `changed` is not
 * called for what network_now tells at first. */
struct network *network_open(uv_loop_t *loop, const char *const *names,
                             size_t name_count, network_changed *changed,
                             void *context);
const struct interfaces *network_now(const struct network *n);
/* Its memory frees itself once the loop ran. NULL-safe. */
void network_close(struct network **self);

#endif
