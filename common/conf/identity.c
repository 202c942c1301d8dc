#include "common/conf/identity.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/keyfile.h"

#include <sodium.h>

#include <stdlib.h>
#include <time.h>

struct node_id node_key_id(const uint8_t secret_key[64])
{
    struct node_id id;

    memcpy(id.key, secret_key + 32, KEY_SIZE);
    return id;
}

void node_key_generate(uint8_t secret_key[64])
{
    uint8_t public_key[32];

    crypto_sign_keypair(public_key, secret_key);
}

void node_key_write(struct keytext *text, const uint8_t secret_key[64])
{
    struct node_id id = node_key_id(secret_key);

    keytext_add(text, "# A ZeroServices node's key. Keep it secret; "
                      "the id is no secret.\n"
                      "kind: key\nversion: 2\n");
    keytext_hex(text, "id", id.key, KEY_SIZE);
    keytext_hex(text, "key", secret_key, 32);
    keytext_sum(text);
}

/* Reads the 32-byte seed and expands it to the node's secret key. */
static bool read_key(struct keyfile *k, uint8_t secret_key[64])
{
    uint8_t seed[32], public_key[32];
    bool good = keyfile_hex(k, "key", seed, sizeof(seed));

    crypto_sign_seed_keypair(public_key, secret_key, seed);
    sodium_memzero(seed, sizeof(seed));
    return good;
}

/* An id that the file repeats for human readers must be the right one. */
static void check_id(struct keyfile *k, const struct node_id *expected,
                     const char *whose)
{
    struct node_id id;

    if (keyfile_has(k, "id") && keyfile_hex(k, "id", id.key, KEY_SIZE) &&
        !node_id_equal(&id, expected))
        keyfile_wrong(k, "id", "`id` does not match the %s", whose);
}

bool node_key_load(const char *path, uint8_t secret_key[64], FILE *errors)
{
    struct keyfile k;
    struct node_id id;

    if (!keyfile_open(&k, path, "key", KEYFILE_SECRET, errors))
        return false;
    if (read_key(&k, secret_key)) {
        id = node_key_id(secret_key);
        check_id(&k, &id, "key");
    }
    if (keyfile_close(&k, errors))
        return true;
    sodium_memzero(secret_key, 64);
    return false;
}

static void read_certificate(struct keyfile *k, struct edge_identity *identity)
{
    enum certificate_verdict verdict;

    identity->certificate_size = keyfile_base64(
        k, "certificate", identity->certificate, sizeof(identity->certificate));
    if (identity->certificate_size == 0)
        return;
    verdict = certificate_check(
        bytes_of(identity->certificate, identity->certificate_size),
        &identity->mesh, 0, &identity->said);
    if (verdict != CERTIFICATE_GOOD) {
        keyfile_wrong(k, "certificate",
                      "the certificate is not this mesh's: %s",
                      certificate_verdict_name(verdict));
        return;
    }
    check_id(k, &identity->said.node, "certificate");
    if (keyfile_has(k, "name") && keyfile_text(k, "name") != NULL &&
        strcmp(keyfile_text(k, "name"), identity->said.name) != 0)
        keyfile_wrong(k, "name", "`name` is not the certificate's, which is %s",
                      identity->said.name);
}

bool identity_add_relay(struct edge_identity *identity,
                        const struct relay_url *url)
{
    for (size_t i = 0; i < identity->relay_count; i++)
        if (relay_url_equal(&identity->relays[i], url))
            return true;
    if (identity->relay_count == IDENTITY_RELAYS)
        return false;
    identity->relays[identity->relay_count++] = *url;
    return true;
}

static void read_relays(struct keyfile *k, struct edge_identity *identity)
{
    struct keyfile_line *item;
    size_t cursor = 0;

    while ((item = keyfile_item(k, "relays", &cursor)) != NULL) {
        struct relay_url url;
        const char *wrong = relay_url_parse(item->value, &url);

        if (wrong != NULL)
            mistakes_add(&k->mistakes, item->place, "the relay's URL %s",
                         wrong);
        else if (!identity_add_relay(identity, &url))
            mistakes_add(&k->mistakes, item->place, "more than %d relays",
                         IDENTITY_RELAYS);
    }
}

static bool is_ours(const struct edge_identity *identity)
{
    struct node_id id = node_key_id(identity->secret_key);

    return node_id_equal(&id, &identity->said.node);
}

