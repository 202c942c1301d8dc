/*
 * Versions of the protocol [P-1.3]: recorded handshakes of this version and the
 * one before are accepted; those of others are refused with the version named.
 */
#include "node_kit.h"

#include "edge/core/node_private.h"
#include "recorded.h"

struct lone {
    struct node *alice;
    struct todo todo;
    struct instant now;
    struct address from; /* where bob is */
};

static void setup_lone(struct lone *l)
{
    uint8_t seed[32] = {7};
    crypto_sign_seed_keypair(mesh.key, mesh_secret_key, seed);
    *l = (struct lone){.now = {1000000}};
    l->from = (struct address){ADDRESS_V4, {10, 0, 0, 2}, 4000, 0};
    l->alice = make("alice", 1, l->now, 1);
    todo_init(&l->todo);
}

static void teardown_lone(struct lone *l)
{
    todo_close(&l->todo);
    node_free(l->alice);
}

static void take(struct lone *l, const struct node_event *e)
{
    todo_clear(&l->todo);
    node_step(l->alice, l->now, e, e != NULL, &l->todo);
}

static const struct node_todo *find(const struct lone *l,
                                    enum node_todo_kind kind)
{
    for (size_t i = 0; i < l->todo.count; i++)
        if (l->todo.items[i].kind == kind)
            return &l->todo.items[i];
    return NULL;
}

/* Returns the packet of that type that the node writes, or nothing. */
static struct bytes written(const struct lone *l, uint8_t type)
{
    for (size_t i = 0; i < l->todo.count; i++) {
        const struct node_todo *item = &l->todo.items[i];
        if (item->kind == NODE_WRITE && item->link.bytes.data[0] == type)
            return item->link.bytes;
    }
    return bytes_of(NULL, 0);
}

static bool refused(const struct lone *l, bool by_peer)
{
    const struct node_todo *item = find(l, NODE_REFUSED);
    return item != NULL && item->refused.reason == REFUSAL_VERSION &&
           item->refused.by_peer == by_peer;
}

/* --- beacons --------------------------------------------------------------
 */

static void hear(struct lone *l, const char *hex, char version)
{
    static uint8_t room[BEACON_SIZE];
    struct node_event e = {.kind = NODE_DATAGRAM};
    e.datagram.from = l->from;
    e.datagram.multicast = true;
    e.datagram.bytes = recorded(hex, room);
    if (version != 0)
        room[3] = (uint8_t)version;
    take(l, &e);
}

static void beacons_are_answered_in_their_version(void **state)
{
    static const char *const beacons[] = {beacon_1, beacon_2};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(beacons); i++) {
        struct lone l;
        setup_lone(&l);
        hear(&l, beacons[i], 0);
        const struct node_todo *answer = find(&l, NODE_SEND_TO);
        assert_non_null(answer);
        assert_memory_equal(answer->link.bytes.data, "ZSB", 3);
        assert_int_equal(answer->link.bytes.data[3], '1' + i);
        assert_null(find(&l, NODE_REFUSED));
        /* A second beacon without an answer is accepted. */
        l.now = instant_after(l.now, span_ms(600));
        hear(&l, beacons[i], 0);
        assert_int_equal(l.alice->peers.count, 1);
        answer = find(&l, NODE_SEND_TO);
        assert_non_null(answer);
        assert_int_equal(answer->link.bytes.data[3], '1' + i);
        teardown_lone(&l);
    }
}

static void beacons_of_other_versions_are_refused_by_name(void **state)
{
    static const char others[] = {'0', '4', '9', 'z', 1};
    (void)state;
    for (size_t i = 0; i < sizeof others; i++) {
        struct lone l;
        setup_lone(&l);
        hear(&l, beacon_2, others[i]);
        assert_true(refused(&l, false));
        assert_null(find(&l, NODE_SEND_TO));
        hear(&l, beacon_2, others[i]);
        assert_null(find(&l, NODE_REFUSED)); /* Once a minute. */
        teardown_lone(&l);
    }
    /* A node of the next version speaks this one as well, and will answer. */
    struct lone l;
    setup_lone(&l);
    hear(&l, beacon_2, '3');
    assert_null(find(&l, NODE_REFUSED));
    teardown_lone(&l);
}

