/*
 * stun_probe - asks STUN servers once, by sockets of its own, for netcheck:
 * does UDP get out and back, which NAT stands between, whom does it let in,
 * does it hairpin?
 *
 * It takes 0.8 s at most for the servers, and as long again for the rest: from
 * a fresh socket nat_filter asks, and another one sends a datagram to the first
 * one's outside address.
 */
#ifndef EDGE_SHELL_STUN_PROBE_H
#define EDGE_SHELL_STUN_PROBE_H

#include "edge/core/nat_filter.h"

#include <uv.h>

struct stun_probe;

enum stun_verdict {
    STUN_SILENT, /* no answer came in time */
    STUN_CLOSED, /* the server's host said that the port is closed */
    STUN_ANSWERED,
};

struct stun_probe_result {
    struct outside_view view;
    size_t count;
    struct outside_answer servers[OUTSIDE_SERVERS];
    enum stun_verdict verdicts[OUTSIDE_SERVERS];
    enum nat_filtering filtering;
    bool hairpin_tested, hairpin;
};

/* The result is valid during the call, in which the probe may be closed. */
typedef void stun_probe_done(void *context, const struct stun_probe_result *r);

/* `hosts`: the addresses of this host. `done` is called from the loop. */
struct stun_probe *stun_probe_open(uv_loop_t *loop,
                                   const struct address *servers, size_t count,
                                   const struct address *hosts,
                                   size_t host_count, stun_probe_done *done,
                                   void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void stun_probe_close(struct stun_probe **self);

#endif
