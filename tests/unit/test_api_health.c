/* Health: each refusal, each reason why a relay is down, and each state of the
 * certificate has a line and a remedy of its own. */
#include "edge/shell/api.h"
#include "edge/shell/remedies.h"
#include "tests/unit/api_kit.h"
#include "tests/unit/guide_kit.h"

#include <time.h>

enum { WORDS = 64 };

static void is_in_guide(const char *word)
{
    char cell[80];

    snprintf(cell, sizeof cell, "| `%s` | ", word);
    if (strstr(guide(), cell) == NULL)
        fail_msg("not in troubleshooting.md: %s", cell);
}

/* The remedy exists, and no other word has it. */
static void is_own(struct remedy remedy, const char *word)
{
    static const char *said[WORDS];
    static size_t count;

    if (word == NULL) {
        count = 0;
        return;
    }
    assert_true(strcmp(remedy.severity, "warning") == 0 ||
                strcmp(remedy.severity, "error") == 0);
    assert_true(strlen(remedy.text) > 20);
    for (size_t i = 0; i < count; i++)
        if (strcmp(said[i], remedy.text) == 0)
            fail_msg("%s has another one's remedy: %s", word, remedy.text);
    assert_true(count < WORDS);
    said[count++] = remedy.text;
}

static bool refusal_next(int *reason)
{
    return strcmp(refusal_name((uint8_t)++ * reason), "unknown") != 0;
}

static void each_word_has_its_own_remedy(void **state)
{
    const struct remedy none = {NULL, NULL};

    (void)state;
    for (int i = 0; i < RELAY_ERRORS; i++) {
        const char *word = relay_error_name((enum relay_error)i);
        is_own(remedy_of_relay(word), word);
        is_in_guide(word);
    }
    for (int i = 0; refusal_next(&i);) {
        const char *word = refusal_name((uint8_t)i);
        is_own(remedy_of_relay(word), word);
        is_in_guide(word);
    }
    for (int by_peer = 0; by_peer < 2; by_peer++) {
        is_own(none, NULL);
        for (int i = 0; refusal_next(&i);)
            is_own(remedy_of_refusal((enum refusal)i, by_peer),
                   refusal_name((uint8_t)i));
    }
    is_own(none, NULL);
    /* A reason of a later version. */
    assert_non_null(remedy_of_refusal((enum refusal)200, true).text);
    assert_non_null(remedy_of_relay("new_word").text);
}

/* ---- As status says it */

static json_t *status;

/* The line of health with this code, or NULL. */
static json_t *health(const char *code)
{
    json_t *line;
    size_t i;

    json_array_foreach(json_object_get(status, "health"), i, line)
    {
        const char *its = json_string_value(json_object_get(line, "code"));
        if (strcmp(its, code) == 0)
            return line;
    }
    return NULL;
}

static const char *member(json_t *line, const char *key)
{
    assert_non_null(line);
    return json_string_value(json_object_get(line, key));
}

static void ask(void)
{
    int fd = connect_to(w.path);

    json_decref(status);
    say(fd, "{\"op\":\"status\"}");
    status = json_loads(hear(fd), 0, NULL);
    assert_non_null(status);
    close(fd);
}

static int forget(void **state)
{
    json_decref(status);
    status = NULL;
    return teardown(state);
}

static void relay_says(const char *word)
{
    char end[64];

    fake.relay_error = word;
    ask();
    json_t *line = health("relay_down");
    snprintf(end, sizeof end, " is not connected: %s", word);
    assert_non_null(strstr(member(line, "text"), end));
    struct remedy remedy = remedy_of_relay(word);
    assert_string_equal(member(line, "remedy"), remedy.text);
    assert_string_equal(member(line, "severity"), remedy.severity);
}

static void status_says_each_word_of_a_relay(void **state)
{
    (void)state;
    for (int i = 0; i < RELAY_ERRORS; i++)
        relay_says(relay_error_name((enum relay_error)i));
    for (int i = 0; refusal_next(&i);)
        relay_says(refusal_name((uint8_t)i));
}

