/*
 * quic_model - what QUIC does to packets and datagrams, as a small model.
 *
 * A connection carries packets reliably and in order over datagrams that may
 * be lost, doubled, reordered, or too large for the way. Nothing is encrypted:
 * a datagram carries a key made of the secret, the identity and the direction,
 * and an end takes no other. An end drops what it does not know, without an
 * answer.
 *
 * As in QUIC: the first datagrams of both ends have 1,200 bytes; larger ones
 * are tried later, and once one was acknowledged the size never shrinks. The
 * server follows a client whose address changes; the client takes datagrams
 * from one address only. The client keeps an idle connection open by a packet
 * each 20 to 26 s. A process that is killed says nothing to the other end.
 *
 * Pure: datagrams and time go in, what to do comes out of quic_model_next.
 */
#ifndef TESTS_SIM_QUIC_MODEL_H
#define TESTS_SIM_QUIC_MODEL_H

#include "common/base/address.h"
#include "common/base/bytes.h"
#include "tests/sim/rng.h"

enum {
    QUIC_MODEL_LEAST = 1200, /* bytes of a datagram that it starts with, */
    QUIC_MODEL_MOST = 1452,  /* and that it tries */
};

struct quic_model_conf {
    bool client;
    uint8_t secret[32];
    uint8_t identity[64];
    struct address remote;
    struct rng rng; /* a seed of its own */
};

struct quic_model;

struct quic_model *quic_model_new(const struct quic_model_conf *conf,
                                  struct instant now);
void quic_model_free(struct quic_model **self); /* NULL-safe; nulls */

/* Whether the datagram is one of this model, and its key: 0x40 is set in the
 * first byte. */
bool quic_model_key(struct bytes datagram, uint64_t *key) MUST_USE;
/* The key of the datagrams that this end takes. */
uint64_t quic_model_takes(const struct quic_model *q);

/* A datagram with that key came. */
void quic_model_take(struct quic_model *q, const struct address *from,
                     struct bytes datagram, struct instant now);
/* Takes a packet of any size. */
void quic_model_send(struct quic_model *q, struct bytes packet);
/* Bytes sent that the other end did not acknowledge yet. */
size_t quic_model_waiting(const struct quic_model *q);
/* Ends the connection: quic_model_next tells the other end, and no event. */
void quic_model_close(struct quic_model *q);

void quic_model_due(struct quic_model *q, struct instant now);
struct instant quic_model_deadline(const struct quic_model *q);

enum quic_model_action {
    QUIC_MODEL_OPENED,
    QUIC_MODEL_PACKET,   /* bytes: came; valid until the next call */
    QUIC_MODEL_DATAGRAM, /* to, bytes: is to be sent; as valid */
    QUIC_MODEL_FAILED,   /* the handshake took 5 s */
    QUIC_MODEL_ENDED,    /* by the other end, or by 60 s of silence */
};

struct quic_model_do {
    enum quic_model_action action;
    struct address to;
    struct bytes bytes;
};

/* The next thing to do. False: there is none. To be called until false after
 * each of the calls above. */
bool quic_model_next(struct quic_model *q, struct quic_model_do *todo,
                     struct instant now) MUST_USE;

#endif
