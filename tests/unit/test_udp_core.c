/* Paths over UDP in the node [P-11]: when they are opened, used and closed. */
#include "udp_node_kit.h"

static void meet(struct udp_pair *p)
{
    udp_setup(p);
    udp_start_both(p);
    udp_run(p, span_s(2));
    assert_paths(p, PATH_UDP);
}

static struct peer *peer_at(const struct udp_pair *p, int who)
{
    return map_get(&p->side[who].node->peers, p->side[1 - who].id.key);
}

static struct link *link_over_udp(const struct udp_pair *p, int who)
{
    return udp_link(peer_at(p, who));
}

/* The nodes' packets vanish, and their connection's datagrams with them. */
static void cut_udp(struct udp_pair *p)
{
    p->udp = false;
}

/* --- opening ---------------------------------------------------------------
 */

static void relayed_peers_open_a_path(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    udp_start_both(&p);
    udp_run(&p, span_ms(200));
    assert_paths(&p, PATH_RELAY);
    assert_int_equal(p.side[0].probes, 0);
    udp_run(&p, span_ms(1800));
    assert_paths(&p, PATH_UDP);
    int forwards = p.side[0].forwards;
    udp_submit(&p, 0);
    udp_submit(&p, 1);
    udp_run(&p, span_ms(100));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.side[i].messages, 1);
        assert_int_equal(p.side[i].delivered, 1);
        assert_int_equal(p.side[i].joined, 1);
        assert_int_equal(p.side[i].opened, 1); /* the shared one */
        assert_int_equal(udp_peer_of(&p, i).why, NODE_WHY_NONE);
    }
    assert_int_equal(p.side[0].forwards, forwards);
    udp_teardown(&p);
}

/* No round begins, while the link over TCP is dialled and while it is proved.
 */
static void a_lan_is_quicker(void **state)
{
    static const int delays_ms[] = {1, 20, 140};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(delays_ms); i++) {
        struct udp_pair p;
        udp_setup(&p);
        p.tcp = true;
        p.delay = span_ms(delays_ms[i]);
        udp_start_both(&p);
        for (int ms = 0; ms < 3000; ms += 10) {
            udp_run(&p, span_ms(10));
            for (int who = 0; who < 2; who++)
                if (peer_at(&p, who) != NULL)
                    assert_null(peer_at(&p, who)->udp);
        }
        udp_run(&p, span_s(57));
        assert_paths(&p, PATH_TCP);
        assert_int_equal(p.side[0].probes + p.side[1].probes, 0);
        assert_null(peer_at(&p, 0)->udp);
        udp_teardown(&p);
    }
}

static void tell_addresses(struct udp_pair *p, int who, int others)
{
    struct address list[16];
    struct node_event e = {.kind = NODE_ADDRESSES_ARE};
    for (int i = 0; i <= others; i++) {
        list[i] = p->side[who].host;
        list[i].ip[1] = (uint8_t)(others - i);
    }
    e.addresses.list = list;
    e.addresses.count = (size_t)others + 1;
    udp_step(p, who, &e);
}

/* Only the last of twelve addresses can be reached. */
static void each_dial_over_tcp_has_a_head_start(void **state)
{
    (void)state;
    for (int refuses = 0; refuses < 2; refuses++) {
        struct udp_pair p;
        udp_setup(&p);
        p.tcp = true;
        p.refuses = refuses != 0;
        udp_start_both(&p);
        for (int who = 0; who < 2; who++)
            tell_addresses(&p, who, 11);
        for (int ms = 0; ms < 2000; ms += 10) {
            udp_run(&p, span_ms(10));
            for (int who = 0; who < 2; who++)
                if (peer_at(&p, who) != NULL)
                    assert_null(peer_at(&p, who)->udp);
        }
        assert_paths(&p, PATH_TCP);
        udp_teardown(&p);
    }
}

