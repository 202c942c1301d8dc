/* What netcheck's facts mean: one case for each finding, none for a network in
 * which all is well; and the guide knows each id. */
#include "guide_kit.h"

#include "edge/shell/findings.h"
#include "edge/shell/remedies.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOW = 1800000000, DAY = 24 * 3600 };

static struct fact_peer peers[2];

/* Behind an easy NAT, with one relay that is up: there is no finding. */
static struct net_facts healthy(void)
{
    struct net_facts f = {
        .has_network = true,
        .multicast = true,
        .beacons_sent = 10,
        .beacons_heard = 5,
        .relay_count = 1,
        .proxy = "",
        .proxy_from = "none",
        .proxy_wrong = "",
        .pac_from = "",
        .stun_asked = 2,
        .asked_v4 = true,
        .seen = {.done = true,
                 .answered_v4 = true,
                 .servers = 2,
                 .mapping = MAPPING_ENDPOINT_INDEPENDENT},
        .now = NOW,
        .not_before = NOW - DAY,
        .not_after = NOW + (uint64_t)100 * DAY,
        .peers = peers,
    };

    f.relays[0] = (struct fact_relay){
        .host = "relay.example.org",
        .port = 443,
        .up = true,
        .connects = true,
        .error = "",
        .own_error = "",
        .ports = {{443, true, STUN_ANSWERED}, {3478, true, STUN_ANSWERED}},
        .port_count = 2};
    peers[0] =
        (struct fact_peer){.name = "bob", .reachable = true, .why = "nat"};
    return f;
}

static void relay_error(struct net_facts *f, const char *error, const char *own)
{
    f->relays[0].up = false;
    f->relays[0].error = error;
    f->relays[0].own_error = own;
}

static void stun(struct net_facts *f, enum stun_verdict first,
                 enum stun_verdict second)
{
    f->relays[0].ports[0].verdict = first;
    f->relays[0].ports[1].verdict = second;
    f->seen.answered_v4 = first == STUN_ANSWERED || second == STUN_ANSWERED;
    if (!f->seen.answered_v4)
        f->seen.mapping = MAPPING_UNKNOWN;
}

static void relayed(struct net_facts *f, const char *why)
{
    f->peer_count = 1;
    peers[0].why = why;
}

static struct findings out;

/* Expects that the facts give exactly this finding; `text` is part of its
 * sentence. */
static void one(const struct net_facts *f, const char *id, const char *severity,
                const char *text)
{
    char cell[80];

    findings_make(f, &out);
    for (size_t i = 0; i < out.count; i++)
        if (out.count != 1)
            print_message("  %s: %s\n", out.list[i].id, out.list[i].text);
    assert_int_equal(out.count, 1);
    assert_string_equal(out.list[0].id, id);
    assert_string_equal(out.list[0].severity, severity);
    if (strstr(out.list[0].text, text) == NULL)
        fail_msg("%s says: %s", id, out.list[0].text);
    assert_true(out.list[0].text[strlen(out.list[0].text) - 1] == '.');
    snprintf(cell, sizeof cell, "| `%s` | ", id);
    if (strstr(guide(), cell) == NULL)
        fail_msg("not in troubleshooting.md: %s", cell);
}

static void a_good_network_has_no_findings(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
    assert_true(facts_reach(&f));
    assert_true(facts_udp_passes(&f));
    f.seen.mapping = MAPPING_NONE;
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
}

