/* A peer has a link over TCP and one over UDP, and one of them is cut [P-8.10].
 */
#include "udp_node_kit.h"

static struct link *link_over_udp(const struct udp_pair *p, int who)
{
    return udp_link(
        map_get(&p->side[who].node->peers, p->side[1 - who].id.key));
}

/* The link over TCP was made a moment ago, and the other one is quiet. */
static void meet_twice(struct udp_pair *p)
{
    udp_setup(p);
    udp_start_both(p);
    udp_run(p, span_s(20));
    assert_paths(p, PATH_UDP);
    p->tcp = true;
    for (int i = 0; i < 100 && udp_peer_of(p, 0).path != PATH_TCP; i++)
        udp_run(p, span_ms(500));
    assert_paths(p, PATH_TCP);
    for (int i = 0; i < 2; i++)
        assert_true(link_over_udp(p, i)->resting);
}

/* Its packets vanish, and nothing says so. */
static void cut_tcp(struct udp_pair *p)
{
    p->tcp = false;
    p->side[0].tcp = p->side[1].tcp = 0;
}

static void the_quiet_link_takes_over(void **state)
{
    struct udp_pair p;
    (void)state;
    meet_twice(&p);
    cut_tcp(&p);
    udp_submit(&p, 0);
    udp_run(&p, span_ms(600));
    assert_int_equal(p.side[0].delivered, 1);
    assert_int_equal(udp_peer_of(&p, 0).path, PATH_UDP);
    assert_false(link_over_udp(&p, 0)->unproved);
    udp_teardown(&p);
}

/* It wakes for its test: else it would be taken for a link that is up for as
 * long as the relay lists the peer. */
static void a_quiet_link_that_is_dead_is_found(void **state)
{
    struct udp_pair p;
    (void)state;
    meet_twice(&p);
    cut_tcp(&p);
    p.udp = false;
    udp_submit(&p, 0);
    udp_run(&p, span_ms(600));
    assert_int_equal(p.side[0].delivered, 1);
    assert_int_equal(udp_peer_of(&p, 0).path, PATH_RELAY);
    assert_true(link_over_udp(&p, 0)->unproved);
    udp_run(&p, span_s(4));
    assert_null(link_over_udp(&p, 0));
    udp_teardown(&p);
}

/* The first PING of a link may have waited behind a cut: the next one does not
 * wait for its second. */
static void a_long_round_trip_is_measured_twice(void **state)
{
    struct udp_pair p;
    (void)state;
    udp_setup(&p);
    p.delay = span_ms(60);
    udp_start_both(&p);
    for (int i = 0; i < 500 && udp_peer_of(&p, 0).path != PATH_UDP; i++)
        udp_run(&p, span_ms(10));
    assert_paths(&p, PATH_UDP);
    udp_run(&p, span_ms(400));
    assert_int_equal(link_over_udp(&p, 0)->detector.token, 2);
    udp_teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quiet_link_takes_over),
        cmocka_unit_test(a_quiet_link_that_is_dead_is_found),
        cmocka_unit_test(a_long_round_trip_is_measured_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
