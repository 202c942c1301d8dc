#include "common/io/monitor.h"

#include "common/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most events that may wait; beyond that libzmq's I/O thread blocks. */
enum { MONITOR_WAITING = 1 << 16 };

struct monitor {
    struct zsocket *watched;
    struct zsocket *events;
    monitor_heard *heard;
    void *context;
    bool *closed; /* set if `heard` closes the monitor */
};

/* The meaning of libzmq's events; `value` is the number that comes with one. */
enum value_kind { VALUE_NONE, VALUE_FD, VALUE_ERROR };

static const struct {
    uint16_t event;
    enum monitor_kind kind;
    enum value_kind value;
    const char *reason;
} meanings[] = {
    {ZMQ_EVENT_LISTENING, MONITOR_LISTENING, VALUE_FD, ""},
    {ZMQ_EVENT_ACCEPTED, MONITOR_ACCEPTED, VALUE_FD, ""},
    {ZMQ_EVENT_ACCEPT_FAILED, MONITOR_ACCEPT_FAILED, VALUE_ERROR, ""},
    {ZMQ_EVENT_CONNECTED, MONITOR_CONNECTED, VALUE_FD, ""},
    /* For an outgoing socket: libzmq closed the socket whose connect failed. */
    {ZMQ_EVENT_CLOSED, MONITOR_CONNECT_FAILED, VALUE_NONE, ""},
    {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, MONITOR_HANDSHAKE_DONE, VALUE_NONE, ""},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, MONITOR_HANDSHAKE_FAILED,
     VALUE_ERROR, "closed"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, MONITOR_HANDSHAKE_FAILED, VALUE_NONE,
     "protocol"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, MONITOR_HANDSHAKE_FAILED, VALUE_NONE,
     "auth"},
    {ZMQ_EVENT_DISCONNECTED, MONITOR_DISCONNECTED, VALUE_FD, ""},
};

static int all_events(void)
{
    int events = 0;

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        events |= meanings[i].event;
    return events;
}

bool monitor_parse(struct bytes head, struct bytes endpoint,
                   struct monitor_event *event)
{
    uint16_t number;
    int32_t value;

    if (head.size != sizeof number + sizeof value)
        return false;
    memcpy(&number, head.data, sizeof number);
    memcpy(&value, head.data + sizeof number, sizeof value);
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (meanings[i].event != number)
            continue;
        event->kind = meanings[i].kind;
        event->reason = meanings[i].reason;
        event->fd = meanings[i].value == VALUE_FD ? value : -1;
        event->error = meanings[i].value == VALUE_ERROR ? value : 0;
        snprintf(event->endpoint, sizeof event->endpoint, "%.*s",
                 (int)endpoint.size, (const char *)endpoint.data);
        return true;
    }
    return false;
}

/* Receives the two frames of an event; false if none waits. */
static bool receive(struct monitor *m, zmq_msg_t frames[2])
{
    if (zsocket_recv(m->events, &frames[0]) < 0)
        return false;
    return zmq_msg_more(&frames[0]) && zsocket_recv(m->events, &frames[1]) >= 0;
}

/* Only the events that waited at the call, because new ones may come for ever.
 */
void monitor_drain(struct monitor *m)
{
    zmq_msg_t frames[2];
    struct monitor_event event;
    bool closed = false;
    bool *outer = m->closed;

    zmq_msg_init(&frames[0]);
    zmq_msg_init(&frames[1]);
    m->closed = &closed;
    for (int i = 0; i < MONITOR_WAITING && !closed && receive(m, frames); i++) {
        struct bytes head =
            bytes_of(zmq_msg_data(&frames[0]), zmq_msg_size(&frames[0]));
        struct bytes endpoint =
            bytes_of(zmq_msg_data(&frames[1]), zmq_msg_size(&frames[1]));
        if (monitor_parse(head, endpoint, &event))
            m->heard(m->context, &event);
    }
    if (!closed)
        m->closed = outer;
    else if (outer != NULL)
        *outer = true;
    zmq_msg_close(&frames[0]);
    zmq_msg_close(&frames[1]);
}

static void on_ready(void *context, int events)
{
    (void)events;
    monitor_drain(context);
}

struct monitor *monitor_open(struct zloop *z, void *zmq_context,
                             struct zsocket *watched, monitor_heard *heard,
                             void *context)
{
    struct monitor *m = memory_new(sizeof *m);
    char name[64];
    int error;

    *m = (struct monitor){
        .watched = watched, .heard = heard, .context = context};
    snprintf(name, sizeof name, "inproc://monitor-%" PRIu64, zloop_name(z));
    m->events = zsocket_open(z, zmq_context, ZMQ_PAIR, on_ready, m);
    if (m->events == NULL)
        goto fail;
    zsocket_set(m->events, ZMQ_RCVHWM, MONITOR_WAITING);
    if (zmq_socket_monitor(zsocket_raw(watched), name, all_events()) != 0)
        goto fail;
    if (zmq_connect(zsocket_raw(m->events), name) != 0)
        goto fail_monitor;
    zsocket_touch(m->events);
    return m;

fail_monitor:
    error = errno;
    zmq_socket_monitor(zsocket_raw(watched), NULL, 0);
    errno = error;
fail:
    error = errno;
    zsocket_close(&m->events);
    free(m);
    errno = error;
    return NULL;
}

/* libzmq's thread may be blocked on a full queue while it holds a lock that
 * closing the monitor needs, so the queue is emptied. */
static void discard(struct monitor *m)
{
    zmq_msg_t frame;

    zmq_msg_init(&frame);
    for (int i = 0; i < 2 * MONITOR_WAITING; i++)
        if (zsocket_recv(m->events, &frame) < 0)
            break;
    zmq_msg_close(&frame);
}

void monitor_close(struct monitor **self)
{
    struct monitor *m = *self;

    if (m == NULL)
        return;
    *self = NULL;
    if (m->closed != NULL)
        *m->closed = true;
    discard(m);
    zmq_socket_monitor(zsocket_raw(m->watched), NULL, 0);
    zsocket_close(&m->events);
    free(m);
}
