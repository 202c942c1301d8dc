#include "common/zmtp/salsa20.h"

#include <sodium.h>
#include <string.h>

#ifdef __x86_64__

#include <immintrin.h>

/* Sixteen blocks at once: vector i holds word i of each of them. */
enum { WORDS = 16, LANES = 16, WIDE_CHUNK = LANES * SALSA20_BLOCK };

#define WIDE __attribute__((target("avx512f")))

struct wide_state {
    __m512i word[WORDS];
};

/* The processor's order of bytes is that of Salsa20. */
static int load_word(const uint8_t *at)
{
    int word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/* The sixteen words of a block are the same in all blocks, but for its number
 * in words 8 and 9. */
static WIDE void fill(struct wide_state *s, const uint8_t *nonce,
                      const uint8_t *key)
{
    const int first[WORDS] = {
        0x61707865,
        load_word(key),
        load_word(key + 4),
        load_word(key + 8),
        load_word(key + 12),
        0x3320646e,
        load_word(nonce),
        load_word(nonce + 4),
        0,
        0,
        0x79622d32,
        load_word(key + 16),
        load_word(key + 20),
        load_word(key + 24),
        load_word(key + 28),
        0x6b206574,
    };

    for (int i = 0; i < WORDS; i++)
        s->word[i] = _mm512_set1_epi32(first[i]);
}

static WIDE void number(struct wide_state *s, uint64_t block)
{
    uint32_t low[LANES], high[LANES];

    for (uint64_t i = 0; i < LANES; i++) {
        low[i] = (uint32_t)(block + i);
        high[i] = (uint32_t)((block + i) >> 32);
    }
    s->word[8] = _mm512_loadu_si512(low);
    s->word[9] = _mm512_loadu_si512(high);
}

#define STEP(to, x, y, bits)                                                   \
    w[to] = _mm512_xor_si512(                                                  \
        w[to], _mm512_rol_epi32(_mm512_add_epi32(w[x], w[y]), bits))
#define QUARTER(a, b, c, d)                                                    \
    do {                                                                       \
        STEP(b, a, d, 7);                                                      \
        STEP(c, b, a, 9);                                                      \
        STEP(d, c, b, 13);                                                     \
        STEP(a, d, c, 18);                                                     \
    } while (0)

static WIDE void mix(const struct wide_state *first, __m512i w[static WORDS])
{
    for (int i = 0; i < WORDS; i++)
        w[i] = first->word[i];
    for (int rounds = 0; rounds < 20; rounds += 2) {
        QUARTER(0, 4, 8, 12);
        QUARTER(5, 9, 13, 1);
        QUARTER(10, 14, 2, 6);
        QUARTER(15, 3, 7, 11);
        QUARTER(0, 1, 2, 3);
        QUARTER(5, 6, 7, 4);
        QUARTER(10, 11, 8, 9);
        QUARTER(15, 12, 13, 14);
    }
    for (int i = 0; i < WORDS; i++)
        w[i] = _mm512_add_epi32(w[i], first->word[i]);
}

/* Of four vectors makes four in which a quarter has four words of one block:
 * quarter q of vector j has those of block 4 * q + j. */
static WIDE void transpose_words(__m512i w[static 4])
{
    __m512i a = _mm512_unpacklo_epi32(w[0], w[1]);
    __m512i b = _mm512_unpackhi_epi32(w[0], w[1]);
    __m512i c = _mm512_unpacklo_epi32(w[2], w[3]);
    __m512i d = _mm512_unpackhi_epi32(w[2], w[3]);

    w[0] = _mm512_unpacklo_epi64(a, c);
    w[1] = _mm512_unpackhi_epi64(a, c);
    w[2] = _mm512_unpacklo_epi64(b, d);
    w[3] = _mm512_unpackhi_epi64(b, d);
}

static WIDE void xor_block(uint8_t *to, const uint8_t *from, size_t block,
                           __m512i stream)
{
    size_t at = block * SALSA20_BLOCK;

    _mm512_storeu_si512(
        to + at, _mm512_xor_si512(stream, _mm512_loadu_si512(from + at)));
}

/* The blocks j, 4 + j, 8 + j and 12 + j. */
static WIDE void xor_four(uint8_t *to, const uint8_t *from, size_t j,
                          const __m512i w[static WORDS])
{
    __m512i a = _mm512_shuffle_i32x4(w[j], w[4 + j], 0x44);
    __m512i b = _mm512_shuffle_i32x4(w[j], w[4 + j], 0xee);
    __m512i c = _mm512_shuffle_i32x4(w[8 + j], w[12 + j], 0x44);
    __m512i d = _mm512_shuffle_i32x4(w[8 + j], w[12 + j], 0xee);

    xor_block(to, from, j, _mm512_shuffle_i32x4(a, c, 0x88));
    xor_block(to, from, 4 + j, _mm512_shuffle_i32x4(a, c, 0xdd));
    xor_block(to, from, 8 + j, _mm512_shuffle_i32x4(b, d, 0x88));
    xor_block(to, from, 12 + j, _mm512_shuffle_i32x4(b, d, 0xdd));
}

static WIDE void xor_wide(uint8_t *to, const uint8_t *from, size_t size,
                          const uint8_t *nonce, uint64_t block,
                          const uint8_t *key)
{
    struct wide_state first;
    __m512i w[WORDS];

    fill(&first, nonce, key);
    for (size_t done = 0; done < size; done += WIDE_CHUNK) {
        number(&first, block + done / SALSA20_BLOCK);
        mix(&first, w);
        for (int i = 0; i < WORDS; i += 4)
            transpose_words(w + i);
        for (size_t j = 0; j < 4; j++)
            xor_four(to + done, from + done, j, w);
    }
    sodium_memzero(&first, sizeof(first));
    sodium_memzero(w, sizeof(w));
}

#else

enum { WIDE_CHUNK = 1024 };

static void xor_wide(uint8_t *to, const uint8_t *from, size_t size,
                     const uint8_t *nonce, uint64_t block, const uint8_t *key)
{
    (void)crypto_stream_salsa20_xor_ic(to, from, size, nonce, block, key);
}

#endif

void salsa20_xor(bool wide, uint8_t *to, const uint8_t *from, size_t size,
                 const uint8_t nonce[static SALSA20_NONCE], uint64_t block,
                 const uint8_t key[static SALSA20_KEY])
{
    size_t whole = wide ? size - size % WIDE_CHUNK : 0;

    if (whole > 0)
        xor_wide(to, from, whole, nonce, block, key);
    if (size > whole)
        (void)crypto_stream_salsa20_xor_ic(to + whole, from + whole,
                                           size - whole, nonce,
                                           block + whole / SALSA20_BLOCK, key);
}
