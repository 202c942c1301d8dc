#include "kit.h"

#include "common/core/outbox.h"

#include <stdlib.h>

enum { HEADER = 3, ROOM = PACKET_RECORDS_SIZE };

static struct slabs slabs;
static uint8_t packet[1 << 20];

/* Makes a message of `size` bytes in all, with data that depends on the ref. */
static void put(struct outbox *o, size_t size, uint64_t ref)
{
    uint8_t *data = malloc(size);
    memset(data, (int)ref, size);
    struct message m = {.kind = MESSAGE_SEND,
                        .encoding = ENCODING_BYTES,
                        .type = bytes_of("t", 1),
                        .data = bytes_of(data, size - HEADER)};
    assert_true(outbox_put(o, &m, ref));
    free(data);
}

/* Writes a packet's records into `packet`. */
static struct outbox_row write_row(struct outbox *o, size_t room, size_t window,
                                   struct writer *w)
{
    *w = writer_of(packet, sizeof packet);
    struct outbox_row row = outbox_take(o, room, window);
    outbox_row_write(&row, w);
    assert_true(writer_ok(w) && writer_bytes(w).size <= room);
    return row;
}

/* Sends one record. */
static bool send_one(struct outbox *o, size_t window, struct data_record *d,
                     bool *again)
{
    struct writer w;
    uint64_t next = o->next;
    if (!outbox_has_next(o, window))
        return false;
    struct outbox_entry *e = &o->entries[next & (o->capacity - 1)];
    struct outbox_row written =
        write_row(o, e->size + varint_size(next), window, &w);
    assert_int_equal(written.records, 1);
    *again = written.resent == 1;
    struct record_reader r = record_reader_of(writer_bytes(&w));
    struct record record;
    assert_true(record_next(&r, &record) && record_reader_done(&r));
    assert_int_equal(record.data.sequence, next);
    *d = record.data;
    return true;
}

static uint64_t take(struct outbox *o, bool *again)
{
    struct data_record d;
    return send_one(o, 1 << 20, &d, again) ? d.sequence : 0;
}

static void records_go_in_order_and_stay_until_acknowledged(void **state)
{
    (void)state;
    struct outbox o;
    bool again;
    uint64_t ref;
    outbox_init(&o, 1000, &slabs);
    for (uint64_t i = 1; i <= 3; i++)
        put(&o, 10, i);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(take(&o, &again), i);
        assert_false(again);
    }
    assert_int_equal(take(&o, &again), 0);
    assert_int_equal(o.bytes, 3 * (10 + 2));
    assert_true(outbox_acknowledge(&o, 2, &ref));
    assert_int_equal(ref, 1);
    assert_true(outbox_acknowledge(&o, 2, &ref));
    assert_int_equal(ref, 2);
    assert_false(outbox_acknowledge(&o, 2, &ref));
    assert_int_equal(o.bytes, 10 + 2);
    outbox_rewind(&o);
    assert_int_equal(take(&o, &again), 3);
    assert_true(again);
    outbox_close(&o);
}

static void a_record_that_was_not_sent_cannot_be_acknowledged(void **state)
{
    (void)state;
    struct outbox o;
    uint64_t ref;
    outbox_init(&o, 1000, &slabs);
    put(&o, 10, 1);
    assert_false(outbox_acknowledge(&o, UINT64_MAX, &ref));
    assert_int_equal(o.bytes, 10 + 2);
    outbox_close(&o);
}

static void a_large_message_is_cut_and_whole_again(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 1 << 20, &slabs);
    size_t size = 3 * RECORD_FRAGMENT_SIZE + 5, sum = 0;
    put(&o, size, 9);
    struct data_record r;
    bool again;
    int count = 0;
    while (send_one(&o, 1 << 20, &r, &again)) {
        assert_int_equal(r.first, count == 0);
        if (r.first)
            assert_int_equal(r.total, size);
        sum += r.fragment.size;
        count++;
        assert_int_equal(r.last, sum == size);
    }
    assert_int_equal(count, 4);
    assert_int_equal(sum, size);
    uint64_t ref;
    assert_false(outbox_acknowledge(&o, 3, &ref));
    assert_true(outbox_acknowledge(&o, 4, &ref));
    assert_int_equal(o.bytes, 0);
    outbox_close(&o);
}

