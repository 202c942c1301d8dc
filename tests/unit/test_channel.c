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

/* Publishes one packet of about `size` bytes. */
static void publish(struct fan *f, size_t size)
{
    gather(f, size);
    channel_seal(f->channel, f->now);
}

/* Publishes `count` packets, and uploads each to the first relay. */
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
    receiver_acknowledged(b, 1000, f.now); /* More records than there are. */
    assert_int_equal(kept(&f), 0);
    publish(&f, 100);
    assert_int_equal(kept(&f), 1);
    receiver_free(a);
    assert_int_equal(kept(&f), 1);
    receiver_free(b);
    assert_int_equal(kept(&f), 0);
    publish(&f, 100); /* There is no receiver. */
    assert_int_equal(kept(&f), 0);
    teardown(&f);
}

static void receivers_behind_a_relay_share_one_upload(void **state)
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

static void missed_packets_come_by_unicast_then_fanout_resumes(void **state)
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
    receiver_repair(
        a, f.now, span_ms(100)); /* The missing packet is under way already. */
    assert_int_equal(a->cursor, 2);
    receiver_sent(a);
    assert_true(a->by_fanout);
    assert_false(receiver_has_output(a));
    teardown(&f);
}

/* While a packet is under way by unicast, the receiver reports each fanned-out
 * packet as one after a gap. */
static void packets_under_way_by_unicast_are_not_missing(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0);
    upload(&f, 3);
    receiver_acknowledged(a, 1, f.now);
    assert_false(
        receiver_awaits_unicast(a)); /* it got an upload, and may lack it */
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

static void a_repair_is_limited_in_flight(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    f.channel->store.limit = 4 << 20;
    struct receiver *a = join(&f, ROUTE_DIRECT);
    for (int i = 0; i < 20; i++) {
        publish(&f, 60 * 1000);
        assert_true(receiver_has_output(a)); /* New packets are not limited. */
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
    /* It is the first receiver by this relay, so an upload serves it. */
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

/* A packet that waited for another path does not make this one slow. */
static void a_new_path_is_measured_anew(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, ROUTE_DIRECT);
    publish(&f, 100);
    receiver_sent(a);
    f.now = instant_after(f.now, span_ms(900));
    receiver_route(a, ROUTE_DIRECT); /* The other direct path. */
    receiver_sent(a);
    f.now = instant_after(f.now, span_ms(20));
    receiver_acknowledged(a, 1, f.now);
    publish(&f, 100);
    receiver_sent(a);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);
    teardown(&f);
}

static void the_stall_time_doubles(void **state)
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

/* A slow acknowledgement is no reason to probe [P-9.7]. */
static void the_stall_time_follows_slow_acknowledgements(void **state)
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

    f.now = instant_after(f.now, span_ms(600)); /* A slow acknowledgement. */
    receiver_acknowledged(a, 2, f.now);
    f.now = instant_after(f.now, span_ms(300));
    publish(&f, 100);
    receiver_sent(a);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us,
                     f.now.us + 650 * 1500);
    for (int i = 0; i < 30; i++) { /* From now on the receiver is fast. */
        acknowledge_all(&f, a);
        f.now = instant_after(f.now, span_ms(300));
        publish(&f, 100);
        receiver_sent(a);
    }
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);
    teardown(&f);
}

/* Nor is a slow acknowledgement by a relay, in a continuous stream. */
static void the_stall_time_is_longer_by_a_relay(void **state)
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

    f.now = instant_after(f.now, span_ms(600)); /* It is slow by the relay. */
    receiver_acknowledged(a, 2, f.now);
    upload(&f, 1);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 900000);
    receiver_route(a, ROUTE_DIRECT);
    receiver_sent(a);
    assert_int_equal(receiver_stall_at(a, span_us(-1)).us, f.now.us + 250000);
    teardown(&f);
}