/* The head start also holds if only the other end can dial. */
static void a_dial_over_tcp_has_a_head_start(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    for (uint8_t i = 0; i < 2; i++) {
        struct node_conf conf = udp_conf((uint8_t)(1 + i), true);
        conf.tcp = false;
        udp_starts(&p, i, &conf);
    }
    udp_run(&p, span_ms(250));
    assert_paths(&p, PATH_RELAY);
    assert_null(peer_at(&p, 0)->udp);
    udp_run(&p, span_ms(750));
    assert_paths(&p, PATH_UDP);
    udp_teardown(&p);
}

static void nothing_of_it_goes_to_a_node_without_udp(void **state)
{
    (void)state;
    for (int without = 0; without < 2; without++) {
        struct udp_pair p;
        udp_setup(&p);
        for (int i = 0; i < 2; i++) {
            struct node_conf conf = udp_conf((uint8_t)(1 + i), i != without);
            udp_starts(&p, i, &conf);
        }
        udp_run(&p, span_s(60));
        assert_paths(&p, PATH_RELAY);
        assert_int_equal(p.side[0].probes + p.side[1].probes, 0);
        assert_int_equal(p.side[without].opened, 0);
        assert_int_equal(p.side[1 - without].opened, 1);
        assert_int_equal(udp_peer_of(&p, without).why, NODE_WHY_PATHS_OFF);
        udp_submit(&p, without);
        udp_run(&p, span_s(1));
        assert_int_equal(p.side[without].delivered, 1);
        assert_int_equal(udp_peer_of(&p, 1 - without).why, NODE_WHY_PATHS_OFF);
        struct node_udp view;
        node_udp_get(p.side[without].node, &view);
        assert_false(view.on);
        udp_teardown(&p);
    }
}

/* Each round takes a fresh socket, and closes it. */
static void blocked_udp_is_named(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.udp = p.stun = false;
    udp_start_both(&p);
    udp_run(&p, span_ms(300));
    assert_int_equal(udp_peer_of(&p, 0).why, NODE_WHY_TRYING);
    udp_run(&p, span_s(29));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(udp_peer_of(&p, i).why, NODE_WHY_UDP_BLOCKED);
        assert_true(p.side[i].opened > 1);
        assert_int_equal(p.side[i].closed, p.side[i].opened - 1);
    }
    udp_teardown(&p);
}

/* Nothing is kept of a socket that was closed. */
static void a_closed_socket_is_forgotten(void **state)
{
    struct udp_pair p;
    struct outside_view view;
    (void)state;
    udp_setup(&p);
    p.udp = false;
    udp_start_both(&p);
    while (p.side[0].closed == 0)
        udp_run(&p, span_ms(100));
    const struct outside *o = p.side[0].node->udp.outside;
    assert_false(outside_get(o, p.side[0].last_closed, &view));
    assert_true(outside_get(o, 0, &view));
    udp_teardown(&p);
}

static void nats_are_named(void **state)
{
    struct udp_pair p;
    struct node_udp view;
    (void)state;
    udp_setup(&p);
    p.udp = false;
    udp_start_both(&p);
    udp_run(&p, span_s(29));
    assert_int_equal(udp_peer_of(&p, 0).why, NODE_WHY_NAT);
    assert_int_equal(udp_peer_of(&p, 1).why, NODE_WHY_NAT);
    assert_int_equal(udp_peer_of(&p, 0).mapping, MAPPING_NONE);
    assert_int_equal(udp_peer_of(&p, 0).peer_mapping, MAPPING_NONE);
    node_udp_get(p.side[0].node, &view);
    assert_true(view.on && view.seen.answered_v4);
    assert_int_equal(view.port, FIRST_PORT);
    udp_teardown(&p);
}

/* How long it takes until both have a path over UDP. */
static int64_t ms_until_udp(struct udp_pair *p)
{
    int64_t ms = 0;
    while (ms < 5000 && (udp_peer_of(p, 0).path != PATH_UDP ||
                         udp_peer_of(p, 1).path != PATH_UDP)) {
        udp_run(p, span_ms(1));
        ms++;
    }
    return ms;
}

/* What an outside event changes is done in the same step: the record leaves
 * when the answers of STUN are there or late, and the choice is made 100 ms
 * after the first answer. */
