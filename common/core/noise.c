#include "common/core/noise.h"

#include "common/core/seal.h"

#include <sodium.h>

#include <string.h>

/* Names are those of the Noise specification, revision 34: sections 4.3 (HKDF),
 * 5.1 to 5.3 (the states), 9 (pre-shared keys). */

enum {
    HASH_SIZE = 64,
    HASH_BLOCK = 128,
    DH_SIZE = 32,
    TAG_SIZE = crypto_aead_chacha20poly1305_ietf_ABYTES,
};

static const char protocol_name[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b";

static void hash_two(uint8_t out[HASH_SIZE], struct bytes a, struct bytes b)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, HASH_SIZE);
    crypto_generichash_update(&state, a.data, a.size);
    crypto_generichash_update(&state, b.data, b.size);
    crypto_generichash_final(&state, out, HASH_SIZE);
    sodium_memzero(&state, sizeof(state));
}

/* HMAC (RFC 2104) over BLAKE2b; the keys here are no longer than a block. */
static void hmac(uint8_t out[HASH_SIZE], const uint8_t key[HASH_SIZE],
                 struct bytes data)
{
    uint8_t pad[HASH_BLOCK];
    uint8_t inner[HASH_SIZE];

    memset(pad, 0x36, sizeof(pad));
    for (size_t i = 0; i < HASH_SIZE; i++)
        pad[i] ^= key[i];
    hash_two(inner, bytes_of(pad, sizeof(pad)), data);

    memset(pad, 0x5c, sizeof(pad));
    for (size_t i = 0; i < HASH_SIZE; i++)
        pad[i] ^= key[i];
    hash_two(out, bytes_of(pad, sizeof(pad)), bytes_of(inner, sizeof(inner)));

    sodium_memzero(pad, sizeof(pad));
    sodium_memzero(inner, sizeof(inner));
}

/* Writes the first `count` (1 to 3) outputs of HKDF. */
static void hkdf(uint8_t out[][HASH_SIZE], size_t count,
                 const uint8_t chaining_key[HASH_SIZE], struct bytes input)
{
    uint8_t temporary[HASH_SIZE];
    uint8_t block[HASH_SIZE + 1];

    hmac(temporary, chaining_key, input);
    for (size_t i = 0; i < count; i++) {
        size_t size = i == 0 ? 0 : HASH_SIZE;

        if (size > 0)
            memcpy(block, out[i - 1], size);
        block[size] = (uint8_t)(i + 1);
        hmac(out[i], temporary, bytes_of(block, size + 1));
    }
    sodium_memzero(temporary, sizeof(temporary));
    sodium_memzero(block, sizeof(block));
}

static void set_key(struct noise *n, const uint8_t key[HASH_SIZE])
{
    memcpy(n->key, key, sizeof(n->key));
    n->nonce = 0;
    n->has_key = true;
}

static void mix_hash(struct noise *n, struct bytes data)
{
    hash_two(n->hash, bytes_of(n->hash, HASH_SIZE), data);
}

static void mix_key(struct noise *n, struct bytes input)
{
    uint8_t out[2][HASH_SIZE];

    hkdf(out, 2, n->chaining_key, input);
    memcpy(n->chaining_key, out[0], HASH_SIZE);
    set_key(n, out[1]);
    sodium_memzero(out, sizeof(out));
}

static void mix_psk(struct noise *n)
{
    uint8_t out[3][HASH_SIZE];

    hkdf(out, 3, n->chaining_key, bytes_of(n->psk, sizeof(n->psk)));
    memcpy(n->chaining_key, out[0], HASH_SIZE);
    mix_hash(n, bytes_of(out[1], HASH_SIZE));
    set_key(n, out[2]);
    sodium_memzero(out, sizeof(out));
}

/* False for a low-order point: everybody knows the product of a secret with it.
 */
static bool mix_dh(struct noise *n, const uint8_t secret[DH_SIZE],
                   const uint8_t public_key[DH_SIZE])
{
    uint8_t shared[DH_SIZE];
    bool good = crypto_scalarmult(shared, secret, public_key) == 0;

    if (good)
        mix_key(n, bytes_of(shared, sizeof(shared)));
    sodium_memzero(shared, sizeof(shared));
    return good;
}

static void encrypt_and_hash(struct noise *n, struct bytes plain,
                             struct writer *w)
{
    uint8_t nonce[SEAL_NONCE_SIZE];
    uint8_t *to = write_room(w, plain.size + TAG_SIZE);

    if (to == NULL)
        return;
    seal_nonce(n->nonce++, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(to, NULL, plain.data, plain.size,
                                              n->hash, HASH_SIZE, NULL, nonce,
                                              n->key);
    mix_hash(n, bytes_of(to, plain.size + TAG_SIZE));
}

static bool decrypt_and_hash(struct noise *n, struct bytes sealed,
                             uint8_t *plain)
{
    uint8_t nonce[SEAL_NONCE_SIZE];

    seal_nonce(n->nonce++, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            plain, NULL, NULL, sealed.data, sealed.size, n->hash, HASH_SIZE,
            nonce, n->key) != 0)
        return false;
    mix_hash(n, sealed);
    return true;
}

/* The token e. In a handshake with a psk its public key is mixed into the key
 * as well. */
static void write_ephemeral(struct noise *n, struct writer *w)
{
    struct bytes e = bytes_of(n->ephemeral.public_key, DH_SIZE);

    write_bytes(w, e);
    mix_hash(n, e);
    mix_key(n, e);
}

static void read_ephemeral(struct noise *n, struct reader *r)
{
    struct bytes e = bytes_of(n->peer_ephemeral, DH_SIZE);

    read_copy(r, n->peer_ephemeral, DH_SIZE);
    mix_hash(n, e);
    mix_key(n, e);
}

