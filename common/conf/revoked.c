#include "common/conf/revoked.h"

#include "common/base/hex.h"
#include "common/conf/keyfile.h"

#include <string.h>
#include <unistd.h>

bool revoked_load(const char *path, struct revoked *revoked, FILE *errors)
{
    struct keyfile k;
    struct mesh_id mesh;
    size_t cursor = 0;

    if (!keyfile_open(&k, path, "revoked", KEYFILE_PUBLIC, errors))
        return false;
    /* For human readers; only the signed list counts. */
    keyfile_hex(&k, "mesh", mesh.key, KEY_SIZE);
    (void)keyfile_text(&k, "serial");
    while (keyfile_item(&k, "nodes", &cursor) != NULL)
        continue;

    revoked->size =
        keyfile_base64(&k, "signed", revoked->bytes, sizeof(revoked->bytes));
    if (revoked->size > 0 &&
        !revocation_check(bytes_of(revoked->bytes, revoked->size),
                          &revoked->list))
        keyfile_wrong(&k, "signed", "the list is not signed by its mesh");
    else if (revoked->size > 0 && !mesh_id_equal(&mesh, &revoked->list.mesh))
        keyfile_wrong(&k, "mesh", "`mesh` is not the signed list's");
    return keyfile_close(&k, errors);
}

bool revoked_save(const char *path, struct bytes list, FILE *errors)
{
    struct keytext text = {0};
    struct revocation r;
    bool done;

    if (!revocation_check(list, &r)) {
        fprintf(errors, "%s: the list is not signed by its mesh\n", path);
        return false;
    }
    keytext_add(&text,
                "# Revoked nodes of a ZeroServices mesh; no secret. Only "
                "the signed list counts.\n"
                "kind: revoked\n"
                "version: 1\n");
    keytext_hex(&text, "mesh", r.mesh.key, KEY_SIZE);
    keytext_add(&text, "serial: %llu\n", (unsigned long long)r.serial);
    keytext_base64(&text, "signed", list);
    keytext_add(&text, "nodes:%s\n", r.count == 0 ? " []" : "");
    for (uint32_t i = 0; i < r.count; i++) {
        char id[2 * KEY_SIZE + 1];

        hex_encode(bytes_of(r.nodes + i * KEY_SIZE, KEY_SIZE), id);
        keytext_add(&text, "  - %s\n", id);
    }
    done = keyfile_write(path, &text, 0644, KEYFILE_REPLACE, errors);
    keytext_close(&text);
    return done;
}

void revoked_place(const char *configured, const char *identity,
                   char path[REVOKED_PATH_SIZE])
{
    const char *slash = strrchr(identity, '/');
    int folder = slash == NULL ? 0 : (int)(slash - identity) + 1;

    if (configured[0] != '\0')
        snprintf(path, REVOKED_PATH_SIZE, "%s", configured);
    else if (identity[0] != '\0')
        snprintf(path, REVOKED_PATH_SIZE, "%.*srevoked.zs", folder, identity);
    else
        path[0] = '\0';
}

bool revoked_of_mesh(const char *path, const struct mesh_id *mesh,
                     struct revoked *revoked, FILE *errors)
{
    revoked->size = 0;
    if (path[0] == '\0' || access(path, F_OK) != 0)
        return true;
    if (!revoked_load(path, revoked, errors))
        return false;
    if (mesh_id_equal(&revoked->list.mesh, mesh))
        return true;
    fprintf(errors, "%s: it is another mesh's list\n", path);
    revoked->size = 0;
    return false;
}
