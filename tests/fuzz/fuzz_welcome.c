/* WELCOME and CERTIFICATE: what decodes is what encodes to the same bytes. */
#include "common/wire/packet.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[256];
    struct writer w = writer_of(room, sizeof(room));
    struct relay_welcome m;
    struct relay_tls t;

    if (relay_certificate_decode(bytes_of(data, size), &t)) {
        relay_certificate_encode(&t, &w);
        ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, size)));
        return 0;
    }
    if (!relay_welcome_decode(bytes_of(data, size), &m))
        return 0;
    relay_welcome_encode(&m, &w);
    ASSERT(writer_ok(&w));
    ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, size)));
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    struct writer w = writer_of(room, size);
    struct relay_welcome m = {.version = 1,
                              .boot = 2,
                              .name = "relay-1",
                              .outside = {.family = ADDRESS_V4, .port = 3}};

    relay_welcome_encode(&m, &w);
    return writer_bytes(&w).size;
}
