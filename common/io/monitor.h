/*
 * monitor - what happens to a libzmq socket's connections, as events.
 *
 * An accepted connection: ACCEPTED(fd), HANDSHAKE_DONE or HANDSHAKE_FAILED,
 * DISCONNECTED(fd). One that was opened here: CONNECTED(fd), HANDSHAKE_DONE or
 * HANDSHAKE_FAILED, DISCONNECTED(fd); or CONNECT_FAILED alone. A failed
 * handshake is followed by DISCONNECTED.
 *
 * libzmq names no connection in the handshake's events: use one socket for
 * each outgoing connection. For incoming ones, a message's ZMQ_SRCFD is the
 * connection's fd. A descriptor is used again after DISCONNECTED, so drain the
 * monitor before trusting the fd of a new connection's first message.
 */
#ifndef COMMON_IO_MONITOR_H
#define COMMON_IO_MONITOR_H

#include "common/base/bytes.h"
#include "common/io/zsocket.h"

enum monitor_kind {
    MONITOR_LISTENING, /* fd: the listener's */
    MONITOR_ACCEPTED,
    MONITOR_ACCEPT_FAILED, /* error: EMFILE: out of descriptors */
    MONITOR_CONNECTED,
    MONITOR_CONNECT_FAILED, /* error: 0 when libzmq does not tell */
    MONITOR_HANDSHAKE_DONE,
    MONITOR_HANDSHAKE_FAILED,
    MONITOR_DISCONNECTED,
};

enum { MONITOR_ENDPOINT_SIZE = 128 };

struct monitor_event {
    enum monitor_kind kind;
    int fd;    /* -1 where the event has none */
    int error; /* errno, or 0 */
    /* HANDSHAKE_FAILED: "closed", "protocol", "auth"; else "". */
    const char *reason;
    /* The listener's endpoint for incoming, the remote one for outgoing. */
    char endpoint[MONITOR_ENDPOINT_SIZE];
};

struct monitor;

/* May close the monitor. */
typedef void monitor_heard(void *context, const struct monitor_event *event);

/* Watches from now on: call it before bind or connect. NULL with errno. */
struct monitor *monitor_open(struct zloop *z, void *zmq_context,
                             struct zsocket *watched, monitor_heard *heard,
                             void *context) MUST_USE;
/* Before the watched socket is closed. NULL-safe. */
void monitor_close(struct monitor **self);
/* Hands out all that waits, now. */
void monitor_drain(struct monitor *m);

/* The two frames of an event as libzmq sends them; false for those that say
 * nothing of this (closed, stopped, ...). */
bool monitor_parse(struct bytes head, struct bytes endpoint,
                   struct monitor_event *event) MUST_USE;

#endif
