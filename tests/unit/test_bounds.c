/*
 * How much memory a member can make a node use: a member that reads and
 * acknowledges nothing sends thousands of each kind of packet and record.
 */
#include "node_kit.h"

#include "edge/core/node_private.h"

#if defined(__SANITIZE_ADDRESS__)
/* The header of this function is not installed everywhere. */
size_t __sanitizer_get_current_allocated_bytes(void);
static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes();
}
#else
#include <malloc.h>
static size_t allocated(void)
{
    return mallinfo2().uordblks;
}
#endif

enum {
    PACKETS = 3000,
    /* The most that the node may grow, and may write to a link that takes
       nothing. */
    GROWTH_MOST = 512 * 1024,
    BLOCKED_MOST = 128 * 1024,
};

/* Two nodes that know each other. `a` publishes; `b` misbehaves from here on.
 */
static void meet(struct node_pair *p)
{
    setup(p);
    run(p, span_ms(500));
    publish(p, "", bytes_of("for all", 7));
    run(p, span_ms(100));
    submit(p, "hello");
    run(p, span_ms(100));
    assert_int_equal(p->b.messages, 2);
}

static struct peer *peer_of(struct node_side *s, const struct node_side *whom)
{
    struct node_id id = node_self(whom->node);
    struct peer *p = peer_get(s->node, &id);
    assert_non_null(p);
    return p;
}

/* Gives `a` the packet. Returns the number of bytes that `a` writes in answer;
 * nobody gets them. */
static size_t throw(struct node_pair * p, struct bytes packet)
{
    static uint8_t room[PACKET_SIZE];
    struct node_event e = {.kind = NODE_LINK_PACKET};
    struct todo todo;
    size_t written = 0;
    memcpy(room, packet.data, packet.size);
    e.link.id = p->a.link;
    e.link.bytes = bytes_of(room, packet.size);
    todo_init(&todo);
    node_step(p->a.node, p->now, &e, 1, &todo);
    for (size_t i = 0; i < todo.count; i++)
        if (todo.items[i].kind == NODE_WRITE)
            written += todo.items[i].link.bytes.size + 64;
    todo_close(&todo);
    return written;
}

static void block_link(struct node_pair *p)
{
    struct node_event e = {.kind = NODE_LINK_BLOCKED};
    e.link.id = p->a.link;
    step(p, &p->a, &e);
}

/* --- packets of records ---------------------------------------------------
 */

static struct bytes packet_of(struct node_pair *p, uint8_t *room,
                              const struct record *record)
{
    const struct session *s = peer_of(&p->b, &p->a)->session;
    struct writer w = writer_of(room, PACKET_SIZE);
    write_u8(&w, PACKET_PLAIN);
    write_u32(&w, s->current.peer_index);
    while (writer_left(&w) > 64 + record->data.fragment.size &&
           writer_bytes(&w).size < PACKET_RECORDS_SIZE)
        record_encode(record, &w);
    assert_true(writer_ok(&w));
    return writer_bytes(&w);
}

static struct record group_ack(const struct node_pair *p,
                               enum group_ack_state state, bool ours)
{
    const struct channel *c = p->a.node->outflows[0]->channel;
    struct record r = {.type = RECORD_GROUP_ACK};
    memcpy(r.group_ack.tag, c->tag.bytes, GROUP_TAG_SIZE);
    r.group_ack.stream = ours ? c->stream : 1;
    r.group_ack.state = state;
    return r;
}

static void check_records(bool blocked, enum record_type type, int variant)
{
    static uint8_t room[PACKET_SIZE];
    struct node_pair p;
    meet(&p);
    if (blocked)
        block_link(&p);
    struct record record = {.type = type};
    if (type == RECORD_GROUP_ACK)
        record = group_ack(&p, (enum group_ack_state)(variant % 3),
                           variant / 3 != 0);
    if (type == RECORD_DATA)
        record.data.sequence = 1; /* A record that came before. */
    struct bytes packet = packet_of(&p, room, &record);
    size_t before = allocated(), written = 0;
    for (int i = 0; i < PACKETS / 30; i++) {
        written += throw(&p, packet);
        p.now = instant_after(p.now, span_ms(5));
    }
    struct peer *b = peer_of(&p.a, &p.b);
    size_t stored = b->session != NULL ? b->session->outbox.bytes : 0;
    size_t growth = allocated() > before ? allocated() - before : 0;
    if (stored > 8 * 1024 || growth > GROWTH_MOST ||
        written > (blocked ? BLOCKED_MOST : 2 * packet.size))
        fail_msg("record %d/%d%s: outbox %zu, grew by %zu, wrote %zu",
                 (int)type, variant, blocked ? " blocked" : "", stored, growth,
                 written);
    teardown(&p);
}

