/*
 * relay_probe - looks a relay's host up and tries each form of its address
 * once, for netcheck. It says how long each step took, and what fails where.
 *
 * All forms are tried at the same time, for 4.5 s at most; see form_probe.h.
 */
#ifndef EDGE_SHELL_RELAY_PROBE_H
#define EDGE_SHELL_RELAY_PROBE_H

#include "edge/shell/form_probe.h"
#include "edge/shell/host_lookup.h"

struct relay_probe;

enum relay_probe_step {
    RELAY_PROBE_RESOLVED, /* DNS is done, well or not */
    RELAY_PROBE_DONE,     /* all is */
};

struct relay_probe_result {
    struct span dns; /* < 0: the host's name has no address */
    struct address addresses[HOST_LOOKUP_ADDRESSES];
    size_t count;
    struct form_probe_result forms[RELAY_FORMS];
    size_t form_count;
};

/* Called from the loop, or before relay_probe_open returns; must not close the
 * probe. */
typedef void relay_probe_told(void *context, enum relay_probe_step step);

/* `forms`: those to try, a bit for each enum relay_form. `relay` is borrowed
 * for the call, `result` longer: it is filled in. */
struct relay_probe *relay_probe_open(uv_loop_t *loop, relay_pipe_maker *make,
                                     const struct edge_relay *relay,
                                     unsigned forms,
                                     struct relay_probe_result *result,
                                     relay_probe_told *told, void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void relay_probe_close(struct relay_probe **self);

/* Of the forms that were tried: whether the relay proved its key in one, and
 * else the most telling failure. A failure, or 0. */
enum link_failure relay_probe_failure(const struct relay_probe_result *r);
/* Whether bytes could be sent in one of them. */
bool relay_probe_connects(const struct relay_probe_result *r);

#endif