/* A peer refuses this node, and this node refuses a peer. */
static void status_says_each_refusal(void **state)
{
    (void)state;
    for (int by_peer = 0; by_peer < 2; by_peer++)
        for (int i = 0; refusal_next(&i);) {
            fake.refusals[0] = (struct node_refusal){
                .name = "dave", .by_peer = by_peer, .reason = (uint8_t)i};
            fake.refusal_count = 1;
            ask();
            json_t *line = health(by_peer ? "refused_by_peer" : "peer_refused");
            struct remedy remedy =
                remedy_of_refusal((enum refusal)i, by_peer != 0);
            assert_non_null(strstr(member(line, "text"), "dave"));
            assert_non_null(
                strstr(member(line, "text"), refusal_name((uint8_t)i)));
            assert_string_equal(member(line, "remedy"), remedy.text);
        }
    fake.refusal_count = 0;
    fake.replaced = true;
    ask();
    assert_non_null(health("replaced"));
}

static void with_times(int64_t from, int64_t to)
{
    char error[API_ERROR_SIZE];
    uint64_t now = (uint64_t)time(NULL);
    struct api_conf conf = {.socket = w.path,
                            .message_limit = MESSAGE_LIMIT,
                            .not_before = now + (uint64_t)from,
                            .not_after = now + (uint64_t)to};

    api_close(w.api);
    turn();
    w.api = api_open(&fake, &conf, error);
    assert_non_null(w.api);
    ask();
}

static void the_time_of_the_certificate_is_reported(void **state)
{
    static const char *const codes[] = {"certificate_not_yet",
                                        "certificate_expires",
                                        "certificate_expired", "clock_wrong"};
    static const struct {
        int64_t from, to;
        const char *code; /* NULL: none */
        const char *text;
        const char *remedy;
    } cases[] = {
        {-60, 365 * 86400, NULL, "", ""},
        {-60, 14 * 86400 + 60, NULL, "", ""},
        {-60, 14 * 86400 - 60, "certificate_expires", "in 13 days", "--renew"},
        {-60, 47 * 3600 + 60, "certificate_expires", "in 47 hours", "--renew"},
        {-60, 0, "certificate_expired", "has expired, on 20", "clock"},
        /* As a clock of 1970 sees it: the remedy is to set the clock. */
        {50 * 365 * 86400, 51 * 365 * 86400, "certificate_not_yet",
         "this host's clock says 20", "Set this host's clock"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        with_times(cases[i].from, cases[i].to);
        for (size_t c = 0; c < sizeof codes / sizeof *codes; c++) {
            json_t *line = health(codes[c]);
            if (cases[i].code == NULL || strcmp(cases[i].code, codes[c]) != 0) {
                assert_null(line);
                continue;
            }
            assert_non_null(strstr(member(line, "text"), cases[i].text));
            assert_non_null(strstr(member(line, "remedy"), cases[i].remedy));
        }
    }
}

static void problems_of_the_network_are_named(void **state)
{
    (void)state;
    ask();
    assert_null(health("interface_missing"));
    assert_null(health("multicast_not_joined"));
    assert_null(health("addresses_left_out"));
    assert_null(health("discovery_deaf"));
    assert_null(health("large_packets_lost"));
    fake.gaps[EDGE_GAP_MISSING] = 1;
    fake.gaps[EDGE_GAP_UNJOINED] = 10;
    fake.gaps[EDGE_GAP_ADDRESSES] = 24;
    fake.gaps[EDGE_GAP_DEAF] = 1;
    fake.gaps[EDGE_GAP_LARGE] = 1200;
    ask();
    assert_non_null(strstr(member(health("interface_missing"), "text"),
                           "eth0, which listen.interfaces"));
    assert_non_null(strstr(member(health("multicast_not_joined"), "text"),
                           "eth0, eth1, eth2 and 7 more: "));
    assert_non_null(
        strstr(member(health("addresses_left_out"), "text"), "24 of "));
    assert_non_null(health("discovery_deaf"));
    assert_non_null(strstr(member(health("large_packets_lost"), "text"),
                           "segments of 1200 bytes"));
}

int main(void)
{
#define LIVE(test) cmocka_unit_test_setup_teardown(test, setup, forget)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_has_its_own_remedy),
        LIVE(status_says_each_word_of_a_relay),
        LIVE(status_says_each_refusal),
        LIVE(the_time_of_the_certificate_is_reported),
        LIVE(problems_of_the_network_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
