#include "kit.h"

#include "edge/core/channel.h"
#include "edge/core/inflow.h"
#include "edge/core/receiver.h"

#include <stdlib.h>

enum { WINDOW = 4 << 20 };

/* A channel publishes; the test passes its packets to an inflow. */
struct publication {
    struct channel *channel;
    struct receiver *receiver; /* the channel keeps the packets for it */
    struct entropy entropy;
    struct inflow inflow;
    struct instant now;
    bool by_relay;
    int messages;
    uint64_t missed;
    size_t last_size;
    char last[32];
};

static void on_message(void *owner, struct bytes bytes)
{
    struct publication *f = owner;
    struct message m;
    assert_true(message_decode(bytes, &m));
    f->messages++;
    f->last_size = m.data.size;
    if (m.data.size < sizeof f->last)
        memcpy(f->last, m.data.data, m.data.size);
}

static void on_gap(void *owner, uint64_t missed)
{
    ((struct publication *)owner)->missed += missed;
}

static void setup(struct publication *f, size_t message_limit)
{
    static const uint8_t seed[32] = {1};
    struct group_tag tag = {{1}};
    *f = (struct publication){.now = {1000000}};
    entropy_init(&f->entropy, seed);
    f->channel = channel_new("lab", &tag, 1 << 20, &f->entropy);
    f->receiver = receiver_new(f->channel, NULL, f->now);
    receiver_route(f->receiver, ROUTE_DIRECT);
    receiver_begin(f->receiver, f->now);
    struct group_start start = receiver_start(f->receiver);
    struct inflow_conf conf = {message_limit, WINDOW};
    inflow_init(&f->inflow, &start, &conf);
    struct inflow_sink sink = {f, on_message, on_gap};
    inflow_start(&f->inflow, &start, f->now, &sink);
}

static void teardown(struct publication *f)
{
    receiver_free(f->receiver);
    channel_free(f->channel);
    inflow_close(&f->inflow);
}

static void publish(struct publication *f, const char *text, size_t size)
{
    static const uint8_t zeros[200 * 1000];
    struct message m = {
        .kind = MESSAGE_EVENT,
        .encoding = ENCODING_BYTES,
        .type = bytes_of_string("t"),
        .group = bytes_of_string("lab"),
        .data = text != NULL ? bytes_of_string(text) : bytes_of(zeros, size),
    };
    assert_true(channel_add(f->channel, &m, f->now));
}

static enum inflow_verdict feed(struct publication *f, uint64_t packet)
{
    struct bytes bytes = channel_plain(f->channel, packet);
    static const uint8_t
        signature[SIGNATURE_SIZE]; /* the owner checked it before */
    uint8_t *copy = malloc(bytes.size);
    struct multicast_packet m;
    struct inflow_sink sink = {f, on_message, on_gap};
    memcpy(copy, bytes.data, bytes.size);
    assert_true(multicast_decode(bytes_of(copy, bytes.size), false, &m));
    if (f->by_relay)
        m.signature = signature;
    enum inflow_verdict verdict = inflow_take(&f->inflow, &m, f->now, &sink);
    free(copy);
    return verdict;
}

static void messages_of_all_sizes_come_once(void **state)
{
    (void)state;
    struct publication f;
    setup(&f, 1 << 20);
    publish(&f, "one", 0);
    publish(&f, NULL, 200 * 1000);
    publish(&f, "", 0);
    publish(&f, "last", 0);
    channel_seal(f.channel, f.now);
    for (uint64_t i = 0; i < f.channel->store.next; i++) {
        assert_int_equal(feed(&f, i), INFLOW_TAKEN);
        assert_int_equal(
            feed(&f, i),
            INFLOW_TAKEN); /* A repeated packet delivers nothing. */
    }
    assert_int_equal(f.messages, 4);
    assert_string_equal(f.last, "last");
    assert_int_equal(f.missed, 0);
    teardown(&f);
}

