#include "common/wire/multicast.h"

#include "common/wire/record.h"
#include "edge/core/inflow.h"
#include "tests/fuzz/fuzz.h"

static void ignore_message(void *owner, struct bytes message)
{
    struct message m;
    (void)owner;
    if (message_decode(message, &m))
        ASSERT(message_size(&m) == message.size);
}

static void ignore_gap(void *owner, uint64_t missed)
{
    (void)owner;
    ASSERT(missed > 0);
}

/* What a member can send under the right key: the content is the input. */
static void take_content(const uint8_t *data, size_t size)
{
    static uint8_t room[PACKET_SIZE];
    const struct group_start start = {.tag = {{1}},
                                      .stream = 1,
                                      .key_id = 1,
                                      .key = {7},
                                      .record = 1,
                                      .message = 1,
                                      .since = 1};
    const struct inflow_sink sink = {NULL, ignore_message, ignore_gap};
    struct multicast_packet m = {.tag = {{1}}, .key = 1, .number = 1};
    struct aead key;
    struct inflow in;
    struct instant now = {1};

    aead_init(&key, CIPHER_CHACHA, start.key);
    struct inflow_conf conf = {4096, 1 << 20};
    inflow_init(&in, &start, &conf);
    inflow_start(&in, &start, now, &sink);
    for (int i = 0; i < 2; i++) {
        struct writer w = writer_of(room, sizeof(room));
        group_seal(&m, &key, bytes_of(data, size), &w);
        struct multicast_packet back;
        bool decoded = multicast_decode(writer_bytes(&w), false, &back);
        ASSERT(decoded);
        enum inflow_verdict verdict = inflow_take(&in, &back, now, &sink);
        ASSERT(verdict == INFLOW_TAKEN || verdict == INFLOW_VIOLATION);
        ASSERT(in.inbox.capacity <= 4096 + MESSAGE_HEADER_SIZE);
        if (verdict == INFLOW_VIOLATION)
            break;
    }
    (void)inflow_acknowledge(&in, now);
    inflow_close(&in);
    aead_wipe(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct multicast_packet m;
    struct group_start start;
    uint8_t room[GROUP_START_SIZE];
    struct writer w = writer_of(room, sizeof(room));

    if (multicast_decode(bytes_of(data, size), true, &m))
        ASSERT(m.signature == data + size - SIGNATURE_SIZE);
    if (multicast_decode(bytes_of(data, size), false, &m))
        ASSERT(m.header.size + m.sealed.size == size);
    if (group_start_decode(bytes_of(data, size), &start)) {
        group_start_encode(&start, &w);
        ASSERT(bytes_equal(writer_bytes(&w), bytes_of(data, size)));
    }
    if (size <= MULTICAST_CONTENT_SIZE)
        take_content(data, size);
    return 0;
}

size_t fuzz_sample(uint8_t *room, size_t size)
{
    const struct record records[] = {
        {.type = RECORD_DATA,
         .data = {1, false, true, true, 0, bytes_of_string("\x14\1a\0a")}},
        {.type = RECORD_DATA,
         .data = {2, true, true, false, 7, bytes_of_string("frag")}},
        {.type = RECORD_DATA,
         .data = {3, true, false, true, 0, bytes_of_string("end")}},
        {.type = RECORD_DATA,
         .data = {4, true, true, false, 70000, bytes_of_string("large")}},
        {.type = RECORD_DATA,
         .data = {5, true, false, true, 0, bytes_of_string("x")}},
    };
    struct writer w = writer_of(room, size);

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        record_encode(&records[i], &w);
    return writer_bytes(&w).size;
}
