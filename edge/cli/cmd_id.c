#include "edge/cli/command.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/identity.h"
#include "common/conf/keyfile.h"
#include "common/conf/mesh_folder.h"
#include "common/conf/relay_key.h"
#include "common/conf/revoked.h"
#include "common/conf/z85.h"

#include <sodium.h>

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct option_row rows[] = {
    {"json", 0, OPTION_FLAG, NULL, "print one JSON object"},
    {"z85", 0, OPTION_FLAG, NULL,
     "print only the CURVE key, as ZeroMQ writes it"},
};

static const struct options_spec spec = {
    .program = "zs id",
    .synopsis = "FILE [--z85] [--json]",
    .about = "Shows the content of an identity, a key of a node, relay "
             "or mesh, or a revocation\n"
             "list. Never shows a secret.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(*rows),
    .positional_min = 1,
    .positional_max = 1,
};

static void put_hex(json_t *shown, const char *name, const uint8_t key[32])
{
    char text[2 * KEY_SIZE + 1];

    hex_encode(bytes_of(key, KEY_SIZE), text);
    json_object_set_new(shown, name, json_string(text));
}

static void put_curve(json_t *shown, const uint8_t key[32])
{
    char text[Z85_KEY_SIZE + 1];

    put_hex(shown, "curve", key);
    json_object_set_new(shown, "curve_z85", json_string(z85_encode(key, text)));
}

static void put_node(json_t *shown, const struct node_id *id)
{
    struct curve_key curve;

    put_hex(shown, "id", id->key);
    if (node_curve_key(id, &curve))
        put_curve(shown, curve.key);
}

static void put_time(json_t *shown, const char *name, uint64_t seconds)
{
    json_object_set_new(shown, name, json_integer((json_int_t)seconds));
}

static void put_relays(json_t *shown, const struct relay_url *relays,
                       size_t count)
{
    json_t *list = json_array();
    char text[RELAY_URL_SIZE];

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_string(relay_url_print(&relays[i], text)));
    json_object_set_new(shown, "relays", list);
}

static bool show_identity(const char *path, json_t *shown)
{
    struct edge_identity identity;
    json_t *groups = json_array();
    char text[80];
    enum certificate_verdict verdict;

    if (!identity_peek(path, &identity, stderr)) {
        json_decref(groups);
        return false;
    }
    for (size_t i = 0; i < identity.said.group_count; i++)
        json_array_append_new(groups, json_string(identity.said.groups[i]));
    verdict = identity_time(&identity, (uint64_t)time(NULL), text);
    json_object_set_new(shown, "name", json_string(identity.said.name));
    put_node(shown, &identity.said.node);
    put_hex(shown, "mesh", identity.mesh.key);
    json_object_set_new(shown, "groups", groups);
    put_time(shown, "not_before", identity.said.not_before);
    put_time(shown, "expires", identity.said.not_after);
    json_object_set_new(shown, "state",
                        json_string(verdict == CERTIFICATE_GOOD
                                        ? "valid"
                                        : certificate_verdict_name(verdict)));
    json_object_set_new(shown, "has_key", json_boolean(identity.has_key));
    put_relays(shown, identity.relays, identity.relay_count);
    identity_wipe(&identity);
    return true;
}

static bool show_key(const char *path, json_t *shown)
{
    uint8_t key[64];
    struct node_id id;

    if (!node_key_load(path, key, stderr))
        return false;
    id = node_key_id(key);
    sodium_memzero(key, sizeof(key));
    put_node(shown, &id);
    return true;
}

static bool show_relay(const char *path, json_t *shown)
{
    struct curve_pair pair;

    if (!relay_key_load(path, &pair, stderr))
        return false;
    put_curve(shown, pair.public_key);
    sodium_memzero(&pair, sizeof(pair));
    return true;
}

static bool show_mesh(const char *path, json_t *shown)
{
    struct mesh_folder m = {0};
    bool good = mesh_key_load(path, &m, stderr);

    if (good) {
        json_object_set_new(shown, "name", json_string(m.name));
        put_hex(shown, "mesh", m.id.key);
        put_relays(shown, m.relays, m.relay_count);
    }
    mesh_folder_close(&m);
    return good;
}

static bool show_revoked(const char *path, json_t *shown)
{
    struct revoked *revoked = memory_new(sizeof(*revoked));
    json_t *nodes = json_array();
    bool good = revoked_load(path, revoked, stderr);

    for (uint32_t i = 0; good && i < revoked->list.count; i++) {
        char text[2 * KEY_SIZE + 1];

        hex_encode(bytes_of(revoked->list.nodes + i * KEY_SIZE, KEY_SIZE),
                   text);
        json_array_append_new(nodes, json_string(text));
    }
    if (good) {
        put_hex(shown, "mesh", revoked->list.mesh.key);
        json_object_set_new(shown, "serial",
                            json_integer((json_int_t)revoked->list.serial));
        json_object_set(shown, "nodes", nodes);
    }
    json_decref(nodes);
    free(revoked);
    return good;
}

static const struct {
    const char *kind;
    bool (*show)(const char *path, json_t *shown);
} kinds[] = {
    {"identity", show_identity}, {"key", show_key},
    {"relay", show_relay},       {"mesh", show_mesh},
    {"revoked", show_revoked},
};

/* Names members that --json prints as numbers, and the text as dates. */
static bool is_time(const char *name)
{
    return strcmp(name, "not_before") == 0 || strcmp(name, "expires") == 0;
}

static void print_value(const char *name, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    char text[IDENTITY_TIME_SIZE];

    if (json_is_string(value))
        printf("%-10s  %s\n", name, json_string_value(value));
    else if (json_is_integer(value) && is_time(name))
        printf("%-10s  %s\n", name,
               identity_print_time((uint64_t)number, text));
    else if (json_is_integer(value))
        printf("%-10s  %lld\n", name, (long long)number);
    else if (json_is_boolean(value))
        printf("%-10s  %s\n", name, json_is_true(value) ? "yes" : "no");
    for (size_t i = 0; i < json_array_size(value); i++)
        print_value(i == 0 ? name : "", json_array_get(value, i));
}

static int print(const struct options *o, json_t *shown)
{
    const char *name;
    json_t *value;

    if (options_flag(o, "json")) {
        command_print_json(shown);
    } else if (options_flag(o, "z85")) {
        value = json_object_get(shown, "curve_z85");
        if (value == NULL)
            return command_fail(EXIT_FAILED, "%s holds no CURVE key",
                                o->positionals[0]);
        printf("%s\n", json_string_value(value));
    } else {
        json_object_foreach(shown, name, value) print_value(name, value);
    }
    return EXIT_DONE;
}

static int show(const struct options *o)
{
    const char *path = o->positionals[0];
    json_t *shown = json_object();
    char kind[16];
    int code = EXIT_CONF;
    size_t i = 0;

    if (keyfile_kind(path, kind, stderr)) {
        while (i < sizeof(kinds) / sizeof(*kinds) &&
               strcmp(kinds[i].kind, kind) != 0)
            i++;
        json_object_set_new(shown, "kind", json_string(kind));
        if (i == sizeof(kinds) / sizeof(*kinds))
            command_fail(EXIT_CONF, "%s: unknown kind of file", path);
        else if (kinds[i].show(path, shown))
            code = print(o, shown);
    }
    json_decref(shown);
    return code;
}

static int run_id(const struct options *o)
{
    if (sodium_init() < 0)
        return command_fail(EXIT_FAILED, "the system has no randomness");
    return show(o);
}

int cmd_id(int argc, char **argv)
{
    return command_run(&spec, argc, argv, run_id);
}