static void a_round_waits_for_nothing_but_its_times(void **state)
{
    static const struct {
        bool stun;
        int64_t most_ms;
    } cases[] = {{true, 900}, {false, 1400}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct udp_pair p;
        udp_setup(&p);
        p.stun = cases[i].stun;
        udp_start_both(&p);
        int64_t ms = ms_until_udp(&p);
        assert_in_range(ms, 300, cases[i].most_ms);
        udp_teardown(&p);
    }
}

static void a_change_of_the_network_begins_a_round(void **state)
{
    struct udp_pair p;
    struct node_event e = {.kind = NODE_ADDRESSES_ARE};
    (void)state;
    udp_setup(&p);
    p.udp = false;
    udp_start_both(&p);
    udp_run(&p, span_s(100));
    assert_paths(&p, PATH_RELAY);
    p.udp = true;
    p.side[0].host.ip[3] = 77;
    e.addresses.list = &p.side[0].host;
    e.addresses.count = 1;
    udp_step(&p, 0, &e);
    udp_run(&p, span_s(3));
    assert_paths(&p, PATH_UDP);
    udp_teardown(&p);
}

/* One end makes the connection, and the other waits for it. */
static void a_connection_that_fails_ends_the_round(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.quic = false;
    udp_start_both(&p);
    udp_run(&p, span_s(8));
    assert_paths(&p, PATH_RELAY);
    assert_true(p.side[0].connects > 0 && p.side[1].connects > 0);
    assert_null(link_over_udp(&p, 0));
    p.quic = true;
    udp_run(&p, span_s(15));
    assert_paths(&p, PATH_UDP);
    assert_int_not_equal(p.side[0].link_socket, 0);
    assert_int_equal(p.side[0].last_closed == p.side[0].link_socket, false);
    udp_teardown(&p);
}

static void without_sockets_nothing_is_tried(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.no_ports = true;
    udp_start_both(&p);
    udp_run(&p, span_s(60));
    assert_paths(&p, PATH_RELAY);
    assert_int_equal(p.side[0].probes, 0);
    assert_int_equal(udp_peer_of(&p, 0).why, NODE_WHY_UDP_BLOCKED);
    udp_teardown(&p);
}

/* --- idle ------------------------------------------------------------------
 */

static void an_idle_link_is_quiet(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    udp_run(&p, span_s(15));
    int before = p.side[0].udp_writes + p.side[1].udp_writes;
    udp_run(&p, span_s(120));
    assert_int_equal(p.side[0].udp_writes + p.side[1].udp_writes, before);
    assert_paths(&p, PATH_UDP);
    udp_submit(&p, 0);
    udp_run(&p, span_s(5));
    assert_int_equal(p.side[0].delivered, 1);
    assert_true(p.side[0].udp_writes + p.side[1].udp_writes > before + 8);
    udp_run(&p, span_s(20));
    before = p.side[0].udp_writes + p.side[1].udp_writes;
    udp_run(&p, span_s(60));
    assert_int_equal(p.side[0].udp_writes + p.side[1].udp_writes, before);
    assert_int_equal(p.side[0].left + p.side[1].left, 0);
    udp_teardown(&p);
}

/* What was heard before the rest is the last sign of the peer, until there is
 * another one. */
static void a_link_that_wakes_knows_when_it_was_heard(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    udp_run(&p, span_s(30));
    struct link *link = link_over_udp(&p, 0);
    struct instant heard = link_heard(link);
    assert_true(link->resting);
    assert_false(instant_is_recent(heard, span_s(10), p.now));
    link_wake(p.side[0].node, link);
    assert_int_equal(link_heard(link).us, heard.us);
    udp_submit(&p, 1);
    udp_run(&p, span_ms(100));
    assert_true(instant_is_recent(link_heard(link), span_s(1), p.now));
    udp_teardown(&p);
}

