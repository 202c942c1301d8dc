/*
 * mesh_folder - the folder of the administrator of a mesh: its signing key and
 * secret, the names issued so far, and the revocation list.
 *
 *     DIR/mesh.key     mode 0600: name, signing key, secret, relays
 *     DIR/issued.yaml  each name with its node's id, expiry and state
 *     DIR/revoked.zs   the signed revocation list, see revoked.h
 *     DIR/NAME.zs      mode 0600: the identity of each node, see identity.h
 *
 * An open folder is locked: another process that opens it waits.
 */
#ifndef COMMON_CONF_MESH_FOLDER_H
#define COMMON_CONF_MESH_FOLDER_H

#include "common/conf/identity.h"

struct issued {
    /* "-": an id that this folder did not issue. */
    char name[NAME_MAX_SIZE + 1];
    struct node_id id;
    uint64_t not_after; /* Unix seconds */
    bool revoked;
    /* The identity file may not have been written: see mesh_folder_issue. */
    bool begun;
};

struct mesh_folder {
    char *path; /* the folder */
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

/* Creates the folder if it does not exist, and a new mesh in it. False with a
 * line on `errors`, also if the folder has a mesh already. */
bool mesh_folder_create(const char *path, const char *name, struct mesh_id *id,
                        FILE *errors) MUST_USE;
/* Opens and locks a folder. False with a line on `errors`; mesh_folder_close
 * must then not be called. */
bool mesh_folder_open(struct mesh_folder *m, const char *path,
                      FILE *errors) MUST_USE;
/* Wipes the secrets and unlocks. Allowed for a zeroed struct. */
void mesh_folder_close(struct mesh_folder *m);

/* Reads only a mesh.key into a zeroed struct: name, id, key, secret, relays.
 * False with a line on `errors`. mesh_folder_close must be called in either
 * case. */
bool mesh_key_load(const char *path, struct mesh_folder *m,
                   FILE *errors) MUST_USE;

/* The node that has the name and is not revoked, or NULL. */
struct issued *mesh_folder_named(const struct mesh_folder *m, const char *name);
struct issued *mesh_folder_find(const struct mesh_folder *m,
                                const struct node_id *id);

/* Adds a relay to all identities made from now on. */
bool mesh_folder_add_relay(struct mesh_folder *m, const struct relay_url *url,
                           FILE *errors) MUST_USE;

enum mesh_taken {
    MESH_TAKEN_REFUSE, /* refuse a name that is issued already */
    /* Revoke the node that had the name, if it is another. */
    MESH_TAKEN_REPLACE,
};

/*
 * Signs the identity and writes DIR/NAME.zs. The caller fills in said.name,
 * said.groups, said.node, the times, and secret_key with has_key if it has the
 * key; the other members are filled in here. issued.yaml gets the node before
 * the file is written, marked as begun, so that every identity that exists can
 * be revoked. False with a line on `errors`.
 */
bool mesh_folder_issue(struct mesh_folder *m, struct edge_identity *identity,
                       enum mesh_taken taken, FILE *errors) MUST_USE;

/* Revokes the node and writes DIR/revoked.zs again. `unix_now` makes the serial
 * grow even if the older list was lost. Revoking a node twice is allowed. */
bool mesh_folder_revoke(struct mesh_folder *m, const struct node_id *id,
                        uint64_t unix_now, FILE *errors) MUST_USE;

/* "DIR/NAME" and the suffix; the caller frees it. */
char *mesh_folder_path(const struct mesh_folder *m, const char *name,
                       const char *suffix);

#endif
