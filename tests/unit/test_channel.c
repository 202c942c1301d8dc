#include "kit.h"

#include "edge/core/channel.h"
#include "edge/core/receiver.h"

enum { LIMIT = 100 * 1000 };

struct fan {
    struct channel *channel;
    struct entropy entropy;
    struct instant now;
    uint64_t next_ref;
};

static void setup(struct fan *f)
{
    static const uint8_t seed[32] = {1};
    struct group_tag tag = {{1}};
    *f = (struct fan){.now = {1000000}};
    entropy_init(&f->entropy, seed);
    f->channel = channel_new("", &tag, LIMIT, &f->entropy);
}

static void teardown(struct fan *f)
{
    while (f->channel->receivers != NULL)
        receiver_free(f->channel->receivers);
    assert_int_equal(f->channel->receiver_count, 0);
    assert_int_equal(f->channel->holders, 0);
    assert_int_equal(f->channel->fanout_count, 0);
    assert_int_equal(f->channel->present, 0);
    assert_int_equal(f->channel->awaiting, 0);
    assert_int_equal(f->channel->starting, 0);
    assert_int_equal(f->channel->without_aes, 0);
    channel_free(f->channel);
}

/* A receiver that takes part. */
static struct receiver *join(struct fan *f, int route)
{
    struct receiver *r = receiver_new(f->channel, NULL, f->now);
    receiver_route(r, route);
    receiver_begin(r, f->now);
    assert_true(receiver_wants_start(r));
    (void)receiver_start(r);
    receiver_start_sent(r, ++f->next_ref, f->now);
    assert_false(receiver_wants_start(r));
    receiver_start_acked(r, f->now);
    return r;
}

static void gather(struct fan *f, size_t size)
{
    static const uint8_t zeros[2 * LIMIT];
    struct message m = {
        .kind = MESSAGE_EVENT,
        .encoding = ENCODING_BYTES,
        .type = bytes_of_string("t"),
        .data = bytes_of(zeros, size),
    };
    assert_true(channel_add(f->channel, &m, f->now));
}

/* One packet of about `size` bytes. */
static void publish(struct fan *f, size_t size)
{
    gather(f, size);
    channel_seal(f->channel, f->now);
}

/* So many publications, each uploaded to the first relay. */
static void upload(struct fan *f, int count)
{
    for (int i = 0; i < count; i++) {
        publish(f, 100);
        f->channel->uploads[0].next++;
    }
}

static size_t kept(const struct fan *f)
{
    return (size_t)(f->channel->store.next - f->channel->store.base);
}

static void acknowledge_all(struct fan *f, struct receiver *r)
{
    receiver_acknowledged(r, f->channel->next_record - 1, f->now);
}

static void a_packet_stays_until_the_last_has_it(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, ROUTE_DIRECT), *b = join(&f, ROUTE_DIRECT);
    for (int i = 0; i < 4; i++)
        publish(&f, 100);
    assert_int_equal(kept(&f), 4);
    acknowledge_all(&f, a);
    assert_int_equal(kept(&f), 4);
    receiver_acknowledged(b, 1, f.now);
    assert_int_equal(kept(&f), 3);
    receiver_acknowledged(b, 1000, f.now); /* More than there is. */
    assert_int_equal(kept(&f), 0);
    publish(&f, 100);
    assert_int_equal(kept(&f), 1);
    receiver_free(a);
    assert_int_equal(kept(&f), 1);
    receiver_free(b);
    assert_int_equal(kept(&f), 0);
    publish(&f, 100); /* For nobody. */
    assert_int_equal(kept(&f), 0);
    teardown(&f);
}

static void those_behind_a_relay_ride_on_one_upload(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0), *b = join(&f, 0);
    struct receiver *direct = join(&f, ROUTE_DIRECT);
    publish(&f, 100);
    assert_true(a->by_fanout && b->by_fanout);
    assert_false(receiver_has_output(a));
    assert_true(receiver_has_output(direct));
    assert_true(channel_has_upload(f.channel, 0, f.now));
    assert_false(channel_has_upload(f.channel, 1, f.now));
    f.channel->uploads[0].next++;
    assert_false(channel_has_upload(f.channel, 0, f.now));
    receiver_sent(direct);
    assert_false(receiver_has_output(direct));
    teardown(&f);
}

