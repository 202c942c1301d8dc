#include "edge/cli/cmd_mesh.h"

#include "common/base/hex.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { PREFIX_DIGITS = 8 };

static const struct option_row revoke_rows[] = {MESH_DIR_ROW};

static const struct options_spec revoke_spec = {
    .program = "zs mesh revoke",
    .synopsis = "NAME|ID --dir DIR",
    .about = "Revokes a node for ever: adds it to the signed list "
             "DIR/revoked.zs.\n"
             "Prints the node's id.",
    .rows = revoke_rows,
    .row_count = 1,
    .positional_min = 1,
    .positional_max = 1,
    .epilogue = "Give the list to any edge or relay of the mesh; it "
                "spreads from there:\n"
                "  zs revoke DIR/revoked.zs\n"
                "You may then give the name to another node.",
};

enum revoke_found { FOUND, FOUND_NONE, FOUND_SEVERAL };

/* Finds a node by its whole id, or by the first digits of an issued id. */
static enum revoke_found find_id(const struct mesh_folder *m, const char *text,
                                 struct node_id *id)
{
    size_t size = strlen(text), count = 0;

    if (hex_decode(text, id->key, KEY_SIZE))
        return FOUND;
    if (size < PREFIX_DIGITS || size >= 2 * (size_t)KEY_SIZE)
        return FOUND_NONE;
    for (size_t i = 0; i < m->issued_count; i++) {
        char digits[2 * KEY_SIZE + 1];

        hex_encode(bytes_of(m->issued[i].id.key, KEY_SIZE), digits);
        if (strncasecmp(digits, text, size) != 0)
            continue;
        *id = m->issued[i].id;
        count++;
    }
    return count == 1 ? FOUND : count == 0 ? FOUND_NONE : FOUND_SEVERAL;
}

/* The last revoked node of this name, or NULL. */
static const struct issued *revoked_before(const struct mesh_folder *m,
                                           const char *name)
{
    const struct issued *found = NULL;

    for (size_t i = 0; i < m->issued_count; i++)
        if (m->issued[i].revoked && strcmp(m->issued[i].name, name) == 0)
            found = &m->issued[i];
    return found;
}

static enum revoke_found find(const struct mesh_folder *m, const char *text,
                              struct node_id *id)
{
    const struct issued *named = mesh_folder_named(m, text);

    if (named == NULL)
        named = revoked_before(m, text);
    if (named == NULL)
        return find_id(m, text, id);
    *id = named->id;
    return FOUND;
}

static int revoke(struct mesh_folder *m, const struct options *o)
{
    const char *text = o->positionals[0];
    char digits[2 * KEY_SIZE + 1];
    struct node_id id;

    switch (find(m, text, &id)) {
    case FOUND_NONE:
        fprintf(stderr, "zs: %s issued nothing to \"%s\"\n", m->name, text);
        return EXIT_FAILED;
    case FOUND_SEVERAL:
        fprintf(stderr, "zs: several ids begin with %s\n", text);
        return EXIT_FAILED;
    case FOUND:
        break;
    }
    if (!mesh_folder_revoke(m, &id, (uint64_t)time(NULL), stderr))
        return EXIT_FAILED;
    hex_encode(bytes_of(id.key, KEY_SIZE), digits);
    printf("%s\n", digits);
    fprintf(stderr,
            "zs: wrote %s/revoked.zs; give it to an edge or the relay, and it "
            "spreads: zs revoke %s/revoked.zs\n",
            m->path, m->path);
    return EXIT_DONE;
}

int mesh_revoke(int argc, char **argv)
{
    return mesh_run(&revoke_spec, argc, argv, revoke);
}