static void a_packet_after_a_gap_is_reported_at_once(void **state)
{
    (void)state;
    struct publication f;
    setup(&f, 1 << 20);
    (void)inflow_acknowledge(&f.inflow, f.now);
    for (int i = 0; i < 3; i++) {
        publish(&f, "x", 0);
        channel_seal(f.channel, f.now);
    }
    assert_int_equal(feed(&f, 0), INFLOW_TAKEN);
    assert_int_equal(inflow_deadline(&f.inflow).us, f.now.us + 50000);
    assert_int_equal(feed(&f, 2), INFLOW_TAKEN);
    assert_int_equal(f.messages, 1);
    assert_int_equal(inflow_deadline(&f.inflow).us, f.now.us + 20000);
    struct group_ack ack = inflow_acknowledge(&f.inflow, f.now);
    assert_int_equal(ack.state, GROUP_ACK_MISSING);
    assert_int_equal(ack.cumulative, 1);
    assert_int_equal(feed(&f, 1), INFLOW_TAKEN);
    assert_int_equal(feed(&f, 2), INFLOW_TAKEN);
    assert_int_equal(f.messages, 3);
    ack = inflow_acknowledge(&f.inflow, f.now);
    assert_int_equal(ack.state, GROUP_ACK_GOOD);
    assert_int_equal(ack.cumulative, 3);
    assert_true(instant_is_never(inflow_deadline(&f.inflow)));
    teardown(&f);
}

/* Feeds packets of 64 KiB until an acknowledgement is due now; returns the
 * bytes fed. */
static size_t feed_until_ack_due(struct publication *f)
{
    size_t size = 0;
    for (;;) {
        uint64_t next = f->channel->store.next;
        publish(f, NULL, 64 * 1000);
        channel_seal(f->channel, f->now);
        assert_int_equal(feed(f, next), INFLOW_TAKEN);
        size = f->inflow.unacknowledged;
        if (inflow_deadline(&f->inflow).us == f->now.us)
            return size;
        assert_true(size < (4 << 20));
    }
}

static void many_bytes_are_acknowledged_at_once(void **state)
{
    (void)state;
    struct publication f;
    setup(&f, 1 << 20);
    (void)inflow_acknowledge(&f.inflow, f.now);
    assert_in_range(feed_until_ack_due(&f), 256 * 1024, 330 * 1000);
    (void)inflow_acknowledge(&f.inflow, f.now);
    assert_in_range(feed_until_ack_due(&f), 1024 * 1024, 1100 * 1000);
    f.inflow.share = 100 * 1000; /* The sender has a small window. */
    (void)inflow_acknowledge(&f.inflow, f.now);
    assert_in_range(feed_until_ack_due(&f), 100 * 1000, 170 * 1000);
    teardown(&f);
}

/* Feeds a packet after a pause; returns the delay of its acknowledgement in ms.
 */
static long ack_delay(struct publication *f, int pause_ms)
{
    uint64_t next = f->channel->store.next;
    f->now = instant_after(f->now, span_ms(pause_ms));
    publish(f, "x", 0);
    channel_seal(f->channel, f->now);
    assert_int_equal(feed(f, next), INFLOW_TAKEN);
    struct instant due = inflow_deadline(&f->inflow);
    int64_t ms = instant_between(f->now, due).us / 1000;
    f->now = due;
    (void)inflow_acknowledge(&f->inflow, f->now);
    return (long)ms;
}

static void a_stream_that_goes_on_is_acknowledged_later(void **state)
{
    (void)state;
    struct publication f;
    setup(&f, 1 << 20);
    (void)inflow_acknowledge(&f.inflow, f.now); /* the START */
    assert_int_equal(ack_delay(&f, 1), 50);
    assert_int_equal(ack_delay(&f, 10), 100);
    f.by_relay = true; /* By a relay there are other receivers. */
    assert_int_equal(ack_delay(&f, 10), 400);
    f.inflow.came_at = f.now;
    assert_int_equal(ack_delay(&f, 199), 400);
    f.inflow.came_at = f.now;
    assert_int_equal(ack_delay(&f, 200), 50);
    teardown(&f);
}

