/* A link to a relay over a pipe in memory: byte by byte, full, and ended. */
#include "edge/shell/relay_links.h"
#include "tests/unit/relay_links_kit.h"

static const size_t sizes[] = {4, 64, 222, 223, 1000, 8192, 65536, PACKET_SIZE};

static void hear_in_order(size_t count)
{
    uint32_t number = 0;

    kit_await(NODE_LINK_PACKET, count);
    for (size_t i = 0; i < kit.count; i++)
        if (kit.heard[i].kind == NODE_LINK_PACKET) {
            assert_int_equal(kit.heard[i].number, ++number);
            assert_true(kit.heard[i].even);
        }
    assert_int_equal(number, count);
}

/* Reads what the link sent: how many packets, in order, from the number on. */
static size_t served(uint32_t first)
{
    size_t count = 0;
    enum zmtp_kind kind;

    while ((kind = fake_serve()) != ZMTP_MORE) {
        uint32_t number;
        assert_int_equal(kind, ZMTP_PACKET);
        assert_true(kit.two->server.item.packet.size >= 4);
        memcpy(&number, kit.two->server.item.packet.data, 4);
        assert_int_equal(number, first + count);
        count++;
    }
    struct zmtp_end *server = &kit.two->server;
    memmove(server->in, server->in + server->in_read,
            server->in_size - server->in_read);
    server->in_size -= server->in_read;
    server->in_read = 0;
    return count;
}

static void write_packet(size_t size, uint32_t number)
{
    link_table_write(&kit.links, 1, kit_packet(size, number), NULL);
}

/* ---- Bytes in */

static void packets_of_all_sizes_come(void **state)
{
    (void)state;
    fake_open_link();
    assert_int_equal(kit_await(NODE_LINK_OPENED, 1)->link, 1);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        fake_say(sizes[i], (uint32_t)i + 1);
    hear_in_order(COUNT_OF(sizes));
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        assert_int_equal(kit_await(NODE_LINK_PACKET, i + 1)->size, sizes[i]);
}

static void they_may_come_byte_by_byte(void **state)
{
    (void)state;
    kit.pipe->most = 1;
    fake_open_link();
    for (uint32_t i = 1; i <= 30; i++)
        fake_say(i * 10, i);
    hear_in_order(30);
}

/* A frame is cut at each place of its head and its body. */
static void a_frame_may_be_cut_anywhere(void **state)
{
    uint8_t room[300];
    uint32_t number = 0;

    (void)state;
    fake_open_link();
    for (size_t size = 200; size <= 240; size += 40)
        for (size_t cut = 1; cut < zmtp_sealed_size(size); cut += 7) {
            size_t sealed =
                zmtp_seal(&kit.two->server.z, kit_packet(size, ++number), room);
            fake_feed(bytes_of(room, cut));
            kit_turns(2);
            assert_int_equal(kit_count(NODE_LINK_PACKET), number - 1);
            fake_feed(bytes_of(room + cut, sealed - cut));
            kit_await(NODE_LINK_PACKET, number);
        }
    hear_in_order(number);
}

/* So other links have their share of each turn. */
static void a_turn_takes_a_limited_number_of_packets(void **state)
{
    (void)state;
    fake_open_link();
    for (uint32_t i = 1; i <= 2000; i++)
        fake_say(64, i);
    hear_in_order(2000);
    assert_int_equal(kit.most_in_a_turn, RELAY_LINK_PACKETS);
}

static void large_packets_without_end_come_in_order(void **state)
{
    enum { ROUNDS = 30, EACH = 10 };

    (void)state;
    fake_open_link();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        for (uint32_t k = 1; k <= EACH; k++)
            fake_say(k % 3 ? PACKET_SIZE - k : 100, i * EACH + k);
        kit_await(NODE_LINK_PACKET, (size_t)(i + 1) * EACH);
    }
    hear_in_order((size_t)ROUNDS * EACH);
    assert_null(kit.relays->used);
    assert_null(kit.relays->first->room);
}

