#include "common/conf/identity.h"

#include "common/conf/keyfile.h"

#include <sodium.h>

#include <time.h>

/*
 * All passphrase meshes have the same salt, because a node that knows nothing
 * but the passphrase must come to the same mesh. So one guess counts for every
 * mesh with that passphrase; a slow function makes each guess expensive.
 */
static const char salt_label[] = "zs1 passphrase mesh";

enum {
    /* RFC 9106, section 4, the second choice, which suits small machines too.
     */
    PASSES = 3,
    MEMORY = 64 * 1024 * 1024,
    /* Nobody issues these certificates, so nobody could renew them. */
    VALID_SECONDS = 10 * 365 * 86400,
};

struct derived {
    uint8_t mesh_seed[32];
    uint8_t mesh_secret[32];
};

static bool derive(const char *passphrase, size_t size, struct derived *to)
{
    uint8_t salt[crypto_pwhash_SALTBYTES];

    crypto_generichash(salt, sizeof(salt), (const uint8_t *)salt_label,
                       sizeof(salt_label) - 1, NULL, 0);
    return crypto_pwhash((uint8_t *)to, sizeof(*to), passphrase, size, salt,
                         PASSES, MEMORY, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static void certify(struct edge_identity *identity, const char *name,
                    const uint8_t mesh_key[64])
{
    struct certificate *said = &identity->said;

    said->mesh = identity->mesh;
    said->node = node_key_id(identity->secret_key);
    said->not_before = 0;
    said->not_after = (uint64_t)time(NULL) + VALID_SECONDS;
    memcpy(said->name, name, strlen(name) + 1);
    identity->certificate_size =
        certificate_sign(said, mesh_key, identity->certificate).size;
}

/* Sets the name and the node's key. */
static bool begin(const char *name, const char *key_path,
                  struct edge_identity *identity, FILE *errors)
{
    memset(identity, 0, sizeof(*identity));
    if (!name_is_valid(bytes_of(name, strlen(name)))) {
        fprintf(errors, "a name has 1 to 63 of A-Z a-z 0-9 . _ - and does not "
                        "begin with a dot or dash\n");
        return false;
    }
    if (key_path != NULL)
        return node_key_load(key_path, identity->secret_key, errors);
    node_key_generate(identity->secret_key);
    return true;
}

/* Sets the mesh's keys and signs the certificate. */
static bool finish(struct bytes passphrase, const char *name,
                   struct edge_identity *identity, FILE *errors)
{
    struct derived derived;
    uint8_t mesh_key[64];

    if (!derive((const char *)passphrase.data, passphrase.size, &derived)) {
        fprintf(errors, "not enough memory for the passphrase's key\n");
        identity_wipe(identity);
        return false;
    }
    identity->has_key = true;
    crypto_sign_seed_keypair(identity->mesh.key, mesh_key, derived.mesh_seed);
    memcpy(identity->mesh_secret.key, derived.mesh_secret, KEY_SIZE);
    certify(identity, name, mesh_key);
    sodium_memzero(mesh_key, sizeof(mesh_key));
    sodium_memzero(&derived, sizeof(derived));
    return true;
}

bool identity_from_passphrase_text(struct bytes passphrase, const char *name,
                                   const char *key_path,
                                   struct edge_identity *identity, FILE *errors)
{
    return begin(name, key_path, identity, errors) &&
           finish(passphrase, name, identity, errors);
}

bool identity_from_passphrase(const char *passphrase_path, const char *name,
                              const char *key_path,
                              struct edge_identity *identity, FILE *errors)
{
    size_t size, length;
    bool good = false;

    if (!begin(name, key_path, identity, errors))
        return false;
    char *text = keyfile_read(passphrase_path, KEYFILE_SECRET, &size, errors);
    length = text != NULL ? size : 0;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    if (length > 0)
        good = finish(bytes_of(text, length), name, identity, errors);
    else if (text != NULL)
        fprintf(errors, "%s: the passphrase is empty\n", passphrase_path);
    if (text != NULL)
        keyfile_wipe(text, size);
    if (!good)
        identity_wipe(identity);
    return good;
}
