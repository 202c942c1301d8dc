/*
 * curve - ZMTP 3.1 with the CURVE mechanism on a plain socket, without libzmq
 * (ZeroMQ RFC 37 and RFC 26).
 *
 * libzmq does not let a program stop in the middle of a handshake, repeat a
 * recorded handshake, or begin a message and never end it. Here each of these
 * is one call. Client and server are there, as an attacker may also pretend to
 * be a relay.
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
    /* Greeting and HELLO: everything that a client sends before the server's
     * first answer. */
    CURVE_OPENING_SIZE = CURVE_GREETING_SIZE + 2 + 200,
    /* The frame with WELCOME, which follows the server's greeting. */
    CURVE_WELCOME_SIZE = 2 + 168,
    CURVE_FRAME_OVERHEAD = 9 + 8 + 8 + 16 + 1,
    CURVE_OUT_SIZE = 2 * (PACKET_SIZE + CURVE_FRAME_OVERHEAD),
    CURVE_IN_SIZE = PACKET_SIZE + CURVE_FRAME_OVERHEAD,
};

struct curve {
    int fd;
    bool server;
    uint8_t key[32]; /* the secret that both connection keys share */
    uint64_t sent;   /* nonces: of the next box sent, the last one received */
    uint64_t heard;
    size_t out_size, out_done;
    uint8_t out[CURVE_OUT_SIZE];
    uint8_t in[CURVE_IN_SIZE];
};

/* Writes the opening of a client with this connection key. */
void curve_opening(const struct curve_key *server,
                   const struct curve_pair *connection,
                   uint8_t opening[CURVE_OPENING_SIZE]);
void curve_pair_random(struct curve_pair *pair);

/* Performs the whole handshake as a client, on a non-blocking socket. False if
 * it is not complete by the deadline (in attack_now_ms). */
bool curve_connect(struct curve *c, const struct curve_key *server,
                   const struct curve_pair *self, uint64_t deadline) MUST_USE;
/* The same as a server, for any client. */
bool curve_accept(struct curve *c, const struct curve_pair *self,
                  uint64_t deadline) MUST_USE;

/* Appends a sealed frame to the bytes to write; false if there is no room. With
 * `more` the message continues in the next frame. */
bool curve_put(struct curve *c, struct bytes frame, bool more);
/* Writes what the socket takes; false if the connection is closed. */
bool curve_flush(struct curve *c) MUST_USE;
bool curve_is_flushed(const struct curve *c);
/* Sends a packet as a message of one frame, and waits until it is written. */
bool curve_say(struct curve *c, struct bytes packet,
               uint64_t deadline) MUST_USE;
/* Receives the next packet, as a view that is valid until the next call. Empty
 * if none comes by the deadline, or if the connection is closed, which sets
 * *gone. */
struct bytes curve_hear(struct curve *c, uint64_t deadline, bool *gone);

#endif