/* The relay lost the other node, which is still present: the link shows it. */
static void a_quiet_link_is_tested_when_the_relay_says_gone(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    udp_run(&p, span_s(30));
    assert_true(link_over_udp(&p, 0)->resting);
    relay_says_gone(&p, 0, DEPARTURE_CLOSED);
    udp_run(&p, span_ms(15));
    assert_false(link_over_udp(&p, 0)->resting);
    udp_run(&p, span_s(30));
    assert_int_equal(p.side[0].left, 0);
    assert_int_equal(udp_peer_of(&p, 0).path, PATH_UDP);
    assert_false(link_over_udp(&p, 0)->resting);
    udp_teardown(&p);
}

static void a_peer_that_is_gone_is_not_kept_by_a_quiet_link(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    udp_run(&p, span_s(30));
    cut_udp(&p);
    node_free(p.side[1].node);
    p.side[1].node = NULL;
    relay_says_gone(&p, 0, DEPARTURE_SILENT);
    udp_run(&p, span_ms(1100));
    assert_int_equal(p.side[0].left, 1);
    udp_teardown(&p);
}

static void without_the_relay_the_link_is_probed(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    udp_run(&p, span_s(30));
    uint32_t link = p.side[0].relay;
    p.side[0].relay = 0;
    fly_link(&p, 0, NODE_LINK_CLOSED, link, bytes_of(NULL, 0));
    udp_run(&p, span_ms(12));
    assert_false(link_over_udp(&p, 0)->resting);
    udp_run(&p, span_s(5));
    assert_paths(&p, PATH_UDP);
    assert_int_equal(p.side[0].left, 0);
    udp_teardown(&p);
}

/* --- failures --------------------------------------------------------------
 */

/* A quiet link is dead: the message goes by the relay, and a round follows. */
static void a_message_finds_a_dead_link(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    udp_run(&p, span_s(30));
    cut_udp(&p);
    udp_run(&p, span_s(30));
    assert_paths(&p, PATH_UDP);
    udp_submit(&p, 0);
    udp_run(&p, span_ms(900));
    assert_int_equal(p.side[0].delivered, 1);
    assert_int_equal(p.side[1].messages, 1);
    assert_int_equal(udp_peer_of(&p, 0).path, PATH_RELAY);
    assert_int_equal(udp_peer_of(&p, 0).why, NODE_WHY_HELD_DOWN);
    p.side[0].udp = p.side[1].udp = 0;
    p.udp = true;
    udp_run(&p, span_s(15));
    assert_paths(&p, PATH_UDP);
    udp_submit(&p, 1);
    udp_run(&p, span_s(1));
    assert_int_equal(p.side[0].messages, 1);
    assert_int_equal(p.side[1].messages, 1);
    assert_int_equal(p.side[0].left + p.side[1].left, 0);
    udp_teardown(&p);
}

/* One end lost its link, and its goodbye was lost: its wish for a round makes
 * the other end test the link. */
static void a_wish_for_a_round_tests_a_link(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        struct udp_pair p;
        struct node_event e = {.kind = NODE_LINK_CLOSED};
        meet(&p);
        udp_run(&p, span_s(30));
        e.link.id = p.side[who].udp;
        e.link.failure = LINK_BROKEN;
        p.side[who].udp = p.side[1 - who].udp = 0;
        udp_step(&p, who, &e);
        udp_run(&p, span_s(8));
        assert_paths(&p, PATH_UDP);
        assert_int_equal(p.side[0].left + p.side[1].left, 0);
        udp_teardown(&p);
    }
}

static void lose_link(struct udp_pair *p)
{
    struct node_event e = {.kind = NODE_LINK_CLOSED};
    e.link.failure = LINK_BROKEN;
    for (int i = 0; i < 2; i++) {
        e.link.id = p->side[i].udp;
        p->side[i].udp = 0;
        udp_step(p, i, &e);
    }
}

static void a_link_that_ends_soon_is_not_made_again_at_once(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    lose_link(&p);
    udp_run(&p, span_ms(2500));
    assert_paths(&p, PATH_RELAY);
    assert_int_equal(p.side[0].connects, 1);
    udp_run(&p, span_s(4));
    assert_paths(&p, PATH_UDP);
    udp_teardown(&p);
}