static void the_limit_holds_but_for_one_large_message(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 100, &slabs);
    assert_true(outbox_has_room(&o, 5000));
    put(&o, 60, 1);
    assert_true(outbox_has_room(&o, 38));
    assert_false(outbox_has_room(&o, 39));
    outbox_close(&o);
}

static void the_window_bounds_the_bytes_in_flight(void **state)
{
    (void)state;
    struct outbox o;
    struct data_record r;
    bool again;
    uint64_t ref;
    outbox_init(&o, 1000, &slabs);
    for (uint64_t i = 1; i <= 4; i++)
        put(&o, 100, i);
    assert_true(send_one(&o, 150, &r, &again));
    assert_false(send_one(&o, 150, &r, &again));
    assert_true(outbox_acknowledge(&o, 1, &ref));
    assert_true(
        send_one(&o, 50, &r, &again)); /* One record may always be sent. */
    outbox_close(&o);
}

static void forgetting_keeps_whole_messages_not_yet_sent(void **state)
{
    (void)state;
    struct outbox o;
    bool again;
    uint64_t ref;
    struct data_record r;
    outbox_init(&o, 1 << 20, &slabs);
    put(&o, 2 * RECORD_FRAGMENT_SIZE, 1); /* the first half is sent */
    put(&o, 10, 2);
    assert_true(send_one(&o, 1 << 20, &r, &again));
    assert_true(outbox_forget(&o, false, &ref));
    assert_int_equal(ref, 1);
    assert_false(outbox_forget(&o, false, &ref));
    outbox_renumber(&o);
    assert_true(send_one(&o, 1 << 20, &r, &again));
    assert_int_equal(r.sequence, 1);
    assert_int_equal(r.fragment.data[HEADER], 2);
    assert_true(outbox_forget(&o, true, &ref));
    assert_int_equal(ref, 2);
    assert_int_equal(o.bytes, 0);
    outbox_close(&o);
}

static void random_traffic_neither_loses_nor_leaks(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 300000, &slabs);
    srand(1);
    uint64_t put_ref = 0, got_ref = 0, ref, top = 0;
    for (int i = 0; i < 20000; i++) {
        size_t size =
            (size_t)(rand() % 3 ? 4 + rand() % 300 : 4 + rand() % 100000);
        if (outbox_has_room(&o, size))
            put(&o, size, ++put_ref);
        struct data_record r;
        bool again;
        for (int k = rand() % 4; k > 0; k--)
            if (send_one(&o, 200000, &r, &again))
                top = r.sequence > top ? r.sequence : top;
        if (rand() % 10 == 0)
            outbox_rewind(&o);
        uint64_t upto = o.base + (uint64_t)(rand() % 8);
        while (outbox_acknowledge(&o, upto < top ? upto : top, &ref))
            assert_int_equal(ref, ++got_ref);
        assert_true(o.bytes <= 300000 + RECORD_DATA_OVERHEAD);
    }
    assert_true(got_ref > 1000);
    outbox_close(&o);
}

/* Reads one packet, message by message. */
static size_t read_packet(struct writer *w, uint64_t from, uint64_t ref)
{
    struct record_reader r = record_reader_of(writer_bytes(w));
    struct record record;
    struct message m;
    uint64_t sequence = from;
    while (record_next(&r, &record)) {
        assert_int_equal(record.data.sequence, sequence++);
        assert_true(message_decode(record.data.fragment, &m));
        assert_int_equal(m.data.data[0], (uint8_t)ref++);
    }
    assert_true(record_reader_done(&r));
    return (size_t)(sequence - from);
}

