/* Both machines against each other: the handshake, packets, heartbeats, limits,
 * and bytes that come in any pieces [P-12]. */
#include "tests/unit/zmtp_kit.h"

#include <sodium.h>

static struct zmtp_two t;
static uint8_t large[ZMTP_KIT_LIMIT + 1];

enum { INNER_MORE = 1, INNER_COMMAND = 2 };

static struct bytes text(const char *s)
{
    return bytes_of_string(s);
}

/* What an end sealed last stays in front of the other, to be changed. */
static uint8_t *sealed(struct zmtp_end *from, struct zmtp_end *to,
                       struct bytes packet)
{
    uint8_t *at = to->in + to->in_size;
    zmtp_kit_seal(from, to, packet);
    return at;
}

/* As zmtp_seal, with flags of the test's choice inside the box. */
static void seal_inner(struct zmtp_end *from, struct zmtp_end *to,
                       uint8_t flags, struct bytes data)
{
    uint8_t *body = sealed(from, to, data) + frame_head_size(33 + data.size);
    message_box_seal(&from->z.out, from->z.sent, flags, data, body + 16);
}

static void fails(struct zmtp_end *e, enum zmtp_failure failure)
{
    assert_reads(ZMTP_FAILED, e, NULL);
    assert_string_equal(zmtp_failure_name(e->z.failure),
                        zmtp_failure_name(failure));
    assert_int_equal(e->reply.size, 0);
    assert_reads(ZMTP_FAILED, e, NULL);
    assert_true(sodium_is_zero((const void *)&e->z.out, sizeof(e->z.out)));
    assert_true(sodium_is_zero((const void *)&e->z.in, sizeof(e->z.in)));
    assert_true(
        sodium_is_zero((const void *)&e->z.client, sizeof(e->z.client)));
}

/* ---- The handshake ---------------------------------------------------- */

static void a_handshake_opens_both_ends(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    assert_int_equal(t.server.z.state, ZMTP_OPEN);
    assert_int_equal(t.client.z.state, ZMTP_OPEN);
    assert_int_equal(t.server.in_read, t.server.in_size);
    assert_int_equal(t.client.in_read, t.client.in_size);
}

static void nothing_is_spent_on_a_hello_before_it_is_taken(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_HELLO);
    size_t before = t.server.in_read;
    struct entropy entropy = t.server.entropy;
    for (int i = 0; i < 3; i++) {
        assert_reads(ZMTP_HELLO, &t.server, &t.client);
        assert_int_equal(t.server.in_read, before);
        assert_int_equal(t.server.reply.size, 0);
    }
    assert_memory_equal(&entropy, &t.server.entropy, sizeof(entropy));
    zmtp_take_hello(&t.server.z);
    assert_reads(ZMTP_NEXT, &t.server, &t.client);
    assert_int_equal(t.server.reply.size, 2 + 168);
}

static void the_server_learns_the_clients_key(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_INITIATE);
    assert_reads(ZMTP_CLIENT, &t.server, &t.client);
    assert_memory_equal(t.server.item.client.key, t.client.keys.public_key, 32);
    assert_int_equal(t.server.reply.size, 0);
    assert_int_equal(zmtp_seal(&t.server.z, text("early"), large), 0);
    assert_reads(ZMTP_CLIENT, &t.server, &t.client);
}

static void a_refused_client_hears_why(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_INITIATE);
    assert_reads(ZMTP_CLIENT, &t.server, &t.client);
    zmtp_refuse(&t.server.z, "400", &t.server.reply);
    assert_int_equal(t.server.z.failure, ZMTP_REFUSED);
    zmtp_kit_give(&t.client, &t.server.reply);
    assert_reads(ZMTP_FAILED, &t.client, NULL);
    assert_int_equal(t.client.z.failure, ZMTP_GOT_ERROR);
    assert_true(bytes_equal(t.client.item.reason, text("400")));
    t.server.reply.size = 0;
    fails(&t.server, ZMTP_REFUSED);
}

