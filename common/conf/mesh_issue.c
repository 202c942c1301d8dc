#include "common/conf/mesh_folder.h"

#include "common/base/memory.h"
#include "common/conf/mesh_folder_private.h"
#include "common/conf/revoked.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Reads the serial of the older list, if there is one, and checks that the list
 * is this mesh's. */
static bool older_serial(const struct mesh_folder *m, const char *path,
                         uint64_t *serial, FILE *errors)
{
    struct revoked *older;
    bool good = true;

    *serial = 0;
    if (access(path, F_OK) != 0)
        return true;
    older = memory_new(sizeof(*older));
    good = revoked_load(path, older, errors);
    if (good && !mesh_id_equal(&older->list.mesh, &m->id)) {
        fprintf(errors, "%s: the list is another mesh's\n", path);
        good = false;
    }
    if (good)
        *serial = older->list.serial;
    free(older);
    return good;
}

static bool write_revoked(const struct mesh_folder *m, const char *path,
                          uint64_t serial, FILE *errors)
{
    struct revocation list = {.mesh = m->id, .serial = serial};
    uint8_t *nodes = memory_array(m->issued_count + 1, KEY_SIZE);
    uint8_t *buffer = memory_new(REVOCATION_SIZE);
    bool done = false;

    for (size_t i = 0; i < m->issued_count; i++)
        if (m->issued[i].revoked)
            memcpy(nodes + KEY_SIZE * list.count++, m->issued[i].id.key,
                   KEY_SIZE);
    list.nodes = nodes;
    if (list.count > REVOCATION_NODES)
        fprintf(errors,
                "%s: a list holds no more than %d nodes; make a new "
                "mesh\n",
                path, REVOCATION_NODES);
    else
        done =
            revoked_save(path, revocation_sign(&list, m->key, buffer), errors);
    free(buffer);
    free(nodes);
    return done;
}

bool mesh_folder_revoke(struct mesh_folder *m, const struct node_id *id,
                        uint64_t unix_now, FILE *errors)
{
    char *path = mesh_folder_path(m, "revoked", ".zs");
    struct issued *issued = mesh_folder_find(m, id);
    struct issued unknown = {.name = "-", .id = *id};
    uint64_t serial;
    bool done = older_serial(m, path, &serial, errors);

    if (done) {
        if (issued == NULL) {
            mesh_folder_append(m, &unknown);
            issued = &m->issued[m->issued_count - 1];
        }
        issued->revoked = true;
        serial = serial + 1 > unix_now ? serial + 1 : unix_now;
        done = write_revoked(m, path, serial, errors) &&
               mesh_folder_save_issued(m, errors);
    }
    free(path);
    return done;
}

/* True if this node may get this name; else the reason is reported. */
static bool may_issue(struct mesh_folder *m, struct edge_identity *identity,
                      const char *path, enum mesh_taken taken, FILE *errors)
{
    const char *name = identity->said.name;
    const struct issued *known = mesh_folder_find(m, &identity->said.node);
    const struct issued *named = mesh_folder_named(m, name);

    if (strcmp(name, "revoked") == 0) {
        fprintf(errors,
                "revoked: this name is reserved for the revocation list\n");
        return false;
    }
    if (known != NULL && known->revoked) {
        fprintf(errors, "%s: the key was revoked\n", name);
        return false;
    }
    if (known != NULL && strcmp(known->name, name) != 0) {
        fprintf(errors, "%s: the key is %s's\n", name, known->name);
        return false;
    }
    if (taken == MESH_TAKEN_REPLACE)
        return named == NULL || known == named ||
               mesh_folder_revoke(m, &named->id, (uint64_t)time(NULL), errors);
    if (named != NULL) {
        fprintf(errors,
                "%s: the name is issued already; revoke it first, or "
                "use --renew or --replace\n",
                name);
        return false;
    }
    if (access(path, F_OK) == 0) {
        fprintf(errors, "%s: exists; --replace makes it anew\n", path);
        return false;
    }
    return true;
}

/* Completes or forgets a name that an interrupted run began to issue: without
 * the file nobody has the key. False, with a report, if the file exists. */
static bool settle_begun(struct mesh_folder *m, const char *name,
                         const char *path, enum mesh_taken taken, FILE *errors)
{
    struct issued *named = mesh_folder_named(m, name);

    if (named == NULL || !named->begun)
        return true;
    named->begun = false;
    if (access(path, F_OK) != 0) {
        *named = m->issued[--m->issued_count];
        return true;
    }
    if (!mesh_folder_save_issued(m, errors))
        return false;
    if (taken == MESH_TAKEN_REPLACE)
        return true;
    fprintf(errors,
            "%s: an interrupted earlier run wrote this file, and the "
            "file is complete: use it, or make it anew with --replace\n",
            path);
    return false;
}

/* Called before the file is written, so that every identity that exists can be
 * revoked. */
static bool record(struct mesh_folder *m, const struct edge_identity *identity,
                   bool begun, FILE *errors)
{
    struct issued *known = mesh_folder_find(m, &identity->said.node);
    struct issued issued = {.id = identity->said.node,
                            .not_after = identity->said.not_after,
                            .begun = begun};

    memcpy(issued.name, identity->said.name, sizeof(issued.name));
    if (known != NULL)
        *known = issued;
    else
        mesh_folder_append(m, &issued);
    return mesh_folder_save_issued(m, errors);
}

bool mesh_folder_issue(struct mesh_folder *m, struct edge_identity *identity,
                       enum mesh_taken taken, FILE *errors)
{
    char *path = mesh_folder_path(m, identity->said.name, ".zs");
    bool done = settle_begun(m, identity->said.name, path, taken, errors) &&
                may_issue(m, identity, path, taken, errors);

    if (done) {
        bool is_new = mesh_folder_find(m, &identity->said.node) == NULL;
        identity->mesh = identity->said.mesh = m->id;
        identity->mesh_secret = m->secret;
        identity->relay_count = m->relay_count;
        memcpy(identity->relays, m->relays, sizeof(m->relays));
        identity->certificate_size =
            certificate_sign(&identity->said, m->key, identity->certificate)
                .size;
        done = record(m, identity, is_new, errors) &&
               identity_save(path, identity, taken == MESH_TAKEN_REPLACE,
                             errors) &&
               (!is_new || record(m, identity, false, errors));
    }
    free(path);
    return done;
}
