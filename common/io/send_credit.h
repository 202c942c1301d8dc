/*
 * held - how much libzmq holds of what was written to one connection.
 *
 * libzmq's own limit counts packets, of 64 KiB as of 64 B, and each time half
 * of them is out it wakes who sends, small as they may be. So a packet that is
 * not small goes with a note, which comes back once libzmq is done with it (it
 * has encrypted it, and has at most one such on its hands). Notes come back on
 * libzmq's threads, also after the connection is forgotten here.
 */
#ifndef COMMON_IO_SEND_CREDIT_H
#define COMMON_IO_SEND_CREDIT_H

#include "common/io/bell.h"
#include "common/io/zsocket.h"

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

/* Smaller packets cost no note; libzmq's own limit counts them. */
enum { SEND_CREDIT_PACKET = 1024 };

struct send_credit;

/* libzmq may hold `limit` bytes. `bell`: rung when it has given half of that
 * back after it was full; NULL: who uses this asks again by itself. */
struct send_credit *send_credit_new(size_t limit, struct bell *bell);
/* The connection is forgotten. NULL-safe. */
void send_credit_release(struct send_credit **self);
/* False: full, and the bell will ring. */
bool send_credit_has_room(struct send_credit *h);
/* What it holds now. */
size_t send_credit_bytes(const struct send_credit *h);
/* The packet, unchanged and not copied, counts until libzmq is done with it. */
void send_credit_add(struct send_credit *h, zmq_msg_t *packet);
/* 0, or -1 and errno; what was not sent does not count. */
int send_credit_send(struct send_credit *h, struct zsocket *s,
                     zmq_msg_t *packet) MUST_USE;

#endif
