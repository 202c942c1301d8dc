/* Vectors and libsodium give the same bytes. */
#include "common/zmtp/salsa20.h"

#include "common/io/processor.h"
#include "tests/unit/kit.h"

#include <sodium.h>

enum { MOST = 5 * 1024 };

static uint8_t text[MOST + 64], ours[MOST + 64], theirs[MOST + 64];
static uint8_t nonce[SALSA20_NONCE], key[SALSA20_KEY];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 37 + i / 256);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(200 - i);
    for (size_t i = 0; i < sizeof(nonce); i++)
        nonce[i] = (uint8_t)(i * 3 + 1);
}

static void both_agree(bool wide, size_t size, uint64_t block)
{
    memset(ours, 0x55, sizeof(ours));
    memset(theirs, 0x55, sizeof(theirs));
    crypto_stream_salsa20_xor_ic(theirs, text, size, nonce, block, key);
    salsa20_xor(wide, ours, text, size, nonce, block, key);
    assert_memory_equal(ours, theirs, sizeof(ours));
    memcpy(ours, text, sizeof(text));
    salsa20_xor(wide, ours, ours, size, nonce, block, key);
    assert_memory_equal(ours, theirs, size);
    assert_memory_equal(ours + size, text + size, sizeof(text) - size);
}

static void check(bool wide)
{
    /* The number of a block has two words, and both are counted. */
    static const uint64_t blocks[] = {0, 8, 0xfffffff3, 0xffffffffff,
                                      UINT64_MAX - 100};

    fill();
    for (size_t size = 0; size <= MOST; size += 31)
        for (size_t i = 0; i < COUNT_OF(blocks); i++)
            both_agree(wide, size, blocks[i]);
    both_agree(wide, MOST, 8);
    key[31] ^= 0x80;
    nonce[7] ^= 0x80;
    both_agree(wide, MOST, 8);
}

static void agrees_without_vectors(void **state)
{
    (void)state;
    check(false);
}

static void agrees_with_vectors(void **state)
{
    (void)state;
    if (!processor_is_wide())
        skip();
    check(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_without_vectors),
        cmocka_unit_test(agrees_with_vectors),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
