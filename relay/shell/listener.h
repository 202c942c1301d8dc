/*
 * listener - the front's ROUTER: how it is set up and bound.
 */
#ifndef RELAY_SHELL_LISTENER_H
#define RELAY_SHELL_LISTENER_H

#include "common/core/secrets.h"
#include "common/io/zsocket.h"

enum {
    LISTENER_TEXT_SIZE = 320,
    /* Packets that libzmq holds of each connection: that came in, */
    LISTENER_PACKETS_IN = 64,
    /* and that go out, whose bytes send_credit.h counts. */
    LISTENER_PACKETS_OUT = 256,
};

/* Takes CURVE clients of any key, once zap_open was called. NULL with errno. */
struct zsocket *listener_open(struct zloop *z, void *zmq_context,
                              const struct curve_pair *keys,
                              zsocket_ready *ready, void *context) MUST_USE;
/* "*:443", "127.0.0.1:8443": false with errno of libzmq. `bound` is what it is
 * bound to, with the port that was taken: "tcp://127.0.0.1:8443". */
bool listener_bind(struct zsocket *listener, const char *endpoint,
                   char bound[static LISTENER_TEXT_SIZE]) MUST_USE;

#endif
