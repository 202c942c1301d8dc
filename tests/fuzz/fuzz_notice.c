#include "common/wire/notice.h"

#include "common/wire/announcement.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[32] = {2}, nonce[24] = {3};

/* The input is data from a relay, which must never open. */
static void as_relay(struct bytes bytes)
{
    static const uint8_t other_key[32] = {5};
    uint8_t room[SEALED_NOTICE_SIZE];
    struct notice m;
    struct bytes opened;

    ASSERT(!notice_open(bytes, other_key, room, &m, &opened));
}

/* The input as what a member sealed, which it may do with anything. */
static void as_member(struct bytes plain)
{
    static uint8_t sealed[SEALED_ANNOUNCEMENT_SIZE];
    uint8_t room[SEALED_NOTICE_SIZE], again[SEALED_NOTICE_SIZE];
    struct notice m;
    struct bytes opened;

    if (plain.size > ANNOUNCEMENT_SIZE ||
        !notice_open(announcement_seal(plain, key, nonce, sealed), key, room,
                     &m, &opened))
        return;
    struct bytes back = notice_seal(&m, key, nonce, fuzz_secret_key(), again);
    ASSERT(notice_open(back, key, room, &m, &opened));
    fuzz_same_but_signature(opened, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_relay(bytes_of(data, size));
    as_member(bytes_of(data, size));
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const struct notice m = {.reason = 12, .counter = 4};
    uint8_t sealed[SEALED_NOTICE_SIZE], opened_room[SEALED_NOTICE_SIZE];
    struct bytes opened;
    struct notice back;

    ASSERT(notice_open(notice_seal(&m, key, nonce, fuzz_secret_key(), sealed),
                       key, opened_room, &back, &opened));
    return fuzz_keep(opened, room, size);
}