bool identity_peek(const char *path, struct edge_identity *identity,
                   FILE *errors)
{
    struct keyfile k;

    memset(identity, 0, sizeof(*identity));
    if (!keyfile_open(&k, path, "identity", KEYFILE_SECRET, errors))
        return false;
    keyfile_hex(&k, "mesh", identity->mesh.key, KEY_SIZE);
    keyfile_hex(&k, "mesh_secret", identity->mesh_secret.key, KEY_SIZE);
    read_certificate(&k, identity);
    read_relays(&k, identity);
    if (keyfile_has(&k, "key")) {
        identity->has_key = read_key(&k, identity->secret_key);
        if (k.mistakes.count == 0 && !is_ours(identity))
            keyfile_wrong(&k, "key", "`key` is not the certificate's");
    }
    if (keyfile_close(&k, errors))
        return true;
    identity_wipe(identity);
    return false;
}

/* The path of the key beside the identity: alice.zs -> alice.key */
static char *key_beside(const char *path)
{
    size_t size = strlen(path);
    char *beside = memory_new(size + sizeof(".key"));

    if (size > 3 && strcmp(path + size - 3, ".zs") == 0)
        size -= 3;
    memcpy(beside, path, size);
    memcpy(beside + size, ".key", sizeof(".key"));
    return beside;
}

static bool add_key(const char *path, const char *key_path,
                    struct edge_identity *identity, FILE *errors)
{
    if (!node_key_load(key_path, identity->secret_key, errors)) {
        fprintf(errors, "%s: holds no key; the key should be in %s\n", path,
                key_path);
        return false;
    }
    if (!is_ours(identity)) {
        fprintf(errors, "%s: the key in %s is not the certificate's\n", path,
                key_path);
        return false;
    }
    identity->has_key = true;
    return true;
}

bool identity_load(const char *path, const char *key_path,
                   struct edge_identity *identity, FILE *errors)
{
    bool good = true;

    if (!identity_peek(path, identity, errors))
        return false;
    if (key_path != NULL) {
        good = add_key(path, key_path, identity, errors);
    } else if (!identity->has_key) {
        char *beside = key_beside(path);

        good = add_key(path, beside, identity, errors);
        free(beside);
    }
    if (!good)
        identity_wipe(identity);
    return good;
}

const char *identity_print_time(uint64_t unix_seconds,
                                char text[IDENTITY_TIME_SIZE])
{
    time_t seconds = (time_t)unix_seconds;
    struct tm utc;

    /* The format has no years beyond 9999. */
    if (unix_seconds > 253402300799 || gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, IDENTITY_TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &utc) == 0)
        snprintf(text, IDENTITY_TIME_SIZE, "never");
    return text;
}

enum certificate_verdict identity_time(const struct edge_identity *identity,
                                       uint64_t unix_now, char text[static 80])
{
    char time_text[IDENTITY_TIME_SIZE];

    text[0] = '\0';
    if (unix_now < identity->said.not_before) {
        snprintf(text, 80, "the certificate is not valid before %s",
                 identity_print_time(identity->said.not_before, time_text));
        return CERTIFICATE_NOT_YET;
    }
    if (unix_now >= identity->said.not_after) {
        snprintf(text, 80, "the certificate expired on %s",
                 identity_print_time(identity->said.not_after, time_text));
        return CERTIFICATE_EXPIRED;
    }
    return CERTIFICATE_GOOD;
}

static void write_body(struct keytext *t, const struct edge_identity *identity)
{
    char url[RELAY_URL_SIZE], until[IDENTITY_TIME_SIZE];

    keytext_add(t,
                "# ZeroServices identity of %s, valid until %s.\n"
                "# Keep it secret: whoever has this file is %s.\n"
                "kind: identity\nversion: 2\nname: %s\n",
                identity->said.name,
                identity_print_time(identity->said.not_after, until),
                identity->said.name, identity->said.name);
    keytext_hex(t, "id", identity->said.node.key, KEY_SIZE);
    keytext_hex(t, "mesh", identity->mesh.key, KEY_SIZE);
    keytext_base64(t, "certificate",
                   bytes_of(identity->certificate, identity->certificate_size));
    if (identity->has_key)
        keytext_hex(t, "key", identity->secret_key, 32);
    keytext_hex(t, "mesh_secret", identity->mesh_secret.key, KEY_SIZE);
    keytext_add(t, "relays:%s\n", identity->relay_count == 0 ? " []" : "");
    for (size_t i = 0; i < identity->relay_count; i++)
        keytext_add(t, "  - %s\n", relay_url_print(&identity->relays[i], url));
    keytext_sum(t);
}

bool identity_save(const char *path, const struct edge_identity *identity,
                   bool replace, FILE *errors)
{
    struct keytext text = {0};
    bool done;

    write_body(&text, identity);
    done = keyfile_write(path, &text, 0600,
                         replace ? KEYFILE_REPLACE : KEYFILE_NEW, errors);
    keytext_close(&text);
    return done;
}

void identity_wipe(struct edge_identity *identity)
{
    sodium_memzero(identity, sizeof(*identity));
}
