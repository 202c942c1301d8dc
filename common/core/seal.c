#include "common/core/seal.h"

#include <sodium.h>

#include <string.h>

void seal_nonce(uint64_t number, uint8_t nonce[SEAL_NONCE_SIZE])
{
    struct writer w = writer_of(nonce, SEAL_NONCE_SIZE);

    write_u32(&w, 0);
    write_u64(&w, number);
}

static uint64_t bit_of(uint64_t number)
{
    return (uint64_t)1 << (number % 64);
}

static uint64_t *word_of(struct seal *s, uint64_t number)
{
    return &s->seen[number % SEAL_WINDOW / 64];
}

void seal_init(struct seal *s, const uint8_t send_key[32],
               const uint8_t receive_key[32])
{
    memset(s, 0, sizeof(*s));
    memcpy(s->send_key, send_key, sizeof(s->send_key));
    memcpy(s->receive_key, receive_key, sizeof(s->receive_key));
    s->next_number = 1;
}

uint64_t seal_number(const struct seal *s)
{
    return s->next_number;
}

void seal_close(struct seal *s, struct bytes header, uint8_t *data, size_t size)
{
    uint8_t nonce[SEAL_NONCE_SIZE];

    ASSERT(s->next_number != UINT64_MAX); /* rekeyed long before */
    seal_nonce(s->next_number++, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(data, NULL, data, size,
                                              header.data, header.size, NULL,
                                              nonce, s->send_key);
}

static bool is_fresh(struct seal *s, uint64_t number)
{
    if (number == 0)
        return false;
    if (number > s->highest)
        return true;
    if (s->highest - number >= SEAL_WINDOW)
        return false;
    return (*word_of(s, number) & bit_of(number)) == 0;
}

/* Moves the window up to a higher number: what enters it was not seen. */
static void slide(struct seal *s, uint64_t number)
{
    if (number - s->highest >= SEAL_WINDOW)
        memset(s->seen, 0, sizeof(s->seen));
    else
        for (; s->highest < number; s->highest++)
            *word_of(s, s->highest + 1) &= ~bit_of(s->highest + 1);
    s->highest = number;
}

enum seal_verdict seal_open(struct seal *s, uint64_t number,
                            struct bytes header, struct bytes sealed,
                            uint8_t *data)
{
    uint8_t nonce[SEAL_NONCE_SIZE];

    if (sealed.size < SEAL_TAG_SIZE)
        return SEAL_FORGED;
    if (!is_fresh(s, number))
        return SEAL_REPLAYED;

    seal_nonce(number, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(
            data, NULL, NULL, sealed.data, sealed.size, header.data,
            header.size, nonce, s->receive_key) != 0)
        return SEAL_FORGED;

    /* Only what is authentic may move the window. */
    if (number > s->highest)
        slide(s, number);
    *word_of(s, number) |= bit_of(number);
    return SEAL_OPENED;
}

void seal_wipe(struct seal *s)
{
    sodium_memzero(s, sizeof(*s));
}
