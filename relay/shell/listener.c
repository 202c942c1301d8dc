#include "relay/shell/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/conf/endpoint.h"
#include "common/io/zap.h"
#include "common/wire/packet.h"

enum {
    /* Bytes that CURVE adds to a packet's frame. */
    CURVE_OVERHEAD = 64,
    HANDSHAKE_MS = 2000,
    LINGER_MS = 500,
    /* Connections in the kernel's accept queue: their handshakes all begin at
     * once. Clients beyond these wait and try again. */
    BACKLOG = 256,
};

static void set_options(struct zsocket *s, const struct curve_pair *keys)
{
    int64_t size_max = PACKET_SIZE + CURVE_OVERHEAD;
    void *socket = zsocket_raw(s);
    zsocket_set(s, ZMQ_ROUTER_MANDATORY, 1);
    zsocket_set(s, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    zsocket_set(s, ZMQ_LINGER, LINGER_MS);
    zsocket_set(s, ZMQ_SNDHWM, LISTENER_PACKETS_OUT);
    zsocket_set(s, ZMQ_RCVHWM, LISTENER_PACKETS_IN);
    zsocket_set(s, ZMQ_BACKLOG, BACKLOG);
    zsocket_set(s, ZMQ_IPV6, 1);
    zsocket_set(s, ZMQ_CURVE_SERVER, 1);
    zsocket_set(s, ZAP_ENFORCE_DOMAIN, 1);
    zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, "relay", 5);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, KEY_SIZE);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max);
}

struct zsocket *listener_open(struct zloop *z, void *zmq_context,
                              const struct curve_pair *keys,
                              zsocket_ready *ready, void *context)
{
    struct zsocket *s =
        zsocket_open(z, zmq_context, ZMQ_ROUTER, ready, context);
    if (s)
        set_options(s, keys);
    return s;
}

/* The port that the socket was last bound to: for port 0 the kernel chose
 * one. */
static const char *bound_port(const struct zsocket *s,
                              char text[static LISTENER_TEXT_SIZE])
{
    size_t size = LISTENER_TEXT_SIZE;
    if (zmq_getsockopt(zsocket_raw(s), ZMQ_LAST_ENDPOINT, text, &size) != 0)
        return "0";
    const char *colon = strrchr(text, ':');
    return colon ? colon + 1 : "0";
}

bool listener_bind(struct zsocket *listener, const char *endpoint,
                   char bound[static LISTENER_TEXT_SIZE])
{
    struct endpoint e;
    char text[ENDPOINT_HOST_SIZE + 32];
    if (endpoint_parse(endpoint, ENDPOINT_LISTEN, &e) != NULL) {
        errno = EINVAL;
        return false;
    }
    snprintf(text, sizeof text,
             strchr(e.host, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u", e.host,
             e.port);
    if (zmq_bind(zsocket_raw(listener), text) != 0)
        return false;
    zsocket_touch(listener);
    char last[LISTENER_TEXT_SIZE];
    size_t host_size = (size_t)(strrchr(text, ':') - text);
    snprintf(bound, LISTENER_TEXT_SIZE, "%.*s:%s", (int)host_size, text,
             bound_port(listener, last));
    return true;
}