static void each_error_of_a_relay_has_a_finding(void **state)
{
    static const struct {
        const char *own, *word, *id, *severity;
    } rows[] = {
        {"dns", "dns", "relay_dns", "error"},
        {"unreachable", "refused", "relay_refused", "error"},
        {"unreachable", "unreachable", "relay_unreachable", "error"},
        {"wrong_key", "not_a_relay", "relay_not_a_relay", "error"},
        {"wrong_key", "wrong_key", "relay_wrong_key", "error"},
        {"tls", "tls", "relay_tls", "error"},
        {"proxy_auth", "proxy_auth", "relay_proxy_auth", "error"},
        {"proxy_refused", "proxy_refused", "relay_proxy_refused", "error"},
        {"captive_portal", "captive_portal", "relay_captive_portal", "error"},
        {"mesh_unknown", "mesh_unknown", "relay_mesh_unknown", "error"},
        {"forged", "certificate", "relay_certificate", "error"},
        {"expired", "certificate", "relay_certificate", "error"},
        {"not_yet", "clock", "relay_clock", "error"},
        {"revoked", "revoked", "relay_revoked", "error"},
        {"replaced", "replaced", "relay_replaced", "error"},
        {"name_taken", "name_taken", "relay_name_taken", "error"},
        {"version", "version", "relay_version", "error"},
        {"full", "full", "relay_full", "warning"},
        {"shutdown", "restarting", "relay_restarting", "warning"},
        {"too_large", "too_large", "relay_refuses", "error"},
        {"timeout", "timeout", "relay_stalls", "error"},
        {"connection_lost", "", "relay_connecting", "warning"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct net_facts f = healthy();
        relay_error(&f, rows[i].word, rows[i].own);
        one(&f, rows[i].id, rows[i].severity, "relay.example.org:443");
        assert_true(strlen(out.list[0].remedy) > 20);
        assert_false(facts_reach(&f));
    }
    struct net_facts f = healthy();
    relay_error(&f, "timeout", "unreachable");
    f.relays[0].connects = false;
    one(&f, "relay_timeout", "error", "does not answer");
}

static void errors_are_told_in_the_words_of_the_contract(void **state)
{
    (void)state;
    assert_string_equal(finding_relay_word("wrong_key"), "wrong_key");
    assert_string_equal(finding_relay_word("connection_lost"), "unreachable");
    assert_string_equal(finding_relay_word("silent"), "timeout");
    assert_string_equal(finding_relay_word("not_yet"), "clock");
    assert_string_equal(finding_relay_word("expired"), "certificate");
    assert_string_equal(finding_relay_word("shutdown"), "restarting");
    assert_string_equal(finding_relay_word("full"), "full");
    assert_string_equal(finding_relay_word(""), "");
}

static void a_closed_port_is_no_blocked_network(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    stun(&f, STUN_CLOSED, STUN_CLOSED);
    one(&f, "stun_closed", "warning", "443, 3478: its host says");
    assert_true(facts_udp_passes(&f));

    /* A second server answers, so UDP gets out. */
    stun(&f, STUN_SILENT, STUN_SILENT);
    f.stun_asked = 3;
    f.seen.answered_v4 = true;
    f.seen.servers = 2;
    one(&f, "stun_closed", "warning", "a firewall at the relay");

    f = healthy();
    stun(&f, STUN_ANSWERED, STUN_SILENT);
    one(&f, "stun_one_port", "info", "not at UDP 3478");

    /* Answers from two of three ports are enough; a port that was not asked
     * does not count. */
    f = healthy();
    f.relays[0].ports[2] = (struct fact_port){5443, true, STUN_CLOSED};
    f.relays[0].port_count = 3;
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
    stun(&f, STUN_ANSWERED, STUN_ANSWERED);
    f.relays[0].ports[1].asked = f.relays[0].ports[2].asked = false;
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
}

static void a_blocked_network_is_told(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    stun(&f, STUN_SILENT, STUN_SILENT);
    one(&f, "udp_blocked", "warning", "by UDP, though it does by TCP");
    assert_non_null(strstr(out.list[0].remedy, "discovery.stun shows"));
    assert_false(facts_udp_passes(&f));
    f.stun_asked = 4; /* Another server is silent as well. */
    one(&f, "udp_blocked", "warning", "None of 4 STUN servers");

    /* No packet gets out, so UDP is not the problem. */
    relay_error(&f, "timeout", "unreachable");
    f.relays[0].connects = false;
    one(&f, "relay_timeout", "error", "");

    f = healthy();
    f.host_v6 = f.asked_v6 = true;
    one(&f, "udp_ipv6_blocked", "info", "not by IPv6");
}

static void the_kind_of_nat_is_told(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    f.seen.mapping = MAPPING_DEPENDENT;
    one(&f, "nat_address_dependent", "info", "another port (address");
    f.seen.step = 1;
    one(&f, "nat_address_dependent", "info", "in sequence");
    f.mapped_udp = true;
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);

    f = healthy();
    f.seen.mapping = MAPPING_UNKNOWN;
    f.seen.servers = 1;
    one(&f, "nat_unknown", "info", "only one server");

    f = healthy();
    f.udp = FACT_UDP_OFF;
    one(&f, "udp_off", "info", "paths.udp is false");
    f.udp = FACT_UDP_ABSENT;
    one(&f, "udp_absent", "info", "lacks QUIC");
}

