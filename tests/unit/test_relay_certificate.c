/* A node knows the certificate that its relay told it [P-14.4]. */
#include "tests/unit/udp_node_kit.h"

static struct udp_pair p;

static struct relay_tls told(void)
{
    struct node_relay relay;

    node_relay_get(p.side[0].node, 0, &relay);
    return relay.tls;
}

static void says_certificate(size_t size)
{
    uint8_t room[64] = {RELAY_CERTIFICATE, 7, [32] = 9};
    struct writer w = writer_of(room, sizeof room);

    assert_non_null(write_room(&w, size));
    relay_says(&p, 0, &w);
    udp_run(&p, span_ms(100));
}

static void the_relays_certificate_is_known(void **state)
{
    (void)state;
    udp_setup(&p);
    udp_start_both(&p);
    udp_run(&p, span_ms(500));
    assert_int_equal(told().end, RELAY_TLS_UNTOLD);

    for (size_t size = 2; size < 1 + CERTIFICATE_HASH_SIZE; size++)
        says_certificate(size); /* cut short */
    says_certificate(2 + CERTIFICATE_HASH_SIZE);
    assert_int_equal(told().end, RELAY_TLS_UNTOLD);
    says_certificate(1 + CERTIFICATE_HASH_SIZE);
    assert_int_equal(told().end, RELAY_TLS_HERE);
    assert_int_equal(told().hash[0], 7);
    assert_int_equal(told().hash[31], 9);
    says_certificate(1);
    assert_int_equal(told().end, RELAY_TLS_BEFORE);
    udp_teardown(&p);
}

/* The next link may come by another form. */
static void a_new_link_forgets_the_certificate(void **state)
{
    (void)state;
    udp_setup(&p);
    udp_start_both(&p);
    udp_run(&p, span_ms(500));
    says_certificate(1 + CERTIFICATE_HASH_SIZE);
    assert_int_equal(told().end, RELAY_TLS_HERE);
    relay_loses(&p, 0);
    udp_run(&p, span_ms(100));
    assert_int_equal(told().end, RELAY_TLS_UNTOLD);
    udp_run(&p, span_s(30));

    struct node_relay relay;
    node_relay_get(p.side[0].node, 0, &relay);
    assert_int_equal(relay.state, RELAY_UP);
    assert_int_equal(relay.tls.end, RELAY_TLS_UNTOLD);
    udp_teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_relays_certificate_is_known),
        cmocka_unit_test(a_new_link_forgets_the_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
