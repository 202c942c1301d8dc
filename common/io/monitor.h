/*
 * monitor - reports what happens to a libzmq socket's connections.
 *
 * The events of an accepted connection: ACCEPTED(fd), HANDSHAKE_DONE or
 * HANDSHAKE_FAILED, DISCONNECTED(fd). Those of an outgoing one: CONNECTED(fd),
 * HANDSHAKE_DONE or HANDSHAKE_FAILED, DISCONNECTED(fd); or only CONNECT_FAILED.
 * DISCONNECTED also follows a failed handshake.
 *
 * libzmq does not say to which connection an event of a handshake belongs: use
 * one socket for each outgoing connection. For an incoming connection,
 * ZMQ_SRCFD of a message is the connection's fd. The system reuses a descriptor
 * after DISCONNECTED: call monitor_drain before you trust the fd of a new
 * connection's first message.
 */
#ifndef COMMON_IO_MONITOR_H
#define COMMON_IO_MONITOR_H

#include "common/base/bytes.h"
#include "common/io/zsocket.h"

enum monitor_kind {
    MONITOR_LISTENING, /* fd: the listening socket */
    MONITOR_ACCEPTED,
    /* error: EMFILE if the process has no free descriptor. */
    MONITOR_ACCEPT_FAILED,
    MONITOR_CONNECTED,
    MONITOR_CONNECT_FAILED, /* error: 0 if libzmq does not tell */
    MONITOR_HANDSHAKE_DONE,
    MONITOR_HANDSHAKE_FAILED,
    MONITOR_DISCONNECTED,
};

enum { MONITOR_ENDPOINT_SIZE = 128 };

struct monitor_event {
    enum monitor_kind kind;
    int fd;    /* -1 if the event has none */
    int error; /* errno, or 0 */
    /* HANDSHAKE_FAILED: "closed", "protocol", "auth"; else "". */
    const char *reason;
    /* Incoming: the listener's endpoint; outgoing: the remote one. */
    char endpoint[MONITOR_ENDPOINT_SIZE];
};

struct monitor;

/* Called for each event; may close the monitor. */
typedef void monitor_heard(void *context, const struct monitor_event *event);

/* Reports events from now on: call it before bind or connect. NULL with errno.
 */
struct monitor *monitor_open(struct zloop *z, void *zmq_context,
                             struct zsocket *watched, monitor_heard *heard,
                             void *context) MUST_USE;
/* Call it before the watched socket is closed. NULL is allowed. */
void monitor_close(struct monitor **self);
/* Reports all events that are waiting, now. */
void monitor_drain(struct monitor *m);

/* Parses the two frames in which libzmq sends an event; false for events that
 * this module does not report (closed, stopped, ...). */
bool monitor_parse(struct bytes head, struct bytes endpoint,
                   struct monitor_event *event) MUST_USE;

#endif