static void a_new_path_hastens_an_owed_acknowledgement(void **state)
{
    (void)state;
    struct publication f;
    setup(&f, 1 << 20);
    f.by_relay = true;
    (void)inflow_acknowledge(&f.inflow, f.now);
    assert_int_equal(ack_delay(&f, 1), 50);
    inflow_path_changed(&f.inflow, f.now);
    assert_true(instant_is_never(inflow_deadline(&f.inflow)));
    uint64_t next = f.channel->store.next;
    publish(&f, "x", 0);
    channel_seal(f.channel, f.now);
    assert_int_equal(feed(&f, next), INFLOW_TAKEN);
    assert_int_equal(inflow_deadline(&f.inflow).us, f.now.us + 400000);
    inflow_path_changed(&f.inflow, f.now);
    assert_int_equal(inflow_deadline(&f.inflow).us, f.now.us + 50000);
    teardown(&f);
}

static void repairs_and_probes_hasten_acknowledgements(void **state)
{
    (void)state;
    struct publication f;
    struct group_start key;
    struct inflow_sink sink = {&f, on_message, on_gap};
    setup(&f, 1 << 20);
    (void)inflow_acknowledge(&f.inflow, f.now);
    assert_int_equal(ack_delay(&f, 1), 50);
    assert_int_equal(feed(&f, 0), INFLOW_TAKEN); /* The packet comes twice. */
    f.now = inflow_deadline(&f.inflow);
    (void)inflow_acknowledge(&f.inflow, f.now);
    assert_int_equal(ack_delay(&f, 1), 50);
    assert_int_equal(ack_delay(&f, 1), 50);
    f.now = instant_after(f.now, span_ms(1000));
    f.inflow.came_at = f.now;
    assert_int_equal(ack_delay(&f, 1), 100);

    assert_true(channel_tell_key(f.channel, f.channel->key_id, &key));
    inflow_start(&f.inflow, &key, f.now, &sink);
    assert_int_equal(inflow_deadline(&f.inflow).us, f.now.us);
    (void)inflow_acknowledge(&f.inflow, f.now);
    f.inflow.came_at = f.now;
    assert_int_equal(ack_delay(&f, 1), 50);
    teardown(&f);
}

static void a_later_start_is_a_gap_of_exactly_what_lies_between(void **state)
{
    (void)state;
    struct publication f;
    struct inflow_sink sink = {&f, on_message, on_gap};
    setup(&f, 1 << 20);
    publish(&f, "one", 0);
    publish(&f, NULL,
            180 * 1000); /* Its first packet comes, the others do not. */
    for (int i = 0; i < 5; i++)
        publish(&f, "lost", 0);
    channel_seal(f.channel, f.now);
    assert_int_equal(feed(&f, 0), INFLOW_TAKEN);
    assert_int_equal(f.messages, 1);

    receiver_leave_behind(f.receiver, f.now);
    struct group_start start = receiver_start(f.receiver);
    inflow_start(&f.inflow, &start, f.now, &sink);
    assert_int_equal(f.missed, 6);
    inflow_start(&f.inflow, &start, f.now, &sink); /* The same again. */
    assert_int_equal(f.missed, 6);

    receiver_start_sent(f.receiver, 1, f.now);
    receiver_start_acked(f.receiver, f.now);
    uint64_t next = f.channel->store.next;
    publish(&f, "after", 0);
    channel_seal(f.channel, f.now);
    assert_int_equal(feed(&f, next), INFLOW_TAKEN);
    assert_string_equal(f.last, "after");
    assert_int_equal(f.missed, 6);
    teardown(&f);
}

