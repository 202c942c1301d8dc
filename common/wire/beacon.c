#include "common/wire/beacon.h"

#include "common/wire/fields.h"
#include "common/wire/version.h"

#include <sodium.h>

static const char label[] = "zs1 beacon";
static const char magic[] = "ZSB";

enum {
    VERSION_AT = 3,
    VERSION_NONE = '0',
    TAG_AT = 4,
    NONCE_AT = TAG_AT + 8,
    /* The bytes before the nonce are authenticated. */
    SEALED_AT = NONCE_AT + 24,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

static const char *const refusal_names[] = {
    [REFUSAL_NONE] = "none",
    [REFUSAL_WRONG_MESH] = "wrong_mesh",
    [REFUSAL_FORGED] = "forged",
    [REFUSAL_EXPIRED] = "expired",
    [REFUSAL_NOT_YET] = "not_yet",
    [REFUSAL_REVOKED] = "revoked",
    [REFUSAL_NAME_TAKEN] = "name_taken",
    [REFUSAL_VERSION] = "version",
    [REFUSAL_MALFORMED] = "malformed",
    [REFUSAL_KEY_MISMATCH] = "key_mismatch",
    [REFUSAL_REPLACED] = "replaced",
    [REFUSAL_MESH_UNKNOWN] = "mesh_unknown",
    [REFUSAL_FULL] = "full",
    [REFUSAL_NO_PEER] = "no_peer",
    [REFUSAL_QUEUE_FULL] = "queue_full",
    [REFUSAL_TOO_LARGE] = "too_large",
    [REFUSAL_SHUTDOWN] = "shutdown",
};

const char *refusal_name(uint8_t reason)
{
    if (reason >= sizeof(refusal_names) / sizeof(refusal_names[0]))
        return "unknown";
    return refusal_names[reason];
}

enum refusal refusal_of(enum certificate_verdict verdict)
{
    switch (verdict) {
    case CERTIFICATE_GOOD:
        return REFUSAL_NONE;
    case CERTIFICATE_MALFORMED:
        return REFUSAL_MALFORMED;
    case CERTIFICATE_WRONG_MESH:
        return REFUSAL_WRONG_MESH;
    case CERTIFICATE_FORGED:
        return REFUSAL_FORGED;
    case CERTIFICATE_NOT_YET:
        return REFUSAL_NOT_YET;
    case CERTIFICATE_EXPIRED:
        return REFUSAL_EXPIRED;
    }
    return REFUSAL_MALFORMED;
}

void mesh_tag(const struct mesh_id *mesh, uint8_t tag[8])
{
    static const char text[] = "zs1 tag";
    uint8_t hash[32];

    crypto_generichash(hash, sizeof(hash), (const uint8_t *)text,
                       sizeof(text) - 1, mesh->key, sizeof(mesh->key));
    memcpy(tag, hash, 8);
}

/* Encodes what gets sealed: the fields and their signature. */
static struct bytes write_inner(const struct beacon *b,
                                const uint8_t node_secret_key[64],
                                uint8_t *buffer, size_t size)
{
    struct writer w = writer_of(buffer, size);

    write_u8(&w, (uint8_t)b->kind);
    write_u64(&w, b->counter);
    write_u64(&w, b->cookie);
    write_u64(&w, b->echo);
    write_bytes(&w, bytes_of(b->whom.key, KEY_SIZE));
    write_u8(&w, b->reason);
    if (b->version > 1)
        write_u64(&w, b->unix_seconds);
    if (b->announcement.size > UINT16_MAX)
        return bytes_of(NULL, 0);
    write_u16(&w, (uint16_t)b->announcement.size);
    write_bytes(&w, b->announcement);
    write_signature(&w, label, node_secret_key);
    return writer_ok(&w) ? writer_bytes(&w) : bytes_of(NULL, 0);
}

struct bytes beacon_seal(const struct beacon *b, const struct mesh_id *mesh,
                         const uint8_t beacon_key[32], const uint8_t nonce[24],
                         const uint8_t node_secret_key[64], uint8_t *buffer)
{
    uint8_t tag[8];
    struct writer w = writer_of(buffer, SEALED_AT);
    uint8_t *inner = buffer + SEALED_AT;
    struct bytes plain = write_inner(b, node_secret_key, inner,
                                     BEACON_SIZE - SEALED_AT - TAG_SIZE);

    if (plain.size == 0)
        return plain;
    write_bytes(&w, bytes_of(magic, VERSION_AT));
    write_u8(&w, (uint8_t)(VERSION_NONE + b->version));
    mesh_tag(mesh, tag);
    write_bytes(&w, bytes_of(tag, sizeof(tag)));
    write_bytes(&w, bytes_of(nonce, 24));
    crypto_aead_xchacha20poly1305_ietf_encrypt(inner, NULL, inner, plain.size,
                                               buffer, NONCE_AT, NULL, nonce,
                                               beacon_key);
    return bytes_of(buffer, SEALED_AT + plain.size + TAG_SIZE);
}

static bool read_inner(struct bytes plain, struct beacon *b)
{
    struct reader r = reader_of(plain);
    uint8_t kind = read_u8(&r);

    if (kind < BEACON_HERE || kind > BEACON_REFUSE)
        return false;
    b->kind = (enum beacon_kind)kind;
    b->counter = read_u64(&r);
    b->cookie = read_u64(&r);
    b->echo = read_u64(&r);
    read_copy(&r, b->whom.key, KEY_SIZE);
    b->reason = read_u8(&r);
    b->unix_seconds = b->version > 1 ? read_u64(&r) : 0;
    b->announcement = read_bytes(&r, read_u16(&r));
    read_bytes(&r, SIGNATURE_SIZE);
    return reader_done(&r);
}

enum beacon_verdict beacon_open(struct bytes datagram,
                                const struct mesh_id *mesh,
                                const uint8_t beacon_key[32], uint8_t *buffer,
                                struct beacon *b, struct bytes *opened)
{
    struct reader r = reader_of(datagram);
    struct bytes tag, nonce;
    uint8_t ours[8];
    unsigned long long size;

    memset(b, 0, sizeof(*b));
    if (datagram.size < SEALED_AT + TAG_SIZE || datagram.size > BEACON_SIZE ||
        !bytes_equal(read_bytes(&r, VERSION_AT), bytes_of(magic, VERSION_AT)))
        return BEACON_NOT_OURS;
    b->version = (uint8_t)(read_u8(&r) - VERSION_NONE);
    tag = read_bytes(&r, sizeof(ours));
    nonce = read_bytes(&r, 24);
    mesh_tag(mesh, ours);
    if (!bytes_equal(tag, bytes_of(ours, sizeof(ours))))
        return BEACON_WRONG_MESH;
    if (b->version < PROTOCOL_BEFORE || b->version > PROTOCOL_VERSION)
        return BEACON_OTHER_VERSION;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            buffer, &size, NULL, datagram.data + SEALED_AT,
            datagram.size - SEALED_AT, datagram.data, NONCE_AT, nonce.data,
            beacon_key) != 0)
        return BEACON_NOT_AUTHENTIC;
    *opened = bytes_of(buffer, (size_t)size);
    return read_inner(*opened, b) ? BEACON_OPENED : BEACON_NOT_AUTHENTIC;
}

bool beacon_signed_by(struct bytes opened, const struct node_id *node)
{
    return signed_labelled(label, opened, node->key);
}
