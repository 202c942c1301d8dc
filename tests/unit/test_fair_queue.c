#include "kit.h"

#include "common/wire/packet.h"
#include "relay/core/fair_queue.h"

enum { SOURCES = 40, LIMIT = 1 << 20 };

static struct fair_queue q;
static struct shared_packets *packets;
static struct node_id sources[SOURCES];

static int setup(void **state)
{
    (void)state;
    static const uint8_t hash_key[16] = {5};
    for (uint8_t i = 0; i < SOURCES; i++)
        sources[i].key[7] = i;
    fair_queue_init(&q, hash_key);
    packets = shared_packets_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fair_queue_close(&q);
    assert_true(fair_queue_is_empty(&q));
    assert_int_equal(q.bytes, 0);
    assert_int_equal(shared_packets_bytes(packets), 0);
    shared_packets_release(&packets);
    return 0;
}

/* A packet that contains its source and its number. */
static struct shared_packet *packet_of(uint8_t source, uint32_t number,
                                       size_t size)
{
    static uint8_t room[PACKET_SIZE];
    assert_in_range(size, 5, sizeof room);
    room[0] = source;
    memcpy(room + 1, &number, sizeof number);
    return shared_packet_new(packets, bytes_of(room, size));
}

static uint32_t number_of(const struct shared_packet *packet)
{
    uint32_t number;
    assert_true(packet->size >= 5);
    memcpy(&number, packet->data + 1, sizeof number);
    return number;
}

static void put(uint8_t source, uint32_t number, size_t size)
{
    struct shared_packet *p = packet_of(source, number, size);
    fair_queue_put(&q, &sources[source], p);
    shared_packet_release(&p);
}

/* Takes the next packet and returns its source. */
static uint8_t take(uint32_t *number)
{
    const struct shared_packet *packet = fair_queue_first(&q);
    uint8_t source = packet->data[0];
    *number = number_of(packet);
    fair_queue_drop(&q);
    return source;
}

static void one_source_is_first_in_first_out(void **state)
{
    (void)state;
    assert_true(fair_queue_is_empty(&q));
    assert_null(fair_queue_first(&q));
    fair_queue_drop(&q); /* of an empty queue */
    for (uint32_t i = 0; i < 1000; i++)
        put(3, i, 5 + i);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t number;
        assert_int_equal(take(&number), 3);
        assert_int_equal(number, i);
    }
    assert_true(fair_queue_is_empty(&q));
    assert_int_equal(q.bytes, 0);
}

static void sources_take_turns(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        put(0, i, 60000);
    for (uint32_t i = 0; i < 3; i++) {
        put(1, i, 60000);
        put(2, i, 60000);
    }
    /* The late sources wait for one turn each, not for all earlier packets. */
    for (uint32_t i = 0; i < 3; i++) {
        for (uint8_t source = 0; source < 3; source++) {
            uint32_t number;
            assert_int_equal(take(&number), source);
            assert_int_equal(number, i);
        }
    }
    uint32_t number;
    assert_int_equal(take(&number), 0);
    assert_int_equal(number, 3);
}

static void turns_are_of_bytes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2000; i++)
        put(0, i, 1000);
    for (uint32_t i = 0; i < 40; i++)
        put(1, i, 50000);
    size_t bytes[2] = {0, 0};
    for (int i = 0; i < 800; i++) {
        const struct shared_packet *p = fair_queue_first(&q);
        bytes[p->data[0]] += p->size;
        fair_queue_drop(&q);
        size_t apart =
            bytes[0] > bytes[1] ? bytes[0] - bytes[1] : bytes[1] - bytes[0];
        assert_true(apart <= 2 * (size_t)FAIR_QUEUE_TURN);
    }
    assert_true(bytes[0] > 600000 && bytes[1] > 600000);
}

/* Puts the packet if it is admitted. `displaced` counts lost packets by source.
 */
static bool offer(uint8_t source, uint32_t number, size_t size,
                  size_t displaced[SOURCES])
{
    if (!fair_queue_admits(&q, &sources[source], size, LIMIT))
        return false;
    while (fair_queue_is_over(&q, size, LIMIT)) {
        struct shared_packet *p = fair_queue_displace(&q);
        assert_int_not_equal(p->data[0], source);
        displaced[p->data[0]]++;
        shared_packet_release(&p);
    }
    put(source, number, size);
    assert_true(q.bytes <= LIMIT);
    return true;
}

