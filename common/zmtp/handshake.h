/*
 * handshake - the four commands by which a CurveZMQ client and server agree on
 * a key [RFC 26]: their bodies, without a frame around them.
 *
 *     client                          server
 *     hello_write      -- HELLO -->   hello_read
 *     welcome_read   <-- WELCOME --   welcome_write
 *     initiate_write -- INITIATE -->  initiate_read
 *     ready_read       <-- READY --   ready_write
 *
 * A server keeps nothing secret of a client between WELCOME and INITIATE but
 * the key of the cookie; what it must know again comes back in the cookie. Each
 * connection has such a key of its own, so a recorded INITIATE opens no second
 * connection [P-12.5].
 *
 * The functions that read return the first thing that is wrong [P-12.3].
 */
#ifndef COMMON_ZMTP_HANDSHAKE_H
#define COMMON_ZMTP_HANDSHAKE_H

#include "common/core/entropy.h"
#include "common/core/secrets.h"
#include "common/zmtp/failure.h"
#include "common/zmtp/message_box.h"
#include "common/zmtp/metadata.h"

enum {
    HELLO_SIZE = 200,
    WELCOME_SIZE = 168,
    INITIATE_SIZE = 257, /* and the metadata */
    READY_SIZE = 30,     /* and the metadata */
    COOKIE_SIZE = 96,
    INITIATE_WRITE_SIZE = INITIATE_SIZE + METADATA_WRITE_SIZE,
    READY_WRITE_SIZE = READY_SIZE + METADATA_WRITE_SIZE,
};

/* ---- The client ------------------------------------------------------- */

struct client_handshake {
    const struct curve_pair *keys; /* its own for a long term; borrowed */
    struct curve_key server;       /* the server's for a long term */
    struct curve_pair transient;   /* its own for this connection */
    uint8_t server_transient[32];
    uint8_t cookie[COOKIE_SIZE];
    uint8_t shared[32]; /* of both transient keys: seals what follows */
};

/* False if the server's key is no valid one. */
bool hello_write(const struct client_handshake *h, uint64_t nonce,
                 uint8_t out[HELLO_SIZE]) MUST_USE;
/* Fills server_transient, cookie and shared. */
enum zmtp_failure welcome_read(struct client_handshake *h,
                               struct bytes body) MUST_USE;
/* Returns the size. */
size_t initiate_write(const struct client_handshake *h, uint64_t nonce,
                      struct entropy *entropy,
                      uint8_t out[INITIATE_WRITE_SIZE]);
/* Decrypts in place, checks the metadata, and tells the nonce. */
enum zmtp_failure ready_read(const uint8_t shared[32], uint8_t *body,
                             size_t size, uint64_t *nonce) MUST_USE;

/* ---- The server ------------------------------------------------------- */

struct server_hello {
    uint64_t nonce;
    uint8_t client_transient[32];
    uint8_t shared[32]; /* of the client's transient and our long-term key */
};

struct server_initiate {
    uint64_t nonce;
    struct curve_key client; /* the client's for a long term, proved */
    uint8_t shared[32];      /* of both transient keys */
};

/* Costs one multiplication on the curve. */
enum zmtp_failure hello_read(const struct curve_pair *keys, struct bytes body,
                             struct server_hello *h) MUST_USE;
/* Makes the transient key and the cookie under a new `cookie_key`. Costs one
 * multiplication. */
void welcome_write(const struct server_hello *h, struct entropy *entropy,
                   uint8_t cookie_key[32], uint8_t out[WELCOME_SIZE]);
/* Decrypts in place and checks everything but the client's right to be here.
 * `hello_nonce` is the one of HELLO. Costs two multiplications once the cookie
 * is known to be ours. */
enum zmtp_failure initiate_read(const struct curve_pair *keys,
                                const uint8_t cookie_key[32],
                                uint64_t hello_nonce, uint8_t *body,
                                size_t size,
                                struct server_initiate *i) MUST_USE;
/* Returns the size. */
size_t ready_write(const uint8_t shared[32], uint64_t nonce,
                   uint8_t out[READY_WRITE_SIZE]);

/* True if the body begins with that name, as "\5HELLO" is written. */
static inline bool command_is(struct bytes body, const char *name)
{
    size_t size = 1 + (size_t)name[0];

    return body.size >= size && memcmp(body.data, name, size) == 0;
}

#endif
