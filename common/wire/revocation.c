#include "common/wire/revocation.h"

#include "common/wire/fields.h"

static const char label[] = "zs1 revocation";

enum { MAGIC = 0x3152535a }; /* "ZSR1" */

_Static_assert(REVOCATION_SIZE - SIGNATURE_SIZE <= SIGNED_SIZE,
               "the largest list can be signed");

struct bytes revocation_sign(const struct revocation *r,
                             const uint8_t mesh_secret_key[64], uint8_t *buffer)
{
    struct writer w = writer_of(buffer, REVOCATION_SIZE);

    ASSERT(r->count <= REVOCATION_NODES);
    write_u32(&w, MAGIC);
    write_bytes(&w, bytes_of(r->mesh.key, KEY_SIZE));
    write_u64(&w, r->serial);
    write_u32(&w, r->count);
    write_bytes(&w, bytes_of(r->nodes, (size_t)r->count * KEY_SIZE));
    write_signature(&w, label, mesh_secret_key);
    ASSERT(writer_ok(&w));
    return writer_bytes(&w);
}

bool revocation_check(struct bytes bytes, struct revocation *r)
{
    struct reader in = reader_of(bytes);

    memset(r, 0, sizeof(*r));
    if (bytes.size > REVOCATION_SIZE || read_u32(&in) != MAGIC)
        return false;
    read_copy(&in, r->mesh.key, KEY_SIZE);
    r->serial = read_u64(&in);
    r->count = read_u32(&in);
    if (r->count > REVOCATION_NODES)
        return false;
    r->nodes = read_bytes(&in, (size_t)r->count * KEY_SIZE).data;
    read_bytes(&in, SIGNATURE_SIZE);
    return reader_done(&in) && signed_labelled(label, bytes, r->mesh.key);
}

bool revocation_has(const struct revocation *r, const struct node_id *node)
{
    for (size_t i = 0; i < r->count; i++)
        if (memcmp(r->nodes + i * KEY_SIZE, node->key, KEY_SIZE) == 0)
            return true;
    return false;
}
