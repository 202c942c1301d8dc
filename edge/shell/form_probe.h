/*
 * form_probe - tries one form of a relay's address once, for netcheck: it opens
 * the pipe and speaks CurveZMQ until the relay has proved its key.
 *
 * It uses a key of its own and stops at CURVE's WELCOME, so the relay learns of
 * no node, and a living link stays as it is.
 */
#ifndef EDGE_SHELL_FORM_PROBE_H
#define EDGE_SHELL_FORM_PROBE_H

#include "common/base/instant.h"
#include "edge/shell/relay_pipe.h"

/* An attempt takes so long at most. */
enum { FORM_PROBE_MS = 4500 };

struct form_probe;

struct form_probe_result {
    enum relay_form form;
    /* Until bytes could be written: TCP, the proxy, TLS, the upgrade; < 0: that
     * failed. */
    struct span connect;
    struct span hello;         /* from then to WELCOME; < 0: there was none */
    enum link_failure failure; /* 0: the relay proved its key */
    /* What the other end of TLS showed, see byte_pipe.h. */
    bool has_certificate;
    uint8_t certificate[32];
};

/* Called once, from the loop; may close the probe. */
typedef void form_probe_done(void *context);

/* `result` (borrowed) is filled in by then. */
struct form_probe *form_probe_open(uv_loop_t *loop, relay_pipe_maker *make,
                                   const struct relay_way *way,
                                   const struct curve_key *server,
                                   struct form_probe_result *result,
                                   form_probe_done *done, void *context);
/* The memory is freed once the loop ran. NULL-safe. */
void form_probe_close(struct form_probe **self);

#endif