static void who_misses_something_gets_it_alone_and_rides_again(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0), *b = join(&f, 0);
    upload(&f, 3);
    receiver_acknowledged(a, 1, f.now);
    receiver_repair(a, f.now, span_ms(100));
    assert_false(a->by_fanout);
    assert_true(b->by_fanout);
    assert_int_equal(a->cursor, 1);
    receiver_sent(a);
    assert_false(a->by_fanout);
    receiver_repair(a, f.now, span_ms(100)); /* It is under way already. */
    assert_int_equal(a->cursor, 2);
    receiver_sent(a);
    assert_true(a->by_fanout);
    assert_false(receiver_has_output(a));
    teardown(&f);
}

/* Uploads that come too early make it complain until the last has come. */
static void what_was_sent_to_it_alone_is_not_missing(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0);
    upload(&f, 3);
    receiver_acknowledged(a, 1, f.now);
    assert_false(
        receiver_awaits_unicast(a)); /* It had an upload, and may lack it */
    receiver_repair(a, f.now, span_ms(100));
    assert_false(receiver_awaits_unicast(a));
    receiver_sent(a);
    assert_true(receiver_awaits_unicast(a));
    receiver_sent(a);
    assert_true(a->by_fanout);
    receiver_acknowledged(a, 2, f.now);
    assert_true(receiver_awaits_unicast(a));
    receiver_acknowledged(a, 3, f.now);
    assert_false(receiver_awaits_unicast(a));
    upload(&f, 1);
    assert_false(receiver_awaits_unicast(a));
    teardown(&f);
}

static void what_goes_again_goes_gently(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    f.channel->store.limit = 4 << 20;
    struct receiver *a = join(&f, ROUTE_DIRECT);
    for (int i = 0; i < 20; i++) {
        publish(&f, 60 * 1000);
        assert_true(receiver_has_output(a)); /* All new may fly. */
        receiver_sent(a);
    }
    receiver_repair(a, f.now, span_us(0));
    int sent = 0;
    for (; receiver_has_output(a); sent++)
        receiver_sent(a);
    assert_true(sent >= 5 && sent <= 10); /* About 256 KiB. */
    receiver_acknowledged(a, 4, f.now);
    assert_true(receiver_has_output(a));
    teardown(&f);
}

static void a_new_path_begins_with_what_is_missing(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, ROUTE_DIRECT);
    for (int i = 0; i < 3; i++) {
        publish(&f, 100);
        receiver_sent(a);
    }
    receiver_acknowledged(a, 1, f.now);
    receiver_route(a, 0);
    /* The first to go by this relay: one upload serves it. */
    assert_true(a->by_fanout);
    assert_int_equal(f.channel->uploads[0].next, 1);
    receiver_route(a, ROUTE_NONE);
    assert_int_equal(f.channel->uploads[0].receivers, 0);
    assert_false(channel_has_upload(f.channel, 0, f.now));
    receiver_route(a, ROUTE_DIRECT);
    assert_int_equal(a->cursor, 1);
    assert_true(receiver_has_output(a));
    teardown(&f);
}

static void silence_is_noticed_and_doubled(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, ROUTE_DIRECT);
    assert_true(instant_is_never(receiver_stall_at(a, span_us(-1))));
    publish(&f, 100);
    assert_true(instant_is_never(receiver_stall_at(a, span_us(-1))));
    receiver_sent(a);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);
    assert_int_equal(receiver_stall_at(a, span_ms(200)).us, f.now.us + 800000);
    a->stalls = 1;
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 500000);
    a->stalls = 20;
    assert_true(receiver_stall_at(a, span_us(-1)).us <= f.now.us + 13000000);
    acknowledge_all(&f, a);
    assert_true(instant_is_never(receiver_stall_at(a, span_us(-1))));
    assert_int_equal(a->stalls, 0);
    teardown(&f);
}

