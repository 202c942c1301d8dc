#include "common/wire/certificate.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    uint8_t room[CERTIFICATE_SIZE];
    struct certificate c;

    if (!certificate_decode(bytes, &c))
        return 0;
    fuzz_same_but_signature(certificate_sign(&c, fuzz_secret_key(), room),
                            bytes);
    ASSERT(certificate_check(bytes, &c.mesh, 0, &c) != CERTIFICATE_MALFORMED);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    uint8_t signed_room[CERTIFICATE_SIZE];
    struct certificate c = {.not_after = 5,
                            .name = "alice",
                            .group_count = 2,
                            .groups = {"lab", "cameras"}};

    return fuzz_keep(certificate_sign(&c, fuzz_secret_key(), signed_room), room,
                     size);
}
