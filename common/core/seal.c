#include "common/core/seal.h"

#include <string.h>

static const char aes_label[] = "zs1 aes-256-gcm";

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

static void take_key(struct aead *a, enum cipher cipher, const uint8_t key[32])
{
    uint8_t own[32];

    if (cipher == CIPHER_AES)
        crypto_generichash(own, sizeof(own), (const uint8_t *)aes_label,
                           sizeof(aes_label) - 1, key, 32);
    else
        memcpy(own, key, sizeof(own));
    aead_init(a, cipher, own);
    sodium_memzero(own, sizeof(own));
}

void seal_init(struct seal *s, enum cipher cipher, const uint8_t send_key[32],
               const uint8_t receive_key[32])
{
    memset(s, 0, sizeof(*s));
    take_key(&s->send, cipher, send_key);
    take_key(&s->receive, cipher, receive_key);
    s->next_number = 1;
}

bool seal_is_worn(const struct seal *s)
{
    uint64_t limit = aead_limit(s->send.cipher);

    return s->next_number > limit || s->highest >= limit;
}

uint64_t seal_number(const struct seal *s)
{
    return s->next_number;
}

void seal_close(struct seal *s, struct bytes header, struct bytes plain,
                uint8_t *sealed)
{
    uint8_t nonce[SEAL_NONCE_SIZE];

    ASSERT(s->next_number != UINT64_MAX); /* the session rekeys long before */
    seal_nonce(s->next_number++, nonce);
    aead_seal(&s->send, nonce, header, plain, sealed);
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

/* Moves the window up to a higher number; the numbers that enter it were not
 * seen yet. */
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
    if (!aead_open(&s->receive, nonce, header, sealed, data))
        return SEAL_FORGED;

    /* Only an authentic packet may move the window. */
    if (number > s->highest)
        slide(s, number);
    *word_of(s, number) |= bit_of(number);
    return SEAL_OPENED;
}

void seal_wipe(struct seal *s)
{
    aead_wipe(&s->send);
    aead_wipe(&s->receive);
    sodium_memzero(s, sizeof(*s));
}