/* A word that takes its time is no reason to ask [P-9.7]. */
static void silence_is_as_long_as_words_take(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, ROUTE_DIRECT);
    for (int i = 0; i < 2; i++) {
        publish(&f, 100);
        receiver_sent(a);
        f.now = instant_after(f.now, span_ms(50));
    }
    receiver_acknowledged(a, 1, f.now);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);

    f.now = instant_after(f.now, span_ms(600)); /* It is slow. */
    receiver_acknowledged(a, 2, f.now);
    f.now = instant_after(f.now, span_ms(300));
    publish(&f, 100);
    receiver_sent(a);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us,
                     f.now.us + 650 * 1500);
    for (int i = 0; i < 30; i++) { /* And it is not any more. */
        acknowledge_all(&f, a);
        f.now = instant_after(f.now, span_ms(300));
        publish(&f, 100);
        receiver_sent(a);
    }
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);
    teardown(&f);
}

/* Nor is one that comes by a relay in a stream that goes on. */
static void by_a_relay_silence_is_longer(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0);
    upload(&f, 1);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 400000);
    f.now = instant_after(f.now, span_ms(50));
    receiver_acknowledged(a, 1, f.now);
    upload(&f, 1);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 800000);

    f.now = instant_after(f.now, span_ms(600)); /* It is slow there. */
    receiver_acknowledged(a, 2, f.now);
    upload(&f, 1);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 900000);
    receiver_route(a, ROUTE_DIRECT);
    receiver_sent(a);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);
    teardown(&f);
}

static void what_it_lacks_when_it_answers_was_lost(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0);
    upload(&f, 3);
    receiver_probed(a, 7);
    upload(&f, 1); /* It is not asked of this one. */
    receiver_acknowledged(a, 1, f.now);
    assert_false(receiver_shows_loss(a)); /* It answered nothing yet. */
    receiver_probe_ended(a, true);
    assert_int_equal(a->probe_ref, 0);
    receiver_acknowledged(a, 2, f.now);
    assert_true(receiver_shows_loss(a));
    assert_false(receiver_shows_loss(a)); /* Said once. */

    receiver_probed(a, 8);
    upload(&f, 1);
    receiver_probe_ended(a, true);
    receiver_acknowledged(a, 4, f.now);
    assert_false(receiver_shows_loss(a));

    receiver_probed(a, 9);
    receiver_probe_ended(a, false); /* Its session ended. */
    assert_false(receiver_shows_loss(a));
    receiver_probed(a, 10);
    receiver_probe_ended(a, true);
    receiver_route(a, ROUTE_DIRECT); /* It was asked on another path. */
    assert_false(receiver_shows_loss(a));
    teardown(&f);
}

static void fill(struct fan *f)
{
    while (channel_has_room(f->channel, 30 * 1000))
        publish(f, 30 * 1000);
    f->channel->wants_ready = true;
}

static void a_full_store_waits_and_then_leaves_behind(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *fast = join(&f, ROUTE_DIRECT);
    struct receiver *slow = join(&f, ROUTE_DIRECT);
    fill(&f);
    acknowledge_all(&f, fast);
    assert_false(channel_has_room(f.channel, 30 * 1000));
    struct instant ends = channel_patience_ends(f.channel, f.now);
    assert_int_equal(ends.us, f.now.us + 2000000);
    f.now = ends;
    channel_leave_behind(f.channel, f.now);
    assert_int_equal(fast->state, RECEIVER_TAKING);
    assert_int_equal(slow->state, RECEIVER_BEHIND);
    assert_int_equal(kept(&f), 0);
    assert_true(receiver_wants_start(slow));

    /* The next time the patience with it is shorter. */
    struct group_start start = receiver_start(slow);
    assert_int_equal(start.record, f.channel->next_record);
    assert_int_equal(start.message, f.channel->next_message);
    receiver_start_sent(slow, 7, f.now);
    receiver_start_acked(slow, f.now);
    fill(&f);
    acknowledge_all(&f, fast);
    ends = channel_patience_ends(f.channel, f.now);
    assert_int_equal(ends.us, f.now.us + 1000000);

    /* And after a while without, it is as it was. */
    acknowledge_all(&f, slow);
    f.now.us += 10 * 1000000;
    assert_int_equal(receiver_patience(slow, f.now).us, 2000000);
    teardown(&f);
}

