/*
 * identity - what makes a program a node of a mesh: the node's key, its
 * certificate, the mesh's secret, and the relays that it may use.
 *
 * An identity is a file NAME.zs of mode 0600, which `zs mesh add` writes. If
 * the key was made on the device itself (`zs keygen NAME.key`), the identity
 * holds no key; it is then read from NAME.key beside the file.
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
    bool has_key;           /* may be false after identity_peek only */
    uint8_t secret_key[64]; /* Ed25519, with the public half */
    struct mesh_secret mesh_secret;
    struct mesh_id mesh;
    size_t certificate_size;
    uint8_t certificate[CERTIFICATE_SIZE]; /* encoded */
    /* The decoded certificate: name, id, groups, times. */
    struct certificate said;
    size_t relay_count;
    struct relay_url relays[IDENTITY_RELAYS];
};

/*
 * Loads an identity and checks that its parts belong together: the mesh signed
 * the certificate, and it is for this key. On a mistake, or if other users may
 * read the file, returns false with a line for each on `errors`. Does not check
 * whether the certificate is valid now: identity_time does. `key_path`, if not
 * NULL, is the file with the node's key.
 */
bool identity_load(const char *path, const char *key_path,
                   struct edge_identity *identity, FILE *errors) MUST_USE;
/* Like identity_load, but the node's key may be missing. */
bool identity_peek(const char *path, struct edge_identity *identity,
                   FILE *errors) MUST_USE;

/* Returns GOOD, NOT_YET or EXPIRED. If not GOOD, writes a sentence such as "the
 * certificate expired on 2026-11-22 11:30:00 UTC" to `text`. */
enum certificate_verdict identity_time(const struct edge_identity *identity,
                                       uint64_t unix_now, char text[static 80]);
/* Writes a time as "2026-11-22 11:30:00 UTC"; returns `text`. */
const char *identity_print_time(uint64_t unix_seconds,
                                char text[IDENTITY_TIME_SIZE]);

/* Writes the file with mode 0600. Replaces an existing one only if `replace` is
 * true. False with a line on `errors`. */
bool identity_save(const char *path, const struct edge_identity *identity,
                   bool replace, FILE *errors) MUST_USE;
void identity_wipe(struct edge_identity *identity);

/*
 * Makes the identity of a node in a passphrase mesh [P-2.7]: Argon2id (about
 * 0.2 s and 64 MiB) derives the mesh's signing key and secret from the
 * passphrase, and the node signs its own certificate. The node's key is new, or
 * that of the file `key_path` if not NULL. `passphrase_path` is a file, "-" the
 * standard input; the line end is not part of the passphrase.
 */
bool identity_from_passphrase(const char *passphrase_path, const char *name,
                              const char *key_path,
                              struct edge_identity *identity,
                              FILE *errors) MUST_USE;

/* The same with the passphrase itself, which is borrowed and must not be empty.
 */
bool identity_from_passphrase_text(struct bytes passphrase, const char *name,
                                   const char *key_path,
                                   struct edge_identity *identity,
                                   FILE *errors) MUST_USE;

/* Adds a relay unless the identity has it already. False if there are
 * IDENTITY_RELAYS others. */
bool identity_add_relay(struct edge_identity *identity,
                        const struct relay_url *url) MUST_USE;

/* Loads a file with a node's key alone, as `zs keygen` writes it. */
bool node_key_load(const char *path, uint8_t secret_key[64],
                   FILE *errors) MUST_USE;
/* Makes a new key; writes the content of its file to `text`, a zeroed keytext;
 * tells the node id of a key. */
struct keytext;
void node_key_generate(uint8_t secret_key[64]);
void node_key_write(struct keytext *text, const uint8_t secret_key[64]);
struct node_id node_key_id(const uint8_t secret_key[64]);

#endif
