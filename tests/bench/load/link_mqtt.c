/*
 * link_mqtt - the load generator on libmosquitto, with TLS and QoS 1: a topic
 * each way. It is driven by poll, in one thread: with libmosquitto's own thread
 * each publish would also go through a pipe.
 */
#include "tests/bench/load/load.h"

#include <mosquitto.h>
#include <poll.h>
#include <stdlib.h>

enum { QOS = 1, KEEPALIVE_S = 60, PATIENCE_TURNS = 500, TURN_MS = 10 };

static struct mosquitto *client;
static load_message *took;
static bool connected, subscribed;
static bool polling; /* messages published meanwhile leave at its end */

static void ok(int result, const char *what)
{
    if (result != MOSQ_ERR_SUCCESS)
        load_die("%s: %s", what, mosquitto_strerror(result));
}

static void on_connect(struct mosquitto *c, void *context, int result)
{
    (void)c, (void)context;
    if (result != 0)
        load_die("refused: %s", mosquitto_connack_string(result));
    connected = true;
}

static void on_subscribe(struct mosquitto *c, void *context, int id, int count,
                         const int *granted)
{
    (void)c, (void)context, (void)id, (void)count, (void)granted;
    subscribed = true;
}

static void on_publish(struct mosquitto *c, void *context,
                       const struct mosquitto_message *m)
{
    (void)c, (void)context;
    took(0, m->payload, (size_t)m->payloadlen);
}

static void wait_for(const bool *what, const char *name)
{
    for (int i = 0; i < PATIENCE_TURNS && !*what; i++)
        ok(mosquitto_loop(client, TURN_MS, 1), name);
    if (!*what)
        load_die("no %s", name);
}

void link_open(load_message *on_message)
{
    took = on_message;
    mosquitto_lib_init();
    client = mosquitto_new(NULL, true, NULL);
    if (client == NULL)
        load_die("no client");
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_max_inflight_messages_set(client, 0); /* no limit */
    ok(mosquitto_tls_set(client, load.ca, NULL, NULL, NULL, NULL), "TLS");
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_publish);
    ok(mosquitto_connect(client, "localhost", (int)strtol(load.url, NULL, 10),
                         KEEPALIVE_S),
       "connect");
    wait_for(&connected, "connection");
    ok(mosquitto_subscribe(client, NULL, load_is_left() ? "to/src" : "to/dst",
                           QOS),
       "subscribe");
    wait_for(&subscribed, "subscription");
}

static void write_out(void)
{
    if (mosquitto_want_write(client))
        ok(mosquitto_loop_write(client, 1), "write");
}

void link_send(const void *data, size_t size)
{
    ok(mosquitto_publish(client, NULL, load_is_left() ? "to/dst" : "to/src",
                         (int)size, data, QOS, false),
       "publish");
    if (!polling)
        write_out();
}

void link_poll(int timeout_ms)
{
    struct pollfd p = {.fd = mosquitto_socket(client), .events = POLLIN};
    if (mosquitto_want_write(client))
        p.events |= POLLOUT;
    polling = true;
    if (poll(&p, 1, timeout_ms) > 0) {
        if (p.revents & POLLIN)
            ok(mosquitto_loop_read(client, 1), "read");
        write_out();
    }
    mosquitto_loop_misc(client);
    polling = false;
}

void link_close(void)
{
    mosquitto_disconnect(client);
}

bool link_role(void)
{
    return false;
}