/* The pauses begin with the shortest, as if there had been no round. */
static void a_link_that_lasted_is_made_again_at_once(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    p.now = instant_after(p.now, span_s(11));
    p.udp = false;
    lose_link(&p);
    udp_run(&p, span_ms(900));
    assert_int_equal(p.side[0].opened, 1); /* a round, on the shared socket */
    assert_true(p.side[0].node->udp.first->tagged);
    udp_run(&p, span_s(15));
    assert_int_equal(p.side[0].opened, 2);
    udp_teardown(&p);
}

static void garbage_is_dropped(void **state)
{
    struct udp_pair p;
    struct node_event e = {.kind = NODE_UDP_DATAGRAM};
    uint8_t bytes[PROBE_SIZE] = {0};
    (void)state;
    meet(&p);
    int probes = p.side[0].probes;
    e.udp.from = udp_address(&p.side[1], 0);
    for (int i = 0; i < 256; i++) {
        bytes[0] = (uint8_t)i;
        e.udp.socket = (uint32_t)(i % 3);
        e.udp.bytes = bytes_of(bytes, i % 5 == 0 ? 0 : sizeof bytes);
        udp_step(&p, 0, &e);
    }
    udp_run(&p, span_s(1));
    assert_int_equal(p.side[0].probes, probes);
    assert_paths(&p, PATH_UDP);
    udp_teardown(&p);
}

/* No records of a member end a link or use up memory. */
static void records_out_of_place_change_nothing(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    for (uint8_t kind = 0; kind < 5; kind++) {
        uint8_t bytes[5] = {kind, 1};
        session_punch(peer_at(&p, 1)->session, bytes_of(bytes, sizeof bytes));
        udp_submit(&p, 1);
        udp_run(&p, span_s(6));
    }
    assert_paths(&p, PATH_UDP);
    assert_int_equal(p.side[0].messages, 5);
    assert_int_equal(p.side[0].connects, 1);
    udp_teardown(&p);
}

/* --- beside TCP ------------------------------------------------------------
 */

static void tcp_takes_over(void **state)
{
    struct udp_pair p;
    (void)state;
    meet(&p);
    p.tcp = true;
    udp_run(&p, span_s(50)); /* The peer is dialled after 5 s and 30 s. */
    assert_paths(&p, PATH_TCP);
    assert_null(link_over_udp(&p, 0));
    assert_null(link_over_udp(&p, 1));
    assert_int_equal(p.side[0].udp, 0);
    assert_int_equal(p.side[0].left + p.side[1].left, 0);
    assert_null(peer_at(&p, 0)->udp);
    udp_teardown(&p);
}

/* The relay stays, and the next path is over UDP again. */
static void udp_follows_tcp(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.tcp = true;
    udp_start_both(&p);
    udp_run(&p, span_s(20));
    assert_paths(&p, PATH_TCP);
    p.tcp = false;
    for (int i = 0; i < 2; i++) {
        fly_link(&p, i, NODE_LINK_CLOSED, p.side[i].tcp, bytes_of(NULL, 0));
        p.side[i].tcp = 0;
    }
    udp_run(&p, span_s(3));
    assert_paths(&p, PATH_UDP);
    assert_int_equal(p.side[0].left + p.side[1].left, 0);
    udp_teardown(&p);
}

/* A link's own socket is closed after the link, and not before. */
static void a_socket_ends_with_its_link(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.udp = false;
    udp_start_both(&p);
    udp_run(&p, span_s(8)); /* The first round fails. */
    p.udp = true;
    udp_run(&p, span_s(12));
    assert_paths(&p, PATH_UDP);
    for (int i = 0; i < 2; i++) {
        assert_int_not_equal(p.side[i].link_socket, 0);
        assert_int_equal(p.side[i].closed, p.side[i].opened - 2);
        assert_false(p.side[i].open_link_closed);
    }
    p.tcp = true;
    udp_run(&p, span_s(60));
    assert_paths(&p, PATH_TCP);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p.side[i].closed, p.side[i].opened - 1);
        assert_false(p.side[i].open_link_closed);
    }
    udp_teardown(&p);
}

