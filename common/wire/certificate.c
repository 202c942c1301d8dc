#include "common/wire/certificate.h"

#include "common/wire/fields.h"

#include <sodium.h>

static const char label[] = "zs1 certificate";

enum { MAGIC = 0x3143535a }; /* "ZSC1" */

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool name_is_valid(struct bytes name)
{
    if (name.size < 1 || name.size > NAME_MAX_SIZE)
        return false;
    if (name.data[0] == '.' || name.data[0] == '-')
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (!is_name_byte(name.data[i]))
            return false;
    return true;
}

struct bytes certificate_sign(const struct certificate *c,
                              const uint8_t mesh_secret_key[64],
                              uint8_t *buffer)
{
    struct writer w = writer_of(buffer, CERTIFICATE_SIZE);

    ASSERT(name_is_valid(bytes_of_string(c->name)));
    ASSERT(c->group_count <= CERTIFICATE_GROUPS);
    write_u32(&w, MAGIC);
    write_bytes(&w, bytes_of(c->mesh.key, KEY_SIZE));
    write_bytes(&w, bytes_of(c->node.key, KEY_SIZE));
    write_u64(&w, c->not_before);
    write_u64(&w, c->not_after);
    write_name(&w, c->name);
    write_u8(&w, c->group_count);
    for (size_t i = 0; i < c->group_count; i++) {
        ASSERT(name_is_valid(bytes_of_string(c->groups[i])));
        write_name(&w, c->groups[i]);
    }
    write_signature(&w, label, mesh_secret_key);
    ASSERT(writer_ok(&w));
    return writer_bytes(&w);
}

bool certificate_decode(struct bytes bytes, struct certificate *c)
{
    struct reader r = reader_of(bytes);

    memset(c, 0, sizeof(*c));
    if (bytes.size > CERTIFICATE_SIZE || read_u32(&r) != MAGIC)
        return false;
    read_copy(&r, c->mesh.key, KEY_SIZE);
    read_copy(&r, c->node.key, KEY_SIZE);
    c->not_before = read_u64(&r);
    c->not_after = read_u64(&r);
    read_name(&r, c->name);
    c->group_count = read_u8(&r);
    if (c->group_count > CERTIFICATE_GROUPS)
        return false;
    for (size_t i = 0; i < c->group_count; i++)
        read_name(&r, c->groups[i]);
    read_bytes(&r, SIGNATURE_SIZE);
    return reader_done(&r);
}

enum certificate_verdict certificate_check(struct bytes bytes,
                                           const struct mesh_id *mesh,
                                           uint64_t unix_now,
                                           struct certificate *c)
{
    if (!certificate_decode(bytes, c))
        return CERTIFICATE_MALFORMED;
    if (!mesh_id_equal(&c->mesh, mesh))
        return CERTIFICATE_WRONG_MESH;
    if (!signed_labelled(label, bytes, mesh->key))
        return CERTIFICATE_FORGED;
    if (unix_now != 0 && unix_now < c->not_before)
        return CERTIFICATE_NOT_YET;
    if (unix_now != 0 && unix_now >= c->not_after)
        return CERTIFICATE_EXPIRED;
    return CERTIFICATE_GOOD;
}

const char *certificate_verdict_name(enum certificate_verdict verdict)
{
    static const char *const names[] = {
        [CERTIFICATE_GOOD] = "good",
        [CERTIFICATE_MALFORMED] = "malformed",
        [CERTIFICATE_WRONG_MESH] = "wrong_mesh",
        [CERTIFICATE_FORGED] = "forged",
        [CERTIFICATE_NOT_YET] = "not_yet",
        [CERTIFICATE_EXPIRED] = "expired",
    };

    ASSERT((size_t)verdict < sizeof(names) / sizeof(names[0]));
    return names[verdict];
}

bool node_curve_key(const struct node_id *id, struct curve_key *key)
{
    return crypto_sign_ed25519_pk_to_curve25519(key->key, id->key) == 0;
}

bool certificate_allows(const struct certificate *c, struct bytes group)
{
    for (size_t i = 0; i < c->group_count; i++)
        if (bytes_equal(group, bytes_of_string(c->groups[i])))
            return true;
    return c->group_count == 0 || group.size == 0;
}
