/*
 * identity - who a node is: its key, its certificate, its mesh's secret, and
 * the relays it may use.
 *
 * Kept in a file NAME.zs of mode 0600, which `zs mesh add` makes. A file made
 * for a key that never left its device holds no key: it is then read from
 * NAME.key beside the file (made there by `zs keygen NAME.key`).
 *
 *     struct edge_identity identity;
 *     if (!identity_load("alice.zs", NULL, &identity, stderr))
 *         return EXIT_CONF;
 *     ...
 *     identity_wipe(&identity);
 */
#ifndef COMMON_CONF_IDENTITY_H
#define COMMON_CONF_IDENTITY_H

#include "common/conf/relay_url.h"
#include "common/core/secrets.h"
#include "common/wire/certificate.h"

#include <stdio.h>

enum { IDENTITY_RELAYS = 8, IDENTITY_TIME_SIZE = 32 };

struct edge_identity {
    bool has_key;           /* false only for identity_peek */
    uint8_t secret_key[64]; /* Ed25519, public half included */
    struct mesh_secret mesh_secret;
    struct mesh_id mesh;
    size_t certificate_size;
    uint8_t certificate[CERTIFICATE_SIZE]; /* encoded */
    struct certificate said;               /* what it says: name, id, ... */
    size_t relay_count;
    struct relay_url relays[IDENTITY_RELAYS];
};

/*
 * Loads an identity and checks that it fits together: the certificate is the
 * mesh's, and for this key. False, with a line on `errors` for each mistake,
 * if it does not, or if others may read the file. Times are not checked: see
 * identity_time. `key_path`, if not NULL, is the file of the node's key.
 */
bool identity_load(const char *path, const char *key_path,
                   struct edge_identity *identity, FILE *errors) MUST_USE;
/* The same, but the node's key may be missing. */
bool identity_peek(const char *path, struct edge_identity *identity,
                   FILE *errors) MUST_USE;

/* GOOD, NOT_YET or EXPIRED; `text` then has a sentence for people, as "the
 * certificate expired on 2026-11-22 11:30:00 UTC". */
enum certificate_verdict identity_time(const struct edge_identity *identity,
                                       uint64_t unix_now, char text[static 80]);
/* "2026-11-22 11:30:00 UTC". */
const char *identity_print_time(uint64_t unix_seconds,
                                char text[IDENTITY_TIME_SIZE]);

/* Writes the file, mode 0600. An existing one is only replaced if told so. */
bool identity_save(const char *path, const struct edge_identity *identity,
                   bool replace, FILE *errors) MUST_USE;
void identity_wipe(struct edge_identity *identity);

/*
 * The identity of a node whose mesh is whoever knows the passphrase [P-2.7]:
 * Argon2id of it (about 0.2 s and 64 MiB) gives the mesh's
 * signing key and secret, and the node certifies itself. The node's key is
 * fresh, or that of the file `key_path` if not NULL. `passphrase_path` "-" is
 * the standard input; the line's end does not count.
 */
bool identity_from_passphrase(const char *passphrase_path, const char *name,
                              const char *key_path,
                              struct edge_identity *identity,
                              FILE *errors) MUST_USE;

/* The same with the passphrase itself; it is borrowed, and not empty. */
bool identity_from_passphrase_text(struct bytes passphrase, const char *name,
                                   const char *key_path,
                                   struct edge_identity *identity,
                                   FILE *errors) MUST_USE;

/* False if there are IDENTITY_RELAYS already; one that is there is no second
 * time added. */
bool identity_add_relay(struct edge_identity *identity,
                        const struct relay_url *url) MUST_USE;

/* A node's key alone, as `zs keygen` makes it. */
bool node_key_load(const char *path, uint8_t secret_key[64],
                   FILE *errors) MUST_USE;
/* Fresh. `text` (a zeroed keytext) gets the file's content. */
struct keytext;
void node_key_generate(uint8_t secret_key[64]);
void node_key_write(struct keytext *text, const uint8_t secret_key[64]);
struct node_id node_key_id(const uint8_t secret_key[64]);

#endif
