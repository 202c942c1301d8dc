#include "edge/cli/cmd_mesh.h"

#include "common/base/hex.h"
#include "common/conf/describe.h"
#include "edge/cli/command.h"
#include "edge/cli/subcommands.h"

#include <sodium.h>

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

static const struct subcommand rows[] = {
    {"create", "NAME --dir DIR", "makes a mesh; prints its id", mesh_create},
    {"relay", "--dir DIR URL", "adds a relay to identities made later",
     mesh_relay},
    {"add", "NAME --dir DIR", "makes an identity for a node: DIR/NAME.zs",
     mesh_add},
    {"revoke", "NAME --dir DIR", "revokes a node: DIR/revoked.zs", mesh_revoke},
    {"list", "--dir DIR", "lists all issued identities", mesh_list},
};

static const struct subcommands commands = {
    .rows = rows,
    .count = sizeof(rows) / sizeof(*rows),
    .columns = 24,
    .notes = "`zs mesh COMMAND --help` describes a command.",
};

int cmd_mesh(int argc, char **argv)
{
    static char list[SUBCOMMANDS_HELP];
    const struct options_spec spec = {
        .program = "zs mesh",
        .synopsis = "COMMAND ...",
        .about = "Makes a mesh and manages its members. Needs no running "
                 "edge.",
        .positional_min = 1,
        .positional_max = SIZE_MAX,
        .stop_at_positional = true,
        .epilogue = subcommands_help(&commands, list),
    };
    struct options o;
    int code;

    if (describe_asked(argc, argv))
        return subcommands_describe(&commands, &spec, argv[1]);
    if (!command_options(&spec, argc, argv, &o, &code))
        return code;
    const struct subcommand *command =
        subcommands_find(&commands, &spec, o.positionals[0]);
    if (sodium_init() < 0)
        code = command_fail(EXIT_FAILED, "the system has no randomness");
    else if (!command)
        code = EXIT_USAGE;
    else
        code = command->run((int)o.positional_count, o.positionals);
    options_free(&o);
    return code;
}

int mesh_run(const struct options_spec *of, int argc, char **argv,
             mesh_work *work)
{
    struct options o;
    struct mesh_folder m;
    int code;

    if (!command_options(of, argc, argv, &o, &code))
        return code;
    if (options_text(&o, "dir") == NULL) {
        code = options_wrong(of, "--dir is missing: the mesh's folder");
    } else if (!mesh_folder_open(&m, options_text(&o, "dir"), stderr)) {
        code = EXIT_CONF;
    } else {
        code = work(&m, &o);
        mesh_folder_close(&m);
    }
    options_free(&o);
    return code;
}

static const struct option_row create_rows[] = {MESH_DIR_ROW};

static const struct options_spec create_spec = {
    .program = "zs mesh create",
    .synopsis = "NAME --dir DIR",
    .about = "Makes a mesh: its signing key and secret in DIR/mesh.key. "
             "Keep that file\n"
             "safe and secret: anyone who has it can add and revoke "
             "members. Prints the\n"
             "mesh's id.",
    .rows = create_rows,
    .row_count = 1,
    .positional_min = 1,
    .positional_max = 1,
};

static int create(const struct options *o)
{
    const char *name = o->positionals[0], *folder = options_text(o, "dir");
    struct mesh_id id;
    char text[2 * KEY_SIZE + 1];

    if (folder == NULL)
        return options_wrong(&create_spec, "--dir is missing: the folder to "
                                           "make");
    if (!name_is_valid(bytes_of(name, strlen(name))))
        return options_wrong(&create_spec, "a name has 1 to 63 of A-Z a-z 0-9 "
                                           ". _ - and does not begin with a "
                                           "dot or dash");
    if (!mesh_folder_create(folder, name, &id, stderr))
        return EXIT_FAILED;
    hex_encode(bytes_of(id.key, KEY_SIZE), text);
    printf("%s\n", text);
    fprintf(stderr, "zs: wrote %s/mesh.key; keep it safe and secret\n", folder);
    return EXIT_DONE;
}

int mesh_create(int argc, char **argv)
{
    struct options o;
    int code;

    if (!command_options(&create_spec, argc, argv, &o, &code))
        return code;
    code = create(&o);
    options_free(&o);
    return code;
}

static const struct option_row relay_rows[] = {MESH_DIR_ROW};

static const struct options_spec relay_spec = {
    .program = "zs mesh relay",
    .synopsis = "--dir DIR URL",
    .about = "Adds a relay by the URL that `zs-relay init` printed: "
             "identities made from\n"
             "now on carry it. For earlier identities, set `relays` in "
             "edge.yaml, or make\n"
             "them anew with `zs mesh add --renew`.",
    .rows = relay_rows,
    .row_count = 1,
    .positional_min = 1,
    .positional_max = 1,
};

static int relay(struct mesh_folder *m, const struct options *o)
{
    struct relay_url url;
    char text[RELAY_URL_SIZE];
    const char *wrong = relay_url_parse(o->positionals[0], &url);

    if (wrong != NULL)
        return options_wrong(&relay_spec, "the relay's URL %s", wrong);
    if (!mesh_folder_add_relay(m, &url, stderr))
        return EXIT_FAILED;
    fprintf(stderr, "zs: identities of %s made from now on carry %s\n", m->name,
            relay_url_print(&url, text));
    return EXIT_DONE;
}

int mesh_relay(int argc, char **argv)
{
    return mesh_run(&relay_spec, argc, argv, relay);
}

static const struct option_row list_rows[] = {
    MESH_DIR_ROW,
    {"json", 0, OPTION_FLAG, NULL, "print a JSON object a line"},
};

static const struct options_spec list_spec = {
    .program = "zs mesh list",
    .synopsis = "--dir DIR [--json]",
    .about = "Prints a line for each node: name, id, end of its "
             "certificate, state.",
    .rows = list_rows,
    .row_count = 2,
};

static int list(struct mesh_folder *m, const struct options *o)
{
    for (size_t i = 0; i < m->issued_count; i++) {
        const struct issued *issued = &m->issued[i];
        const char *state = issued->revoked ? "revoked" : "valid";
        char id[2 * KEY_SIZE + 1], until[IDENTITY_TIME_SIZE];

        hex_encode(bytes_of(issued->id.key, KEY_SIZE), id);
        identity_print_time(issued->not_after, until);
        if (options_flag(o, "json")) {
            json_t *line = json_pack(
                "{ss ss sI ss}", "name", issued->name, "id", id, "expires",
                (json_int_t)issued->not_after, "state", state);
            command_print_json(line);
            json_decref(line);
        } else {
            printf("%-20s %s  %s  %s\n", issued->name, id, until, state);
        }
    }
    return EXIT_DONE;
}

int mesh_list(int argc, char **argv)
{
    return mesh_run(&list_spec, argc, argv, list);
}