/* The node does not hear of a packet that is not authentic. */
static void a_changed_byte_ends_the_link(void **state)
{
    uint8_t room[200];

    (void)state;
    fake_open_link();
    fake_say(64, 1);
    size_t sealed = zmtp_seal(&kit.two->server.z, kit_packet(64, 2), room);
    room[sealed - 1] ^= 1;
    fake_feed(bytes_of(room, sealed));
    assert_int_equal(kit_failure(), LINK_BROKEN);
    assert_int_equal(kit_count(NODE_LINK_PACKET), 1);
    assert_non_null(strstr(kit.lines, "connection_cut reason=forged"));
    assert_true(kit.pipe->closed);
}

static void a_frame_that_is_too_long_ends_it_by_its_head(void **state)
{
    static const uint8_t head[] = {0x02, 0, 0, 0, 0, 0, 0x10, 0, 0};

    (void)state;
    fake_open_link();
    fake_feed(bytes_of(head, sizeof head));
    assert_int_equal(kit_failure(), LINK_BROKEN);
    assert_non_null(strstr(kit.lines, "connection_cut reason=too_long"));
}

/* ---- Bytes out */

static void what_a_turn_wrote_leaves_in_one_piece(void **state)
{
    (void)state;
    fake_open_link();
    kit.pipe->takes = 0;
    for (uint32_t i = 1; i <= 5; i++)
        write_packet(100, i);
    assert_int_equal(served(1), 0);
    kit.pipe->takes = SIZE_MAX;
    zloop_kick(&kit.zloop);
    kit_turn();
    assert_int_equal(served(1), 5);
}

static void a_full_link_says_so_and_loses_nothing(void **state)
{
    uint32_t sent = 0;
    size_t came = 0;

    (void)state;
    fake_open_link();
    kit.pipe->takes = 0;
    while (kit_count(NODE_LINK_BLOCKED) == 0) {
        write_packet(1000, ++sent);
        kit_turn();
    }
    /* What the relay takes no more stays in the credit, but for one packet. */
    assert_in_range(byte_queue_size(&kit.relays->first->out), RELAY_LINK_CREDIT,
                    RELAY_LINK_CREDIT + PACKET_SIZE);
    write_packet(1000, ++sent);
    kit.pipe->takes = RELAY_LINK_CREDIT / 4;
    fake_ready();
    kit_turns(3);
    assert_int_equal(kit_count(NODE_LINK_WRITABLE), 0);
    came += served((uint32_t)came + 1);
    while (kit_count(NODE_LINK_WRITABLE) == 0) {
        kit.pipe->takes = RELAY_LINK_CREDIT / 4;
        fake_ready();
        kit_turn();
        came += served((uint32_t)came + 1);
    }
    kit.pipe->takes = SIZE_MAX;
    fake_ready();
    kit_turns(3);
    came += served((uint32_t)came + 1);
    assert_int_equal(came, sent);
    assert_int_equal(kit_count(NODE_LINK_BLOCKED), 1);
}

/* A relay that makes answers and reads none is not read any more. */
static void answers_that_nobody_reads_are_bounded(void **state)
{
    struct zmtp_end *server = &kit.two->server;
    size_t pings = 0;

    (void)state;
    fake_open_link();
    kit.pipe->takes = 0;
    while (!kit.pipe->paused && pings < 100000) {
        zmtp_ping(&server->z, 0, bytes_of("0123456789abcdef", 16),
                  &server->reply);
        fake_feed(bytes_of(server->reply.bytes, server->reply.size));
        pings++;
        if (pings % 50 == 0)
            kit_turn();
    }
    assert_true(kit.pipe->paused);
    assert_in_range(byte_queue_size(&kit.relays->first->out),
                    2 * RELAY_LINK_CREDIT, 3 * RELAY_LINK_CREDIT);
    kit.pipe->server = NULL;
    kit.pipe->takes = SIZE_MAX;
    kit.pipe->base.user.ready(kit.pipe->base.user.context);
    kit_turns(3);
    assert_false(kit.pipe->paused);
    fake_say(64, 1);
    hear_in_order(1);
}

