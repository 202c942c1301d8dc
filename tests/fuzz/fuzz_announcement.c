#include "common/wire/announcement.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32];
    static uint8_t room[SEALED_ANNOUNCEMENT_SIZE];
    struct bytes bytes = bytes_of(data, size);
    struct announcement a;

    /* Nobody can forge a seal, so this always refuses. */
    ASSERT(announcement_open(bytes, key, room).size == 0);
    if (announcement_decode(bytes, &a))
        fuzz_same_but_signature(announcement_sign(&a, fuzz_secret_key(), room),
                                bytes);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static uint8_t signed_room[ANNOUNCEMENT_SIZE];
    struct announcement a = {
        .certificate = bytes_of_string("certificate"),
        .candidate_count = 2,
        .candidates = {{CANDIDATE_HOST, {.family = ADDRESS_V4, .port = 1}},
                       {CANDIDATE_STUN, {.family = ADDRESS_V6, .port = 2}}},
        .group_count = 1,
        .groups = {"lab"},
        .info = bytes_of_string("{}"),
    };

    return fuzz_keep(announcement_sign(&a, fuzz_secret_key(), signed_room),
                     room, size);
}
