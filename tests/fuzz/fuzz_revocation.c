#include "common/wire/revocation.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[REVOCATION_SIZE];
    struct bytes bytes = bytes_of(data, size);
    struct revocation r;

    /* The list tells its own mesh, so only its owner's key gets through. */
    if (!revocation_check(bytes, &r))
        return 0;
    ASSERT(r.count <= REVOCATION_NODES);
    fuzz_same_but_signature(revocation_sign(&r, fuzz_secret_key(), room),
                            bytes);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static uint8_t signed_room[REVOCATION_SIZE];
    const uint8_t nodes[64] = {1};
    struct revocation r = {.serial = 1, .count = 2, .nodes = nodes};

    memcpy(r.mesh.key, fuzz_secret_key() + 32, KEY_SIZE);
    return fuzz_keep(revocation_sign(&r, fuzz_secret_key(), signed_room), room,
                     size);
}