static void the_longest_reason_fits(void **state)
{
    char reason[ZMTP_REASON_SIZE + 1];
    (void)state;

    memset(reason, 'x', ZMTP_REASON_SIZE);
    reason[ZMTP_REASON_SIZE] = '\0';
    zmtp_kit_go(&t, STEP_INITIATE);
    assert_reads(ZMTP_CLIENT, &t.server, &t.client);
    zmtp_refuse(&t.server.z, reason, &t.server.reply);
    zmtp_kit_give(&t.client, &t.server.reply);
    assert_reads(ZMTP_FAILED, &t.client, NULL);
    assert_int_equal(t.client.item.reason.size, ZMTP_REASON_SIZE);
}

/* ---- Bytes in pieces -------------------------------------------------- */

/* Reads with `size` bytes there; the rest stays hidden. */
static enum zmtp_kind read_part(struct zmtp_end *e, size_t size)
{
    size_t whole = e->in_size;
    e->in_size = e->in_read + size;
    enum zmtp_kind kind = zmtp_kit_read(e, NULL);
    e->in_size = whole;
    return kind;
}

/* Short of its last byte no step does anything, and the machine tells how much
 * it needs: the whole, as soon as it knows. */
static void waits_for_the_whole(enum zmtp_step step, struct zmtp_end *e)
{
    zmtp_kit_go(&t, step);
    size_t whole = e->in_size - e->in_read;
    for (size_t size = 0; size < whole; size++) {
        struct zmtp before = e->z;
        assert_int_equal(read_part(e, size), ZMTP_MORE);
        assert_true(e->item.need > size && e->item.need <= whole);
        if (size >= FRAME_HEAD_SIZE || step == STEP_GREETINGS)
            assert_int_equal(e->item.need, whole);
        assert_memory_equal(&before, &e->z, sizeof(before));
        assert_int_equal(e->reply.size, 0);
    }
    assert_int_not_equal(read_part(e, whole), ZMTP_MORE);
    assert_int_not_equal(e->z.state, ZMTP_OVER);
}

static void every_step_waits_for_its_last_byte(void **state)
{
    (void)state;
    waits_for_the_whole(STEP_GREETINGS, &t.server);
    waits_for_the_whole(STEP_GREETINGS, &t.client);
    waits_for_the_whole(STEP_HELLO, &t.server);
    waits_for_the_whole(STEP_WELCOME, &t.client);
    waits_for_the_whole(STEP_INITIATE, &t.server);
    waits_for_the_whole(STEP_READY, &t.client);
}

static void a_packet_waits_for_its_last_byte(void **state)
{
    (void)state;
    for (size_t size = 0; size < 300; size += 223 - 150) {
        zmtp_kit_go(&t, STEP_OPEN);
        zmtp_kit_seal(&t.client, &t.server, bytes_of(large, size));
        size_t whole = zmtp_sealed_size(size);
        for (size_t part = 0; part < whole; part++)
            assert_int_equal(read_part(&t.server, part), ZMTP_MORE);
        assert_reads(ZMTP_PACKET, &t.server, NULL);
        assert_int_equal(t.server.item.packet.size, size);
    }
}

/* ---- Packets ---------------------------------------------------------- */

static void passes(struct zmtp_end *from, struct zmtp_end *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        large[i] = (uint8_t)(i * 31 + size);
    zmtp_kit_seal(from, to, bytes_of(large, size));
    assert_reads(ZMTP_PACKET, to, NULL);
    assert_true(bytes_equal(to->item.packet, bytes_of(large, size)));
    assert_int_equal(to->reply.size, 0);
    to->in_size = to->in_read = 0;
}