static void the_host_is_looked_at(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    f.relays[0].up = f.relays[0].connects = false;
    f.relays[0].error = f.relays[0].own_error = "unreachable";
    f.has_network = false;
    findings_make(&f, &out);
    assert_string_equal(out.list[0].id, "no_network");
    assert_non_null(strstr(guide(), "| `no_network` | "));

    f = healthy();
    strcpy(f.missing, "eth7");
    one(&f, "interface_missing", "warning", "names eth7:");
    f = healthy();
    strcpy(f.unjoined, "eth1, eth2");
    one(&f, "multicast_not_joined", "warning", "on eth1, eth2 this node");
    f = healthy();
    f.deaf = true;
    one(&f, "discovery_deaf", "warning", "hears no multicast");
    f = healthy();
    f.beacons_heard = 0;
    one(&f, "multicast_unheard", "info", "No other node");
    f.multicast = false;
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);

    f = healthy();
    f.relay_count = 0;
    f.stun_asked = 0;
    f.seen = (struct outside_view){.done = true};
    findings_make(&f, &out);
    assert_int_equal(out.count, 2);
    assert_string_equal(out.list[0].id, "no_relay");
    assert_string_equal(out.list[1].id, "stun_unknown");
    assert_non_null(strstr(guide(), "| `no_relay` | "));
    assert_non_null(strstr(guide(), "| `stun_unknown` | "));
}

static void what_stands_on_the_way_is_told(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    f.proxy = "http://proxy.example.org:3128";
    f.proxy_from = "https_proxy";
    findings_make(&f, &out); /* A proxy is no problem. */
    assert_int_equal(out.count, 0);

    f = healthy();
    f.proxy_from = "HTTPS_PROXY";
    f.proxy_wrong = "wants a port of 1 to 65535 after the last colon";
    one(&f, "proxy_wrong", "warning",
        "The variable HTTPS_PROXY of the environment is no URL of a proxy: it "
        "wants a port");

    f = healthy();
    f.pac = true;
    f.pac_from = "the name wpad has an address here";
    one(&f, "proxy_pac", "info", "(the name wpad has an address here)");
    relay_error(&f, "timeout", "timeout");
    findings_make(&f, &out);
    assert_int_equal(out.count, 2);
    assert_string_equal(out.list[1].id, "proxy_pac");
    assert_string_equal(out.list[1].severity, "warning");
    f.proxy = "http://proxy.example.org:3128";
    findings_make(&f, &out);
    assert_int_equal(out.count, 1);

    f = healthy();
    f.relays[0].inspected = true;
    one(&f, "tls_inspected", "info", "the relay relay.example.org:443 opens");
}

/* What was tried just now counts, and not what the node saw before. */
static void a_remedy_is_for_the_error_that_is_told(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    relay_error(&f, "captive_portal", "dns");
    one(&f, "relay_captive_portal", "error", "log in first");
    assert_string_equal(out.list[0].remedy,
                        remedy_of_relay("captive_portal").text);
    relay_error(&f, "certificate", "forged");
    one(&f, "relay_certificate", "error", "");
    assert_string_equal(out.list[0].remedy, remedy_of_relay("forged").text);
}

static void clock_and_certificate_are_compared(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    f.now = 1000;
    one(&f, "clock_wrong", "error", "says 1970-01-01 00:16:40 UTC");
    f = healthy();
    f.not_before = NOW + 1;
    one(&f, "certificate_not_yet", "error", "valid before 2027-01-15 08:00:01");
    f = healthy();
    f.not_after = NOW;
    one(&f, "certificate_expired", "error", "has expired");
    f.not_after = NOW + 3 * DAY + 5;
    one(&f, "certificate_expires", "warning", "in 3 days");
    f.not_after = 0; /* It never expires. */
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
}

static void relay_clock(struct net_facts *f, size_t relay, int64_t skew_s)
{
    f->relays[relay].skew_known = true;
    f->relays[relay].skew_s = skew_s;
}

static void a_clock_that_differs_from_the_relays_is_told(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    relay_clock(&f, 0, 60);
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
    relay_clock(&f, 0, 61);
    one(&f, "clock_skew", "warning", "of this host is 61 seconds behind that");
    relay_clock(&f, 0, -61 * 60);
    one(&f, "clock_skew", "warning", "of this host is 61 minutes ahead of");
    relay_clock(&f, 0, 3 * 3600 - 2);
    one(&f, "clock_skew", "warning", "is 3 hours behind");
    relay_clock(&f, 0, (int64_t)-730 * DAY);
    one(&f, "clock_skew", "warning", "is 730 days ahead of");

    /* Two relays against this host are one finding. */
    f.relays[1] = f.relays[0];
    f.relays[1].host = "relay.example.net";
    f.relay_count = 2;
    one(&f, "clock_skew", "warning", "ahead of that of the relay");
    /* One of them agrees with this host: the other one is wrong. */
    relay_clock(&f, 0, 1);
    one(&f, "clock_skew", "warning",
        "of the relay relay.example.net:443 is 730 days behind this host's");
    f.relays[1].skew_known = false;
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);
}

