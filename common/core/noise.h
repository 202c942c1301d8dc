/*
 * noise - the handshake Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b, both sides
 * [P-6.2].
 *
 *     <- s
 *     -> e, es, s, ss, payload
 *     <- e, ee, se, psk, payload
 *
 * The initiator writes message 1 and reads message 2, the responder reads 1 and
 * writes 2; then both have the same two keys (noise_split). A message that does
 * not authenticate makes the function return false, and the handshake is
 * unusable from then on. The module draws no randomness: the caller passes 32
 * fresh random bytes as ephemeral_secret.
 */
#ifndef COMMON_CORE_NOISE_H
#define COMMON_CORE_NOISE_H

#include "common/base/bytes.h"
#include "common/core/secrets.h"

enum {
    NOISE_1_OVERHEAD = 32 + 32 + 16 + 16, /* e, sealed s, the payload's tag */
    NOISE_2_OVERHEAD = 32 + 16,
};

struct noise {
    uint8_t hash[64];
    uint8_t chaining_key[64];
    uint8_t key[32];
    uint64_t nonce;
    bool has_key;
    struct curve_pair self;
    struct curve_pair ephemeral;
    uint8_t peer_static[32];
    uint8_t peer_ephemeral[32];
    uint8_t psk[32];
};

/* Starts the initiator's side; `peer` is the responder's static public key. */
void noise_start_initiator(struct noise *n, const struct curve_pair *self,
                           const struct curve_key *peer, const uint8_t psk[32],
                           struct bytes prologue,
                           const uint8_t ephemeral_secret[32]);
/* Starts the responder's side; it learns the initiator's key from message 1. */
void noise_start_responder(struct noise *n, const struct curve_pair *self,
                           const uint8_t psk[32], struct bytes prologue,
                           const uint8_t ephemeral_secret[32]);

/* Writes message 1; `w` needs payload.size + NOISE_1_OVERHEAD bytes. False if
 * the peer's public key is invalid (a low-order point). */
bool noise_write_1(struct noise *n, struct bytes payload,
                   struct writer *w) MUST_USE;
/* Decrypts message 1 to `payload`, which needs message.size - NOISE_1_OVERHEAD
 * bytes; `*size` is the number of bytes written. On true, n->peer_static is the
 * initiator's authenticated key. */
bool noise_read_1(struct noise *n, struct bytes message, uint8_t *payload,
                  size_t *size) MUST_USE;
/* The same for message 2, with NOISE_2_OVERHEAD. */
bool noise_write_2(struct noise *n, struct bytes payload,
                   struct writer *w) MUST_USE;
bool noise_read_2(struct noise *n, struct bytes message, uint8_t *payload,
                  size_t *size) MUST_USE;

/* The keys after the handshake, one for each direction. */
void noise_split(const struct noise *n, uint8_t initiator_sends[32],
                 uint8_t responder_sends[32]);
/* Erases all secrets; the struct may be started again. */
void noise_wipe(struct noise *n);

#endif