/* --- links ----------------------------------------------------------------
 */

enum { INCOMING = 2 };

static struct bytes hello_as(const char *hex, int version, size_t more,
                             uint8_t *room)
{
    struct bytes hello = recorded(hex, room);
    if (version >= 0)
        room[1] = (uint8_t)version;
    memset(room + hello.size, 0, more);
    return bytes_of(room, hello.size + more);
}

static void packet(struct lone *l, uint32_t link, struct bytes bytes)
{
    struct node_event e = {.kind = NODE_LINK_PACKET};
    e.link.id = link;
    e.link.bytes = bytes;
    take(l, &e);
}

/* bob connects and sends this HELLO. */
static void greet(struct lone *l, struct bytes hello)
{
    struct node_event e = {.kind = NODE_LINK_OPENED};
    struct announcement said;
    static uint8_t room[4096];
    assert_true(announcement_decode(
        bytes_of(recorded(hello_2, room).data + 4, strlen(hello_2) / 2 - 4),
        &said));
    e.link.id = INCOMING;
    e.link.incoming = true;
    e.link.key = said.link_key;
    e.link.address = l->from;
    take(l, &e);
    packet(l, INCOMING, hello);
}

static void check_hello(struct bytes hello, int answered)
{
    struct lone l;
    setup_lone(&l);
    greet(&l, hello);
    struct bytes answer = written(&l, LINK_HELLO);
    struct bytes refusal = written(&l, LINK_REFUSE);
    if (answered > 0) {
        assert_true(answer.size > 2);
        assert_int_equal(answer.data[1], answered);
        assert_null(find(&l, NODE_REFUSED));
        assert_int_equal(link_get(l.alice, INCOMING)->state, LINK_UP);
    } else {
        assert_int_equal(answer.size, 0);
        assert_true(refusal.size >= 2);
        assert_int_equal(refusal.data[1],
                         answered == 0 ? REFUSAL_VERSION : REFUSAL_MALFORMED);
        assert_non_null(find(&l, NODE_DISCONNECT));
        if (answered == 0)
            assert_true(refused(&l, false));
    }
    teardown_lone(&l);
}

static void links_are_greeted_in_what_both_speak(void **state)
{
    static uint8_t room[4096];
    (void)state;
    check_hello(hello_as(hello_1, -1, 0, room), 1);
    check_hello(hello_as(hello_2, -1, 0, room), 2);
    /* A later version may have more fields. */
    check_hello(hello_as(hello_2, 3, 0, room), 2);
    check_hello(hello_as(hello_2, 3, 100, room), 2);
    check_hello(hello_as(hello_2, 4, 0, room), 0);
    check_hello(hello_as(hello_2, 4, 100, room), 0);
    check_hello(hello_as(hello_2, 0, 0, room), 0);
    check_hello(hello_as(hello_2, 255, 0, room), 0);
    check_hello(hello_as(hello_1, -1, 1, room), -1);
    check_hello(hello_as(hello_2, -1, 1, room), -1);
    /* A HELLO of another version need not be decoded at all. */
    room[0] = LINK_HELLO;
    room[1] = 9;
    check_hello(bytes_of(room, 2), 0);
}

/* alice dials bob, and answers the link that she opened. */
static uint32_t dial(struct lone *l)
{
    const struct node_todo *item = find(l, NODE_CONNECT);
    for (int i = 0; item == NULL && i < 100; i++) {
        l->now = node_deadline(l->alice);
        take(l, NULL);
        item = find(l, NODE_CONNECT);
    }
    assert_non_null(item);
    struct node_event e = {.kind = NODE_LINK_OPENED};
    e.link.id = item->link.id;
    e.link.key = item->link.key;
    e.link.address = l->from;
    take(l, &e);
    return e.link.id;
}

/* A node of version 1 knows no later version: it gets a second HELLO in its own
 * version. */
