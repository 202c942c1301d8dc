#include "relay/daemon/cmd_init.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/keyfile.h"
#include "common/conf/options.h"
#include "common/conf/relay_key.h"
#include "common/conf/relay_url.h"
#include "common/wire/certificate.h"

#include <sodium.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct option_row rows[] = {
    {"host", 0, OPTION_TEXT, "HOST",
     "the name or address by which edges reach the relay"},
    {"port", 0, OPTION_INTEGER, "PORT", "the relay's TCP port (443)"},
    {"mesh", 0, OPTION_TEXT, "MESH-ID",
     "a mesh to serve (repeatable); any: an open relay"},
    {"name", 0, OPTION_TEXT, "NAME", "the relay's name (relay-1)"},
};

static const struct options_spec spec = {
    .program = "zs-relay init",
    .synopsis = "DIR --host HOST [--port 443] [--mesh MESH-ID]...",
    .about = "Makes a relay's settings DIR/relay.yaml and its key "
             "DIR/relay.key,\nand prints the URL that edges need.",
    .rows = rows,
    .row_count = sizeof(rows) / sizeof(*rows),
    .positional_min = 1,
    .positional_max = 1,
    .epilogue = "Then: zs-relay -c DIR/relay.yaml\n"
                "      zs mesh relay --dir MESH-DIR URL",
};

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = memory_new(size);

    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* Returns false after it printed what is wrong with --mesh. */
static bool check_meshes(const struct options *o)
{
    size_t cursor = 0, count = 0;
    bool any = false;
    const char *mesh;

    while ((mesh = options_next(o, "mesh", &cursor)) != NULL) {
        uint8_t id[KEY_SIZE];

        count++;
        any |= strcmp(mesh, "any") == 0;
        if (strcmp(mesh, "any") != 0 && !hex_decode(mesh, id, sizeof(id))) {
            options_wrong(&spec, "--mesh wants 64 hexadecimal digits, or any");
            return false;
        }
    }
    if (any && count > 1) {
        options_wrong(&spec, "--mesh any excludes other meshes");
        return false;
    }
    return true;
}

/* Sets `url`, except its key. Returns false after it printed what is wrong with
 * the options. */
static bool read_options(const struct options *o, struct relay_url *url)
{
    const char *host = options_text(o, "host");
    const char *name = options_text(o, "name");
    int64_t port = options_integer(o, "port", 443);
    char text[RELAY_URL_SIZE], key[2 * KEY_SIZE + 1];
    bool v6;

    if (host == NULL) {
        options_wrong(&spec, "--host is missing");
        return false;
    }
    if (port < 1 || port > UINT16_MAX) {
        options_wrong(&spec, "--port wants 1 to 65535");
        return false;
    }
    if (name != NULL && !name_is_valid(bytes_of(name, strlen(name)))) {
        options_wrong(&spec, "--name wants 1 to 63 of A-Z a-z 0-9 . _ -");
        return false;
    }
    /* Edges will parse such a URL, so it must parse with any valid key. */
    memset(key, '9', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    v6 = strchr(host, ':') != NULL && host[0] != '[';
    snprintf(text, sizeof(text), "tcp://%s%.280s%s:%d?key=%s", v6 ? "[" : "",
             host, v6 ? "]" : "", (int)port, key);
    if (relay_url_parse(text, url) != NULL) {
        options_wrong(&spec, "--host wants a name or an address, without a "
                             "port");
        return false;
    }
    return check_meshes(o);
}

static void write_settings(struct keytext *t, const struct options *o,
                           const char *url, uint16_t port)
{
    const char *name = options_text(o, "name"), *mesh;
    const char *between = "";
    size_t cursor = 0;

    keytext_add(t,
                "# A ZeroServices relay. All keys and their defaults: "
                "config/relay.yaml;\n"
                "# to check this file: zs-relay -c FILE --check\n"
                "# Edges reach it as\n"
                "#   %s\n"
                "relay: {key: relay.key, name: \"%s\"}\n"
                "listen:\n"
                "  tcp: [\"*:%u\"]\n"
                "  udp: [\"*:%u\", \"*:3478\"]\n"
                "meshes: [",
                url, name != NULL ? name : "relay-1", port, port);
    while ((mesh = options_next(o, "mesh", &cursor)) != NULL) {
        keytext_add(t, "%s\"%s\"", between, mesh);
        between = ", ";
    }
    keytext_add(t, "]\nlog: {level: info, format: text}\n");
}

/* Uses a key that is there already: an interrupted run left it, or somebody put
 * it there. */
static bool take_key(const char *path, struct curve_pair *pair, bool *made)
{
    *made = access(path, F_OK) != 0;
    return *made ? relay_key_create(path, pair, stderr)
                 : relay_key_load(path, pair, stderr);
}

/* Makes the folder's two files. The key comes first, so that a run without a
 * key leaves no settings behind. */
static bool make(const struct options *o, struct relay_url *url)
{
    const char *folder = o->positionals[0];
    char *settings = join(folder, "relay.yaml");
    char *key = join(folder, "relay.key");
    char printed[RELAY_URL_SIZE];
    struct keytext text = {0};
    struct curve_pair pair;
    bool done = false, made;

    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
    else if (access(settings, F_OK) == 0)
        fprintf(stderr, "%s: exists and is not overwritten\n", settings);
    else if (take_key(key, &pair, &made)) {
        memcpy(url->key.key, pair.public_key, KEY_SIZE);
        sodium_memzero(&pair, sizeof(pair));
        write_settings(&text, o, relay_url_print(url, printed), url->port);
        done = keyfile_write(settings, &text, 0644, KEYFILE_NEW, stderr);
        if (!done && made)
            unlink(key);
    }
    keytext_close(&text);
    free(settings);
    free(key);
    return done;
}

static int run_init(const struct options *o)
{
    struct relay_url url;
    char printed[RELAY_URL_SIZE];
    const char *folder = o->positionals[0];
    size_t cursor = 0;

    if (!read_options(o, &url))
        return EXIT_USAGE;
    if (sodium_init() < 0 || !make(o, &url))
        return EXIT_FAILED;
    printf("%s\n", relay_url_print(&url, printed));
    fprintf(stderr, "zs-relay: wrote %s/relay.yaml and %s/relay.key\n", folder,
            folder);
    if (options_next(o, "mesh", &cursor) == NULL)
        fprintf(stderr,
                "zs-relay: the relay serves no mesh yet: add the mesh's id "
                "to `meshes` in %s/relay.yaml\n",
                folder);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cmd_init(int argc, char **argv)
{
    struct options o;
    int code;

    switch (options_parse(&spec, argc, argv, &o)) {
    case OPTIONS_DONE:
        return EXIT_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }
    code = run_init(&o);
    options_free(&o);
    return code;
}