static void packets_of_every_size_pass_both_ways(void **state)
{
    static const size_t sizes[] = {0,   1,   30,  31,    32,    33,
                                   63,  64,  95,  222,   223,   255,
                                   256, 300, 999, 65536, 67646, ZMTP_KIT_LIMIT};
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        passes(&t.client, &t.server, sizes[i]);
        passes(&t.server, &t.client, sizes[i]);
    }
    assert_int_equal(zmtp_sealed_size(0), 35);
    assert_int_equal(zmtp_sealed_size(222), 2 + 255);
    assert_int_equal(zmtp_sealed_size(223), 9 + 256);
}

/* As a relay does: what one end sent goes on to another from where it lies. */
static void a_packet_is_forwarded_from_where_it_lies(void **state)
{
    static uint8_t out[512];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_seal(&t.client, &t.server, text("to be forwarded"));
    assert_reads(ZMTP_PACKET, &t.server, NULL);
    struct bytes packet = t.server.item.packet;
    size_t size = zmtp_seal(&t.server.z, packet, out);
    zmtp_kit_put(&t.client, out, size);
    assert_reads(ZMTP_PACKET, &t.client, NULL);
    assert_true(bytes_equal(t.client.item.packet, text("to be forwarded")));
    assert_true(bytes_equal(packet, text("to be forwarded")));
}

static void an_end_that_is_over_seals_nothing(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_wipe(&t.client.z);
    assert_int_equal(zmtp_seal(&t.client.z, text("late"), large), 0);
    zmtp_ping(&t.client.z, 0, text(""), &t.client.reply);
    assert_int_equal(t.client.reply.size, 0);
}

/* ---- What packets may not be ------------------------------------------ */

static void a_packet_above_the_limit_is_refused_by_its_head(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_seal(&t.client, &t.server, bytes_of(large, ZMTP_KIT_LIMIT + 1));
    t.server.in_size = t.server.in_read + FRAME_HEAD_SIZE;
    fails(&t.server, ZMTP_TOO_LONG);

    uint8_t head[FRAME_HEAD_SIZE] = {FRAME_LONG};
    memset(head + 1, 0xff, 8);
    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_put(&t.client, head, sizeof(head));
    fails(&t.client, ZMTP_TOO_LONG);
}

static void a_handshake_has_a_limit_of_its_own(void **state)
{
    uint8_t head[FRAME_HEAD_SIZE];
    (void)state;

    frame_head_write(head, FRAME_COMMAND, INITIATE_SIZE + METADATA_SIZE + 1);
    for (enum zmtp_step step = STEP_HELLO; step < STEP_OPEN; step++) {
        struct zmtp_end *e =
            step == STEP_WELCOME || step == STEP_READY ? &t.client : &t.server;
        zmtp_kit_go(&t, step);
        e->in_size = e->in_read;
        zmtp_kit_put(e, head, sizeof(head));
        fails(e, ZMTP_TOO_LONG);
    }
}

/* By the first byte; the rest of the frame need not be there. */
static void flags_of_a_frame_are_checked(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        uint8_t byte = (uint8_t)flags;
        zmtp_kit_go(&t, STEP_OPEN);
        zmtp_kit_put(&t.server, &byte, 1);
        if (flags & FRAME_RESERVED)
            fails(&t.server, ZMTP_BAD_FLAGS);
        else if (flags & FRAME_MORE)
            fails(&t.server, ZMTP_BAD_MORE);
        else
            assert_reads(ZMTP_MORE, &t.server, NULL);
    }
}

/* libzmq sends a MESSAGE without COMMAND, and the RFC calls it a command. */
static void a_packet_may_come_as_a_command(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    *sealed(&t.client, &t.server, text("p")) |= FRAME_COMMAND;
    assert_reads(ZMTP_PACKET, &t.server, NULL);
}

