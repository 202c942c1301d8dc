/* Records and probes of UDP paths: what they are on the wire, and what passes
 * for none. */
#include "common/wire/punch.h"
#include "tests/unit/kit.h"

static struct address address_of(const char *text)
{
    struct address a;
    assert_true(address_parse(text, &a));
    return a;
}

/* --- records ----------------------------------------------------------- */

static struct punch_record make_record(enum punch_kind kind)
{
    struct punch_record r = {
        .kind = kind,
        .round = 0x01020304,
        .mapping = MAPPING_DEPENDENT,
        .easy_only = true,
        .step = -3,
        .delay_ms = 0x0506,
        .candidate_count = 2,
        .candidates = {{CANDIDATE_HOST, address_of("192.0.2.1:258")},
                       {CANDIDATE_MAPPED, address_of("[2001:db8::1]:443")}},
    };
    memset(r.secret, 7, sizeof r.secret);
    return r;
}

static struct bytes encode(const struct punch_record *r,
                           uint8_t room[PUNCH_RECORD_SIZE])
{
    struct writer w = writer_of(room, PUNCH_RECORD_SIZE);
    punch_record_encode(r, &w);
    assert_true(writer_ok(&w));
    return writer_bytes(&w);
}

static void an_offer_has_these_bytes(void **state)
{
    static const uint8_t tail[] = {
        3, 1,    0xfd, 6, 5, 2, 1, 4, 192, 0, 2, 1, 2, 1, 4, 6,    0x20,
        1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0,   0, 0, 0, 0, 0, 1, 0xbb, 1};
    struct punch_record r = make_record(PUNCH_OFFER), read;
    uint8_t room[PUNCH_RECORD_SIZE];
    struct bytes bytes = encode(&r, room);
    (void)state;

    assert_int_equal(bytes.size, 5 + 32 + sizeof tail);
    assert_memory_equal(bytes.data, "\x01\x04\x03\x02\x01\x07", 6);
    assert_memory_equal(bytes.data + 5 + 32, tail, sizeof tail);
    assert_true(punch_record_decode(bytes, &read));
    assert_int_equal(read.kind, PUNCH_OFFER);
    assert_int_equal(read.round, r.round);
    assert_memory_equal(read.secret, r.secret, sizeof r.secret);
    assert_int_equal(read.mapping, MAPPING_DEPENDENT);
    assert_true(read.easy_only);
    assert_int_equal(read.step, -3);
    assert_int_equal(read.delay_ms, 0x0506);
    assert_int_equal(read.candidate_count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read.candidates[i].kind, r.candidates[i].kind);
        assert_true(address_equal(&read.candidates[i].address,
                                  &r.candidates[i].address));
    }
}

static void an_ask_is_a_kind_and_a_round(void **state)
{
    struct punch_record r = make_record(PUNCH_ASK), read;
    uint8_t room[PUNCH_RECORD_SIZE];
    struct bytes bytes = encode(&r, room);
    (void)state;

    assert_int_equal(bytes.size, 5);
    assert_true(punch_record_decode(bytes, &read));
    assert_int_equal(read.kind, PUNCH_ASK);
    assert_int_equal(read.candidate_count, 0);
}

static void the_largest_record_fits(void **state)
{
    struct punch_record r = make_record(PUNCH_ANSWER), read;
    uint8_t room[PUNCH_RECORD_SIZE];
    (void)state;

    r.candidate_count = PUNCH_CANDIDATES;
    for (int i = 0; i < PUNCH_CANDIDATES; i++)
        r.candidates[i] = (struct candidate){CANDIDATE_STUN,
                                             address_of("[2001:db8::9]:65535")};
    assert_int_equal(encode(&r, room).size, PUNCH_RECORD_SIZE);
    assert_true(punch_record_decode(bytes_of(room, sizeof room), &read));
    assert_int_equal(read.candidate_count, PUNCH_CANDIDATES);
}

