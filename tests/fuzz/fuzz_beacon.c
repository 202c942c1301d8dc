#include "common/wire/beacon.h"
#include "common/wire/version.h"

#include "tests/fuzz/fuzz.h"

static const uint8_t key[32] = {2}, nonce[24] = {3};
static const struct mesh_id mesh = {{4}};

/* The input is a stranger's datagram, which must never open. */
static void as_stranger(struct bytes bytes)
{
    static const uint8_t other_key[32] = {5};
    uint8_t room[BEACON_SIZE];
    struct beacon b;
    struct bytes opened;

    ASSERT(beacon_open(bytes, &mesh, other_key, room, &b, &opened) !=
           BEACON_OPENED);
}

/* The input as what a member sealed, which it may do with anything. */
static void as_member(struct bytes plain)
{
    static const struct beacon empty = {.version = PROTOCOL_VERSION,
                                        .kind = BEACON_HERE};
    uint8_t sealed[BEACON_SIZE], room[BEACON_SIZE], again[BEACON_SIZE];
    struct bytes opened, back;
    struct beacon b;

    if (plain.size > BEACON_SIZE - 36 - 16)
        return;
    beacon_seal(&empty, &mesh, key, nonce, fuzz_secret_key(), sealed);
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 36, NULL, plain.data,
                                               plain.size, sealed, 12, NULL,
                                               nonce, key);
    if (beacon_open(bytes_of(sealed, 36 + plain.size + 16), &mesh, key, room,
                    &b, &opened) != BEACON_OPENED)
        return;
    back = beacon_seal(&b, &mesh, key, nonce, fuzz_secret_key(), again);
    ASSERT(beacon_open(back, &mesh, key, room, &b, &opened) == BEACON_OPENED);
    fuzz_same_but_signature(opened, plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_stranger(bytes_of(data, size));
    as_member(bytes_of(data, size));
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    uint8_t sealed[BEACON_SIZE], opened_room[BEACON_SIZE];
    struct beacon b = {.version = PROTOCOL_VERSION,
                       .kind = BEACON_REFUSE,
                       .reason = REFUSAL_EXPIRED,
                       .announcement = bytes_of_string("announcement")};
    struct bytes bytes =
        beacon_seal(&b, &mesh, key, nonce, fuzz_secret_key(), sealed);
    struct bytes opened;

    ASSERT(beacon_open(bytes, &mesh, key, opened_room, &b, &opened) ==
           BEACON_OPENED);
    return fuzz_keep(opened, room, size);
}