static void flags_in_the_box_are_checked(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 256; flags++) {
        zmtp_kit_go(&t, STEP_OPEN);
        seal_inner(&t.server, &t.client, (uint8_t)flags, text("\4WORD"));
        if (flags > (INNER_MORE | INNER_COMMAND))
            fails(&t.client, ZMTP_BAD_FLAGS);
        else if (flags & INNER_MORE)
            fails(&t.client, ZMTP_BAD_MORE);
        else
            assert_reads(flags ? ZMTP_IGNORED : ZMTP_PACKET, &t.client, NULL);
    }
}

static void a_changed_packet_ends_the_connection(void **state)
{
    size_t size = zmtp_sealed_size(40);
    (void)state;

    for (size_t i = 0; i < size; i++) {
        zmtp_kit_go(&t, STEP_OPEN);
        sealed(&t.client, &t.server, bytes_of(large, 40))[i] ^= 0x40;
        assert_reads(ZMTP_FAILED, &t.server, NULL);
        /* The head (its length is 64 less), the name, the rest. */
        enum zmtp_failure expected = i == 0   ? ZMTP_BAD_FLAGS
                                     : i == 1 ? ZMTP_BAD_FORM
                                     : i < 10 ? ZMTP_BAD_COMMAND
                                              : ZMTP_BAD_BOX;
        assert_int_equal(t.server.z.failure, expected);
    }
}

static void a_message_too_short_for_a_box_is_malformed(void **state)
{
    (void)state;
    for (uint8_t size = 8; size < 33; size++) {
        zmtp_kit_go(&t, STEP_OPEN);
        uint8_t *at = sealed(&t.client, &t.server, text(""));
        at[1] = size;
        t.server.in_size = t.server.in_read + 2u + size;
        fails(&t.server, ZMTP_BAD_FORM);
    }
}

static void a_repeated_packet_is_refused(void **state)
{
    uint8_t copy[64];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    memcpy(copy, sealed(&t.client, &t.server, text("once")), 39);
    zmtp_kit_put(&t.server, copy, 39);
    assert_reads(ZMTP_PACKET, &t.server, NULL);
    fails(&t.server, ZMTP_BAD_NONCE);
}

static void packets_out_of_order_are_refused(void **state)
{
    uint8_t copy[64];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    uint8_t *at = sealed(&t.server, &t.client, text("1st!"));
    memcpy(copy, at, 39);
    sealed(&t.server, &t.client, text("2nd!"));
    memcpy(at, at + 39, 39);
    memcpy(at + 39, copy, 39);
    assert_reads(ZMTP_PACKET, &t.client, NULL);
    fails(&t.client, ZMTP_BAD_NONCE);
}

/* What an end sent is nothing that it can be sent. */
static void a_packet_turned_back_is_refused(void **state)
{
    uint8_t copy[64];
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    t.client.z.sent += 5; /* a number that is not too low */
    memcpy(copy, sealed(&t.client, &t.server, text("mine")), 39);
    zmtp_kit_put(&t.client, copy, 39);
    fails(&t.client, ZMTP_BAD_BOX);
}

static void numbers_are_never_used_twice(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    t.client.z.sent = UINT64_MAX - 1;
    passes(&t.client, &t.server, 5);
    assert_int_equal(zmtp_seal(&t.client.z, text("x"), large), 0);
    zmtp_ping(&t.client.z, 0, text(""), &t.client.reply);
    assert_int_equal(t.client.reply.size, 0);
}

static void other_commands_in_the_open_are_refused(void **state)
{
    static const uint8_t ping[] = "\4\7\4PING\0\0";
    static const uint8_t empty[] = {0, 0};
    (void)state;

    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_put(&t.server, ping, sizeof(ping) - 1);
    fails(&t.server, ZMTP_BAD_COMMAND);
    zmtp_kit_go(&t, STEP_OPEN);
    zmtp_kit_put(&t.client, empty, sizeof(empty));
    fails(&t.client, ZMTP_BAD_COMMAND);
}

/* ---- Heartbeats ------------------------------------------------------- */