static void records_make_a_node_keep_little(void **state)
{
    static const enum record_type types[] = {RECORD_ACK,  RECORD_PING,
                                             RECORD_PONG, RECORD_CLOSE,
                                             RECORD_DATA, RECORD_PUNCH};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        check_records(false, types[i], 0);
        check_records(true, types[i], 0);
    }
    for (int variant = 0; variant < 6; variant++) {
        check_records(false, RECORD_GROUP_ACK, variant);
        check_records(true, RECORD_GROUP_ACK, variant);
    }
}

/* Each key is sent at once, and not again before its delivery is settled. */
static void a_missing_key_is_sent_once(void **state)
{
    static uint8_t room[PACKET_SIZE];
    (void)state;
    struct node_pair p;
    meet(&p);
    struct peer *b = peer_of(&p.a, &p.b);
    struct record r = group_ack(&p, GROUP_ACK_UNKNOWN, true);
    for (int i = 0; i < 20; i++) {
        (void) throw(&p, packet_of(&p, room, &r));
        p.now = instant_after(p.now, span_s(1));
        assert_int_equal(b->session->outbox.count, 1);
    }
    /* Other receivers leave again and again, so each publication needs a new
     * key. */
    for (int i = 0; i < 20; i++) {
        struct channel *c = p.a.node->outflows[0]->channel;
        c->rekey = true;
        uint32_t peers;
        enum node_outcome why;
        struct message m = {.kind = MESSAGE_EVENT,
                            .encoding = ENCODING_BYTES,
                            .type = bytes_of("t", 1),
                            .data = bytes_of("x", 1)};
        assert_true(node_publish(p.a.node, p.now, &m, &peers, &why));
        p.now = instant_after(p.now, span_ms(10));
        struct todo todo;
        todo_init(&todo);
        node_step(p.a.node, p.now, NULL, 0, &todo);
        todo_close(&todo);
        assert_true(b->session->outbox.count <= CHANNEL_KEYS + 1);
    }
    teardown(&p);
}

/* A receiver lost its keys while the session had no room for them. It gets them
 * when there is room. */
static void keys_wait_for_room(void **state)
{
    static uint8_t room[PACKET_SIZE];
    static char text[60000];
    (void)state;
    struct node_pair p;
    meet(&p);
    struct peer *b = peer_of(&p.a, &p.b);
    memset(text, 'x', sizeof text - 1);
    block_link(&p);
    while (p.a.busy == 0)
        submit(&p, text);
    size_t count = b->session->outbox.count;
    b->session->outbox.limit = b->session->outbox.bytes;
    struct record r = group_ack(&p, GROUP_ACK_UNKNOWN, true);
    (void) throw(&p, packet_of(&p, room, &r));
    assert_int_equal(b->session->outbox.count, count);
    assert_true(b->owes_start);
    uint64_t last = b->session->outbox.base + count;
    struct node_event link = {.kind = NODE_LINK_WRITABLE};
    link.link.id = p.a.link;
    step(&p, &p.a, &link);
    run(&p, span_s(10)); /* The kit delivers the packets that were answered too
                            early. */
    assert_int_equal(b->session->outbox.count, 0);
    assert_true(b->session->outbox.base > last);
    assert_false(b->owes_start);
    teardown(&p);
}

/* --- other packets --------------------------------------------------------
 */

/* Makes an honest INIT; each one is newer than the one before. */
static struct bytes init_of(struct node_pair *p, uint8_t *room)
{
    struct session *s = peer_of(&p->b, &p->a)->session;
    struct writer w = writer_of(room, PACKET_SIZE);
    assert_true(session_ask(s, &p->b.node->entropy, p->now, &w));
    return writer_bytes(&w);
}

static struct bytes kind_of(struct node_pair *p, uint8_t *room, int type)
{
    struct writer w = writer_of(room, PACKET_SIZE);
    if (type == PACKET_INIT)
        return init_of(p, room);
    write_u8(&w, (uint8_t)type);
    switch (type) {
    case PACKET_RESET:
        write_u32(&w, peer_of(&p->a, &p->b)->session->current.peer_index);
        break;
    case PACKET_MULTICAST: {
        const struct channel *c = p->a.node->outflows[0]->channel;
        struct multicast_packet m = {.tag = c->tag, .key = 9, .number = 1};
        w = writer_of(room, PACKET_SIZE);
        multicast_header_encode(&m, &w);
        write_bytes(&w, bytes_of("0123456789abcdef0123456789abcdef", 32));
        break;
    }
    case LINK_PROBE:
    case LINK_PROBED:
        memset(write_room(&w, 16 * 1024 - 1), 0, 16 * 1024 - 1);
        break;
    case LINK_ANNOUNCE:
        write_u16(&w, (uint16_t)p->b.node->said_full_size);
        write_bytes(&w, announce_full(p->b.node));
        break;
    case LINK_REFUSE:
        write_u8(&w, REFUSAL_FULL);
        break;
    case LINK_BYE:
    case LINK_SPARE:
        break;
    default:
        write_bytes(&w, bytes_of("01234567", 8));
    }
    return writer_bytes(&w);
}