static void start(struct noise *n, const struct curve_pair *self,
                  const uint8_t psk[32], struct bytes prologue,
                  const uint8_t ephemeral_secret[32],
                  const uint8_t responder[DH_SIZE])
{
    /* The protocol's name is shorter than a hash, so it is padded and not
     * hashed. */
    _Static_assert(sizeof(protocol_name) - 1 <= HASH_SIZE, "5.2");

    memset(n->hash, 0, HASH_SIZE);
    memcpy(n->hash, protocol_name, sizeof(protocol_name) - 1);
    memcpy(n->chaining_key, n->hash, HASH_SIZE);
    n->self = *self;
    curve_pair_generate(&n->ephemeral, ephemeral_secret);
    memcpy(n->psk, psk, sizeof(n->psk));
    mix_hash(n, prologue);
    mix_hash(n, bytes_of(responder, DH_SIZE));
}

void noise_start_initiator(struct noise *n, const struct curve_pair *self,
                           const struct curve_key *peer, const uint8_t psk[32],
                           struct bytes prologue,
                           const uint8_t ephemeral_secret[32])
{
    memset(n, 0, sizeof(*n));
    memcpy(n->peer_static, peer->key, DH_SIZE);
    start(n, self, psk, prologue, ephemeral_secret, n->peer_static);
}

void noise_start_responder(struct noise *n, const struct curve_pair *self,
                           const uint8_t psk[32], struct bytes prologue,
                           const uint8_t ephemeral_secret[32])
{
    memset(n, 0, sizeof(*n));
    start(n, self, psk, prologue, ephemeral_secret, self->public_key);
}

/* A handshake that was started has a hash that is not zero; noise_wipe zeroes
 * it. */
static bool is_usable(const struct noise *n)
{
    return !sodium_is_zero(n->hash, HASH_SIZE);
}

/* The result of a step. A failed handshake is wiped, so that it stays unusable.
 */
static bool outcome(struct noise *n, bool good)
{
    if (!good)
        noise_wipe(n);
    return good;
}

static bool write_1(struct noise *n, struct bytes payload, struct writer *w)
{
    write_ephemeral(n, w);
    if (!mix_dh(n, n->ephemeral.secret_key, n->peer_static)) /* es */
        return false;
    encrypt_and_hash(n, bytes_of(n->self.public_key, DH_SIZE), w);
    if (!mix_dh(n, n->self.secret_key, n->peer_static)) /* ss */
        return false;
    encrypt_and_hash(n, payload, w);
    return writer_ok(w);
}

static bool read_1(struct noise *n, struct bytes message, uint8_t *payload,
                   size_t *size)
{
    struct reader r = reader_of(message);
    struct bytes sealed;

    if (message.size < NOISE_1_OVERHEAD)
        return false;
    read_ephemeral(n, &r);
    if (!mix_dh(n, n->self.secret_key, n->peer_ephemeral)) /* es */
        return false;
    sealed = read_bytes(&r, DH_SIZE + TAG_SIZE);
    if (!decrypt_and_hash(n, sealed, n->peer_static))
        return false;
    if (!mix_dh(n, n->self.secret_key, n->peer_static)) /* ss */
        return false;
    sealed = read_bytes(&r, reader_left(&r));
    *size = sealed.size - TAG_SIZE;
    return decrypt_and_hash(n, sealed, payload);
}

static bool write_2(struct noise *n, struct bytes payload, struct writer *w)
{
    write_ephemeral(n, w);
    if (!mix_dh(n, n->ephemeral.secret_key, n->peer_ephemeral)) /* ee */
        return false;
    if (!mix_dh(n, n->ephemeral.secret_key, n->peer_static)) /* se */
        return false;
    mix_psk(n);
    encrypt_and_hash(n, payload, w);
    return writer_ok(w);
}

static bool read_2(struct noise *n, struct bytes message, uint8_t *payload,
                   size_t *size)
{
    struct reader r = reader_of(message);
    struct bytes sealed;

    if (message.size < NOISE_2_OVERHEAD)
        return false;
    read_ephemeral(n, &r);
    if (!mix_dh(n, n->ephemeral.secret_key, n->peer_ephemeral)) /* ee */
        return false;
    if (!mix_dh(n, n->self.secret_key, n->peer_ephemeral)) /* se */
        return false;
    mix_psk(n);
    sealed = read_bytes(&r, reader_left(&r));
    *size = sealed.size - TAG_SIZE;
    return decrypt_and_hash(n, sealed, payload);
}

bool noise_write_1(struct noise *n, struct bytes payload, struct writer *w)
{
    return outcome(n, is_usable(n) && write_1(n, payload, w));
}

bool noise_read_1(struct noise *n, struct bytes message, uint8_t *payload,
                  size_t *size)
{
    return outcome(n, is_usable(n) && read_1(n, message, payload, size));
}

bool noise_write_2(struct noise *n, struct bytes payload, struct writer *w)
{
    return outcome(n, is_usable(n) && write_2(n, payload, w));
}

bool noise_read_2(struct noise *n, struct bytes message, uint8_t *payload,
                  size_t *size)
{
    return outcome(n, is_usable(n) && read_2(n, message, payload, size));
}

void noise_split(const struct noise *n, uint8_t initiator_sends[32],
                 uint8_t responder_sends[32])
{
    uint8_t out[2][HASH_SIZE];

    hkdf(out, 2, n->chaining_key, bytes_of(NULL, 0));
    memcpy(initiator_sends, out[0], 32);
    memcpy(responder_sends, out[1], 32);
    sodium_memzero(out, sizeof(out));
}

void noise_wipe(struct noise *n)
{
    sodium_memzero(n, sizeof(*n));
}
