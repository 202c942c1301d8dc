#include "common/conf/identity.h"
#include "edge/cli/client.h"
#include "edge/cli/command.h"
#include "edge/cli/peer_row.h"
#include "edge/cli/report.h"

#include <inttypes.h>
#include <string.h>

static const struct option_row rows[] = {
    {"json", 0, OPTION_FLAG, NULL, "print one JSON object"},
};

static const struct options_spec spec = {
    .program = "zs netcheck",
    .about = "Looks at the network of the edge's host: multicast, UDP, the "
             "kind of NAT, each\n"
             "relay; says what is wrong, and what to do about it. It takes a "
             "second or so.\n"
             "Ends with exit code 1 if no relay and no peer can be reached.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(rows[0]),
    .shared = command_shared,
    .shared_count = COMMAND_SHARED,
};

/* The texts of a list, with commas between. */
static void print_list(const json_t *list, const char *none)
{
    json_t *item;
    size_t i;

    if (json_array_size(list) == 0)
        fputs(none, stdout);
    json_array_foreach(list, i, item)
    {
        fputs(i > 0 ? ", " : "", stdout);
        command_print(json_string_value(item));
    }
}

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void print_interfaces(const json_t *list)
{
    json_t *at;
    size_t i;

    report_bold("Interfaces");
    putchar('\n');
    if (json_array_size(list) == 0)
        puts("  none");
    json_array_foreach(list, i, at)
    {
        const json_t *multicast = json_object_get(at, "multicast");
        printf("  %-10s ", json_text(at, "name"));
        print_list(json_object_get(at, "addresses"), "no address");
        printf("  (multicast: %" JSON_INTEGER_FORMAT
               " sent, %" JSON_INTEGER_FORMAT " heard)\n",
               number(multicast, "sent"), number(multicast, "heard"));
    }
}