static void after_a_refusal_the_version_before_is_offered(void **state)
{
    static const uint8_t refuse[] = {LINK_REFUSE, REFUSAL_VERSION};
    static uint8_t room[4096];
    (void)state;
    struct lone l;
    setup_lone(&l);
    hear(&l, beacon_2, 0);
    l.now = instant_after(l.now, span_ms(600));
    hear(&l, beacon_2, 0);
    uint32_t link = dial(&l);
    assert_int_equal(written(&l, LINK_HELLO).data[1], 2);
    packet(&l, link, bytes_of(refuse, 2));
    assert_null(find(&l, NODE_REFUSED));
    link = dial(&l);
    assert_int_equal(written(&l, LINK_HELLO).data[1], 1);
    packet(&l, link, hello_as(hello_1, 1, 0, room));
    assert_int_equal(link_get(l.alice, link)->state, LINK_UP);
    teardown_lone(&l);

    setup_lone(&l);
    hear(&l, beacon_2, 0);
    l.now = instant_after(l.now, span_ms(600));
    hear(&l, beacon_2, 0);
    packet(&l, dial(&l), bytes_of(refuse, 2));
    packet(&l, dial(&l), bytes_of(refuse, 2));
    assert_true(refused(&l, true));
    teardown_lone(&l);
}

/* --- sessions -------------------------------------------------------------
 */

static struct peer *the_peer(const struct lone *l)
{
    size_t cursor = 0;
    struct peer *p = map_next(&l->alice->peers, &cursor);
    assert_non_null(p);
    return p;
}

static void meet(struct lone *l)
{
    static uint8_t room[4096];
    setup_lone(l);
    greet(l, hello_as(hello_2, -1, 0, room));
    assert_non_null(find(l, NODE_JOINED));
}

static void handshakes_are_answered(void **state)
{
    static const char *const inits[] = {init_1, init_2};
    static uint8_t room[4096];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(inits); i++) {
        struct lone l;
        meet(&l);
        packet(&l, INCOMING, recorded(inits[i], room));
        assert_true(written(&l, PACKET_ACCEPT).size > 0);
        const struct peer *bob = the_peer(&l);
        assert_int_equal(bob->session->version, i + 1);
        teardown_lone(&l);
    }
}

/* Both ends report it: the INIT of this node shows its version. The process is
 * no peer any more, and open operations with it end. */
static void an_init_of_another_version_is_refused_by_name(void **state)
{
    static uint8_t room[4096];
    (void)state;
    struct lone l;
    meet(&l);
    const struct message m = {.kind = MESSAGE_SEND,
                              .encoding = ENCODING_BYTES,
                              .type = bytes_of("t", 1)};
    enum node_outcome why;
    assert_true(node_submit(l.alice, l.now, (struct node_ref){1},
                            &the_peer(&l)->id, &m, &why));
    take(&l, NULL);
    packet(&l, INCOMING, recorded(init_4, room));
    assert_int_equal(written(&l, PACKET_ACCEPT).size, 0);
    assert_true(written(&l, PACKET_INIT).size > 0);
    assert_true(refused(&l, false));
    assert_non_null(find(&l, NODE_LEFT));
    const struct node_todo *report = find(&l, NODE_REPORT);
    assert_non_null(report);
    assert_int_equal(report->report.outcome, OUTCOME_NOT_DELIVERED);
    teardown_lone(&l);
}

/* --- relays ---------------------------------------------------------------
 */

static const uint8_t relay_refused[2 + KEY_SIZE] = {RELAY_REFUSED,
                                                    REFUSAL_VERSION};

static uint32_t connect_relay(struct lone *l)
{
    const struct node_todo *item = find(l, NODE_CONNECT_RELAY);
    for (int i = 0; item == NULL && i < 100; i++) {
        l->now = node_deadline(l->alice);
        take(l, NULL);
        item = find(l, NODE_CONNECT_RELAY);
    }
    assert_non_null(item);
    struct node_event e = {.kind = NODE_LINK_OPENED};
    e.link.id = item->link.id;
    take(l, &e);
    return e.link.id;
}

static void setup_relay(struct lone *l)
{
    setup_lone(l);
    l->alice->use_relays = true;
    l->alice->relay_count = 1;
    relays_start(l->alice);
}

