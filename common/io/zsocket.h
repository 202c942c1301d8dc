/*
 * zsocket - libzmq sockets on a libuv loop, so that no event is missed and no
 * socket starves another.
 *
 * ZMQ_FD is edge-triggered, and any send or receive may swallow its edge. So
 * each socket that was touched (its descriptor fired, something was sent or
 * received) is asked for ZMQ_EVENTS in the same turn of the loop, and again as
 * long as it has something to do; the loop does not sleep meanwhile.
 *
 * One zloop for each uv loop. A turn: descriptors and timers fire, then each
 * touched socket's `ready` is called once, then `after` once. `ready` takes as
 * much as it likes and may leave the rest: it is called again the next turn,
 * after the other sockets had theirs.
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

/* End of a turn in which a socket was touched or zloop_kick was called. */
typedef void zloop_after(void *context);
/* `events`: ZMQ_POLLIN, ZMQ_POLLOUT as they are now; 0 when the descriptor
 * fired for something else (of a ROUTER: one of its clients may be writable
 * again). May close its own and any other socket. */
typedef void zsocket_ready(void *context, int events);

struct zloop {
    uv_loop_t *loop;
    zloop_after *after; /* may be NULL */
    void *context;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    struct zsocket *first; /* touched, in order */
    struct zsocket *last;
    struct zsocket *running;
    bool kicked;
    uint64_t names; /* given so far, see zloop_name */
};

/* The zloop stays where it is until the loop ran after zloop_close. Its own
 * handles do not keep the loop alive, the sockets' do. */
void zloop_open(struct zloop *z, uv_loop_t *loop, zloop_after *after,
                void *context);
void zloop_close(struct zloop *z);
/* Calls `after` in this turn, or at once in the next: for events that did not
 * come from a zsocket (a timer, a datagram, a local request). */
void zloop_kick(struct zloop *z);

/* Something waits for the next turn: the loop is to run at once. For an owner
 * that runs it by uv_run(UV_RUN_NOWAIT), and sleeps elsewhere. */
bool zloop_busy(const struct zloop *z);

/* A number that no other socket's inproc name has: libzmq frees a name some
 * time after its socket was closed. */
uint64_t zloop_name(struct zloop *z);

/*
 * A libzmq context: initializes libsodium, seeds rand() (whose
 * numbers are the ROUTERs' routing ids), and allows `sockets` sockets at most.
 * NULL if libsodium or libzmq fail.
 */
void *zcontext_open(int sockets) MUST_USE;
/* Waits for what lingers: at most the longest ZMQ_LINGER. */
void zcontext_close(void **zmq_context);

/* NULL with errno of libzmq (EMFILE: too many sockets). ZMQ_LINGER is 0 until
 * set otherwise. */
struct zsocket *zsocket_open(struct zloop *z, void *zmq_context, int type,
                             zsocket_ready *ready, void *context) MUST_USE;
/* Closes at once; what was sent leaves within ZMQ_LINGER. NULL-safe. */
void zsocket_close(struct zsocket **s);
/* libzmq's socket, for options, bind and connect. Whoever sends or receives on
 * it directly calls zsocket_touch afterwards. */
void *zsocket_raw(const struct zsocket *s);
void zsocket_touch(struct zsocket *s);
bool zsocket_set(struct zsocket *s, int option, int value);

/* As zmq_msg_send and zmq_msg_recv with ZMQ_DONTWAIT added: -1 and errno. */
int zsocket_send(struct zsocket *s, zmq_msg_t *m, int flags) MUST_USE;
int zsocket_recv(struct zsocket *s, zmq_msg_t *m) MUST_USE;
/* Drops the frames that follow `m` in its message. */
void zsocket_skip(struct zsocket *s, zmq_msg_t *m);
/* For `ready`, after a whole message: as much came as in the call before, so
 * that there is likely no more. To hear that from libzmq costs two system
 * calls, and it is asked at the end of the turn anyway. */
bool zsocket_seems_dry(const struct zsocket *s);

/* Whether `ready` is called as long as there is something to read (at first
 * yes; `no` leaves it in libzmq, which stops reading when its queue is full),
 * and as long as the socket can be written (at first no). */
void zsocket_want_read(struct zsocket *s, bool wanted);
void zsocket_want_write(struct zsocket *s, bool wanted);

#endif