static void one_that_answers_only_may_still_end(void **state)
{
    (void)state;
    answers_that_nobody_reads_are_bounded(state);
    kit.pipe->takes = 0;
    kit.relays->first->stuffed = true;
    kit.pipe->base.user.ended(kit.pipe->base.user.context, LINK_BROKEN);
    assert_int_equal(kit_failure(), LINK_BROKEN);
}

/* ---- The end */

/* What came before is read first, whatever the turn holds. */
static void the_end_comes_after_all_that_was_sent(void **state)
{
    (void)state;
    fake_open_link();
    for (uint32_t i = 1; i <= 300; i++)
        fake_say(900, i);
    kit.pipe->over = true;
    kit.pipe->base.user.ended(kit.pipe->base.user.context, LINK_BROKEN);
    assert_int_equal(kit_failure(), LINK_BROKEN);
    hear_in_order(300);
    assert_int_equal(kit.heard[kit.count - 1].kind, NODE_LINK_CLOSED);
    assert_true(kit.pipe->closed);
}

/* In the turn in which a link ends, its packets are still in use. */
static void packets_outlive_their_link_in_the_turn(void **state)
{
    (void)state;
    fake_open_link();
    kit.stuck = true;
    fake_say(900, 1);
    kit.pipe->over = true;
    relay_links_read(kit.relays);
    assert_null(kit.relays->first);
    assert_non_null(kit.relays->used);
    kit.stuck = false;
    assert_int_equal(kit_failure(), LINK_BROKEN);
    hear_in_order(1);
}

static void the_last_packet_of_a_closed_link_leaves(void **state)
{
    (void)state;
    fake_open_link();
    kit.pipe->takes = 10;
    write_packet(100, 1);
    link_table_drop(&kit.links, 1);
    assert_int_equal(served(1), 0);
    assert_false(kit.pipe->closed);
    kit.pipe->takes = SIZE_MAX;
    fake_ready();
    assert_true(kit.pipe->closed);
    assert_int_equal(served(1), 1);
    kit_turns(3);
    assert_int_equal(kit_count(NODE_LINK_CLOSED), 0);
}

static void a_closed_link_does_not_wait_for_ever(void **state)
{
    (void)state;
    fake_open_link();
    kit.pipe->takes = 0;
    write_packet(100, 1);
    link_table_drop(&kit.links, 1);
    PATIENCE_UNTIL(kit.pipe->closed, kit_turn());
    assert_int_equal(kit_count(NODE_LINK_CLOSED), 0);
}

static void all_may_be_closed_with_packets_to_send(void **state)
{
    (void)state;
    fake_open_link();
    kit.pipe->takes = 10;
    write_packet(100, 1);
    relay_links_close(&kit.relays);
    assert_false(kit.pipe->closed);
    kit.pipe->takes = SIZE_MAX;
    fake_ready();
    assert_true(kit.pipe->closed);
    assert_int_equal(served(1), 1);
}

/* ---- Why a link never opened */

static void begin(void)
{
    relay_links_connect(
        kit.relays, 1, &kit.keys, &kit.server,
        &(struct relay_way){.form = FORM_TCP, .relay = &kit.relay});
}

static void the_pipe_s_reason_is_told(void **state)
{
    (void)state;
    begin();
    kit.pipe->base.user.ended(kit.pipe->base.user.context, LINK_PROXY_AUTH);
    assert_int_equal(kit_failure(), LINK_PROXY_AUTH);
    assert_true(kit.pipe->closed);
}

static void a_form_without_a_pipe_is_unreachable(void **state)
{
    struct fake_pipe *pipe = kit.pipe;

    (void)state;
    kit.pipe = NULL;
    begin();
    assert_int_equal(kit_failure(), LINK_UNREACHABLE);
    kit.pipe = pipe;
}

