#include "common/conf/mesh_folder.h"

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/keyfile.h"
#include "common/conf/mesh_folder_private.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *folder, const char *name, const char *suffix)
{
    size_t size = strlen(folder) + 1 + strlen(name) + strlen(suffix) + 1;
    char *path = memory_new(size);

    snprintf(path, size, "%s/%s%s", folder, name, suffix);
    return path;
}

char *mesh_folder_path(const struct mesh_folder *m, const char *name,
                       const char *suffix)
{
    return join(m->path, name, suffix);
}

static bool save_key(const struct mesh_folder *m, enum keyfile_writing writing,
                     FILE *errors)
{
    struct keytext text = {0};
    char *path = mesh_folder_path(m, "mesh", ".key");
    char url[RELAY_URL_SIZE];
    bool done;

    keytext_add(&text,
                "# The ZeroServices mesh %s. Keep this file safe and "
                "secret: anyone who has it can add and revoke members.\n"
                "kind: mesh\n"
                "version: 2\n"
                "name: %s\n",
                m->name, m->name);
    keytext_hex(&text, "id", m->id.key, KEY_SIZE);
    keytext_hex(&text, "key", m->key, 32);
    keytext_hex(&text, "mesh_secret", m->secret.key, KEY_SIZE);
    keytext_add(&text, "relays:%s\n", m->relay_count == 0 ? " []" : "");
    for (size_t i = 0; i < m->relay_count; i++)
        keytext_add(&text, "  - %s\n", relay_url_print(&m->relays[i], url));
    keytext_sum(&text);
    done = keyfile_write(path, &text, 0600, writing, errors);
    keytext_close(&text);
    free(path);
    return done;
}

bool mesh_folder_save_issued(const struct mesh_folder *m, FILE *errors)
{
    struct keytext text = {0};
    char *path = mesh_folder_path(m, "issued", ".yaml");
    bool done;

    keytext_add(&text,
                "# Issued by the mesh %s: name, node id, valid until "
                "(Unix seconds), state.\n"
                "kind: issued\nversion: 2\n",
                m->name);
    keytext_hex(&text, "mesh", m->id.key, KEY_SIZE);
    keytext_add(&text, "nodes:%s\n", m->issued_count == 0 ? " []" : "");
    for (size_t i = 0; i < m->issued_count; i++) {
        const struct issued *issued = &m->issued[i];
        char id[2 * KEY_SIZE + 1];

        hex_encode(bytes_of(issued->id.key, KEY_SIZE), id);
        keytext_add(&text, "  - %s %s %" PRIu64 " %s\n", issued->name, id,
                    issued->not_after,
                    issued->revoked ? "revoked"
                    : issued->begun ? "begun"
                                    : "valid");
    }
    keytext_sum(&text);
    done = keyfile_write(path, &text, 0644, KEYFILE_REPLACE, errors);
    keytext_close(&text);
    free(path);
    return done;
}

bool mesh_folder_create(const char *path, const char *name, struct mesh_id *id,
                        FILE *errors)
{
    struct mesh_folder m = {.path = memory_string(path), .lock = -1};
    uint8_t seed[32];
    bool done;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        fprintf(errors, "%s: %s\n", path, strerror(errno));
        free(m.path);
        return false;
    }
    snprintf(m.name, sizeof(m.name), "%s", name);
    randombytes_buf(seed, sizeof(seed));
    crypto_sign_seed_keypair(m.id.key, m.key, seed);
    randombytes_buf(m.secret.key, sizeof(m.secret.key));
    done = save_key(&m, KEYFILE_NEW, errors);
    *id = m.id;
    sodium_memzero(seed, sizeof(seed));
    mesh_folder_close(&m);
    return done;
}

static void read_relays(struct keyfile *k, struct mesh_folder *m)
{
    struct keyfile_line *item;
    size_t cursor = 0;

    while ((item = keyfile_item(k, "relays", &cursor)) != NULL) {
        const char *wrong;

        if (m->relay_count == IDENTITY_RELAYS) {
            mistakes_add(&k->mistakes, item->place, "more than %d relays",
                         IDENTITY_RELAYS);
            break;
        }
        wrong = relay_url_parse(item->value, &m->relays[m->relay_count]);
        if (wrong != NULL)
            mistakes_add(&k->mistakes, item->place, "the relay's URL %s",
                         wrong);
        else
            m->relay_count++;
    }
}

