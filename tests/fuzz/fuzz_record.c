#include "common/wire/record.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[64 * 1024];
    struct writer w = writer_of(room, sizeof(room));
    struct record_reader r = record_reader_of(bytes_of(data, size));
    struct record record;

    if (size > sizeof(room))
        return 0;
    while (record_next(&r, &record))
        record_encode(&record, &w);
    ASSERT(writer_ok(&w));
    ASSERT(memcmp(room, data, writer_bytes(&w).size) == 0);
    ASSERT(!record_reader_done(&r) || writer_bytes(&w).size == size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    const struct record records[] = {
        {.type = RECORD_DATA,
         .data = {300, false, true, false, 70000, bytes_of_string("part")}},
        {.type = RECORD_DATA,
         .data = {301, true, false, true, 0, bytes_of_string("end")}},
        {.type = RECORD_DATA,
         .data = {302, true, true, true, 0, bytes_of_string("whole")}},
        {.type = RECORD_DATA,
         .data = {310, false, false, false, 0, bytes_of_string("middle")}},
        {.type = RECORD_ACK, .ack = {9, 65536, 2, {{11, 12}, {14, 400}}}},
        {.type = RECORD_PING, .token = 5},
        {.type = RECORD_PONG, .token = 6},
        {.type = RECORD_CLOSE, .reason = 1},
        {.type = RECORD_GROUP_ACK,
         .group_ack = {{1}, 2, 300, GROUP_ACK_MISSING}},
        {.type = RECORD_PUNCH, .punch = bytes_of_string("round")},
    };
    struct writer w = writer_of(room, size);

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        record_encode(&records[i], &w);
    return writer_bytes(&w).size;
}