static void a_packet_takes_what_fits_and_lies_in_a_row(void **state)
{
    (void)state;
    struct outbox o;
    struct writer w;
    outbox_init(&o, 1 << 20, &slabs);
    for (uint64_t i = 1; i <= 2000; i++)
        put(&o, 100, i); /* more than one slab */
    uint64_t next = 1;
    for (int packets = 0; next <= 2000; packets++) {
        struct outbox_row written = write_row(&o, ROOM, 1 << 20, &w);
        assert_int_equal(written.resent, 0);
        assert_int_equal(read_packet(&w, next, next), written.records);
        next += written.records;
        assert_true(next > 2000 || written.size > SLAB_END - SLAB_FRONT - 102);
        assert_true(packets < 4);
    }
    assert_int_equal(write_row(&o, ROOM, 1 << 20, &w).records, 0);
    outbox_rewind(&o);
    put(&o, 100, 2001);
    for (next = 1; next <= 2001;) {
        struct outbox_row all = write_row(&o, 50000, 1 << 20, &w);
        assert_int_equal(read_packet(&w, next, next), all.records);
        next += all.records;
        assert_int_equal(all.resent,
                         next > 2001 ? all.records - 1 : all.records);
    }
    outbox_close(&o);
}

static void too_little_room_takes_nothing(void **state)
{
    (void)state;
    struct outbox o;
    struct writer w;
    outbox_init(&o, 1000, &slabs);
    put(&o, 50, 1);
    put(&o, 50, 2);
    for (size_t room = 0; room < 1 + 1 + 1 + 50; room++) {
        assert_int_equal(write_row(&o, room, 1000, &w).records, 0);
        assert_int_equal(writer_bytes(&w).size, 0);
    }
    assert_int_equal(write_row(&o, 53 + 51, 1000, &w).records, 1);
    assert_int_equal(writer_bytes(&w).size, 53);
    outbox_close(&o);
}

/* Records at the front of a slab give the same bytes as a copy, and the next
 * packet continues after them. */
static void a_row_at_the_front_may_be_sent_from_where_it_lies(void **state)
{
    (void)state;
    struct outbox o;
    struct writer w;
    outbox_init(&o, 1 << 20, &slabs);
    for (uint64_t i = 1; i <= 300; i++)
        put(&o, 1000, i); /* sequences of 1 and of 2 bytes */
    uint64_t next = 1;
    for (int i = 0; next <= 300; i++) {
        assert_true(outbox_is_at_front(&o, 8192));
        struct outbox_row row = outbox_take(&o, ROOM, 1 << 20);
        struct bytes joined =
            outbox_row_join(&row, bytes_of("before", i == 0 ? 0 : 6));
        w = writer_of(packet, sizeof packet);
        if (i > 0)
            write_bytes(&w, bytes_of("before", 6));
        outbox_row_write(&row, &w);
        assert_true(bytes_equal(joined, writer_bytes(&w)));
        next += row.records;
    }
    outbox_rewind(&o);
    assert_int_equal(write_row(&o, ROOM, 1 << 20, &w).resent, 66);
    assert_int_equal(read_packet(&w, 1, 1), 66);
    outbox_close(&o);
}

static void nothing_is_written_before_what_others_read(void **state)
{
    (void)state;
    struct outbox o;
    struct writer w;
    uint64_t ref;
    outbox_init(&o, 1 << 20, &slabs);
    put(&o, 10000, 1);
    assert_false(outbox_is_at_front(&o, 10004)); /* The row has 10003 bytes. */
    struct outbox_row row = outbox_take(&o, ROOM, 1 << 20);
    struct bytes sent = outbox_row_join(&row, bytes_of("one", 3));
    uint8_t *then = malloc(sent.size);
    memcpy(then, sent.data, sent.size);
    block_hold(&row.slab->block);

    assert_false(outbox_is_at_front(&o, 1)); /* there is no next record */
    outbox_rewind(&o);
    assert_false(outbox_is_at_front(&o, 1)); /* the slab is being read */
    assert_int_equal(write_row(&o, ROOM, 1 << 20, &w).resent, 1);
    assert_int_equal(read_packet(&w, 1, 1), 1);
    put(&o, 10000, 2); /* is added to the same slab */
    outbox_rewind(&o);
    assert_int_equal(write_row(&o, ROOM, 1 << 20, &w).records, 2);
    assert_int_equal(read_packet(&w, 1, 1), 2);
    assert_memory_equal(sent.data, then, sent.size);

    struct slab *slab = row.slab;
    assert_true(outbox_acknowledge(&o, 2, &ref));
    assert_true(outbox_acknowledge(&o, 2, &ref));
    put(&o, 10000, 3); /* goes into another slab */
    assert_memory_equal(sent.data, then, sent.size);
    assert_ptr_not_equal(o.oldest, slab);
    block_release(&slab->block);
    free(then);
    outbox_close(&o);
}