static void a_relay_is_greeted_in_the_version_before(void **state)
{
    uint8_t room[256];
    (void)state;
    struct lone l;
    setup_relay(&l);
    uint32_t link = connect_relay(&l);
    assert_int_equal(written(&l, RELAY_HELLO).data[1], 2);
    packet(&l, link, bytes_of(relay_refused, sizeof relay_refused));
    assert_null(find(&l, NODE_REFUSED));
    link = connect_relay(&l);
    assert_int_equal(written(&l, RELAY_HELLO).data[1], 1);
    struct relay_welcome welcome = {.version = 1, .name = "relay"};
    struct writer w = writer_of(room, sizeof room);
    relay_welcome_encode(&welcome, &w);
    packet(&l, link, writer_bytes(&w));
    assert_int_equal(l.alice->relays[0].state, RELAY_UP);
    teardown_lone(&l);
}

static void a_relay_of_another_version_is_told(void **state)
{
    uint8_t room[256];
    (void)state;
    struct lone l;
    setup_relay(&l);
    for (int i = 0; i < 2; i++)
        packet(&l, connect_relay(&l),
               bytes_of(relay_refused, sizeof relay_refused));
    assert_true(refused(&l, true));
    assert_string_equal(l.alice->relays[0].error, "version");
    /* The relay may have been updated meanwhile. */
    uint32_t link = connect_relay(&l);
    assert_int_equal(written(&l, RELAY_HELLO).data[1], 2);
    struct relay_welcome welcome = {.version = 3, .name = "relay"};
    struct writer w = writer_of(room, sizeof room);
    relay_welcome_encode(&welcome, &w);
    packet(&l, link, writer_bytes(&w));
    assert_int_equal(l.alice->relays[0].state, RELAY_DOWN);
    assert_string_equal(l.alice->relays[0].error, "version");
    teardown_lone(&l);
}

/* --- replays --------------------------------------------------------------
 */

/* A recorded INIT counts once, even if the session that accepted it is gone or
 * the peer was forgotten [P-6.3]: otherwise it would cancel the INIT of this
 * node. */
static void an_old_init_does_not_count_again(void **state)
{
    static uint8_t room[4096];
    (void)state;
    struct lone l;
    meet(&l);
    packet(&l, INCOMING, recorded(init_2, room));
    assert_true(written(&l, PACKET_ACCEPT).size > 0);
    struct peer *bob = the_peer(&l);
    l.alice->todo = &l.todo;
    traffic_end(l.alice, bob, SESSION_NOT_DELIVERED);
    l.alice->todo = NULL;
    struct session *s = traffic_session(l.alice, bob);
    assert_true(session_ping(s, 1));
    peer_touch(l.alice, bob);
    take(&l, NULL);
    assert_true(written(&l, PACKET_INIT).size > 0);
    assert_int_equal(s->handshake, HANDSHAKE_ASKED);
    packet(&l, INCOMING, recorded(init_2, room));
    assert_int_equal(written(&l, PACKET_ACCEPT).size, 0);
    assert_int_equal(s->handshake, HANDSHAKE_ASKED);

    struct node_event closed = {.kind = NODE_LINK_CLOSED};
    closed.link.id = INCOMING;
    take(&l, &closed);
    for (int i = 0; l.alice->peers.count > 0 && i < 10000; i++) {
        l.now = node_deadline(l.alice);
        take(&l, NULL);
    }
    assert_int_equal(l.alice->peers.count, 0);
    greet(&l, hello_as(hello_2, -1, 0, room));
    assert_int_equal(l.alice->peers.count, 1);
    packet(&l, INCOMING, recorded(init_2, room));
    assert_int_equal(written(&l, PACKET_ACCEPT).size, 0);
    teardown_lone(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beacons_are_answered_in_their_version),
        cmocka_unit_test(beacons_of_other_versions_are_refused_by_name),
        cmocka_unit_test(links_are_greeted_in_what_both_speak),
        cmocka_unit_test(after_a_refusal_the_version_before_is_offered),
        cmocka_unit_test(handshakes_are_answered),
        cmocka_unit_test(an_init_of_another_version_is_refused_by_name),
        cmocka_unit_test(a_relay_is_greeted_in_the_version_before),
        cmocka_unit_test(a_relay_of_another_version_is_told),
        cmocka_unit_test(an_old_init_does_not_count_again),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
