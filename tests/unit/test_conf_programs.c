/* edge.yaml and relay.yaml: their tables, and the files in config/. */
#include "common/conf/edge_conf.h"
#include "common/conf/relay_conf.h"
#include "tests/unit/conf_kit.h"

#include <sys/stat.h>
#include <unistd.h>

#define KEY64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The path of a file in the tree: this file lies in tests/unit. */
static const char *in_tree(const char *path, char room[4096])
{
    const char *end = strstr(__FILE__, "tests/unit/test_conf_programs.c");
    assert_non_null(end);
    snprintf(room, 4096, "%.*s%s", (int)(end - __FILE__), __FILE__, path);
    return room;
}

static char *content_of(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot open %s", path);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

/* ZS_WRITE_SAMPLES=1 writes the file anew from the table. */
static void equals_table(const struct conf_table *table, const void *defaults,
                         const char *name)
{
    char path[4096];
    char *printed = kit_printed(table, defaults, true);
    in_tree(name, path);
    if (getenv("ZS_WRITE_SAMPLES") != NULL) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(printed, file);
        assert_int_equal(fclose(file), 0);
    }
    char *text = content_of(path);
    assert_string_equal(text, printed);
    free(text);
    free(printed);
}

static void test_edge_yaml_equals_the_table(void **state)
{
    struct edge_conf d, c;
    char path[4096];
    (void)state;
    edge_conf_defaults(&d);
    equals_table(&edge_conf_table, &d, "config/edge.yaml");
    char *text = content_of(in_tree("config/edge.yaml", path));
    kit_taken(&edge_conf_table, &c, text);
    free(text);
    /* The identity has no default; the file contains a sample. */
    assert_string_equal(d.node.identity, "");
    assert_string_equal(c.node.identity, "node.zs");
    assert_int_equal(kit_differ(&edge_conf_table, &c, &d), 1);
    edge_conf_free(&c);
    edge_conf_free(&d);
}

static void test_relay_yaml_equals_the_table(void **state)
{
    struct relay_conf d, c;
    char path[4096];
    (void)state;
    relay_conf_defaults(&d);
    equals_table(&relay_conf_table, &d, "config/relay.yaml");
    char *text = content_of(in_tree("config/relay.yaml", path));
    kit_taken(&relay_conf_table, &c, text);
    free(text);
    assert_int_equal(kit_differ(&relay_conf_table, &c, &d), 0);
    relay_conf_free(&c);
    relay_conf_free(&d);
}

/* The defaults that the documentation promises. */
static void test_edge_defaults(void **state)
{
    struct edge_conf c;
    (void)state;
    kit_taken(&edge_conf_table, &c, "node: {identity: alice.zs}");
    assert_string_equal(c.node.info, "{}");
    assert_int_equal(c.node.groups.count, 0);
    assert_int_equal(c.listen.port, 0);
    assert_int_equal(c.listen.interfaces.count, 1);
    assert_string_equal(c.listen.interfaces.items[0], "all");
    assert_true(c.discovery.multicast);
    assert_string_equal(c.discovery.group, "239.255.90.83");
    assert_string_equal(c.discovery.group6, "ff12::5a53");
    assert_int_equal(c.discovery.port, 9083);
    assert_int_equal(c.discovery.interval.us, 1000000);
    assert_int_equal(c.discovery.peers.count, 0);
    assert_true(c.discovery.port_mapping);
    assert_int_equal(c.relays.count, 0);
    assert_string_equal(c.proxy, "");
    assert_false(c.tls.verify);
    assert_int_equal(c.discovery.stun.count, 0);
    assert_true(c.discovery.share_addresses);
    assert_int_equal(c.listen.udp, 0);
    assert_true(c.paths.tcp && c.paths.relay);
    assert_string_equal(c.paths.udp, "true");
    assert_true(edge_conf_has_udp(&c) && !edge_conf_is_udp_easy(&c));
    assert_int_equal(c.presence.probe.us, 1000000);
    assert_int_equal(c.presence.lost_after.us, 3000000);
    assert_int_equal(c.limits.message, 16 << 20);
    assert_int_equal(c.limits.window, 4 << 20);
    assert_int_equal(c.limits.peers, 4096);
    assert_int_equal(c.limits.links, 256);
    assert_int_equal(c.limits.memory, 256 << 20);
    assert_string_equal(c.api.socket, "");
    assert_string_equal(c.api.http, "");
    assert_string_equal(c.log.level, "info");
    assert_string_equal(c.log.format, "text");
    edge_conf_free(&c);
}