static void after_the_reading_ends_the_row_can_be_lent_again(void **state)
{
    (void)state;
    struct outbox o;
    outbox_init(&o, 1 << 20, &slabs);
    put(&o, 10000, 1);
    struct outbox_row row = outbox_take(&o, ROOM, 1 << 20);
    block_hold(&row.slab->block);
    outbox_rewind(&o);
    assert_false(outbox_is_at_front(&o, 8192));
    block_release(&row.slab->block);
    assert_true(outbox_is_at_front(&o, 8192));
    /* A row that begins in the middle of a slab has no room for a header. */
    put(&o, 10000, 2);
    struct outbox_row first = outbox_take(&o, 10100, 1 << 20);
    assert_int_equal(first.records, 1);
    assert_false(outbox_is_at_front(&o, 8192));
    outbox_close(&o);
}

static void a_message_of_64_kib_is_one_record(void **state)
{
    (void)state;
    struct outbox o;
    struct data_record d;
    bool again;
    outbox_init(&o, 1 << 20, &slabs);
    put(&o, 64 * 1024 + MESSAGE_HEADER_SIZE, 1);
    assert_true(send_one(&o, 1 << 20, &d, &again));
    assert_true(d.first && d.last);
    outbox_close(&o);
}

/* Acknowledged records need no memory, and free slabs are used again. */
static void an_empty_outbox_holds_nothing(void **state)
{
    (void)state;
    struct outbox o;
    uint64_t ref;
    bool again;
    outbox_init(&o, 1 << 20, &slabs);
    for (uint64_t i = 1; i <= 10000; i++)
        put(&o, 90, i);
    assert_non_null(o.oldest);
    while (take(&o, &again) != 0)
        ;
    size_t spare = slabs.count;
    while (outbox_acknowledge(&o, 10000, &ref))
        ;
    assert_null(o.oldest);
    assert_null(o.newest);
    assert_true(slabs.count > spare);
    assert_true(o.capacity <= 4096);
    outbox_close(&o);
}

static int close_slabs(void **state)
{
    (void)state;
    slabs_close(&slabs);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_go_in_order_and_stay_until_acknowledged),
        cmocka_unit_test(a_record_that_was_not_sent_cannot_be_acknowledged),
        cmocka_unit_test(a_large_message_is_cut_and_whole_again),
        cmocka_unit_test(the_limit_holds_but_for_one_large_message),
        cmocka_unit_test(the_window_bounds_the_bytes_in_flight),
        cmocka_unit_test(forgetting_keeps_whole_messages_not_yet_sent),
        cmocka_unit_test(random_traffic_neither_loses_nor_leaks),
        cmocka_unit_test(a_packet_takes_what_fits_and_lies_in_a_row),
        cmocka_unit_test(too_little_room_takes_nothing),
        cmocka_unit_test(a_row_at_the_front_may_be_sent_from_where_it_lies),
        cmocka_unit_test(nothing_is_written_before_what_others_read),
        cmocka_unit_test(after_the_reading_ends_the_row_can_be_lent_again),
        cmocka_unit_test(a_message_of_64_kib_is_one_record),
        cmocka_unit_test(an_empty_outbox_holds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, close_slabs);
}