static enum link_failure failure_after(const char *bytes, size_t size)
{
    begin();
    fake_feed(bytes_of(bytes, size));
    kit.pipe->base.user.opened(kit.pipe->base.user.context);
    kit_turns(2);
    kit.pipe->over = true;
    if (!kit.pipe->closed)
        fake_ready();
    return kit_failure();
}

static void another_protocol_is_no_relay(void **state)
{
    (void)state;
    assert_int_equal(failure_after("HTTP/1.1 400 Bad Request\r\n", 26),
                     LINK_NOT_A_RELAY);
}

static void an_end_without_a_word_is_no_relay(void **state)
{
    (void)state;
    assert_int_equal(failure_after("", 0), LINK_NOT_A_RELAY);
}

static void an_end_after_our_hello_is_a_wrong_key(void **state)
{
    const struct zmtp_reply *greeting = &kit.two->server.reply;

    (void)state;
    assert_int_equal(
        failure_after((const char *)greeting->bytes, greeting->size),
        LINK_WRONG_KEY);
    assert_int_equal(kit_count(NODE_LINK_OPENED), 0);
}

/* WELCOME is made with another key than the one that the URL names. */
static void a_false_welcome_is_a_wrong_key(void **state)
{
    uint8_t welcome[2 + WELCOME_SIZE] = {0x04, WELCOME_SIZE, 7,   'W', 'E',
                                         'L',  'C',          'O', 'M', 'E'};
    const struct zmtp_reply *greeting = &kit.two->server.reply;

    (void)state;
    begin();
    fake_feed(bytes_of(greeting->bytes, greeting->size));
    fake_feed(bytes_of(welcome, sizeof welcome));
    kit.pipe->base.user.opened(kit.pipe->base.user.context);
    assert_int_equal(kit_failure(), LINK_WRONG_KEY);
}

static void a_relay_that_says_nothing_is_a_timeout(void **state)
{
    (void)state;
    begin();
    kit.pipe->base.user.opened(kit.pipe->base.user.context);
    assert_int_equal(kit_failure(), LINK_TIMEOUT);
    assert_true(kit.pipe->closed);
}

static void an_open_link_has_no_deadline(void **state)
{
    (void)state;
    begin();
    assert_true(uv_is_active((uv_handle_t *)&kit.relays->first->timer));
    link_table_drop(&kit.links, 1);
    kit.pipe->closed = false;
    fake_open_link();
    assert_false(uv_is_active((uv_handle_t *)&kit.relays->first->timer));
}

#define LIVE(test)                                                             \
    cmocka_unit_test_setup_teardown(test, kit_open_fake, kit_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(packets_of_all_sizes_come),
        LIVE(they_may_come_byte_by_byte),
        LIVE(a_frame_may_be_cut_anywhere),
        LIVE(a_turn_takes_a_limited_number_of_packets),
        LIVE(large_packets_without_end_come_in_order),
        LIVE(a_changed_byte_ends_the_link),
        LIVE(a_frame_that_is_too_long_ends_it_by_its_head),
        LIVE(what_a_turn_wrote_leaves_in_one_piece),
        LIVE(a_full_link_says_so_and_loses_nothing),
        LIVE(answers_that_nobody_reads_are_bounded),
        LIVE(one_that_answers_only_may_still_end),
        LIVE(the_end_comes_after_all_that_was_sent),
        LIVE(packets_outlive_their_link_in_the_turn),
        LIVE(the_last_packet_of_a_closed_link_leaves),
        LIVE(a_closed_link_does_not_wait_for_ever),
        LIVE(all_may_be_closed_with_packets_to_send),
        LIVE(the_pipe_s_reason_is_told),
        LIVE(a_form_without_a_pipe_is_unreachable),
        LIVE(another_protocol_is_no_relay),
        LIVE(an_end_without_a_word_is_no_relay),
        LIVE(an_end_after_our_hello_is_a_wrong_key),
        LIVE(a_false_welcome_is_a_wrong_key),
        LIVE(a_relay_that_says_nothing_is_a_timeout),
        LIVE(an_open_link_has_no_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