static void check_kind(int type, bool blocked)
{
    static uint8_t room[PACKET_SIZE];
    struct node_pair p;
    meet(&p);
    if (blocked)
        block_link(&p);
    size_t before = allocated(), written = 0, came = 0;
    for (int i = 0; i < PACKETS && p.b.node != NULL; i++) {
        struct peer *b = peer_of(&p.a, &p.b);
        if (b->session == NULL)
            break; /* The session ended with the peer. */
        struct bytes packet = kind_of(&p, room, type);
        came += packet.size + 64;
        written += throw(&p, packet);
    }
    size_t growth = allocated() > before ? allocated() - before : 0;
    if (growth > GROWTH_MOST ||
        written > (blocked ? BLOCKED_MOST : came + BLOCKED_MOST))
        fail_msg("packet 0x%02x%s: %zu came, grew by %zu, wrote %zu",
                 (unsigned)type, blocked ? " blocked" : "", came, growth,
                 written);
    teardown(&p);
}

static void packets_make_a_node_keep_little(void **state)
{
    (void)state;
    for (int type = 0; type < 0x40; type++) {
        check_kind(type, false);
        check_kind(type, true);
    }
}

/* A blocked link answers the last question when it takes packets again. */
static void the_last_question_is_answered(void **state)
{
    static uint8_t room[PACKET_SIZE];
    (void)state;
    struct node_pair p;
    meet(&p);
    block_link(&p);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(throw(&p, kind_of(&p, room, LINK_PING)), 0);
        assert_int_equal(throw(&p, kind_of(&p, room, LINK_PROBE)), 0);
    }
    struct node_event e = {.kind = NODE_LINK_WRITABLE};
    e.link.id = p.a.link;
    struct todo todo;
    todo_init(&todo);
    node_step(p.a.node, p.now, &e, 1, &todo);
    int pongs = 0, probed = 0;
    for (size_t i = 0; i < todo.count; i++)
        if (todo.items[i].kind == NODE_WRITE) {
            pongs += todo.items[i].link.bytes.data[0] == LINK_PONG;
            probed += todo.items[i].link.bytes.data[0] == LINK_PROBED;
        }
    todo_close(&todo);
    assert_int_equal(pongs, 1);
    assert_int_equal(probed, 1);
    teardown(&p);
}

/* --- form ------------------------------------------------------------------
 */

/* Trailing bytes make a packet malformed: the node drops and counts it [P-1.1,
 * P-1.2]. */
static void packets_with_trailing_bytes_are_dropped(void **state)
{
    static const int types[] = {LINK_PING, LINK_PONG, LINK_BYE, LINK_SPARE,
                                LINK_ANNOUNCE};
    static uint8_t room[PACKET_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct node_pair p;
        meet(&p);
        struct link *link = link_get(p.a.node, p.a.link);
        uint64_t asked = detector_asks(&link->detector, p.now);
        struct bytes packet = kind_of(&p, room, types[i]);
        if (types[i] == LINK_PONG)
            memcpy(room + 1, &asked, sizeof asked);
        room[packet.size] = 0;
        uint64_t dropped = p.a.node->counters.packets_dropped;
        struct span rtt = link->detector.rtt;
        p.now = instant_after(p.now, span_ms(50));
        assert_int_equal(throw(&p, bytes_of(room, packet.size + 1)), 0);
        assert_int_equal(p.a.node->counters.packets_dropped, dropped + 1);
        assert_non_null(link_get(p.a.node, p.a.link));
        assert_int_equal(link->detector.rtt.us, rtt.us);
        assert_true(peer_of(&p.a, &p.b)->joined);
        teardown(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_make_a_node_keep_little),
        cmocka_unit_test(a_missing_key_is_sent_once),
        cmocka_unit_test(keys_wait_for_room),
        cmocka_unit_test(packets_make_a_node_keep_little),
        cmocka_unit_test(the_last_question_is_answered),
        cmocka_unit_test(packets_with_trailing_bytes_are_dropped),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