static void a_receiver_that_left_and_is_back_has_no_gap(void **state)
{
    (void)state;
    struct publication f;
    struct inflow_sink sink = {&f, on_message, on_gap};
    setup(&f, 1 << 20);
    publish(&f, "one", 0);
    channel_seal(f.channel, f.now);
    assert_int_equal(feed(&f, 0), INFLOW_TAKEN);
    f.inflow.left = true;
    for (int i = 0; i < 5; i++)
        publish(&f, "for others", 0);
    struct receiver *again = receiver_new(f.channel, NULL, f.now);
    receiver_route(again, ROUTE_DIRECT);
    receiver_begin(again, f.now);
    for (int i = 0; i < 2; i++)
        publish(&f, "for it", 0);
    channel_seal(f.channel, f.now);
    receiver_leave_behind(again, f.now);
    struct group_start start = receiver_start(again);
    inflow_start(&f.inflow, &start, f.now, &sink);
    assert_int_equal(f.missed, 2);
    assert_int_equal(feed(&f, 0), INFLOW_TAKEN); /* Nothing comes twice. */
    assert_int_equal(f.messages, 1);
    receiver_free(again);
    teardown(&f);
}

/* The receiver was present when they were published, but its START came late.
 */
static void a_late_start_tells_the_missed_messages(void **state)
{
    (void)state;
    struct publication f;
    struct inflow_sink sink = {&f, on_message, on_gap};
    setup(&f, 1 << 20);
    for (int i = 0; i < 5; i++)
        publish(&f, "before", 0);
    struct receiver *late = receiver_new(f.channel, NULL, f.now);
    receiver_route(late, ROUTE_DIRECT);
    receiver_begin(late, f.now);
    for (int i = 0; i < 3; i++)
        publish(&f, "for it", 0);
    channel_seal(f.channel, f.now);
    receiver_leave_behind(late, f.now);
    struct group_start start = receiver_start(late);
    inflow_close(&f.inflow);
    struct inflow_conf conf = {1 << 20, WINDOW};
    inflow_init(&f.inflow, &start, &conf);
    inflow_start(&f.inflow, &start, f.now, &sink);
    assert_int_equal(f.missed, 3);
    receiver_free(late);
    teardown(&f);
}

static void a_message_that_is_too_large_is_a_gap_of_one(void **state)
{
    (void)state;
    struct publication f;
    setup(&f, 1000);
    publish(&f, "one", 0);
    publish(&f, NULL, 150 * 1000);
    publish(&f, NULL, 2000);
    publish(&f, "four", 0);
    channel_seal(f.channel, f.now);
    for (uint64_t i = 0; i < f.channel->store.next; i++)
        assert_int_equal(feed(&f, i), INFLOW_TAKEN);
    assert_int_equal(f.messages, 2);
    assert_int_equal(f.missed, 2);
    assert_string_equal(f.last, "four");
    teardown(&f);
}

static void a_new_key_is_needed_and_old_ones_stay(void **state)
{
    (void)state;
    struct publication f;
    struct inflow_sink sink = {&f, on_message, on_gap};
    struct group_start key;
    setup(&f, 1 << 20);
    publish(&f, "one", 0);
    channel_rekey(f.channel, false, &f.entropy, f.now);
    publish(&f, "two", 0);
    channel_seal(f.channel, f.now);
    assert_int_equal(feed(&f, 1), INFLOW_NO_KEY);
    assert_true(channel_tell_key(f.channel, 2, &key));
    inflow_start(&f.inflow, &key, f.now, &sink);
    assert_int_equal(feed(&f, 0), INFLOW_TAKEN);
    assert_int_equal(feed(&f, 1), INFLOW_TAKEN);
    assert_int_equal(f.messages, 2);
    assert_int_equal(f.missed, 0);
    assert_false(channel_tell_key(f.channel, 3, &key));
    assert_false(channel_tell_key(f.channel, 0, &key));
    teardown(&f);
}

