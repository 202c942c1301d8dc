#include "tests/fuzz/fuzz.h"

/* Varints one after the other: each has one form only. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));

    while (reader_left(&r) > 0) {
        const uint8_t *at = r.at;
        uint64_t value = read_varint(&r);
        uint8_t room[10];
        struct writer w = writer_of(room, sizeof(room));

        if (!reader_ok(&r))
            break;
        write_varint(&w, value);
        ASSERT(writer_ok(&w));
        ASSERT(
            bytes_equal(writer_bytes(&w), bytes_of(at, (size_t)(r.at - at))));
    }
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    struct writer w = writer_of(room, size);

    for (unsigned i = 0; i < 64; i += 3)
        write_varint(&w, ((uint64_t)1 << i) + i);
    return writer_bytes(&w).size;
}
