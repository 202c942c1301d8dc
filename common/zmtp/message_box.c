#include "common/zmtp/message_box.h"

#include "common/zmtp/frame.h"
#include "common/zmtp/salsa20.h"

#include <sodium.h>

/* XSalsa20-Poly1305: the first bytes of the key stream are the tag's key, those
 * that follow encrypt.
 *
 * libsodium computes eight blocks of 64 bytes at once, in the time that it
 * needs for one alone; and each block after the last eight or four alone. So
 * the stream is made in chunks of eight, also where less of it is needed. */
enum {
    TAG_KEY = 32,
    BLOCKS = 8, /* of a chunk */
    CHUNK = BLOCKS * 64,
    FIRST = CHUNK - TAG_KEY, /* what the first chunk encrypts */
};

struct nonce_number {
    uint8_t bytes[8];
};

void message_box_init(struct message_box *b, const uint8_t shared[32],
                      const char prefix[static MESSAGE_BOX_PREFIX],
                      struct one_time_mac *mac)
{
    b->wide = false;
    (void)crypto_core_hsalsa20(b->key, (const uint8_t *)prefix, shared, NULL);
    b->mac = mac;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct nonce_number number_of(uint64_t nonce)
{
    struct nonce_number n;

    put_be64(n.bytes, nonce);
    return n;
}

static void xor_bytes(uint8_t *to, const uint8_t *from, const uint8_t *stream,
                      size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i] ^ stream[i];
}

/* Encrypts or decrypts what follows the first chunk. `to` may be `from`. */
static void xor_rest(const struct message_box *b, const struct nonce_number *n,
                     uint8_t *to, const uint8_t *from, size_t size)
{
    uint8_t stream[CHUNK] = {0};
    size_t whole = size - size % CHUNK;
    uint64_t last = BLOCKS + whole / 64;

    if (whole > 0)
        salsa20_xor(b->wide, to, from, whole, n->bytes, BLOCKS, b->key);
    if (size == whole)
        return;
    (void)crypto_stream_salsa20_xor_ic(stream, stream, sizeof(stream), n->bytes,
                                       last, b->key);
    xor_bytes(to + whole, from + whole, stream, size - whole);
    sodium_memzero(stream, sizeof(stream));
}

static void make_tag(const struct message_box *b, const uint8_t key[TAG_KEY],
                     struct bytes cipher, uint8_t tag[MESSAGE_BOX_TAG])
{
    if (cipher.size < ONE_TIME_MAC_LARGE || b->mac == NULL ||
        !one_time_mac_make(b->mac, key, cipher, tag))
        (void)crypto_onetimeauth(tag, cipher.data, cipher.size, key);
}

static bool has_tag(const struct message_box *b, const uint8_t key[TAG_KEY],
                    struct bytes cipher, const uint8_t tag[MESSAGE_BOX_TAG])
{
    uint8_t right[MESSAGE_BOX_TAG];

    make_tag(b, key, cipher, right);
    return crypto_verify_16(tag, right) == 0;
}

void message_box_seal(const struct message_box *b, uint64_t nonce,
                      uint8_t flags, struct bytes packet, uint8_t *out)
{
    uint8_t stream[CHUNK];
    uint8_t *cipher = out + MESSAGE_BOX_TAG;
    struct nonce_number n = number_of(nonce);
    size_t head = smaller(packet.size, FIRST - 1);

    (void)crypto_stream_salsa20(stream, sizeof(stream), n.bytes, b->key);
    cipher[0] = flags ^ stream[TAG_KEY];
    xor_bytes(cipher + 1, packet.data, stream + TAG_KEY + 1, head);
    if (packet.size > head)
        xor_rest(b, &n, cipher + FIRST, packet.data + head, packet.size - head);
    make_tag(b, stream, bytes_of(cipher, 1 + packet.size), out);
    sodium_memzero(stream, sizeof(stream));
}

bool message_box_open(const struct message_box *b, uint64_t nonce, uint8_t *box,
                      size_t size)
{
    uint8_t stream[CHUNK];
    uint8_t *text = box + MESSAGE_BOX_TAG;
    struct nonce_number n = number_of(nonce);

    if (size < MESSAGE_BOX_TAG + 1)
        return false;
    size -= MESSAGE_BOX_TAG;
    size_t head = smaller(size, FIRST);
    (void)crypto_stream_salsa20(stream, sizeof(stream), n.bytes, b->key);
    bool good = has_tag(b, stream, bytes_of(text, size), box);
    if (good) {
        xor_bytes(text, text, stream + TAG_KEY, head);
        if (size > head)
            xor_rest(b, &n, text + head, text + head, size - head);
    }
    sodium_memzero(stream, sizeof(stream));
    return good;
}