static void packets_that_an_answer_lacks_were_lost(void **state)
{
    (void)state;
    struct fan f;
    setup(&f);
    struct receiver *a = join(&f, 0);
    upload(&f, 3);
    receiver_probed(a, 7);
    upload(&f, 1); /* The probe was sent before this one. */
    receiver_acknowledged(a, 1, f.now);
    assert_false(receiver_shows_loss(a)); /* No answer came yet. */
    receiver_probe_ended(a, true);
    assert_int_equal(a->probe_ref, 0);
    receiver_acknowledged(a, 2, f.now);
    assert_true(receiver_shows_loss(a));
    assert_false(receiver_shows_loss(a)); /* Reported once. */

    receiver_probed(a, 8);
    upload(&f, 1);
    receiver_probe_ended(a, true);
    receiver_acknowledged(a, 4, f.now);
    assert_false(receiver_shows_loss(a));

    receiver_probed(a, 9);
    receiver_probe_ended(a,
                         false); /* The session ended, and the probe with it. */
    assert_false(receiver_shows_loss(a));
    receiver_probed(a, 10);
    receiver_probe_ended(a, true);
    receiver_route(a, ROUTE_DIRECT); /* The probe went by another path. */
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

    /* The next time the store waits less for it. */
    struct group_start start = receiver_start(slow);
    assert_int_equal(start.record, f.channel->next_record);
    assert_int_equal(start.message, f.channel->next_message);
    receiver_start_sent(slow, 7, f.now);
    receiver_start_acked(slow, f.now);
    fill(&f);
    acknowledge_all(&f, fast);
    ends = channel_patience_ends(f.channel, f.now);
    assert_int_equal(ends.us, f.now.us + 1000000);

    /* After a while without being left behind, the store waits as long as at
     * first. */
    acknowledge_all(&f, slow);
    f.now.us += 10 * 1000000;
    assert_int_equal(receiver_patience(slow, f.now).us, 2000000);
    teardown(&f);
}

static void a_late_start_is_sent_again(void **state)
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
    publish(&f, 100); /* The START says that the stream goes on here, but the
                         store does not keep this packet. */
    acknowledge_all(&f, fast);
    assert_int_equal(kept(&f), 0);
    receiver_start_acked(slow, f.now);
    assert_int_equal(slow->state, RECEIVER_BEHIND);
    assert_true(receiver_wants_start(slow));
    teardown(&f);
}

static void an_absent_receiver_is_waited_for_while_there_is_room(void **state)
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
    assert_false(
        receiver_wants_start(r)); /* Not before the receiver is back. */
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

    /* The receiver lost all it knew of the stream: the START is sent again. */
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

/* A publication of 64 KiB is one record, and fits one packet. */
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

/* The second message takes three packets, of which the receiver had the first.
 */
static void a_message_begun_and_forgotten_is_missed(void **state)
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

    /* When only the end of a message is left, the receiver begins at the end of
     * the stream. */
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

    /* Publications that the batch gathered meanwhile are not lost. */
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

static void the_first_upload_waits_for_starting_receivers(void **state)
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
    assert_false(
        channel_wants_key(f.channel, false)); /* This node has no AES. */
    assert_true(channel_wants_key(f.channel, true));
    assert_int_equal(rekeyed(&f), CIPHER_AES);

    struct receiver *without = receiver_new(f.channel, NULL, f.now);
    assert_true(channel_wants_key(f.channel, true));
    assert_int_equal(rekeyed(&f), CIPHER_CHACHA);
    receiver_free(without);
    assert_true(channel_wants_key(f.channel, true));
    assert_int_equal(rekeyed(&f), CIPHER_AES);

    /* Each key is sent once, with the cipher that it was made for. */
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
        cmocka_unit_test(receivers_behind_a_relay_share_one_upload),
        cmocka_unit_test(missed_packets_come_by_unicast_then_fanout_resumes),
        cmocka_unit_test(packets_under_way_by_unicast_are_not_missing),
        cmocka_unit_test(a_repair_is_limited_in_flight),
        cmocka_unit_test(a_new_path_begins_with_what_is_missing),
        cmocka_unit_test(a_new_path_is_measured_anew),
        cmocka_unit_test(the_stall_time_doubles),
        cmocka_unit_test(the_stall_time_follows_slow_acknowledgements),
        cmocka_unit_test(the_stall_time_is_longer_by_a_relay),
        cmocka_unit_test(packets_that_an_answer_lacks_were_lost),
        cmocka_unit_test(a_full_store_waits_and_then_leaves_behind),
        cmocka_unit_test(a_late_start_is_sent_again),
        cmocka_unit_test(an_absent_receiver_is_waited_for_while_there_is_room),
        cmocka_unit_test(a_lost_start_is_said_again_the_same),
        cmocka_unit_test(a_publication_of_64_kib_is_one_record),
        cmocka_unit_test(a_message_begun_and_forgotten_is_missed),
        cmocka_unit_test(the_first_upload_waits_for_starting_receivers),
        cmocka_unit_test(a_packet_is_signed_once_and_only_for_relays),
        cmocka_unit_test(a_key_is_for_what_all_receivers_have),
        cmocka_unit_test(no_number_is_used_twice_under_a_key),
        cmocka_unit_test(a_worn_key_is_replaced),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
