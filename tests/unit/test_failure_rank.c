/* Which of the failures of a relay's forms is told. */
#include "kit.h"

#include "common/wire/relay_form.h"
#include "edge/core/failure_rank.h"

static const enum link_failure none = (enum link_failure)0;

/* One row for each situation: what each form says, and what is told of them. */
static void one_failure_is_told(void **state)
{
    static const struct {
        enum link_failure of[RELAY_FORMS], told;
    } rows[] = {
        /* Without the proxy only; the relay's host drops 443, refuses 80. */
        {{LINK_TIMEOUT, LINK_TIMEOUT, LINK_REFUSED}, LINK_TIMEOUT},
        /* The relay does not run, and a firewall drops 80. */
        {{LINK_REFUSED, LINK_REFUSED, LINK_TIMEOUT}, LINK_REFUSED},
        /* A web server without TLS has the port. */
        {{LINK_NOT_A_RELAY, LINK_TLS, LINK_TIMEOUT}, LINK_NOT_A_RELAY},
        /* A firewall drops CurveZMQ, and opens TLS. */
        {{LINK_TIMEOUT, LINK_TLS, LINK_NOT_A_RELAY}, LINK_TLS},
        /* A relay with another key, without TLS; or behind a web server. */
        {{LINK_WRONG_KEY, LINK_TLS, LINK_REFUSED}, LINK_WRONG_KEY},
        {{LINK_NOT_A_RELAY, LINK_HANDSHAKE, LINK_REFUSED}, LINK_HANDSHAKE},
        /* A portal, with a proxy that none can reach before the login. */
        {{LINK_TIMEOUT, LINK_TLS, LINK_CAPTIVE_PORTAL, LINK_TIMEOUT,
          LINK_TIMEOUT, LINK_PROXY_AUTH},
         LINK_CAPTIVE_PORTAL},
        /* Only the proxy leads out, and it wants a password, or says no. */
        {{LINK_TIMEOUT, LINK_TIMEOUT, LINK_TIMEOUT, LINK_PROXY_AUTH,
          LINK_PROXY_AUTH, LINK_PROXY_REFUSED},
         LINK_PROXY_AUTH},
        {{LINK_REFUSED, LINK_TLS, LINK_NOT_A_RELAY, LINK_PROXY_REFUSED,
          LINK_WRONG_KEY, LINK_TIMEOUT},
         LINK_PROXY_REFUSED},
        /* The connection is cut where the others end nowhere. */
        {{LINK_BROKEN, LINK_REFUSED, LINK_TIMEOUT}, LINK_BROKEN},
        {{LINK_NAMELESS, LINK_NAMELESS, LINK_NAMELESS, LINK_REFUSED},
         LINK_REFUSED},
        {{LINK_NAMELESS, LINK_UNREACHABLE}, LINK_UNREACHABLE},
        {{LINK_NAMELESS}, LINK_NAMELESS},
        {{none}, none},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(failure_most_telling(rows[i].of, RELAY_FORMS),
                         rows[i].told);
    assert_int_equal(failure_most_telling(NULL, 0), none);
}

/* Each one tells more than no failure, and more than those before it, also if
 * a worse form says it. */
static void they_rise(void **state)
{
    static const enum link_failure rising[][2] = {
        {LINK_NAMELESS, LINK_NAMELESS},
        {LINK_UNREACHABLE, LINK_UNREACHABLE},
        {LINK_TIMEOUT, LINK_REFUSED},
        {LINK_BROKEN, LINK_BROKEN},
        {LINK_NOT_A_RELAY, LINK_TLS},
        {LINK_HANDSHAKE, LINK_WRONG_KEY},
        {LINK_PROXY_REFUSED, LINK_PROXY_REFUSED},
        {LINK_PROXY_AUTH, LINK_PROXY_AUTH},
        {LINK_CAPTIVE_PORTAL, LINK_CAPTIVE_PORTAL},
    };
    enum link_failure before[2] = {none, none};

    (void)state;
    for (size_t i = 0; i < sizeof rising / sizeof rising[0]; i++) {
        for (int k = 0; k < 4; k++) {
            enum link_failure worse = rising[i][k & 1];
            enum link_failure pair[] = {before[k >> 1], worse};
            assert_int_equal(failure_most_telling(pair, 2), worse);
        }
        memcpy(before, rising[i], sizeof before);
    }
}

/* Where two tell as much, the better form says it. */
static void of_two_alike_the_better_form_counts(void **state)
{
    static const enum link_failure alike[][2] = {
        {LINK_TIMEOUT, LINK_REFUSED},
        {LINK_NOT_A_RELAY, LINK_TLS},
        {LINK_HANDSHAKE, LINK_WRONG_KEY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++) {
        const enum link_failure turned[] = {alike[i][1], alike[i][0]};
        assert_int_equal(failure_most_telling(alike[i], 2), alike[i][0]);
        assert_int_equal(failure_most_telling(turned, 2), turned[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_failure_is_told),
        cmocka_unit_test(they_rise),
        cmocka_unit_test(of_two_alike_the_better_form_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
