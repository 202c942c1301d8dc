/*
 * listener - sets up and binds the ROUTER socket that the relay listens on.
 */
#ifndef RELAY_SHELL_LISTENER_H
#define RELAY_SHELL_LISTENER_H

#include "common/core/secrets.h"
#include "common/io/zsocket.h"

enum {
    LISTENER_TEXT_SIZE = 320,
    /* Received packets that libzmq queues for each connection. */
    LISTENER_PACKETS_IN = 64,
    /* Packets to send that libzmq queues for each connection. send_credit.h
     * limits their bytes. */
    LISTENER_PACKETS_OUT = 256,
};

/* Opens a socket that accepts CURVE clients with any key; the caller has called
 * zap_open before. `ready` is called with `context` when the socket can be
 * read. NULL with errno. */
struct zsocket *listener_open(struct zloop *z, void *zmq_context,
                              const struct curve_pair *keys,
                              zsocket_ready *ready, void *context) MUST_USE;
/* Binds the socket to an endpoint like "*:443" or "127.0.0.1:8443". On success
 * `bound` is the bound endpoint, "tcp://127.0.0.1:8443", with the real port
 * where 0 was asked for. Returns false with libzmq's errno. */
bool listener_bind(struct zsocket *listener, const char *endpoint,
                   char bound[static LISTENER_TEXT_SIZE]) MUST_USE;

#endif
