#include "kit.h"

#include "edge/core/store.h"

#include <string.h>

/* Puts a packet of `size` bytes, each equal to the low byte of the packet's
 * index. */
static void put(struct store *s, size_t size)
{
    uint8_t mark = (uint8_t)s->next;
    struct store_packet *p = store_put(s, size);
    memset(store_data(s, p), mark, size);
}

static void assert_whole(const struct store *s)
{
    for (uint64_t i = s->base; i < s->next; i++) {
        const struct store_packet *p = store_at(s, i);
        const uint8_t *data = store_data(s, p);
        for (size_t k = 0; k < p->size; k++)
            assert_int_equal(data[k], (uint8_t)i);
    }
}

static void packets_stay_whole_however_they_come_and_go(void **state)
{
    (void)state;
    struct store s;
    uint32_t dice = 1;
    store_init(&s, 1 << 20);
    for (int i = 0; i < 20000; i++) {
        dice = dice * 1664525 + 1013904223;
        size_t size = 1 + (dice >> 8) % 5000;
        if (dice >> 31 && !store_is_empty(&s))
            store_drop_first(&s);
        else if (store_has_room(&s, size))
            put(&s, size);
        if (i % 500 == 0)
            assert_whole(&s);
        assert_true(s.bytes <= s.limit);
    }
    assert_whole(&s);
    /* The ring grew to the size of its content, not to that of all packets so
     * far. */
    assert_true(s.ring_size <= 4 * s.limit);
    store_close(&s);
}

static void room_is_bytes_and_an_empty_store_takes_anything(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, 1000);
    assert_true(store_has_room(&s, 5000));
    put(&s, 600);
    assert_true(store_has_room(&s, 400));
    assert_false(store_has_room(&s, 401));
    assert_false(store_has_room(&s, SIZE_MAX));
    put(&s, 400);
    assert_false(store_has_room(&s, 1));
    store_drop_first(&s);
    assert_true(store_has_room(&s, 600));
    store_close(&s);
}

static void a_large_packet_does_not_keep_its_memory(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, 100 * 1000);
    put(&s, 4 * 1000 * 1000);
    assert_whole(&s);
    store_drop_first(&s);
    assert_int_equal(s.ring_size, 0);
    put(&s, 10);
    assert_whole(&s);
    assert_int_equal(store_at(&s, 1)->position, 4 * 1000 * 1000);
    store_close(&s);
}

static void a_running_store_does_not_allocate(void **state)
{
    (void)state;
    struct store s;
    store_init(&s, 1 << 18);
    for (int i = 0; i < 200; i++)
        put(&s, 1000);
    const uint8_t *ring = s.ring;
    const struct store_packet *packets = s.packets;
    for (int i = 0; i < 5000; i++) {
        store_drop_first(&s);
        put(&s, 1000);
    }
    assert_ptr_equal(s.ring, ring);
    assert_ptr_equal(s.packets, packets);
    assert_whole(&s);
    store_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_stay_whole_however_they_come_and_go),
        cmocka_unit_test(room_is_bytes_and_an_empty_store_takes_anything),
        cmocka_unit_test(a_large_packet_does_not_keep_its_memory),
        cmocka_unit_test(a_running_store_does_not_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
