/*
 * link_nats - the load generator on libnats, with TLS: a subject each way; in
 * mode fan load.receivers connections of one process subscribe to the same.
 */
#include "tests/bench/load/load.h"

#include <nats/nats.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 256 };

static natsConnection *connection;
static natsSubscription *subscription;
static load_message *took;

static void ok(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        load_die("%s: %s", what, natsStatus_GetText(status));
}

static natsConnection *dial(void)
{
    natsOptions *o;
    natsConnection *c;
    ok(natsOptions_Create(&o), "options");
    natsOptions_SetURL(o, load.url);
    natsOptions_SetAllowReconnect(o, false);
    /* A ping must not wait until libnats has more messages to send. */
    if (strcmp(load.role, "ping") == 0 || strcmp(load.role, "pong") == 0)
        natsOptions_SetSendAsap(o, true);
    natsOptions_SetSecure(o, true);
    ok(natsOptions_LoadCATrustedCertificates(o, load.ca), "certificates");
    natsOptions_SetExpectedHostname(o, "localhost");
    if (load_is("fan"))
        natsOptions_UseGlobalMessageDelivery(o, true);
    ok(natsConnection_Connect(&c, o), "connect");
    natsOptions_Destroy(o);
    return c;
}

static void on_fan(natsConnection *c, natsSubscription *s, natsMsg *m,
                   void *number)
{
    (void)c, (void)s;
    took((size_t)(uintptr_t)number, natsMsg_GetData(m),
         (size_t)natsMsg_GetDataLength(m));
    natsMsg_Destroy(m);
}

static void open_fan(void)
{
    natsSubscription *s;
    nats_SetMessageDeliveryPoolSize(1); /* one thread counts */
    for (long i = 0; i < load.receivers; i++) {
        ok(natsConnection_Subscribe(&s, dial(), "to.dst", on_fan,
                                    (void *)(uintptr_t)i),
           "subscribe");
        natsSubscription_SetPendingLimits(s, -1, -1);
    }
}

void link_open(load_message *on_message)
{
    took = on_message;
    nats_Open(-1);
    connection = dial();
    if (load_is("fan") && !load_is_left()) {
        open_fan();
        return;
    }
    ok(natsConnection_SubscribeSync(&subscription, connection,
                                    load_is_left() ? "to.src" : "to.dst"),
       "subscribe");
    natsSubscription_SetPendingLimits(subscription, -1, -1);
    natsConnection_Flush(connection);
}

void link_send(const void *data, size_t size)
{
    ok(natsConnection_Publish(connection, load_is_left() ? "to.dst" : "to.src",
                              data, (int)size),
       "publish");
}

void link_poll(int timeout_ms)
{
    natsMsg *m;
    if (subscription == NULL) { /* on_fan takes them */
        nats_Sleep(timeout_ms > 20 ? 20 : timeout_ms);
        return;
    }
    for (int got = 0; got < AT_ONCE; got++) {
        natsStatus s = natsSubscription_NextMsg(&m, subscription,
                                                got > 0 ? 0 : timeout_ms);
        if (s == NATS_TIMEOUT)
            return;
        ok(s, "receive");
        took(0, natsMsg_GetData(m), (size_t)natsMsg_GetDataLength(m));
        natsMsg_Destroy(m);
    }
}

void link_close(void)
{
    natsConnection_FlushTimeout(connection, 1000);
    _exit(0);
}

bool link_role(void)
{
    return false;
}
