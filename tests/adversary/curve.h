/*
 * curve - ZMTP 3.1 with the CURVE mechanism over a socket, by hand (ZeroMQ RFC
 * 37 and RFC 26).
 *
 * libzmq would not let a program stop in the middle of a handshake, repeat a
 * recorded one, or begin a message and never end it. Here each of these is one
 * call. Both ends are there: an attacker may also play the relay.
 *
 *     c.fd = socket_open(...);
 *     if (curve_connect(&c, &server_key, &own_pair, deadline))
 *         curve_put(&c, bytes_of("\x13", 1), true), curve_flush(&c);
 */
#ifndef TESTS_ADVERSARY_CURVE_H
#define TESTS_ADVERSARY_CURVE_H

#include "common/base/bytes.h"
#include "common/core/secrets.h"
#include "common/wire/packet.h"

enum {
    CURVE_GREETING_SIZE = 64,
    /* Greeting and HELLO: all that a client sends before it hears anything. */
    CURVE_OPENING_SIZE = CURVE_GREETING_SIZE + 2 + 200,
    /* WELCOME as a frame, behind the server's greeting. */
    CURVE_WELCOME_SIZE = 2 + 168,
    CURVE_FRAME_OVERHEAD = 9 + 8 + 8 + 16 + 1,
    CURVE_OUT_SIZE = 2 * (PACKET_SIZE + CURVE_FRAME_OVERHEAD),
    CURVE_IN_SIZE = PACKET_SIZE + CURVE_FRAME_OVERHEAD,
};

struct curve {
    int fd;
    bool server;
    uint8_t key[32]; /* the shared secret of both connection keys */
    uint64_t sent;   /* the nonces of the next box and of the last one */
    uint64_t heard;
    size_t out_size, out_done;
    uint8_t out[CURVE_OUT_SIZE];
    uint8_t in[CURVE_IN_SIZE];
};

/* What a client with this connection key says first. */
void curve_opening(const struct curve_key *server,
                   const struct curve_pair *connection,
                   uint8_t opening[CURVE_OPENING_SIZE]);
void curve_pair_random(struct curve_pair *pair);

/* The whole handshake, on a socket that does not block; false if the other end
 * does not finish it by the deadline (of attack_now_ms). */
bool curve_connect(struct curve *c, const struct curve_key *server,
                   const struct curve_pair *self, uint64_t deadline) MUST_USE;
/* The same as the server, for whichever client. */
bool curve_accept(struct curve *c, const struct curve_pair *self,
                  uint64_t deadline) MUST_USE;

/* Seals a frame behind what is to be written; false if there is no room. With
 * `more` the message goes on in the next frame. */
bool curve_put(struct curve *c, struct bytes frame, bool more);
/* Writes what the socket takes; false if the connection is gone. */
bool curve_flush(struct curve *c) MUST_USE;
bool curve_is_flushed(const struct curve *c);
/* Puts a whole packet and waits until it is written. */
bool curve_say(struct curve *c, struct bytes packet,
               uint64_t deadline) MUST_USE;
/* The next packet, in place; empty if none comes by the deadline, or the
 * connection is gone (then *gone). Valid until the next call. */
struct bytes curve_hear(struct curve *c, uint64_t deadline, bool *gone);

#endif
