/*
 * link_paho - the load generator on paho's MQTT client, by WebSocket with TLS
 * and QoS 1: a topic each way.
 *
 * Paho sends and receives in its own threads, which also run the callbacks. The
 * main thread of a sink or a source sleeps until one of the roles' own messages
 * comes.
 */
#include "tests/bench/load/load.h"
#include "tests/bench/load/news.h"

#include <MQTTAsync.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    QOS = 1,
    KEEPALIVE_S = 60,
    PATIENCE_MS = 10000,
    URL_SIZE = 64,
    FILES = 64
};

static MQTTAsync client;
static load_message *took;
static struct load_news news = LOAD_NEWS;
static bool ready; /* connected, then subscribed */

static void ok(int result, const char *what)
{
    if (result != MQTTASYNC_SUCCESS)
        load_die("%s: %s", what, MQTTAsync_strerror(result));
}

/* ---- Callbacks */

static void on_done(void *context, MQTTAsync_successData *data)
{
    (void)context, (void)data;
    __atomic_store_n(&ready, true, __ATOMIC_SEQ_CST);
    load_news_tell(&news);
}

static void on_failed(void *context, MQTTAsync_failureData *data)
{
    load_die("no %s: %s", (const char *)context,
             data != NULL && data->message != NULL ? data->message : "failed");
}

static void on_lost(void *context, char *why)
{
    (void)context;
    load_die("lost: %s", why != NULL ? why : "cut");
}

static int on_message(void *context, char *topic, int topic_size,
                      MQTTAsync_message *m)
{
    (void)context, (void)topic_size;
    size_t size = (size_t)m->payloadlen;
    took(0, m->payload, size);
    if (size < LOAD_SMALLEST || strcmp(load.role, "ping") == 0)
        load_news_tell(&news);
    MQTTAsync_freeMessage(&m);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- The link */

/* Paho has no option for this. With Nagle's algorithm a message that follows an
 * acknowledgement would wait for the broker's delayed one. */
static void send_at_once(void)
{
    const int on = 1;
    for (int fd = 3; fd < FILES; fd++)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void link_poll(int timeout_ms)
{
    load_news_wait(&news, timeout_ms);
}

static void wait_until_ready(const char *what)
{
    uint64_t end = load_now_ns() + PATIENCE_MS * 1000000ULL;
    while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) {
        if (load_now_ns() > end)
            load_die("no %s", what);
        link_poll(10);
    }
    ready = false;
}

static void connect_client(void)
{
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    MQTTAsync_connectOptions o = MQTTAsync_connectOptions_initializer_ws;
    static char what[] = "connection";
    tls.trustStore = load.ca;
    tls.verify = 1;
    o.ssl = &tls;
    o.keepAliveInterval = KEEPALIVE_S;
    o.cleansession = 1;
    o.maxInflight = (int)load.most;
    o.onSuccess = on_done;
    o.onFailure = on_failed;
    o.context = what;
    ok(MQTTAsync_connect(client, &o), what);
    wait_until_ready(what);
    send_at_once();
}

static void subscribe(const char *topic)
{
    MQTTAsync_responseOptions o = MQTTAsync_responseOptions_initializer;
    static char what[] = "subscription";
    o.onSuccess = on_done;
    o.onFailure = on_failed;
    o.context = what;
    ok(MQTTAsync_subscribe(client, topic, QOS, &o), what);
    wait_until_ready(what);
}

void link_open(load_message *on)
{
    MQTTAsync_init_options with = MQTTAsync_init_options_initializer;
    char url[URL_SIZE];
    took = on;
    with.do_openssl_init = 1;
    MQTTAsync_global_init(&with);
    snprintf(url, sizeof url, "wss://localhost:%s", load.url);
    ok(MQTTAsync_create(&client, url, load.role, MQTTCLIENT_PERSISTENCE_NONE,
                        NULL),
       "client");
    ok(MQTTAsync_setCallbacks(client, NULL, on_lost, on_message, NULL),
       "callbacks");
    connect_client();
    subscribe(load_is_left() ? "to/src" : "to/dst");
}

void link_send(const void *data, size_t size)
{
    ok(MQTTAsync_send(client, load_is_left() ? "to/dst" : "to/src", (int)size,
                      data, QOS, 0, NULL),
       "send");
}

void link_close(void)
{
    MQTTAsync_disconnectOptions o = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnect(client, &o);
}

bool link_role(void)
{
    return false;
}