static void a_flooding_source_loses_its_own_packets(void **state)
{
    (void)state;
    size_t displaced[SOURCES] = {0};
    uint32_t flood = 0;
    while (offer(0, flood, 10000, displaced))
        flood++;
    assert_in_range(flood, 100, 105);
    /* Nine more sources: each gets a tenth of the queue, at the cost of the
     * first. */
    for (uint8_t source = 1; source < 10; source++) {
        for (uint32_t i = 0; i < 10; i++)
            assert_true(offer(source, i, 10000, displaced));
    }
    assert_int_equal(displaced[0], 90 - (LIMIT / 10064 - flood));
    assert_false(offer(0, flood, 10000, displaced));
    assert_false(offer(5, 10, 10000, displaced));
    for (int i = 1; i < SOURCES; i++)
        assert_int_equal(displaced[i], 0);
    /* The first packets of each source are still there, in order. */
    uint32_t next[SOURCES] = {0};
    while (!fair_queue_is_empty(&q)) {
        uint32_t number;
        uint8_t source = take(&number);
        assert_int_equal(number, next[source]++);
    }
    assert_int_equal(next[0], flood - displaced[0]);
    assert_int_equal(next[9], 10);
}

static void the_heaviest_of_many_is_found(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < SOURCES; i++)
        put(i, 0, 100 + 37 * ((i * 23U) % SOURCES));
    size_t last = SIZE_MAX;
    for (int i = 0; i < SOURCES; i++) {
        struct shared_packet *p = fair_queue_displace(&q);
        assert_true(p->size < last);
        last = p->size;
        shared_packet_release(&p);
    }
    assert_true(fair_queue_is_empty(&q));
}

static void a_packet_larger_than_all_is_refused(void **state)
{
    (void)state;
    assert_false(fair_queue_admits(&q, &sources[0], 1000, 1000));
    assert_true(fair_queue_admits(&q, &sources[0], 1000,
                                  1000 + SHARED_PACKET_OVERHEAD));
    assert_false(fair_queue_admits(&q, &sources[0], 0, 0));
}

static void a_lowered_limit_is_kept_at_the_next_packet(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        put(0, i, 1000);
        put(1, i, 1000);
    }
    assert_false(fair_queue_admits(&q, &sources[0], 1000, 10000));
    assert_true(fair_queue_admits(&q, &sources[2], 1000, 10000));
    while (fair_queue_is_over(&q, 1000, 10000)) {
        struct shared_packet *p = fair_queue_displace(&q);
        shared_packet_release(&p);
    }
    put(2, 0, 1000);
    assert_true(q.bytes <= 10000);
}

/* splitmix64 */
static uint64_t random_below(uint64_t *at, uint64_t bound)
{
    uint64_t z = *at += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % bound;
}

/* With random traffic the queue stays bounded, each source keeps its order,
 * each packet comes once, and no source loses a packet to make room for its
 * own. */
static void any_traffic_keeps_the_promises(void **state)
{
    (void)state;
    uint64_t rng = 7;
    uint32_t sent[SOURCES] = {0};
    uint32_t seen[SOURCES] = {0};
    size_t in = 0, out = 0;
    size_t displaced[SOURCES] = {0};
    for (int i = 0; i < 200000; i++) {
        uint8_t source = (uint8_t)random_below(&rng, SOURCES);
        size_t size = random_below(&rng, 2) ? 100 : PACKET_SIZE;
        if (source > SOURCES / 2 && random_below(&rng, 3) > 0)
            source = 0; /* source 0 floods */
        if (random_below(&rng, 100) < 45 + (uint64_t)(i / 50000) * 4) {
            if (!fair_queue_is_empty(&q)) {
                uint32_t number;
                uint8_t whose = take(&number);
                assert_true(number >= seen[whose]);
                seen[whose] = number + 1;
                out++;
            }
        } else if (offer(source, sent[source], 5 + random_below(&rng, size - 4),
                         displaced)) {
            sent[source]++;
            in++;
        }
        assert_int_equal(fair_queue_is_empty(&q), q.bytes == 0);
    }
    for (uint32_t number; !fair_queue_is_empty(&q); out++)
        take(&number);
    size_t lost = 0;
    for (int i = 0; i < SOURCES; i++)
        lost += displaced[i];
    assert_true(lost > 100);
    assert_int_equal(in, out + lost);
    assert_int_equal(q.bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_source_is_first_in_first_out),
        TEST(sources_take_turns),
        TEST(turns_are_of_bytes),
        TEST(a_flooding_source_loses_its_own_packets),
        TEST(the_heaviest_of_many_is_found),
        TEST(a_packet_larger_than_all_is_refused),
        TEST(a_lowered_limit_is_kept_at_the_next_packet),
        TEST(any_traffic_keeps_the_promises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