bool mesh_key_load(const char *path, struct mesh_folder *m, FILE *errors)
{
    struct keyfile k;
    uint8_t seed[32], said[32];
    const char *name;
    bool good = keyfile_open(&k, path, "mesh", KEYFILE_SECRET, errors);

    if (good) {
        name = keyfile_text(&k, "name");
        snprintf(m->name, sizeof(m->name), "%s", name != NULL ? name : "");
        keyfile_hex(&k, "key", seed, sizeof(seed));
        crypto_sign_seed_keypair(m->id.key, m->key, seed);
        sodium_memzero(seed, sizeof(seed));
        if (keyfile_hex(&k, "id", said, sizeof(said)) &&
            memcmp(said, m->id.key, sizeof(said)) != 0)
            keyfile_wrong(&k, "id", "`id` does not match the key");
        keyfile_hex(&k, "mesh_secret", m->secret.key, KEY_SIZE);
        read_relays(&k, m);
        good = keyfile_close(&k, errors);
    }
    return good;
}

static bool read_issued(const char *text, struct issued *issued)
{
    char id[2 * KEY_SIZE + 2], until[20], state[8], end;

    if (sscanf(text, "%63s %65s %19[0-9] %7s%c", issued->name, id, until, state,
               &end) != 4)
        return false;
    issued->not_after = strtoull(until, NULL, 10);
    issued->revoked = strcmp(state, "revoked") == 0;
    issued->begun = strcmp(state, "begun") == 0;
    return (issued->revoked || issued->begun || strcmp(state, "valid") == 0) &&
           hex_decode(id, issued->id.key, KEY_SIZE);
}

void mesh_folder_append(struct mesh_folder *m, const struct issued *issued)
{
    m->issued =
        memory_resize(m->issued, m->issued_count + 1, sizeof(*m->issued));
    m->issued[m->issued_count++] = *issued;
}

static bool load_issued(struct mesh_folder *m, FILE *errors)
{
    char *path = mesh_folder_path(m, "issued", ".yaml");
    struct keyfile k;
    struct keyfile_line *item;
    struct mesh_id mesh;
    size_t cursor = 0;
    bool good = true;

    if (access(path, F_OK) == 0) { /* else nothing was issued yet */
        good = keyfile_open(&k, path, "issued", KEYFILE_PUBLIC, errors);
        if (good && keyfile_hex(&k, "mesh", mesh.key, KEY_SIZE) &&
            !mesh_id_equal(&mesh, &m->id))
            keyfile_wrong(&k, "mesh", "the list is another mesh's");
        while (good && (item = keyfile_item(&k, "nodes", &cursor)) != NULL) {
            struct issued issued = {0};

            if (read_issued(item->value, &issued))
                mesh_folder_append(m, &issued);
            else
                mistakes_add(&k.mistakes, item->place,
                             "wants a name, an id, a time and a state");
        }
        good = good && keyfile_close(&k, errors);
    }
    free(path);
    return good;
}

static bool load_key(struct mesh_folder *m, FILE *errors)
{
    char *path = mesh_folder_path(m, "mesh", ".key");
    bool good = mesh_key_load(path, m, errors);

    free(path);
    return good;
}

bool mesh_folder_open(struct mesh_folder *m, const char *path, FILE *errors)
{
    memset(m, 0, sizeof(*m));
    m->path = memory_string(path);
    m->lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (m->lock < 0 || flock(m->lock, LOCK_EX) != 0)
        fprintf(errors, "%s: %s\n", path, strerror(errno));
    else if (load_key(m, errors) && load_issued(m, errors)) {
        keyfile_sweep(m->path);
        return true;
    }
    mesh_folder_close(m);
    return false;
}

void mesh_folder_close(struct mesh_folder *m)
{
    if (m->path != NULL && m->lock >= 0)
        close(m->lock);
    free(m->path);
    free(m->issued);
    sodium_memzero(m, sizeof(*m));
}

struct issued *mesh_folder_named(const struct mesh_folder *m, const char *name)
{
    for (size_t i = 0; i < m->issued_count; i++)
        if (!m->issued[i].revoked && strcmp(m->issued[i].name, name) == 0)
            return &m->issued[i];
    return NULL;
}

struct issued *mesh_folder_find(const struct mesh_folder *m,
                                const struct node_id *id)
{
    for (size_t i = 0; i < m->issued_count; i++)
        if (node_id_equal(&m->issued[i].id, id))
            return &m->issued[i];
    return NULL;
}

bool mesh_folder_add_relay(struct mesh_folder *m, const struct relay_url *url,
                           FILE *errors)
{
    for (size_t i = 0; i < m->relay_count; i++)
        if (relay_url_equal(&m->relays[i], url))
            return true;
    if (m->relay_count == IDENTITY_RELAYS) {
        fprintf(errors, "%s/mesh.key: already has %d relays, the maximum\n",
                m->path, IDENTITY_RELAYS);
        return false;
    }
    m->relays[m->relay_count++] = *url;
    return save_key(m, KEYFILE_REPLACE, errors);
}