static void asks(struct zmtp_end *from, struct zmtp_end *to, size_t size)
{
    struct bytes context = bytes_of("0123456789abcdef", size);

    zmtp_ping(&from->z, 0x1234, context, &from->reply);
    zmtp_kit_give(to, &from->reply);
    assert_reads(ZMTP_PINGED, to, from);
    assert_int_equal(to->item.ttl, 0x1234);
    assert_true(bytes_equal(to->item.context, context));
    assert_reads(ZMTP_PONGED, from, NULL);
    assert_true(bytes_equal(from->item.context, context));
}

static void a_ping_is_answered_with_its_context(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    for (size_t size = 0; size <= ZMTP_CONTEXT_SIZE; size++) {
        asks(&t.client, &t.server, size);
        asks(&t.server, &t.client, size);
    }
    passes(&t.client, &t.server, 10);
    passes(&t.server, &t.client, 10);
}

static void unknown_commands_are_ignored(void **state)
{
    (void)state;
    zmtp_kit_go(&t, STEP_OPEN);
    seal_inner(&t.client, &t.server, INNER_COMMAND, text("\11SUBSCRIBE"));
    seal_inner(&t.client, &t.server, INNER_COMMAND, text("\1Xdata"));
    seal_inner(&t.client, &t.server, INNER_COMMAND,
               text("\5ERROR\003"
                    "400"));
    for (int i = 0; i < 3; i++)
        assert_reads(ZMTP_IGNORED, &t.server, NULL);
    passes(&t.client, &t.server, 3);
}

static void malformed_commands_are_refused(void **state)
{
    static const struct {
        const char *data;
        size_t size;
    } bad[] = {
        {"", 0},
        {"\0", 1},
        {"\4PIN", 4},
        {"\4PING", 5},
        {"\4PING\0", 6},
        {"\4PING\0\0"
         "0123456789abcdefg",
         24},
        {"\4PONG"
         "0123456789abcdefg",
         22},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        zmtp_kit_go(&t, STEP_OPEN);
        seal_inner(&t.server, &t.client, INNER_COMMAND,
                   bytes_of(bad[i].data, bad[i].size));
        fails(&t.client, ZMTP_BAD_FORM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_opens_both_ends),
        cmocka_unit_test(nothing_is_spent_on_a_hello_before_it_is_taken),
        cmocka_unit_test(the_server_learns_the_clients_key),
        cmocka_unit_test(a_refused_client_hears_why),
        cmocka_unit_test(the_longest_reason_fits),
        cmocka_unit_test(every_step_waits_for_its_last_byte),
        cmocka_unit_test(a_packet_waits_for_its_last_byte),
        cmocka_unit_test(packets_of_every_size_pass_both_ways),
        cmocka_unit_test(a_packet_is_forwarded_from_where_it_lies),
        cmocka_unit_test(an_end_that_is_over_seals_nothing),
        cmocka_unit_test(a_packet_above_the_limit_is_refused_by_its_head),
        cmocka_unit_test(a_handshake_has_a_limit_of_its_own),
        cmocka_unit_test(flags_of_a_frame_are_checked),
        cmocka_unit_test(a_packet_may_come_as_a_command),
        cmocka_unit_test(flags_in_the_box_are_checked),
        cmocka_unit_test(a_changed_packet_ends_the_connection),
        cmocka_unit_test(a_message_too_short_for_a_box_is_malformed),
        cmocka_unit_test(a_repeated_packet_is_refused),
        cmocka_unit_test(packets_out_of_order_are_refused),
        cmocka_unit_test(a_packet_turned_back_is_refused),
        cmocka_unit_test(numbers_are_never_used_twice),
        cmocka_unit_test(other_commands_in_the_open_are_refused),
        cmocka_unit_test(a_ping_is_answered_with_its_context),
        cmocka_unit_test(unknown_commands_are_ignored),
        cmocka_unit_test(malformed_commands_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
