#include "common/zmtp/message_box.h"

#include "common/zmtp/frame.h"

#include <sodium.h>

/* XSalsa20-Poly1305: half of the key stream's first block is the tag's key, the
 * other half encrypts the first bytes. */
enum { BLOCK = 64, HALF = 32 };

void message_box_init(struct message_box *b, const uint8_t shared[32],
                      const char prefix[static MESSAGE_BOX_PREFIX])
{
    (void)crypto_core_hsalsa20(b->key, (const uint8_t *)prefix, shared, NULL);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void message_box_seal(const struct message_box *b, uint64_t nonce,
                      uint8_t flags, struct bytes packet, uint8_t *out)
{
    uint8_t block[BLOCK] = {0}, number[8];
    uint8_t *cipher = out + MESSAGE_BOX_TAG;
    size_t head = smaller(packet.size, HALF - 1);

    put_be64(number, nonce);
    block[HALF] = flags;
    if (head > 0)
        memcpy(block + HALF + 1, packet.data, head);
    (void)crypto_stream_salsa20_xor(block, block, HALF + 1 + head, number,
                                    b->key);
    memcpy(cipher, block + HALF, 1 + head);
    if (packet.size > head)
        (void)crypto_stream_salsa20_xor_ic(cipher + HALF, packet.data + head,
                                           packet.size - head, number, 1,
                                           b->key);
    (void)crypto_onetimeauth(out, cipher, 1 + packet.size, block);
    sodium_memzero(block, sizeof(block));
}

/* Decrypts, once the tag is known to be right. */
static void decrypt(const struct message_box *b, const uint8_t number[8],
                    const uint8_t block[static BLOCK], uint8_t *text,
                    size_t size)
{
    size_t head = smaller(size, HALF);

    for (size_t i = 0; i < head; i++)
        text[i] ^= block[HALF + i];
    if (size > head)
        (void)crypto_stream_salsa20_xor_ic(text + head, text + head,
                                           size - head, number, 1, b->key);
}

bool message_box_open(const struct message_box *b, uint64_t nonce, uint8_t *box,
                      size_t size)
{
    uint8_t block[BLOCK], number[8];

    if (size < MESSAGE_BOX_TAG + 1)
        return false;
    size -= MESSAGE_BOX_TAG;
    put_be64(number, nonce);
    (void)crypto_stream_salsa20(block, sizeof(block), number, b->key);
    bool good =
        crypto_onetimeauth_verify(box, box + MESSAGE_BOX_TAG, size, block) == 0;
    if (good)
        decrypt(b, number, block, box + MESSAGE_BOX_TAG, size);
    sodium_memzero(block, sizeof(block));
    return good;
}