static void a_record_cut_short_or_too_long_is_refused(void **state)
{
    struct punch_record r = make_record(PUNCH_ANSWER), read;
    uint8_t room[PUNCH_RECORD_SIZE] = {0};
    size_t size = encode(&r, room).size;
    (void)state;

    for (size_t i = 0; i < size; i++)
        assert_false(punch_record_decode(bytes_of(room, i), &read));
    assert_false(punch_record_decode(bytes_of(room, size + 1), &read));
    room[0] = 0;
    assert_false(punch_record_decode(bytes_of(room, size), &read));
    room[0] = PUNCH_ASK + 1;
    assert_false(punch_record_decode(bytes_of(room, size), &read));
    room[0] = PUNCH_OFFER;
    room[5 + 32 + 5] = PUNCH_CANDIDATES + 1;
    assert_false(punch_record_decode(bytes_of(room, size), &read));
}

/* A later version may know more kinds of candidates; this one ignores them. */
static void candidates_that_nobody_can_send_to_are_left_out(void **state)
{
    static const char *const useless[] = {
        "0.0.0.0:9", "192.0.2.1:0", "224.0.0.1:9", "127.0.0.1:9",
        "[::1]:9",   "[fe80::1]:9", "[ff02::1]:9", "[::]:9"};
    struct punch_record r = make_record(PUNCH_OFFER), read;
    uint8_t room[PUNCH_RECORD_SIZE];
    (void)state;

    r.mapping = (enum nat_mapping)9;
    r.candidates[1].kind = (enum candidate_kind)9;
    for (size_t i = 0; i < COUNT_OF(useless); i++)
        r.candidates[r.candidate_count++] =
            (struct candidate){CANDIDATE_STUN, address_of(useless[i])};
    assert_true(punch_record_decode(encode(&r, room), &read));
    assert_int_equal(read.mapping, MAPPING_UNKNOWN);
    assert_int_equal(read.candidate_count, 1);
    assert_int_equal(read.candidates[0].kind, CANDIDATE_HOST);
}

/* --- probes ------------------------------------------------------------ */

static struct probe_keys make_keys(uint32_t round)
{
    static const uint8_t secrets[2][PUNCH_SECRET_SIZE] = {{1}, {2}};
    static const struct node_id ids[2] = {{{3}}, {{4}}};
    struct probe_keys k;
    probe_keys_derive(&k, secrets[0], secrets[1], &ids[0], &ids[1], round);
    return k;
}

static void all_keys_differ_and_depend_on_everything(void **state)
{
    static const uint8_t secrets[2][PUNCH_SECRET_SIZE] = {{1}, {2}};
    static const struct node_id ids[2] = {{{3}}, {{4}}};
    struct probe_keys k = make_keys(1), other = make_keys(1);
    (void)state;

    assert_memory_equal(&k, &other, sizeof k);
    assert_memory_not_equal(k.of[0].key, k.of[1].key, 32);
    assert_memory_not_equal(k.of[0].tag, k.of[1].tag, 8);
    assert_memory_not_equal(k.of[0].key, k.quic, 32);
    assert_memory_not_equal(k.of[1].key, k.quic, 32);
    for (int i = 0; i < 5; i++) {
        probe_keys_derive(&other, secrets[i == 0 ? 1 : 0],
                          secrets[i == 1 ? 0 : 1], &ids[i == 2 ? 1 : 0],
                          &ids[i == 3 ? 0 : 1], i == 4 ? 2 : 1);
        assert_memory_not_equal(k.quic, other.quic, 32);
        assert_memory_not_equal(k.of[0].tag, other.of[0].tag, 8);
        assert_memory_not_equal(k.of[1].key, other.of[1].key, 32);
    }
}

static struct probe make_probe(enum probe_type type)
{
    struct probe p = {.type = type, .sequence = 0x0102};
    memcpy(p.tag, "tagofone", 8);
    if (type == PROBE_ANSWERS || type == PROBE_AGREES)
        p.seen = address_of("192.0.2.7:4660");
    return p;
}

