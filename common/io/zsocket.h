/*
 * zsocket - libzmq sockets on a libuv loop: no event is missed, and no socket
 * starves another.
 *
 * ZMQ_FD is edge-triggered, and any send or receive may consume its edge. So
 * each socket that was touched (its descriptor became readable, or something
 * was sent or received) is asked for ZMQ_EVENTS in the same turn of the loop,
 * and again in each turn while it has something to do; the loop does not sleep
 * meanwhile.
 *
 * Use one zloop for each uv loop. In a turn, libuv first calls descriptors and
 * timers, then each touched socket's `ready` is called once, then `after` once.
 * `ready` may read as much as it likes and leave the rest: it is called again
 * in the next turn, after the other sockets.
 *
 *     zloop_open(&z, loop, end_of_turn, me);
 *     s = zsocket_open(&z, zmq_context, ZMQ_ROUTER, on_ready, me);
 *     zmq_setsockopt(zsocket_raw(s), ...); zmq_bind(zsocket_raw(s), ...);
 *     ...
 *     zsocket_close(&s); zloop_close(&z); uv_run(loop, UV_RUN_DEFAULT);
 */
#ifndef COMMON_IO_ZSOCKET_H
#define COMMON_IO_ZSOCKET_H

#include "common/base/assert.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>
#include <zmq.h>

struct zsocket;

/* Called at the end of a turn in which a socket was touched or zloop_kick was
 * called. */
typedef void zloop_after(void *context);
/* `events`: ZMQ_POLLIN and ZMQ_POLLOUT as they are now; 0 if the descriptor
 * became readable for another reason (a ROUTER: one of its clients may be
 * writable again). May close its own socket and others. */
typedef void zsocket_ready(void *context, int events);

struct zloop {
    uv_loop_t *loop;
    zloop_after *after; /* may be NULL */
    void *context;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    struct zsocket *first; /* the touched sockets, in order */
    struct zsocket *last;
    struct zsocket *running;
    bool kicked;
    uint64_t names; /* names given so far, see zloop_name */
};

/* `z` must stay in place until the loop has run after zloop_close. Its own
 * handles do not keep the loop alive; those of the sockets do. */
void zloop_open(struct zloop *z, uv_loop_t *loop, zloop_after *after,
                void *context);
void zloop_close(struct zloop *z);
/* Makes sure that `after` is called in this turn or in the next, which follows
 * at once: for events that do not come from a zsocket (a timer, a datagram, a
 * local request). */
void zloop_kick(struct zloop *z);

/* True if the next turn must follow at once. For an owner that runs the loop
 * with uv_run(UV_RUN_NOWAIT) and sleeps elsewhere. */
bool zloop_busy(const struct zloop *z);

/* A number for the inproc name of a socket; never the same twice, because
 * libzmq frees a name some time after its socket was closed. */
uint64_t zloop_name(struct zloop *z);

/*
 * Opens a libzmq context with at most `sockets` sockets. Also initializes
 * libsodium and seeds rand(), from which libzmq takes the routing ids of
 * ROUTERs. NULL if libsodium or libzmq fail.
 */
void *zcontext_open(int sockets) MUST_USE;
/* Waits for unsent messages, at most the longest ZMQ_LINGER. Sets the pointer
 * to NULL. */
void zcontext_close(void **zmq_context);

/* Opens a socket with ZMQ_LINGER 0. NULL with errno of libzmq (EMFILE: too many
 * sockets). */
struct zsocket *zsocket_open(struct zloop *z, void *zmq_context, int type,
                             zsocket_ready *ready, void *context) MUST_USE;
/* Closes at once; messages that were sent still leave within ZMQ_LINGER. Sets
 * the pointer to NULL; NULL is allowed. */
void zsocket_close(struct zsocket **s);
/* The libzmq socket, for options, bind and connect. A caller that sends or
 * receives on it directly must call zsocket_touch afterwards. */
void *zsocket_raw(const struct zsocket *s);
void zsocket_touch(struct zsocket *s);
bool zsocket_set(struct zsocket *s, int option, int value);

/* Like zmq_msg_send and zmq_msg_recv with ZMQ_DONTWAIT added: -1 and errno. */
int zsocket_send(struct zsocket *s, zmq_msg_t *m, int flags) MUST_USE;
int zsocket_recv(struct zsocket *s, zmq_msg_t *m) MUST_USE;
/* Drops the frames that follow `m` in its message. */
void zsocket_skip(struct zsocket *s, zmq_msg_t *m);
/* For `ready`, after a whole message: true if as many frames came as in the
 * call before, so that probably no more are waiting. To learn that from libzmq
 * costs two system calls, and it is asked at the end of the turn anyway. */
bool zsocket_seems_dry(const struct zsocket *s);

/* Whether `ready` is also called while the socket can be written; initially
 * not. It is always called while there is something to read. */
void zsocket_want_write(struct zsocket *s, bool wanted);

#endif
