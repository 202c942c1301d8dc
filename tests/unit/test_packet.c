#include "common/wire/packet.h"

#include "tests/unit/wire_kit.h"

static uint8_t room[PACKET_SIZE];

static bool hello_decodes(struct bytes bytes, const void *context)
{
    struct relay_hello h;

    (void)context;
    return relay_hello_decode(bytes, &h);
}

static void a_hello_comes_back(void **state)
{
    struct relay_hello h = {
        .version = 1,
        .certificate = bytes_of_string("certificate"),
        .epoch = {77},
        .lost_after_ms = 3000,
        .revocation_serial = 5,
        .sealed = bytes_of_string("sealed"),
    };
    struct relay_hello back;
    struct writer w = writer_of(room, sizeof(room));

    (void)state;
    relay_hello_encode(&h, &w);
    assert_true(writer_ok(&w));
    assert_true(relay_hello_decode(writer_bytes(&w), &back));
    assert_int_equal(back.version, 1);
    assert_int_equal(back.epoch.value, 77);
    assert_int_equal(back.lost_after_ms, 3000);
    assert_int_equal(back.revocation_serial, 5);
    assert_true(bytes_equal(back.certificate, h.certificate));
    assert_true(bytes_equal(back.sealed, h.sealed));
    assert_all_cuts_refused(writer_bytes(&w), hello_decodes, NULL);
    room[0] = RELAY_WELCOME;
    assert_false(hello_decodes(writer_bytes(&w), NULL));
}

static void too_large_a_hello_is_not_written_nor_read(void **state)
{
    static uint8_t large[SEALED_ANNOUNCEMENT_SIZE + 1];
    struct relay_hello h = {
        .sealed = bytes_of(large, sizeof(large) - 1),
        .certificate = bytes_of(large, CERTIFICATE_SIZE),
    };
    struct writer w = writer_of(room, sizeof(room));

    (void)state;
    relay_hello_encode(&h, &w);
    assert_true(writer_ok(&w));
    assert_true(hello_decodes(writer_bytes(&w), NULL));
    h.sealed.size++;
    w = writer_of(room, sizeof(room));
    relay_hello_encode(&h, &w);
    assert_false(writer_ok(&w));
    h.sealed.size--;
    h.certificate.size++;
    w = writer_of(room, sizeof(room));
    relay_hello_encode(&h, &w);
    assert_false(writer_ok(&w));
}

static bool welcome_decodes(struct bytes bytes, const void *context)
{
    struct relay_welcome m;

    (void)context;
    return relay_welcome_decode(bytes, &m);
}

static void a_welcome_comes_back(void **state)
{
    static const struct address outsides[] = {
        {.family = ADDRESS_V4, .ip = {1, 2, 3, 4}, .port = 5},
        {.family = ADDRESS_V6, .ip = {[15] = 1}, .port = 65535},
        {.family = ADDRESS_NONE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(outsides); i++) {
        struct relay_welcome m = {1, 99, "relay-1", outsides[i], 3}, back;
        struct writer w = writer_of(room, sizeof(room));

        relay_welcome_encode(&m, &w);
        assert_true(writer_ok(&w));
        assert_true(relay_welcome_decode(writer_bytes(&w), &back));
        assert_memory_equal(back.name, m.name, sizeof(m.name));
        assert_true(address_equal(&back.outside, &m.outside));
        assert_int_equal(back.boot, 99);
        assert_int_equal(back.revocation_serial, 3);
        assert_all_cuts_refused(writer_bytes(&w), welcome_decodes, NULL);
    }
}

static bool certificate_decodes(struct bytes bytes, const void *context)
{
    struct relay_tls t;

    (void)context;
    return relay_certificate_decode(bytes, &t);
}

static void a_certificate_comes_back(void **state)
{
    struct relay_tls t = {.end = RELAY_TLS_HERE, .hash = {9, [31] = 8}}, back;
    uint8_t packet[64] = {0};
    struct writer w = writer_of(packet, sizeof(packet));

    (void)state;
    relay_certificate_encode(&t, &w);
    assert_int_equal(writer_bytes(&w).size, 1 + CERTIFICATE_HASH_SIZE);
    assert_true(relay_certificate_decode(writer_bytes(&w), &back));
    assert_int_equal(back.end, RELAY_TLS_HERE);
    assert_memory_equal(back.hash, t.hash, sizeof(t.hash));
    for (size_t size = 0; size <= sizeof(packet); size++) {
        assert_int_equal(certificate_decodes(bytes_of(packet, size), NULL),
                         size == 1 || size == 1 + CERTIFICATE_HASH_SIZE);
    }
    t.end = RELAY_TLS_BEFORE;
    w = writer_of(packet, sizeof(packet));
    relay_certificate_encode(&t, &w);
    assert_int_equal(writer_bytes(&w).size, 1);
    assert_true(relay_certificate_decode(writer_bytes(&w), &back));
    assert_int_equal(back.end, RELAY_TLS_BEFORE);
    packet[0] = RELAY_CLOCK;
    assert_false(certificate_decodes(bytes_of(packet, 1), NULL));
}

static void a_welcome_that_lies_is_refused(void **state)
{
    struct relay_welcome m = {.version = 1, .name = "r"};
    struct writer w = writer_of(room, sizeof(room));
    const size_t name_at = 1 + 1 + 8 + 1, family_at = name_at + 1;

    (void)state;
    relay_welcome_encode(&m, &w);
    assert_true(welcome_decodes(writer_bytes(&w), NULL));
    room[name_at] = '\n';
    assert_false(welcome_decodes(writer_bytes(&w), NULL));
    room[name_at] = '\0';
    assert_false(welcome_decodes(writer_bytes(&w), NULL));
    room[name_at] = 'r';
    room[family_at + 1] = 1; /* a port without an address */
    assert_false(welcome_decodes(writer_bytes(&w), NULL));
}

static void roster_entries_come_one_by_one(void **state)
{
    struct roster_entry entries[] = {
        {{{1}}, {5}, bytes_of_string("one")},
        {{{2}}, {6}, bytes_of_string("")},
        {{{3}}, {7}, bytes_of_string("three")},
    };
    struct writer w = writer_of(room, sizeof(room));
    struct roster_entry e;
    struct reader r;
    size_t whole;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        roster_entry_encode(&entries[i], &w);
    assert_true(writer_ok(&w));
    r = reader_of(writer_bytes(&w));
    for (size_t i = 0; i < COUNT_OF(entries); i++) {
        assert_true(roster_entry_next(&r, &e));
        assert_true(node_id_equal(&e.node, &entries[i].node));
        assert_int_equal(e.epoch.value, entries[i].epoch.value);
        assert_true(bytes_equal(e.sealed, entries[i].sealed));
    }
    assert_false(roster_entry_next(&r, &e));
    assert_true(reader_done(&r));

    whole = 0;
    for (size_t size = 0; size < writer_bytes(&w).size; size++) {
        r = reader_of(bytes_of(room, size));
        while (roster_entry_next(&r, &e))
            continue;
        whole += reader_ok(&r);
    }
    assert_int_equal(
        whole,
        3); /* cut at the beginning, after the first entry, after the second */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_comes_back),
        cmocka_unit_test(too_large_a_hello_is_not_written_nor_read),
        cmocka_unit_test(a_welcome_comes_back),
        cmocka_unit_test(a_certificate_comes_back),
        cmocka_unit_test(a_welcome_that_lies_is_refused),
        cmocka_unit_test(roster_entries_come_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