static void a_probe_arrives_as_it_was_sent(void **state)
{
    struct probe_keys k = make_keys(1);
    (void)state;

    for (int type = PROBE_ASKS; type <= PROBE_AGREES; type++) {
        struct probe p = make_probe((enum probe_type)type), read;
        uint8_t datagram[PROBE_SIZE], tag[8];
        struct bytes bytes = bytes_of(datagram, sizeof datagram);

        probe_encode(&p, k.of[0].key, datagram);
        assert_memory_equal(datagram + 1, "tagofone\x02\x01\0\0", 12);
        assert_true(probe_peek(bytes, tag));
        assert_memory_equal(tag, p.tag, 8);
        assert_true(probe_decode(bytes, k.of[0].key, &read));
        assert_int_equal(read.type, type);
        assert_memory_equal(read.tag, p.tag, 8);
        assert_int_equal(read.sequence, p.sequence);
        assert_true(address_equal(&read.seen, &p.seen));
        assert_false(probe_decode(bytes, k.of[1].key, &read));
    }
}

/* First bytes of QUIC have 0x40, those of STUN are 0x00 to 0x03. */
static void probes_are_told_from_quic_and_stun(void **state)
{
    uint8_t datagram[PROBE_SIZE] = {0}, tag[8];
    (void)state;

    for (int first = 0; first < 256; first++) {
        datagram[0] = (uint8_t)first;
        bool is = probe_peek(bytes_of(datagram, sizeof datagram), tag);
        assert_int_equal(is, first >= 0x10 && first <= 0x13);
        assert_false(is && ((first & 0x40) != 0 || first < 4));
    }
}

static void a_probe_that_is_changed_or_cut_is_refused(void **state)
{
    struct probe_keys k = make_keys(1);
    struct probe p = make_probe(PROBE_ANSWERS), read;
    uint8_t datagram[PROBE_SIZE + 1] = {0}, tag[8];
    (void)state;

    probe_encode(&p, k.of[0].key, datagram);
    for (size_t i = 0; i < PROBE_SIZE; i++)
        for (int bit = 0; bit < 8; bit++) {
            datagram[i] ^= (uint8_t)(1 << bit);
            assert_false(probe_decode(bytes_of(datagram, PROBE_SIZE),
                                      k.of[0].key, &read));
            datagram[i] ^= (uint8_t)(1 << bit);
        }
    for (size_t size = 0; size <= PROBE_SIZE + 1; size++) {
        bool whole = size == PROBE_SIZE;
        assert_int_equal(probe_peek(bytes_of(datagram, size), tag), whole);
        assert_int_equal(
            probe_decode(bytes_of(datagram, size), k.of[0].key, &read), whole);
    }
}

/* A valid MAC alone does not make nonsense a probe. */
static void an_answer_names_an_address_and_a_low_sequence(void **state)
{
    struct probe_keys k = make_keys(1);
    struct probe p = make_probe(PROBE_ANSWERS), read;
    uint8_t datagram[PROBE_SIZE];
    struct bytes bytes = bytes_of(datagram, sizeof datagram);
    (void)state;

    p.seen.family = ADDRESS_NONE;
    probe_encode(&p, k.of[0].key, datagram);
    assert_false(probe_decode(bytes, k.of[0].key, &read));
    p = make_probe(PROBE_ANSWERS);
    p.seen.ip[15] = 1;
    probe_encode(&p, k.of[0].key, datagram);
    assert_false(probe_decode(bytes, k.of[0].key, &read));
    p = make_probe(PROBE_ANSWERS);
    p.sequence = PROBE_SEQUENCES;
    probe_encode(&p, k.of[0].key, datagram);
    assert_false(probe_decode(bytes, k.of[0].key, &read));
    p.sequence--;
    probe_encode(&p, k.of[0].key, datagram);
    assert_true(probe_decode(bytes, k.of[0].key, &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_has_these_bytes),
        cmocka_unit_test(an_ask_is_a_kind_and_a_round),
        cmocka_unit_test(the_largest_record_fits),
        cmocka_unit_test(a_record_cut_short_or_too_long_is_refused),
        cmocka_unit_test(candidates_that_nobody_can_send_to_are_left_out),
        cmocka_unit_test(all_keys_differ_and_depend_on_everything),
        cmocka_unit_test(a_probe_arrives_as_it_was_sent),
        cmocka_unit_test(probes_are_told_from_quic_and_stun),
        cmocka_unit_test(a_probe_that_is_changed_or_cut_is_refused),
        cmocka_unit_test(an_answer_names_an_address_and_a_low_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
