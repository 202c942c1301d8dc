/*
 * mesh_folder - what the holder of a mesh keeps: its signing key and secret,
 * which names were issued to whom, and who is out.
 *
 *     DIR/mesh.key     mode 0600: name, signing key, secret, relays
 *     DIR/issued.yaml  each name with its node's id, expiry and state
 *     DIR/revoked.zs   the signed revocation list, see revoked.h
 *     DIR/NAME.zs      mode 0600: the identity of each node, see identity.h
 *
 * An open folder is locked against others that would change it.
 */
#ifndef COMMON_CONF_MESH_FOLDER_H
#define COMMON_CONF_MESH_FOLDER_H

#include "common/conf/identity.h"

struct issued {
    char name[NAME_MAX_SIZE + 1]; /* "-": an id that was not issued here */
    struct node_id id;
    uint64_t not_after; /* Unix seconds */
    bool revoked;
    bool begun; /* its file is not known to be written: see issue */
};

struct mesh_folder {
    char *path; /* of the folder */
    int lock;
    char name[NAME_MAX_SIZE + 1];
    struct mesh_id id;
    uint8_t key[64]; /* Ed25519 */
    struct mesh_secret secret;
    size_t relay_count;
    struct relay_url relays[IDENTITY_RELAYS];
    struct issued *issued;
    size_t issued_count;
};

/* Makes the folder, if need be, and a new mesh in it. False with a line on
 * `errors`, as where there is one already. */
bool mesh_folder_create(const char *path, const char *name, struct mesh_id *id,
                        FILE *errors) MUST_USE;
/* False with a line on `errors`; then there is nothing to close. */
bool mesh_folder_open(struct mesh_folder *m, const char *path,
                      FILE *errors) MUST_USE;
/* Wipes and unlocks. NULL-safe on a zeroed folder. */
void mesh_folder_close(struct mesh_folder *m);

/* Reads a mesh.key alone into a zeroed folder: name, id, key, secret, relays.
 * False with a line on `errors`. To be closed in any case. */
bool mesh_key_load(const char *path, struct mesh_folder *m,
                   FILE *errors) MUST_USE;

/* Whose the name is: the one not revoked, or NULL. */
struct issued *mesh_folder_named(const struct mesh_folder *m, const char *name);
struct issued *mesh_folder_find(const struct mesh_folder *m,
                                const struct node_id *id);

/* Identities made from now on carry the relay. */
bool mesh_folder_add_relay(struct mesh_folder *m, const struct relay_url *url,
                           FILE *errors) MUST_USE;

enum mesh_taken {
    MESH_TAKEN_REFUSE,  /* a name that is issued already */
    MESH_TAKEN_REPLACE, /* the earlier node, if it is another, is revoked */
};

/*
 * Signs the identity and writes DIR/NAME.zs. The caller filled in said.name,
 * said.groups, said.node, the times, and secret_key with has_key if the key is
 * known here; all else comes from the mesh. False with a line on `errors`.
 */
bool mesh_folder_issue(struct mesh_folder *m, struct edge_identity *identity,
                       enum mesh_taken taken, FILE *errors) MUST_USE;

/* Revokes the node and writes DIR/revoked.zs anew; `unix_now` is for the
 * serial, which grows even if the older list was lost. Once more is no
 * mistake. */
bool mesh_folder_revoke(struct mesh_folder *m, const struct node_id *id,
                        uint64_t unix_now, FILE *errors) MUST_USE;

/* "DIR/NAME", to be freed. */
char *mesh_folder_path(const struct mesh_folder *m, const char *name,
                       const char *suffix);

#endif