static void who_is_told_too_late_is_told_again(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *fast = join(&f, ROUTE_DIRECT);
    struct receiver *slow = join(&f, ROUTE_DIRECT);
    fill(&f);
    f.now.us += 2000000;
    acknowledge_all(&f, fast);
    channel_leave_behind(f.channel, f.now);
    (void)receiver_start(slow);
    receiver_start_sent(slow, 9, f.now);
    assert_int_equal(slow->state, RECEIVER_CATCHING);
    publish(&f, 100); /* It goes on from here, and this does not wait. */
    acknowledge_all(&f, fast);
    assert_int_equal(kept(&f), 0);
    receiver_start_acked(slow, f.now);
    assert_int_equal(slow->state, RECEIVER_BEHIND);
    assert_true(receiver_wants_start(slow));
    teardown(&f);
}

static void who_is_away_is_waited_for_while_there_is_room(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *r = join(&f, ROUTE_DIRECT);
    publish(&f, 100);
    receiver_is_present(r, false);
    assert_int_equal(kept(&f), 1);
    assert_false(receiver_has_output(r));
    assert_false(channel_is_delivering(f.channel));
    receiver_is_present(r, true);
    assert_true(receiver_has_output(r));
    assert_true(channel_is_delivering(f.channel));
    receiver_is_present(r, false);
    fill(&f);
    assert_int_equal(channel_patience_ends(f.channel, f.now).us, f.now.us);
    channel_leave_behind(f.channel, f.now);
    assert_int_equal(kept(&f), 0);
    assert_false(receiver_wants_start(r)); /* Not before it is back. */
    receiver_is_present(r, true);
    assert_true(receiver_wants_start(r));
    teardown(&f);
}

static void a_lost_start_is_said_again_the_same(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *r = receiver_new(f.channel, NULL, f.now);
    receiver_route(r, ROUTE_DIRECT);
    receiver_begin(r, f.now);
    publish(&f, 100);
    struct group_start first = receiver_start(r);
    receiver_start_sent(r, 1, f.now);
    receiver_start_lost(r);
    channel_rekey(f.channel, false, &f.entropy, f.now);
    publish(&f, 100);
    assert_true(receiver_wants_start(r));
    struct group_start again = receiver_start(r);
    assert_int_equal(again.record, first.record);
    assert_int_equal(again.message, first.message);
    assert_memory_equal(again.key, first.key, sizeof first.key);
    assert_int_equal(kept(&f), 2);
    receiver_start_sent(r, 2, f.now);
    receiver_start_acked(r, f.now);
    assert_int_equal(r->cursor, f.channel->store.base);

    /* It has none of it: what it forgot it is told again. */
    receiver_forgot(r);
    assert_int_equal(r->state, RECEIVER_STARTING);
    (void)receiver_start(r);
    receiver_start_sent(r, 3, f.now);
    receiver_start_acked(r, f.now);
    assert_int_equal(kept(&f), 2);
    receiver_acknowledged(r, 1, f.now);
    receiver_forgot(r);
    assert_int_equal(kept(&f), 1);
    again = receiver_start(r);
    assert_int_equal(again.record, 2);
    assert_int_equal(again.message, 2);
    assert_int_equal(again.since, 2);
    assert_int_equal(again.key_id, 2);
    teardown(&f);
}

