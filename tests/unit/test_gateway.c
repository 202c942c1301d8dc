#include "kit.h"

#include "edge/shell/gateway.h"

/* The test cannot know which routers this machine has. */
static void a_router_has_an_address_and_a_way_to_it(void **state)
{
    (void)state;
    struct gateway g = {.interface = 99};
    if (!gateway_find(&g)) {
        assert_int_equal(g.router.family, ADDRESS_NONE);
        assert_int_equal(g.interface, 0);
        return;
    }
    assert_int_equal(g.router.family, ADDRESS_V4);
    assert_int_equal(g.self.family, ADDRESS_V4);
    assert_false(address_same_ip(&g.router, &g.self));
    assert_int_not_equal(g.interface, 0);
}

static void another_way_to_the_router_is_another_gateway(void **state)
{
    (void)state;
    struct gateway a = {.router = {ADDRESS_V4, {10, 0, 0, 1}, 0, 0},
                        .self = {ADDRESS_V4, {10, 0, 0, 2}, 0, 0},
                        .interface = 2};
    struct gateway b = a, c = a, d = a;
    assert_true(gateway_equal(&a, &b));
    b.router.ip[3] = 9;
    c.self.ip[3] = 9;
    d.interface = 9;
    assert_false(gateway_equal(&a, &b));
    assert_false(gateway_equal(&a, &c));
    assert_false(gateway_equal(&a, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_router_has_an_address_and_a_way_to_it),
        cmocka_unit_test(another_way_to_the_router_is_another_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
