#include "common/wire/packet.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[2 * PACKET_SIZE];
    struct writer w = writer_of(room, sizeof(room));
    struct reader r = reader_of(bytes_of(data, size));
    struct roster_entry e;

    if (size > sizeof(room))
        return 0;
    while (roster_entry_next(&r, &e))
        roster_entry_encode(&e, &w);
    ASSERT(writer_ok(&w));
    ASSERT(memcmp(room, data, writer_bytes(&w).size) == 0);
    ASSERT(!reader_done(&r) || writer_bytes(&w).size == size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    struct writer w = writer_of(room, size);
    struct roster_entry one = {{{1}}, {2}, bytes_of_string("one")};
    struct roster_entry two = {{{3}}, {4}, bytes_of_string("two and more")};

    roster_entry_encode(&one, &w);
    roster_entry_encode(&two, &w);
    return writer_bytes(&w).size;
}