/* A publication of 64 KiB is one record, which a packet holds. */
static void a_publication_of_64_kib_is_one_record(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *r = join(&f, ROUTE_DIRECT);
    gather(&f, 64 * 1024);
    gather(&f, 64 * 1024);
    channel_seal(f.channel, f.now);
    assert_int_equal(kept(&f), 2);
    for (uint64_t i = 0; i < 2; i++)
        assert_int_equal(store_at(&f.channel->store, i)->content.last_record,
                         i + 1);
    assert_true(channel_plain(f.channel, 0).size + FORWARD_HEADER_SIZE +
                    SIGNATURE_SIZE <=
                PACKET_SIZE);
    receiver_acknowledged(r, 2, f.now);
    assert_int_equal(kept(&f), 0);
    teardown(&f);
}

/* The second message lies in three packets, of which it had the first. */
static void what_was_begun_and_forgotten_is_missed(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *r = join(&f, ROUTE_DIRECT);
    gather(&f, 20 * 1000);
    gather(&f, 2 * RECORD_FRAGMENT_SIZE + 1000);
    gather(&f, 100);
    gather(&f, 100);
    channel_seal(f.channel, f.now);
    receiver_acknowledged(
        r, store_at(&f.channel->store, 1)->content.last_record, f.now);
    receiver_forgot(r);
    struct group_start start = receiver_start(r);
    assert_int_equal(start.since, 2);
    assert_int_equal(start.message, 3);
    receiver_start_sent(r, 1, f.now);
    receiver_start_acked(r, f.now);

    /* With nothing but the end of a message left, it begins at the end. */
    acknowledge_all(&f, r);
    gather(&f, LIMIT);
    channel_seal(f.channel, f.now);
    receiver_acknowledged(r, f.channel->next_record - 2, f.now);
    assert_int_equal(kept(&f), 1);
    receiver_forgot(r);
    assert_int_equal(kept(&f), 0);
    start = receiver_start(r);
    assert_int_equal(start.since, 5);
    assert_int_equal(start.message, 6);
    assert_int_equal(start.record, f.channel->next_record);

    /* What was gathered meanwhile is not forgotten. */
    receiver_start_sent(r, 2, f.now);
    receiver_start_acked(r, f.now);
    gather(&f, 100);
    receiver_forgot(r);
    start = receiver_start(r);
    assert_int_equal(start.since, 6);
    assert_int_equal(start.message, 6);
    assert_int_equal(start.record + 1, f.channel->next_record);
    teardown(&f);
}

static void the_first_upload_waits_for_those_who_are_told(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *r = receiver_new(f.channel, NULL, f.now);
    receiver_route(r, 0);
    receiver_begin(r, f.now);
    publish(&f, 100);
    assert_false(channel_has_upload(f.channel, 0, f.now));
    (void)receiver_start(r);
    receiver_start_sent(r, 1, f.now);
    assert_false(channel_has_upload(f.channel, 0, f.now));
    receiver_start_acked(r, f.now);
    assert_true(channel_has_upload(f.channel, 0, f.now));
    assert_true(r->by_fanout);
    teardown(&f);
}

static void a_packet_is_signed_once_and_only_for_relays(void **state)
{
    (void)state;
    uint8_t secret[64] = {3};
    struct fan f;
    setup(&f);
    (void)join(&f, 0);
    publish(&f, 100);
    assert_false(store_at(&f.channel->store, 0)->is_signed);
    struct bytes plain = channel_plain(f.channel, 0);
    struct bytes one = channel_signed(f.channel, 0, secret);
    assert_true(store_at(&f.channel->store, 0)->is_signed);
    assert_int_equal(one.size,
                     FORWARD_HEADER_SIZE + plain.size + SIGNATURE_SIZE);
    assert_ptr_equal(one.data + FORWARD_HEADER_SIZE, plain.data);
    teardown(&f);
}

static enum cipher rekeyed(struct fan *f)
{
    channel_rekey(f->channel, true, &f->entropy, f->now);
    assert_false(channel_wants_key(f->channel, true));
    return f->channel->newest.cipher;
}