static void test_relay_defaults(void **state)
{
    struct relay_conf c;
    (void)state;
    relay_conf_defaults(&c);
    assert_string_equal(c.relay.key, "relay.key");
    assert_string_equal(c.relay.name, "relay-1");
    assert_int_equal(c.listen.tcp.count, 1);
    assert_string_equal(c.listen.tcp.items[0], "*:443");
    assert_int_equal(c.listen.curve.count, 0);
    assert_int_equal(c.listen.udp.count, 2);
    assert_string_equal(c.listen.udp.items[1], "*:3478");
    assert_int_equal(c.listen.proxy_protocol.count, 0);
    assert_string_equal(c.tls.certificate, "");
    assert_int_equal(c.meshes.count, 0);
    assert_int_equal(c.limits.edges, 20000);
    assert_int_equal(c.limits.edges_per_mesh, 5000);
    assert_int_equal(c.limits.edges_per_address, 256);
    assert_int_equal(c.limits.rate, 0);
    assert_int_equal(c.limits.queue, 4 << 20);
    assert_int_equal(c.limits.hello.us, 5000000);
    assert_string_equal(c.cluster.nats, "");
    assert_string_equal(c.monitor, "");
    assert_string_equal(c.log.level, "info");
    relay_conf_free(&c);
}

static void test_samples_load(void **state)
{
    static const char *const edges[] = {"config/edge.yaml", "config/lan.yaml",
                                        "config/wan.yaml", "config/vpn.yaml",
                                        "config/dmz.yaml"};
    static const char *const relays[] = {"config/relay.yaml",
                                         "config/relay-public.yaml"};
    struct edge_conf e;
    struct relay_conf r;
    char path[4096];
    (void)state;
    for (size_t i = 0; i < COUNT(edges); i++) {
        assert_true(edge_conf_load(in_tree(edges[i], path), &e, stderr));
        assert_int_equal(e.node.identity[0], '/');
        edge_conf_free(&e);
    }
    for (size_t i = 0; i < COUNT(relays); i++) {
        assert_true(relay_conf_load(in_tree(relays[i], path), &r, stderr));
        relay_conf_free(&r);
    }
}

static void test_edge_mistakes(void **state)
{
    struct edge_conf c;
    (void)state;
    kit_refused(&edge_conf_table, &c, "",
                "f:1:1: `node.identity` is missing\n");
    kit_refused(&edge_conf_table, &c, "log: {level: info}\nnode:\n",
                "f:2:1: `node.identity` is missing\n");
    kit_refused(&edge_conf_table, &c, "node: {identity: ''}\n",
                "f:1:18: `node.identity` may not be empty\n");
    kit_refused(
        &edge_conf_table, &c,
        "node: {identity: a.zs, groups: [-x], info: []}\n"
        "listen: {port: 65536, interfaces: [all, eth0]}\n"
        "discovery: {group: 10.0.0.1, group6: '::1', port: 0, interval: 1,\n"
        "  peers: ['x']}\n"
        "relays: ['http://x:1']\n"
        "proxy: ftp://x\n"
        "paths: {tcp: false, udp: false, relay: false}\n"
        "presence: {probe: 5s}\n"
        "api: {http: 'x'}\n",
        "f:1:33: `node.groups` wants 1 to 63 of A-Z a-z 0-9 . _ - (not . or "
        "- at first): `-x`\n"
        "f:1:44: `node.info` wants a mapping such as {role: camera}, not a "
        "list\n"
        "f:2:16: `listen.port` must be at most 65535: `65536`\n"
        "f:2:35: `listen.interfaces` wants all alone, or names\n"
        "f:3:20: `discovery.group` wants an IPv4 multicast address "
        "(224.0.0.0 to 239.255.255.255): `10.0.0.1`\n"
        "f:3:38: `discovery.group6` wants an IPv6 multicast address (ff..): "
        "`::1`\n"
        "f:3:51: `discovery.port` must be at least 1: `0`\n"
        "f:3:64: `discovery.interval` wants a duration such as 250ms, 1s or "
        "5m: `1`\n"
        "f:4:11: `discovery.peers` wants HOST:PORT: `x`\n"
        "f:5:10: `relays` wants tcp://, wss:// or ws:// at its start: "
        "`http://x:1`\n"
        "f:6:8: `proxy` wants http://, https://, socks4://, socks4a://, "
        "socks5:// or socks5h:// and HOST:PORT\n"
        "f:7:14: `paths.tcp` is false, and so are `paths.udp` and "
        "`paths.relay`: no path is left\n"
        "f:8:19: `presence.lost_after` must be longer than "
        "`presence.probe`\n"
        "f:9:13: `api.http` wants HOST:PORT: `x`\n");
}