/* --- the end ---------------------------------------------------------------
 */

static void a_node_that_leaves_begins_no_round(void **state)
{
    struct udp_pair p;
    struct node_event e = {.kind = NODE_LEAVE};
    (void)state;
    meet(&p);
    udp_step(&p, 0, &e);
    udp_run(&p, span_ms(100));
    assert_int_equal(p.side[1].left, 1);
    assert_int_equal(p.side[1].reason, DEPARTURE_CLOSED);
    assert_null(link_over_udp(&p, 1));
    udp_teardown(&p);
}

/* --- addresses -------------------------------------------------------------
 */

static void take_mapped(struct udp_pair *p, int who, struct address tcp)
{
    struct node_event e = {.kind = NODE_PORT_MAPPED};
    e.mapped.tcp = tcp;
    udp_step(p, who, &e);
}

static bool says(const struct udp_pair *p, int who, enum candidate_kind kind,
                 const struct address *address)
{
    const struct announcement *said = &peer_at(p, 1 - who)->said;
    for (size_t i = 0; i < said->candidate_count; i++)
        if (said->candidates[i].kind == kind &&
            address_equal(&said->candidates[i].address, address))
            return true;
    return false;
}

/* A peer on the LAN dials the source of the beacon that it heard. */
static void a_beacon_tells_the_address_that_is_not_shared(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.lan = true;
    for (uint8_t i = 0; i < 2; i++) {
        struct node_conf conf = udp_conf((uint8_t)(1 + i), false);
        conf.share_addresses = false;
        conf.relay = false;
        conf.multicast = true;
        udp_starts(&p, i, &conf);
    }
    udp_run(&p, span_s(1));
    assert_int_equal(peer_at(&p, 0)->dialer.count, 1);
    assert_true(
        address_equal(&peer_at(&p, 0)->dialer.list[0], &p.side[1].host));
    udp_teardown(&p);
}

static void a_mapped_port_is_announced(void **state)
{
    struct udp_pair p;
    struct address mapped = {ADDRESS_V4, {198, 51, 100, 3}, 5000, 0};
    (void)state;
    meet(&p);
    struct address seen = p.side[0].host;
    seen.port = mapped.port;
    take_mapped(&p, 0, mapped);
    udp_run(&p, span_s(1));
    assert_true(says(&p, 0, CANDIDATE_HOST, &p.side[0].host));
    assert_true(says(&p, 0, CANDIDATE_STUN, &mapped));
    assert_true(says(&p, 0, CANDIDATE_STUN, &seen));
    assert_int_equal(peer_at(&p, 1)->dialer.count, 3);
    take_mapped(&p, 0, (struct address){.family = ADDRESS_NONE});
    udp_run(&p, span_s(1));
    assert_int_equal(peer_at(&p, 1)->said.candidate_count, 1);
    udp_teardown(&p);
}

/* Only the port is announced, and rounds tell what STUN servers see. */
static void addresses_are_kept_from_those_far_away(void **state)
{
    struct udp_pair p;
    struct punch_side side;
    (void)state;
    udp_setup(&p);
    for (uint8_t i = 0; i < 2; i++) {
        struct node_conf conf = udp_conf((uint8_t)(1 + i), true);
        conf.share_addresses = false;
        udp_starts(&p, i, &conf);
    }
    udp_run(&p, span_s(2));
    assert_paths(&p, PATH_UDP);
    struct address port_only = {.family = ADDRESS_V4, .port = 4000};
    assert_int_equal(peer_at(&p, 1)->said.candidate_count, 1);
    assert_true(says(&p, 0, CANDIDATE_HOST, &port_only));
    assert_int_equal(peer_at(&p, 1)->dialer.count, 0);
    struct peer *b = peer_at(&p, 0);
    p.side[0].node->addresses[0].ip[3] = 9;
    udp_side(p.side[0].node, b, 0, FIRST_PORT, &side);
    assert_int_equal(side.candidate_count, 1);
    assert_int_equal(side.candidates[0].kind, CANDIDATE_STUN);
    b->has_beacon_address = true;
    udp_side(p.side[0].node, b, 0, FIRST_PORT, &side);
    assert_int_equal(side.candidate_count, 2);
    assert_int_equal(side.candidates[1].kind, CANDIDATE_HOST);
    assert_int_equal(side.candidates[1].address.port, FIRST_PORT);
    udp_teardown(&p);
}

