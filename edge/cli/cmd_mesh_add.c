#include "edge/cli/cmd_mesh.h"

#include "common/base/hex.h"
#include "common/conf/units.h"
#include "edge/cli/mesh_key_option.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    /* A certificate is valid from this long before now on, so that a node with
     * a slow clock can use it. */
    CLOCK_SKEW_SECONDS = 3600,
    DAY_SECONDS = 86400,
    EXPIRES_DAYS = 365,
    YEARS = 100, /* at most */
};

static const struct option_row add_rows[] = {
    MESH_DIR_ROW,
    {"expires", 0, OPTION_TEXT, "TIME",
     "valid for this time: 30s 10m 12h 90d 1y (365d)"},
    {"key", 0, OPTION_TEXT, "FILE", "certify this key instead (see below)"},
    {"groups", 0, OPTION_TEXT, "A,B",
     "the node may join only these groups; default: any"},
    {"renew", 0, OPTION_FLAG, NULL,
     "make a new certificate for DIR/NAME.zs, with the same key"},
    {"replace", 0, OPTION_FLAG, NULL,
     "make a new key for the name, and revoke the earlier one"},
};

static const struct options_spec add_spec = {
    .program = "zs mesh add",
    .synopsis = "NAME --dir DIR [--expires 90d] [--key FILE]",
    .about = "Makes the identity of a node: DIR/NAME.zs, mode 0600, "
             "with its key,\n"
             "certificate, mesh and relays. Prints the node's id. "
             "Transfer the file to\n"
             "the node in a safe way.",
    .rows = add_rows,
    .row_count = sizeof(add_rows) / sizeof(*add_rows),
    .positional_min = 1,
    .positional_max = 1,
    .epilogue = "With a key that never leaves its device:\n"
                "  there:  zs keygen NAME.key          prints the node's id\n"
                "  here:   zs mesh add NAME --dir DIR --key ID\n"
                "  there:  put the NAME.zs made here beside NAME.key, and run\n"
                "          zs-edge --identity NAME.zs\n"
                "--key takes the id, a file that holds it, or the file that "
                "`zs keygen` made;\n"
                "in the last case the key goes into NAME.zs.",
};

static bool parse_expiry(const char *text, uint64_t *seconds)
{
    size_t size = strlen(text);
    struct span span;
    int64_t years;
    char number[8];

    if (size > 1 && size <= sizeof(number) && text[size - 1] == 'y') {
        memcpy(number, text, size - 1);
        number[size - 1] = '\0';
        if (!units_integer(number, &years) || years < 1 || years > YEARS)
            return false;
        *seconds = (uint64_t)years * EXPIRES_DAYS * DAY_SECONDS;
        return true;
    }
    if (!units_duration(text, &span) || span.us < 1000000)
        return false;
    *seconds = (uint64_t)span.us / 1000000;
    return true;
}

/* Adds the groups of a list like "a,b". Returns NULL, or what is wrong. */
static const char *parse_groups(const char *text, struct certificate *said)
{
    while (text != NULL) {
        const char *comma = strchr(text, ',');
        size_t size = comma != NULL ? (size_t)(comma - text) : strlen(text);

        if (!name_is_valid(bytes_of(text, size)))
            return "--groups wants names, with commas between them";
        if (said->group_count == CERTIFICATE_GROUPS)
            return "--groups: too many for a certificate";
        memcpy(said->groups[said->group_count], text, size);
        said->groups[said->group_count++][size] = '\0';
        text = comma != NULL ? comma + 1 : NULL;
    }
    return NULL;
}

/* Fills in the certificate from the options. Returns EXIT_DONE, or the exit
 * code after a line on stderr. */
static int read_options(const struct options *o, struct certificate *said)
{
    const char *name = o->positionals[0], *groups, *wrong;
    const char *expires = options_text(o, "expires");
    uint64_t seconds = (uint64_t)EXPIRES_DAYS * DAY_SECONDS;
    uint64_t now = (uint64_t)time(NULL);
    size_t cursor = 0;

    if (!name_is_valid(bytes_of(name, strlen(name))))
        return options_wrong(&add_spec, "a name has 1 to 63 of A-Z a-z 0-9 . "
                                        "_ - and does not begin with a dot or "
                                        "dash");
    if (expires != NULL && !parse_expiry(expires, &seconds))
        return options_wrong(&add_spec, "--expires wants a time such as 12h, "
                                        "90d or 1y");
    if (options_flag(o, "renew") &&
        (options_flag(o, "replace") || options_text(o, "key") != NULL))
        return options_wrong(&add_spec, "--renew excludes --replace and --key");
    while ((groups = options_next(o, "groups", &cursor)) != NULL)
        if ((wrong = parse_groups(groups, said)) != NULL)
            return options_wrong(&add_spec, "%s", wrong);
    memcpy(said->name, name, strlen(name) + 1);
    said->not_before = now - CLOCK_SKEW_SECONDS;
    said->not_after = now + seconds;
    return EXIT_DONE;
}

/* Takes the key from the node's present identity, and its groups if the options
 * name none. */
static bool renew(const struct mesh_folder *m, struct edge_identity *to)
{
    struct edge_identity older;
    char *path = mesh_folder_path(m, to->said.name, ".zs");
    bool good = identity_peek(path, &older, stderr);

    if (good) {
        to->has_key = older.has_key;
        memcpy(to->secret_key, older.secret_key, sizeof(to->secret_key));
        to->said.node = older.said.node;
        if (to->said.group_count == 0) {
            to->said.group_count = older.said.group_count;
            memcpy(to->said.groups, older.said.groups,
                   sizeof(older.said.groups));
        }
        identity_wipe(&older);
    }
    free(path);
    return good;
}

static bool take_key(const struct mesh_folder *m, const struct options *o,
                     struct edge_identity *identity)
{
    if (options_flag(o, "renew"))
        return renew(m, identity);
    if (options_text(o, "key") != NULL)
        return mesh_key_option(options_text(o, "key"), identity);
    node_key_generate(identity->secret_key);
    identity->has_key = true;
    identity->said.node = node_key_id(identity->secret_key);
    return true;
}

static void tell(const struct mesh_folder *m,
                 const struct edge_identity *identity)
{
    char id[2 * KEY_SIZE + 1], until[IDENTITY_TIME_SIZE];
    const char *name = identity->said.name;

    hex_encode(bytes_of(identity->said.node.key, KEY_SIZE), id);
    printf("%s\n", id);
    fprintf(stderr, "zs: wrote %s/%s.zs, valid until %s\n", m->path, name,
            identity_print_time(identity->said.not_after, until));
    if (!identity->has_key)
        fprintf(stderr,
                "zs: this file holds no key: put it beside the device's "
                "key, %s.key\n",
                name);
}

static int add(struct mesh_folder *m, const struct options *o)
{
    struct edge_identity identity = {0};
    bool again = options_flag(o, "renew") || options_flag(o, "replace");
    int code = read_options(o, &identity.said);

    if (code != EXIT_DONE)
        return code;
    if (!take_key(m, o, &identity))
        code = EXIT_CONF;
    else if (!mesh_folder_issue(m, &identity,
                                again ? MESH_TAKEN_REPLACE : MESH_TAKEN_REFUSE,
                                stderr))
        code = EXIT_FAILED;
    else
        tell(m, &identity);
    identity_wipe(&identity);
    return code;
}

int mesh_add(int argc, char **argv)
{
    return mesh_run(&add_spec, argc, argv, add);
}