/* Here true and false are words like others, printed without quotes. */
static void test_udp_uses(void **state)
{
    static const struct {
        const char *text, *word;
        bool has, easy;
    } rows[] = {
        {"true", "true", true, false},
        {"False", "false", false, false},
        {"'false'", "false", false, false},
        {"easy", "easy", true, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct edge_conf c;
        char text[100], *printed;
        size_t size;
        snprintf(text, sizeof text, "node: {identity: a}\npaths: {udp: %s}",
                 rows[i].text);
        kit_taken(&edge_conf_table, &c, text);
        assert_string_equal(c.paths.udp, rows[i].word);
        assert_int_equal(edge_conf_has_udp(&c), rows[i].has);
        assert_int_equal(edge_conf_is_udp_easy(&c), rows[i].easy);
        FILE *out = open_memstream(&printed, &size);
        edge_conf_print(&c, out);
        fclose(out);
        snprintf(text, sizeof text, "  udp: %s\n  relay:", rows[i].word);
        assert_non_null(strstr(printed, text));
        free(printed);
        edge_conf_free(&c);
    }
}

static void test_udp_mistakes(void **state)
{
    struct edge_conf c;
    (void)state;
    kit_refused(
        &edge_conf_table, &c,
        "node: {identity: a.zs}\n"
        "listen: {udp: 65536}\n"
        "discovery: {stun: ['x', 'stun.example.org:3478', '[::1]:0'],\n"
        "  share_addresses: lan}\n"
        "paths: {udp: hard}\n",
        "f:2:15: `listen.udp` must be at most 65535: `65536`\n"
        "f:3:20: `discovery.stun` wants HOST:PORT: `x`\n"
        "f:3:50: `discovery.stun` wants a port of 1 to 65535 after the last "
        "colon: `[::1]:0`\n"
        "f:4:20: `discovery.share_addresses` wants true or false: `lan`\n"
        "f:5:14: `paths.udp` wants one of true false easy: `hard`\n");
    kit_refused(&edge_conf_table, &c,
                "node: {identity: a.zs}\n"
                "discovery: {stun: 'a:1'}\n"
                "paths: {udp: [easy]}\n",
                "f:2:19: `discovery.stun` wants a list such as [a, b]: `a:1`\n"
                "f:3:14: `paths.udp` wants a word, not a list\n");
    kit_refused(
        &edge_conf_table, &c,
        "node: {identity: a.zs}\ndiscovery: {stuns: []}\n",
        "f:2:13: unknown key `stuns` in `discovery`: did you mean `stun`?\n");
}

static void test_proxies(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"http://proxy:3128", true},
        {"http://proxy:3128/", true},
        {"http://user:p@ss:word@proxy.example.org:3128", true},
        {"socks5://[2001:db8::1]:1080", true},
        {"socks5://127.0.0.1:1080", true},
        {"https://proxy:3128", true},
        {"socks5h://proxy:1080", true},
        {"socks4a://proxy:1080", true},
        {"none", true},
        {"http://proxy", false},
        {"http://", false},
        {"http://proxy:0", false},
        {"http://proxy:3128/path", false},
        {"proxy:3128", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[200], *said;
        struct edge_conf c;
        snprintf(text, sizeof text, "node: {identity: a}\nproxy: %s\n",
                 rows[i].url);
        bool good = kit_read(&edge_conf_table, text, strlen(text), &c, &said);
        if (good != rows[i].good)
            fail_msg("%s: %s", rows[i].url, said);
        edge_conf_free(&c);
        free(said);
    }
}

static void test_relay_mistakes(void **state)
{
    struct relay_conf c;
    (void)state;
    kit_refused(&relay_conf_table, &c,
                "relay: {key: '', name: ''}\n"
                "listen: {tcp: [], udp: ['443']}\n"
                "tls: {certificate: c.pem}\n"
                "meshes: [any, abc, " KEY64 "]\n"
                "limits: {hello: 1ms, queue: 4kib}\n"
                "cluster: {nats: 'http://x'}\n"
                "monitor: nine\n",
                "f:1:14: `relay.key` may not be empty\n"
                "f:1:24: `relay.name` may not be empty\n"
                "f:2:15: `listen.tcp` and `listen.curve` may not both be "
                "empty\n"
                "f:2:25: `listen.udp` wants HOST:PORT: `443`\n"
                "f:3:20: `tls.certificate` and `tls.key` belong together: "
                "both or neither\n"
                "f:4:15: `meshes` wants a mesh id of 64 hexadecimal digits, "
                "or any: `abc`\n"
                "f:5:17: `limits.hello` must be at least 100ms: `1ms`\n"
                "f:5:29: `limits.queue` wants a size such as 1500, 64KiB or "
                "4MiB: `4kib`\n"
                "f:6:17: `cluster.nats` wants nats://HOST:PORT: `http://x`\n"
                "f:7:10: `monitor` wants HOST:PORT: `nine`\n");
    kit_refused(&relay_conf_table, &c, "meshes: [any, " KEY64 "]\n",
                "f:1:9: `meshes` wants any alone, or ids\n");
}