/* Why the relay refuses this node shows beside it. */
static void a_relay_that_refuses_by_its_clock_tells_it(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    relay_error(&f, "clock", "not_yet");
    relay_clock(&f, 0, (int64_t)-40 * DAY);
    findings_make(&f, &out);
    assert_int_equal(out.count, 2);
    assert_string_equal(out.list[0].id, "clock_skew");
    assert_string_equal(out.list[1].id, "relay_clock");
}

static void each_relayed_peer_has_a_reason(void **state)
{
    (void)state;
    struct net_facts f = healthy();
    relayed(&f, "");
    findings_make(&f, &out);
    assert_int_equal(out.count, 0);

    relayed(&f, "nat");
    one(&f, "peer_nat", "info", "bob is relayed: the NATs or firewalls");
    peers[0].peer_mapping = MAPPING_DEPENDENT;
    one(&f, "peer_nat", "info", "bob is relayed: its NAT has");
    f.udp_easy = true;
    one(&f, "peer_nat", "info", "paths.udp is easy here");
    f.udp_easy = false;
    f.seen.mapping = MAPPING_DEPENDENT;
    f.mapped_udp = true; /* The mapped port removes the finding on the NAT. */
    one(&f, "peer_nat", "info", "bob is relayed: both of you have");
    peers[0].peer_mapping = MAPPING_UNKNOWN;
    one(&f, "peer_nat", "info", "bob is relayed: your NAT has");

    f = healthy();
    relayed(&f, "udp_blocked");
    one(&f, "peer_udp_blocked", "info", "bob's side lets no UDP out");
    stun(&f, STUN_SILENT, STUN_SILENT);
    findings_make(&f, &out);
    assert_int_equal(out.count, 2);
    assert_non_null(strstr(out.list[1].text, "your side lets no UDP out"));

    f = healthy();
    relayed(&f, "paths_off");
    one(&f, "peer_paths_off", "info", "bob has no paths over UDP");
    f.udp = FACT_UDP_OFF;
    findings_make(&f, &out);
    assert_int_equal(out.count, 2);
    assert_non_null(strstr(out.list[1].text, "this node has no paths"));

    f = healthy();
    relayed(&f, "no_candidates");
    one(&f, "peer_no_candidates", "info", "bob is relayed: one of you");
    relayed(&f, "held_down");
    one(&f, "peer_held_down", "info", "bob is relayed for now");
    relayed(&f, "trying");
    one(&f, "peer_trying", "info", "being tried");
    peers[0].reachable = false;
    one(&f, "peer_no_path", "warning", "cannot be reached now");
    assert_true(facts_reach(&f));
    assert_non_null(strstr(out.list[0].remedy, "give both a relay"));
    relay_error(&f, "refused", "unreachable");
    findings_make(&f, &out);
    assert_int_equal(out.count, 2);
    assert_non_null(strstr(out.list[1].remedy, "No relay is connected"));
    assert_false(facts_reach(&f));
    peers[0].reachable = true;
    assert_true(facts_reach(&f));
}

static void findings_have_a_limit(void **state)
{
    static struct fact_peer many[FINDINGS_MOST + 3];
    (void)state;
    struct net_facts f = healthy();
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct fact_peer){.name = "bob", .why = ""};
    f.peers = many;
    f.peer_count = COUNT_OF(many);
    findings_make(&f, &out);
    assert_int_equal(out.count, FINDINGS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_network_has_no_findings),
        cmocka_unit_test(each_error_of_a_relay_has_a_finding),
        cmocka_unit_test(errors_are_told_in_the_words_of_the_contract),
        cmocka_unit_test(a_closed_port_is_no_blocked_network),
        cmocka_unit_test(a_blocked_network_is_told),
        cmocka_unit_test(the_kind_of_nat_is_told),
        cmocka_unit_test(the_host_is_looked_at),
        cmocka_unit_test(what_stands_on_the_way_is_told),
        cmocka_unit_test(a_remedy_is_for_the_error_that_is_told),
        cmocka_unit_test(clock_and_certificate_are_compared),
        cmocka_unit_test(a_clock_that_differs_from_the_relays_is_told),
        cmocka_unit_test(a_relay_that_refuses_by_its_clock_tells_it),
        cmocka_unit_test(each_relayed_peer_has_a_reason),
        cmocka_unit_test(findings_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