static void tell_key(struct publication *f, uint32_t id)
{
    struct inflow_sink sink = {f, on_message, on_gap};
    struct group_start key;
    assert_true(channel_tell_key(f->channel, id, &key));
    inflow_start(&f->inflow, &key, f->now, &sink);
}

/* Packets of both ciphers in turn: the cipher of the last packet does not
 * matter. */
static void a_stream_may_change_its_cipher(void **state)
{
    (void)state;
    struct publication f;
    if (!crypto_aead_aes256gcm_is_available())
        skip();
    setup(&f, 1 << 20);
    for (uint32_t id = 1; id <= 4; id++) {
        if (id > 1)
            channel_rekey(f.channel, id % 2 == 0, &f.entropy, f.now);
        receiver_has_aes(f.receiver,
                         id % 2 == 1); /* for the next publication */
        tell_key(&f, id);
        publish(&f, "first", 0);
        channel_seal(f.channel, f.now);
        publish(&f, "second", 0);
        channel_seal(f.channel, f.now);
    }
    for (size_t i = 0; i < 8; i++) {
        if (i > 0) /* A packet under an old key in between. */
            assert_int_equal(feed(&f, i - 1), INFLOW_TAKEN);
        assert_int_equal(feed(&f, i), INFLOW_TAKEN);
    }
    assert_int_equal(f.messages, 8);
    assert_int_equal(f.missed, 0);
    teardown(&f);
}

static void forged_packets_and_nonsense_are_told_apart(void **state)
{
    (void)state;
    struct publication f;
    struct inflow_sink sink = {&f, on_message, on_gap};
    setup(&f, 1 << 20);
    publish(&f, "one", 0);
    channel_seal(f.channel, f.now);
    struct bytes bytes = channel_plain(f.channel, 0);
    uint8_t copy[256];
    struct multicast_packet m;
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size - 1] ^= 1;
    assert_true(multicast_decode(bytes_of(copy, bytes.size), false, &m));
    assert_int_equal(inflow_take(&f.inflow, &m, f.now, &sink), INFLOW_FORGED);
    assert_int_equal(f.messages, 0);

    struct multicast_packet header = {.tag = {{1}}, .key = 1, .number = 99};
    static const uint8_t contents[][3] = {
        {RECORD_PONG, 1, 2},    /* not DATA */
        {RECORD_DATA, 1, 0xff}, /* bad flags */
        {RECORD_DATA, 1, 0},    /* the middle of no message */
    };
    for (size_t i = 0; i < 3; i++) {
        struct writer w = writer_of(copy, sizeof copy);
        group_seal(&header, &f.channel->newest,
                   bytes_of(contents[i], sizeof contents[i]), &w);
        assert_true(multicast_decode(writer_bytes(&w), false, &m));
        assert_int_equal(inflow_take(&f.inflow, &m, f.now, &sink),
                         INFLOW_VIOLATION);
    }
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_sizes_come_once),
        cmocka_unit_test(a_packet_after_a_gap_is_reported_at_once),
        cmocka_unit_test(many_bytes_are_acknowledged_at_once),
        cmocka_unit_test(a_stream_that_goes_on_is_acknowledged_later),
        cmocka_unit_test(a_new_path_hastens_an_owed_acknowledgement),
        cmocka_unit_test(repairs_and_probes_hasten_acknowledgements),
        cmocka_unit_test(a_later_start_is_a_gap_of_exactly_what_lies_between),
        cmocka_unit_test(a_receiver_that_left_and_is_back_has_no_gap),
        cmocka_unit_test(a_late_start_tells_the_missed_messages),
        cmocka_unit_test(a_message_that_is_too_large_is_a_gap_of_one),
        cmocka_unit_test(a_new_key_is_needed_and_old_ones_stay),
        cmocka_unit_test(a_stream_may_change_its_cipher),
        cmocka_unit_test(forged_packets_and_nonsense_are_told_apart),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