static bool is_set(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

struct family_keys {
    const char *answered, *asked, *host;
};

static const struct family_keys ipv4_keys = {"ipv4", "asked_ipv4", "host_ipv4"};
static const struct family_keys ipv6_keys = {"ipv6", "asked_ipv6", "host_ipv6"};

static const char *udp_text(const json_t *udp, const struct family_keys *keys)
{
    if (is_set(udp, keys->answered))
        return "out and back";
    if (!is_set(udp, keys->host))
        return "none at this host";
    return is_set(udp, keys->asked)
               ? "no answer"
               : "not asked, as no server has such an address";
}

struct word_text {
    const char *word, *text;
};

static const struct word_text mapping_texts[] = {
    {"none", "none: this host has its outside address"},
    {"endpoint-independent",
     "endpoint-independent mapping: direct paths are easy"},
    {"address-dependent",
     "address-dependent mapping: each connection gets another port"},
    {"unknown", "unknown, as it takes the answers of two servers"},
    {NULL, NULL},
};

static const struct word_text filtering_texts[] = {
    {"endpoint-independent-or-address",
     "by address at most: any port of a host that was sent to gets in"},
    {"address-and-port-dependent",
     "by address and port: only the port that was sent to gets in"},
    {NULL, NULL},
};

/* A word that is not in the table, such as "unknown", stays. */
static const char *text_of(const struct word_text *texts, const char *word)
{
    for (; texts->word != NULL; texts++)
        if (strcmp(word, texts->word) == 0)
            return texts->text;
    return word;
}

/* The hairpin: true, false, or "unknown". */
static const char *hairpin_text(const json_t *value)
{
    if (!json_is_boolean(value))
        return "not tested";
    return json_is_true(value) ? "yes" : "no";
}

static const struct word_text port_map_texts[] = {
    {"off", "off"},
    {"unknown", "no answer yet"},
    {"none", "no router answers"},
    {"found", "yes"},
    {"refused", "the router refuses"},
    {NULL, NULL},
};

/* Whether the router forwards ports to this node, and by which protocol. */
static void print_port_map(const json_t *mapping)
{
    const json_t *outside = json_object_get(mapping, "outside");

    printf("  port map   UPnP: %s; NAT-PMP: %s",
           text_of(port_map_texts, json_text(mapping, "upnp")),
           text_of(port_map_texts, json_text(mapping, "nat_pmp")));
    if (json_array_size(outside) > 0) {
        printf("; from ");
        print_list(outside, "");
    }
    putchar('\n');
}

static void print_proxy(const json_t *proxy)
{
    const char *found = json_text(proxy, "found");

    if (found[0] == '\0' && json_text(proxy, "error")[0] == '\0')
        return;
    printf("  proxy      ");
    command_print(found[0] != '\0' ? found : "not usable");
    printf(" (%s)\n", json_text(proxy, "from"));
}

static void print_nat(const json_t *answer)
{
    const json_t *udp = json_object_get(answer, "udp");
    const json_t *nat = json_object_get(answer, "nat");
    const json_t *mapping = json_object_get(answer, "port_mapping");

    report_title("UDP and NAT");
    printf("  UDP        IPv4: %s; IPv6: %s\n", udp_text(udp, &ipv4_keys),
           udp_text(udp, &ipv6_keys));
    printf("  NAT        %s (servers that answered: %" JSON_INTEGER_FORMAT
           ")\n",
           text_of(mapping_texts, json_text(nat, "mapping")),
           number(nat, "servers"));
    printf("  filtering  %s\n",
           text_of(filtering_texts, json_text(nat, "filtering")));
    printf("  outside    ");
    print_list(json_object_get(nat, "outside"), "unknown");
    printf("\n  hairpin    %s\n",
           hairpin_text(json_object_get(nat, "hairpin")));
    print_port_map(mapping);
    print_proxy(json_object_get(answer, "proxy"));
    if (is_set(answer, "captive_portal"))
        puts("  portal     this network wants somebody to log in first");
}

static const char *date_text(const json_t *clock, const char *key,
                             char text[IDENTITY_TIME_SIZE])
{
    return identity_print_time((uint64_t)number(clock, key), text);
}

static void print_certificate(const json_t *clock)
{
    const char *state = json_text(clock, "certificate");
    char text[IDENTITY_TIME_SIZE];

    if (strcmp(state, "not_yet") == 0)
        printf("  certificate  not valid before %s\n",
               date_text(clock, "not_before", text));
    else if (number(clock, "not_after") == 0)
        puts("  certificate  valid without end");
    else
        printf("  certificate  %s %s\n",
               strcmp(state, "expired") == 0 ? "expired on" : "valid until",
               date_text(clock, "not_after", text));
}

/* Clocks are told in whole seconds. */
enum { SAME_S = 2 };

static void print_clock(const json_t *clock)
{
    const char *from = json_text(clock, "from");
    json_int_t skew = number(clock, "skew_s");

    report_title("Clock");
    if (from[0] == '\0')
        puts("  this host    not compared: no relay told its clock");
    else if (skew >= -SAME_S && skew <= SAME_S)
        printf("  this host    agrees with a %s\n", from);
    else
        printf("  this host    %" JSON_INTEGER_FORMAT " s %s a %s\n",
               skew < 0 ? -skew : skew, skew < 0 ? "ahead of" : "behind", from);
    print_certificate(clock);
}

static void print_time(const json_t *form, const char *key, const char *name)
{
    const json_t *value = json_object_get(form, key);
    char room[PEER_TEXT_SIZE];

    if (json_is_number(value))
        printf("  %s %s", name, peer_rtt(value, room));
}

/* The round trip of a relay that is up; negative: it is not. */
static double rtt_of(const json_t *relay)
{
    json_t *form;
    size_t i;

    json_array_foreach(json_object_get(relay, "forms"), i, form)
    {
        const json_t *rtt = json_object_get(form, "rtt_ms");
        if (is_set(form, "used") && json_is_number(rtt))
            return json_number_value(rtt);
    }
    return -1;
}

/* What became of one form: "up", "reachable", or an error. */
static const char *form_state(const json_t *form)
{
    const char *error = json_text(form, "error");

    if (is_set(form, "used"))
        return "up";
    return error[0] != '\0' ? error : "reachable";
}

/* Of several relays that are up; NULL: there are not so many. */
static const json_t *fastest_of(const json_t *relays)
{
    const json_t *fastest = NULL;
    size_t up = 0, i;
    json_t *relay;

    json_array_foreach(relays, i, relay)
    {
        if (rtt_of(relay) < 0)
            continue;
        up++;
        if (fastest == NULL || rtt_of(relay) < rtt_of(fastest))
            fastest = relay;
    }
    return up > 1 ? fastest : NULL;
}

static void print_relay(const json_t *relay, bool is_fastest)
{
    const json_t *forms = json_object_get(relay, "forms");
    const json_t *stun = json_object_get(relay, "stun");
    json_t *item;
    size_t i;

    printf("  ");
    command_print(json_text(relay, "url"));
    putchar('\n');
    json_array_foreach(forms, i, item)
    {
        printf("    %-9s %s", json_text(item, "form"), form_state(item));
        print_time(item, "dns_ms", "dns");
        print_time(item, "connect_ms", "connect");
        print_time(item, "hello_ms", "hello");
        print_time(item, "rtt_ms", "rtt");
        puts(is_fastest && is_set(item, "used") ? "  the fastest" : "");
    }
    printf("    stun     ");
    json_array_foreach(stun, i, item) printf(
        " %" JSON_INTEGER_FORMAT " %s%s", number(item, "port"),
        json_text(item, "answer"), i + 1 < json_array_size(stun) ? "," : "");
    putchar('\n');
}

static void print_relays(const json_t *relays)
{
    const json_t *fastest = fastest_of(relays);
    json_t *relay;
    size_t i;

    report_title("Relays");
    if (json_array_size(relays) == 0)
        puts("  none");
    json_array_foreach(relays, i, relay) print_relay(relay, relay == fastest);
}

static void print_peers(json_t *peers)
{
    struct text_table table = {.columns = 3};
    json_t *peer;
    size_t i;

    report_title("Peers");
    if (json_array_size(peers) == 0)
        puts("  none");
    peers_sort(peers);
    json_array_foreach(peers, i, peer)
    {
        table_add(&table, json_text(peer, "name"));
        table_add(&table, json_text(peer, "path"));
        table_add(&table, json_text(peer, "why"));
    }
    table_print(&table, "  ");
}

static void print_answer(json_t *answer)
{
    print_interfaces(json_object_get(answer, "interfaces"));
    print_nat(answer);
    print_clock(json_object_get(answer, "clock"));
    print_relays(json_object_get(answer, "relays"));
    print_peers(json_object_get(answer, "peers"));
    report_lines("Findings", json_object_get(answer, "findings"));
}

static int run_netcheck(const struct options *o)
{
    struct edge_client *c = client_open(o);
    int code;

    if (!c)
        return EXIT_NO_DAEMON;
    text_add_string(client_out(c), "{\"op\":\"netcheck\"}\n");
    json_t *answer = client_ask(c, &code);
    client_free(c);
    if (!answer)
        return code;
    bool reachable = is_set(answer, "reachable");
    if (options_flag(o, "json"))
        command_print_json(answer);
    else
        print_answer(answer);
    json_decref(answer);
    return reachable ? EXIT_DONE : EXIT_FAILED;
}

int cmd_netcheck(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_netcheck);
}
