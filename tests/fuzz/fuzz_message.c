#include "common/wire/record.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[64 * 1024];
    struct writer w = writer_of(room, sizeof(room));
    struct message m;

    if (size > sizeof(room) || !message_decode(bytes_of(data, size), &m))
        return 0;
    ASSERT(message_size(&m) == size);
    message_encode(&m, &w);
    ASSERT(writer_ok(&w));
    ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, size)));
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    struct writer w = writer_of(room, size);
    struct message m = {MESSAGE_EVENT,
                        ENCODING_JSON,
                        0,
                        bytes_of_string("t\xc3\xa4\xe2\x82\xac"),
                        bytes_of_string("lab"),
                        bytes_of_string("{\"a\":1}")};

    message_encode(&m, &w);
    return writer_bytes(&w).size;
}
