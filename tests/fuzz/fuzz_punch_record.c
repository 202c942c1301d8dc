#include "common/wire/punch.h"

#include "tests/fuzz/fuzz.h"

/* What is left out when a record is read is not in it afterwards, and nothing
 * else is lost: read again, it encodes to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t once[PUNCH_RECORD_SIZE], twice[PUNCH_RECORD_SIZE];
    struct writer w1 = writer_of(once, sizeof once);
    struct writer w2 = writer_of(twice, sizeof twice);
    struct punch_record r;

    if (!punch_record_decode(bytes_of(data, size), &r))
        return 0;
    ASSERT(size <= PUNCH_RECORD_SIZE);
    for (size_t i = 0; i < r.candidate_count; i++)
        ASSERT(address_is_usable(&r.candidates[i].address));
    punch_record_encode(&r, &w1);
    ASSERT(writer_ok(&w1) && writer_bytes(&w1).size <= size);
    ASSERT(punch_record_decode(writer_bytes(&w1), &r));
    punch_record_encode(&r, &w2);
    ASSERT(bytes_equal(writer_bytes(&w1), writer_bytes(&w2)));
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    const struct punch_record r = {
        .kind = PUNCH_OFFER,
        .round = 7,
        .mapping = MAPPING_DEPENDENT,
        .step = 2,
        .candidate_count = 3,
        .candidates =
            {{CANDIDATE_HOST, {ADDRESS_V4, {192, 168, 1, 2}, 9083, 0}},
             {CANDIDATE_STUN, {ADDRESS_V4, {198, 51, 100, 7}, 40000, 0}},
             {CANDIDATE_HOST, {ADDRESS_V6, {0x20, 1, 0x0d, 0xb8}, 9083, 0}}},
    };
    struct writer w = writer_of(room, size);

    punch_record_encode(&r, &w);
    return writer_bytes(&w).size;
}