static void test_meshes(void **state)
{
    struct relay_conf c;
    (void)state;
    relay_conf_defaults(&c);
    assert_false(relay_conf_any_mesh(&c));
    assert_null(relay_conf_meshes(&c));
    relay_conf_free(&c);

    kit_taken(&relay_conf_table, &c, "meshes: [any]");
    assert_true(relay_conf_any_mesh(&c));
    assert_null(relay_conf_meshes(&c));
    relay_conf_free(&c);

    kit_taken(&relay_conf_table, &c, "meshes:\n  - " KEY64 "\n");
    assert_false(relay_conf_any_mesh(&c));
    struct mesh_id *ids = relay_conf_meshes(&c);
    assert_non_null(ids);
    assert_int_equal(ids[0].key[0], 0x01);
    assert_int_equal(ids[0].key[31], 0xef);
    free(ids);
    relay_conf_free(&c);
}

/* Makes a folder of the test's own, whose name is put in `folder`. */
static void write_in(char folder[32], const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void test_paths_are_the_files_neighbours(void **state)
{
    char folder[32] = "/tmp/zs-conf-XXXXXX", path[64], expected[64];
    struct edge_conf e, again;
    struct relay_conf r;
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_in(folder, "e.yaml", "node: {identity: sub/a.zs, revoked: /x/r.zs}");
    write_in(folder, "r.yaml", "relay: {revoked: [a.zs, /b.zs]}");

    snprintf(path, sizeof path, "%s/../%s/e.yaml", folder, folder + 5);
    assert_true(edge_conf_load(path, &e, stderr));
    snprintf(expected, sizeof expected, "%s/sub/a.zs", folder);
    assert_string_equal(e.node.identity, expected);
    assert_string_equal(e.node.revoked, "/x/r.zs");
    assert_string_equal(e.api.socket, "");

    /* Printed paths mean the same wherever the file is then put. */
    char *printed = kit_printed(&edge_conf_table, &e, false);
    kit_taken(&edge_conf_table, &again, printed);
    assert_int_equal(kit_differ(&edge_conf_table, &e, &again), 0);
    free(printed);
    edge_conf_free(&e);
    edge_conf_free(&again);

    snprintf(path, sizeof path, "%s/r.yaml", folder);
    assert_true(relay_conf_load(path, &r, stderr));
    snprintf(expected, sizeof expected, "%s/relay.key", folder);
    assert_string_equal(r.relay.key, expected);
    snprintf(expected, sizeof expected, "%s/a.zs", folder);
    assert_string_equal(r.relay.revoked.items[0], expected);
    assert_string_equal(r.relay.revoked.items[1], "/b.zs");
    relay_conf_free(&r);

    unlink(path);
    snprintf(path, sizeof path, "%s/e.yaml", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void test_no_such_file(void **state)
{
    struct edge_conf c;
    char *said;
    size_t size;
    (void)state;
    FILE *errors = open_memstream(&said, &size);
    assert_non_null(errors);
    assert_false(edge_conf_load("/nowhere/e.yaml", &c, errors));
    assert_false(edge_conf_load("/tmp", &c, errors));
    edge_conf_free(&c); /* There is nothing to free, but the call is allowed. */
    fclose(errors);
    assert_string_equal(
        said, "/nowhere/e.yaml: cannot be read: No such file or directory\n"
              "/tmp: cannot be read: Is a directory\n");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edge_yaml_equals_the_table),
        cmocka_unit_test(test_relay_yaml_equals_the_table),
        cmocka_unit_test(test_edge_defaults),
        cmocka_unit_test(test_relay_defaults),
        cmocka_unit_test(test_samples_load),
        cmocka_unit_test(test_edge_mistakes),
        cmocka_unit_test(test_udp_uses),
        cmocka_unit_test(test_udp_mistakes),
        cmocka_unit_test(test_proxies),
        cmocka_unit_test(test_relay_mistakes),
        cmocka_unit_test(test_meshes),
        cmocka_unit_test(test_paths_are_the_files_neighbours),
        cmocka_unit_test(test_no_such_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