static void a_key_is_for_what_all_receivers_have(void **state)
{
    (void)state;
    if (!crypto_aead_aes256gcm_is_available())
        skip();
    struct fan f;
    setup(&f);
    struct receiver *with = join(&f, ROUTE_DIRECT);
    assert_false(channel_wants_key(f.channel, true));
    receiver_has_aes(with, true);
    assert_false(channel_wants_key(f.channel, false)); /* This node has not. */
    assert_true(channel_wants_key(f.channel, true));
    assert_int_equal(rekeyed(&f), CIPHER_AES);

    struct receiver *without = receiver_new(f.channel, NULL, f.now);
    assert_true(channel_wants_key(f.channel, true));
    assert_int_equal(rekeyed(&f), CIPHER_CHACHA);
    receiver_free(without);
    assert_true(channel_wants_key(f.channel, true));
    assert_int_equal(rekeyed(&f), CIPHER_AES);

    /* Each key once: told as what it was made for. */
    static const bool aes[] = {false, true, false, true};
    struct group_start keys[COUNT_OF(aes)];
    for (uint32_t i = 0; i < COUNT_OF(aes); i++) {
        assert_true(channel_tell_key(f.channel, i + 1, &keys[i]));
        assert_int_equal(keys[i].aes, aes[i]);
        for (uint32_t k = 0; k < i; k++)
            assert_memory_not_equal(keys[k].key, keys[i].key, 32);
    }
    teardown(&f);
}

static void no_number_is_used_twice_under_a_key(void **state)
{
    enum { PACKETS = 40 };
    struct multicast_packet m[PACKETS];
    struct fan f;
    (void)state;
    setup(&f);
    (void)join(&f, ROUTE_DIRECT);
    for (size_t i = 0; i < PACKETS; i++) {
        if (i % 15 == 14)
            channel_rekey(f.channel, false, &f.entropy, f.now);
        publish(&f, 100);
        assert_true(
            multicast_decode(channel_plain(f.channel, i), false, &m[i]));
        for (size_t k = 0; k < i; k++)
            assert_false(m[k].key == m[i].key && m[k].number == m[i].number);
    }
    teardown(&f);
}

static void a_worn_key_is_replaced(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    f.channel->number = aead_limit(CIPHER_CHACHA);
    assert_false(channel_wants_key(f.channel, false));
    (void)join(&f, ROUTE_DIRECT);
    publish(&f, 100);
    assert_true(channel_wants_key(f.channel, false));
    channel_rekey(f.channel, false, &f.entropy, f.now);
    assert_false(channel_wants_key(f.channel, false));
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_stays_until_the_last_has_it),
        cmocka_unit_test(those_behind_a_relay_ride_on_one_upload),
        cmocka_unit_test(who_misses_something_gets_it_alone_and_rides_again),
        cmocka_unit_test(what_was_sent_to_it_alone_is_not_missing),
        cmocka_unit_test(what_goes_again_goes_gently),
        cmocka_unit_test(a_new_path_begins_with_what_is_missing),
        cmocka_unit_test(silence_is_noticed_and_doubled),
        cmocka_unit_test(silence_is_as_long_as_words_take),
        cmocka_unit_test(by_a_relay_silence_is_longer),
        cmocka_unit_test(what_it_lacks_when_it_answers_was_lost),
        cmocka_unit_test(a_full_store_waits_and_then_leaves_behind),
        cmocka_unit_test(who_is_told_too_late_is_told_again),
        cmocka_unit_test(who_is_away_is_waited_for_while_there_is_room),
        cmocka_unit_test(a_lost_start_is_said_again_the_same),
        cmocka_unit_test(a_publication_of_64_kib_is_one_record),
        cmocka_unit_test(what_was_begun_and_forgotten_is_missed),
        cmocka_unit_test(the_first_upload_waits_for_those_who_are_told),
        cmocka_unit_test(a_packet_is_signed_once_and_only_for_relays),
        cmocka_unit_test(a_key_is_for_what_all_receivers_have),
        cmocka_unit_test(no_number_is_used_twice_under_a_key),
        cmocka_unit_test(a_worn_key_is_replaced),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
