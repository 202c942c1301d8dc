/* How often each network may be served, without anything kept of it. */
#include "common/base/source_pace.h"
#include "tests/unit/kit.h"

static const struct span each = {100 * 1000};
enum { BURST = 5 };

static struct source_pace paces;

static struct address address_of(const char *text)
{
    struct address a;
    assert_true(address_parse(text, &a));
    return a;
}

static int setup(void **state)
{
    static const uint8_t key[SOURCE_PACE_KEY_SIZE] = {7};
    (void)state;

    source_pace_init(&paces, each, BURST, key);
    return 0;
}

static int served(const char *text, struct instant now, int times)
{
    struct address a = address_of(text);
    int count = 0;
    for (int i = 0; i < times; i++)
        count += source_pace_takes(&paces, &a, now);
    return count;
}

static void a_network_has_its_burst_and_then_its_rate(void **state)
{
    struct instant now = {1000};
    (void)state;

    assert_int_equal(served("192.0.2.1:1", now, 100), BURST);
    assert_int_equal(served("192.0.2.1:2", now, 100),
                     0); /* whatever the port */
    assert_int_equal(served("192.0.2.2:1", now, 100), BURST);
    now = instant_after(now, span_times(each, 2));
    assert_int_equal(served("192.0.2.1:1", now, 100), 2);
    now = instant_after(now, span_times(each, 100));
    assert_int_equal(served("192.0.2.1:1", now, 100), BURST);
}

static void an_ipv6_network_is_a_64(void **state)
{
    struct instant now = {1000};
    (void)state;

    assert_int_equal(served("[2001:db8::1]:1", now, 100), BURST);
    assert_int_equal(served("[2001:db8::2]:1", now, 100), 0);
    assert_int_equal(served("[2001:db8:0:1::1]:1", now, 100), BURST);
}

/* Whatever the sources are, the table serves no more than the rate of all its
 * places. */
static void invented_sources_are_bounded(void **state)
{
    struct instant now = {1000};
    int64_t count = 0;
    (void)state;

    for (uint32_t i = 0; i < 100 * 1000; i++) {
        struct address a = {.family = ADDRESS_V4, .port = 1};
        memcpy(a.ip, &i, sizeof i);
        count += source_pace_takes(&paces, &a, now);
    }
    assert_true(count > SOURCE_PACE_PLACES);
    assert_true(count <= (int64_t)SOURCE_PACE_PLACES * BURST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_network_has_its_burst_and_then_its_rate,
                               setup),
        cmocka_unit_test_setup(an_ipv6_network_is_a_64, setup),
        cmocka_unit_test_setup(invented_sources_are_bounded, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