/* The router forwards to the socket that all peers share, and to no other. */
static void a_mapped_port_is_offered_with_its_socket(void **state)
{
    struct udp_pair p;
    struct punch_side side;
    struct node_event e = {.kind = NODE_PORT_MAPPED};
    (void)state;
    meet(&p);
    e.mapped.udp = (struct address){ADDRESS_V4, {198, 51, 100, 3}, 5000, 0};
    udp_step(&p, 0, &e);
    for (uint32_t socket = 0; socket < 2; socket++) {
        int mapped = 0;
        udp_side(p.side[0].node, peer_at(&p, 0), socket, FIRST_PORT, &side);
        for (int i = 0; i < side.candidate_count; i++)
            mapped += side.candidates[i].kind == CANDIDATE_MAPPED;
        assert_int_equal(mapped, socket == 0);
    }
    udp_teardown(&p);
}

static void a_scope_stays_at_home(void **state)
{
    struct udp_pair p;
    struct punch_side side;
    (void)state;
    meet(&p);
    p.side[0].node->addresses[0].ip[3] = 9;
    p.side[0].node->addresses[0].scope = 7;
    udp_side(p.side[0].node, peer_at(&p, 0), 0, FIRST_PORT, &side);
    assert_int_equal(side.candidates[side.candidate_count - 1].kind,
                     CANDIDATE_HOST);
    for (int i = 0; i < side.candidate_count; i++)
        assert_int_equal(side.candidates[i].address.scope, 0);
    udp_teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relayed_peers_open_a_path),
        cmocka_unit_test(a_lan_is_quicker),
        cmocka_unit_test(each_dial_over_tcp_has_a_head_start),
        cmocka_unit_test(a_dial_over_tcp_has_a_head_start),
        cmocka_unit_test(nothing_of_it_goes_to_a_node_without_udp),
        cmocka_unit_test(blocked_udp_is_named),
        cmocka_unit_test(a_closed_socket_is_forgotten),
        cmocka_unit_test(nats_are_named),
        cmocka_unit_test(a_round_waits_for_nothing_but_its_times),
        cmocka_unit_test(a_change_of_the_network_begins_a_round),
        cmocka_unit_test(a_connection_that_fails_ends_the_round),
        cmocka_unit_test(without_sockets_nothing_is_tried),
        cmocka_unit_test(an_idle_link_is_quiet),
        cmocka_unit_test(a_link_that_wakes_knows_when_it_was_heard),
        cmocka_unit_test(a_quiet_link_is_tested_when_the_relay_says_gone),
        cmocka_unit_test(a_peer_that_is_gone_is_not_kept_by_a_quiet_link),
        cmocka_unit_test(without_the_relay_the_link_is_probed),
        cmocka_unit_test(a_message_finds_a_dead_link),
        cmocka_unit_test(a_wish_for_a_round_tests_a_link),
        cmocka_unit_test(a_link_that_ends_soon_is_not_made_again_at_once),
        cmocka_unit_test(a_link_that_lasted_is_made_again_at_once),
        cmocka_unit_test(garbage_is_dropped),
        cmocka_unit_test(records_out_of_place_change_nothing),
        cmocka_unit_test(tcp_takes_over),
        cmocka_unit_test(udp_follows_tcp),
        cmocka_unit_test(a_socket_ends_with_its_link),
        cmocka_unit_test(a_node_that_leaves_begins_no_round),
        cmocka_unit_test(a_beacon_tells_the_address_that_is_not_shared),
        cmocka_unit_test(a_mapped_port_is_announced),
        cmocka_unit_test(addresses_are_kept_from_those_far_away),
        cmocka_unit_test(a_mapped_port_is_offered_with_its_socket),
        cmocka_unit_test(a_scope_stays_at_home),
    };
    return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
