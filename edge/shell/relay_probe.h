/*
 * relay_probe - looks a relay's host up and connects to it by TCP once, for
 * netcheck. It says how long each took, and what fails where.
 *
 * Each step takes 2 s at most. The connection is closed without a handshake: a
 * second one with this node's key would push the living link out.
 */
#ifndef EDGE_SHELL_RELAY_PROBE_H
#define EDGE_SHELL_RELAY_PROBE_H

#include "common/base/address.h"
#include "common/base/instant.h"
#include "edge/shell/host_lookup.h"

#include <uv.h>

struct relay_probe;

enum relay_probe_step {
    RELAY_PROBE_RESOLVED, /* DNS is done, well or not */
    RELAY_PROBE_DONE,     /* all is */
};

struct relay_probe_result {
    struct span dns, connect; /* < 0: did not succeed */
    struct address addresses[HOST_LOOKUP_ADDRESSES];
    size_t count;
    const char *error; /* "", or a word of the contract: "dns", "refused",
                          "timeout", "unreachable", "not_a_relay" */
};

/* Called from the loop, or before relay_probe_open returns; must not close the
 * probe. */
typedef void relay_probe_told(void *context, enum relay_probe_step step);

/* `greet`: also looks whether what answers speaks ZMTP. `result` (borrowed) is
 * filled in. */
struct relay_probe *relay_probe_open(uv_loop_t *loop, const char *host,
                                     uint16_t port, bool greet,
                                     struct relay_probe_result *result,
                                     relay_probe_told *told, void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void relay_probe_close(struct relay_probe **self);

#endif
