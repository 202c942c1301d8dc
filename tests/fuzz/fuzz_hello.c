#include "common/wire/packet.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[PACKET_SIZE];
    struct writer w = writer_of(room, sizeof(room));
    struct relay_hello h;

    if (!relay_hello_decode(bytes_of(data, size), &h))
        return 0;
    relay_hello_encode(&h, &w);
    ASSERT(writer_ok(&w));
    /* A later version may say more [P-1.4]. */
    struct bytes again = writer_bytes(&w);
    ASSERT(again.size == size ||
           (version_is_later(h.version) && again.size < size));
    ASSERT(memcmp(again.data, data, again.size) == 0);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    struct writer w = writer_of(room, size);
    struct relay_hello h = {.version = PROTOCOL_VERSION,
                            .certificate = bytes_of_string("certificate"),
                            .sealed = bytes_of_string("sealed")};

    relay_hello_encode(&h, &w);
    return writer_bytes(&w).size;
}
