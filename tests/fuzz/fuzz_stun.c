#include "common/wire/stun.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A request is answered with what its sender takes, and no datagram is both a
 * request and a response. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address source = {.family = ADDRESS_V6, .port = 0x1234}, mapped;
    uint8_t response[STUN_TWO_RESPONSE_SIZE];
    struct bytes datagram = bytes_of(data, size);
    struct stun_id id;

    if (stun_read_request(datagram, &id)) {
        struct bytes told = stun_write_response(&id, &source, response);
        ASSERT(told.size <= STUN_RESPONSE_SIZE);
        ASSERT(stun_read_response(told, &id, &mapped));
        ASSERT(address_equal(&mapped, &source));
        ASSERT(!stun_read_response(datagram, &id, &mapped));
        ASSERT(stun_second_port(told) == 0);
        told = stun_write_two_response(&id, &source, 443, response);
        ASSERT(stun_read_response(told, &id, &mapped));
        ASSERT(stun_second_port(told) == 443);
        if (stun_asks_two_ports(datagram, &source))
            ASSERT(2 * told.size <= size);
    } else if (size >= 4 + sizeof id.bytes) {
        memcpy(id.bytes, data + 4, sizeof id.bytes);
        if (stun_read_response(datagram, &id, &mapped)) {
            ASSERT(mapped.family != ADDRESS_NONE);
            (void)stun_second_port(datagram);
        }
    }
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const uint8_t request[] = {
        0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42, 1,   2, 3, 4,
        5, 6, 7, 8,  9,    10,   11,   12,   0,   3, 0, 4,
        0, 0, 0, 0,  0x80, 0x22, 0,    1,    'x', 0, 0, 0};

    return fuzz_keep(bytes_of(request, sizeof request), room, size);
}
