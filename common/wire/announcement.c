#include "common/wire/announcement.h"

#include "common/wire/fields.h"

#include <sodium.h>

static const char label[] = "zs1 announcement";

enum {
    MAGIC = 0x3141535a, /* "ZSA1" */
    FLAG_PARTIAL = 1,
    FLAG_AES = 2,
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};

_Static_assert(SEALED_ANNOUNCEMENT_SIZE ==
                   ANNOUNCEMENT_SIZE + NONCE_SIZE + TAG_SIZE,
               "the header tells the sizes by number");

static void write_candidates(struct writer *w, const struct announcement *a)
{
    ASSERT(a->candidate_count <= ANNOUNCEMENT_CANDIDATES);
    write_u8(w, a->candidate_count);
    for (size_t i = 0; i < a->candidate_count; i++) {
        ASSERT(a->candidates[i].address.family != ADDRESS_NONE);
        write_u8(w, (uint8_t)a->candidates[i].kind);
        write_address(w, &a->candidates[i].address);
    }
}

static void write_groups(struct writer *w, const struct announcement *a)
{
    size_t count = a->partial ? 0 : a->group_count;

    ASSERT(count <= ANNOUNCEMENT_GROUPS);
    write_u8(w, (uint8_t)count);
    for (size_t i = 0; i < count; i++)
        write_name(w, a->groups[i]);
}

static void write_info(struct writer *w, const struct announcement *a)
{
    struct bytes info = a->partial ? bytes_of(NULL, 0) : a->info;

    ASSERT(info.size <= ANNOUNCEMENT_INFO_SIZE);
    write_u32(w, (uint32_t)info.size);
    write_bytes(w, info);
}

struct bytes announcement_sign(const struct announcement *a,
                               const uint8_t node_secret_key[64],
                               uint8_t *buffer)
{
    struct writer w = writer_of(buffer, ANNOUNCEMENT_SIZE);

    ASSERT(a->certificate.size <= CERTIFICATE_SIZE);
    write_u32(&w, MAGIC);
    write_u16(&w, (uint16_t)a->certificate.size);
    write_bytes(&w, a->certificate);
    write_u64(&w, a->epoch.value);
    write_u32(&w, a->serial);
    write_u8(&w, (uint8_t)((a->partial ? FLAG_PARTIAL : 0) |
                           (a->aes ? FLAG_AES : 0)));
    write_bytes(&w, bytes_of(a->link_key.key, KEY_SIZE));
    write_u64(&w, a->revocation_serial);
    write_candidates(&w, a);
    write_groups(&w, a);
    write_info(&w, a);
    write_signature(&w, label, node_secret_key);
    ASSERT(writer_ok(&w));
    return writer_bytes(&w);
}

static void read_candidates(struct reader *r, struct announcement *a)
{
    a->candidate_count = read_u8(r);
    if (a->candidate_count > ANNOUNCEMENT_CANDIDATES) {
        reader_fail(r);
        return;
    }
    for (size_t i = 0; i < a->candidate_count; i++) {
        struct candidate *c = &a->candidates[i];
        uint8_t kind = read_u8(r);

        read_address(r, &c->address);
        if (kind < CANDIDATE_HOST || kind > CANDIDATE_STUN ||
            c->address.family == ADDRESS_NONE)
            reader_fail(r);
        else
            c->kind = (enum candidate_kind)kind;
    }
}

static void read_groups(struct reader *r, struct announcement *a)
{
    a->group_count = read_u8(r);
    if (a->group_count > ANNOUNCEMENT_GROUPS) {
        reader_fail(r);
        return;
    }
    for (size_t i = 0; i < a->group_count; i++)
        read_name(r, a->groups[i]);
}

static void read_flags(struct reader *r, struct announcement *a)
{
    uint8_t flags = read_u8(r);

    a->partial = (flags & FLAG_PARTIAL) != 0;
    a->aes = (flags & FLAG_AES) != 0;
    if ((flags & ~(FLAG_PARTIAL | FLAG_AES)) != 0)
        reader_fail(r);
}

bool announcement_decode(struct bytes bytes, struct announcement *a)
{
    struct reader r = reader_of(bytes);

    memset(a, 0, sizeof(*a));
    if (bytes.size > ANNOUNCEMENT_SIZE || read_u32(&r) != MAGIC)
        return false;
    a->certificate = read_bounded(&r, read_u16(&r), CERTIFICATE_SIZE);
    a->epoch.value = read_u64(&r);
    a->serial = read_u32(&r);
    read_flags(&r, a);
    read_copy(&r, a->link_key.key, KEY_SIZE);
    a->revocation_serial = read_u64(&r);
    read_candidates(&r, a);
    read_groups(&r, a);
    a->info = read_bounded(&r, read_u32(&r), ANNOUNCEMENT_INFO_SIZE);
    if (a->partial && (a->group_count > 0 || a->info.size > 0))
        return false;
    read_bytes(&r, SIGNATURE_SIZE);
    return reader_done(&r);
}

bool announcement_signed_by(struct bytes bytes, const struct node_id *node)
{
    return signed_labelled(label, bytes, node->key);
}

struct bytes announcement_seal(struct bytes announcement, const uint8_t key[32],
                               const uint8_t nonce[24], uint8_t *buffer)
{
    ASSERT(announcement.size <= ANNOUNCEMENT_SIZE);
    memcpy(buffer, nonce, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        buffer + NONCE_SIZE, NULL, announcement.data, announcement.size, NULL,
        0, NULL, nonce, key);
    return bytes_of(buffer, NONCE_SIZE + announcement.size + TAG_SIZE);
}

struct bytes announcement_open(struct bytes sealed, const uint8_t key[32],
                               uint8_t *buffer)
{
    unsigned long long size;

    if (sealed.size < NONCE_SIZE + TAG_SIZE ||
        sealed.size > SEALED_ANNOUNCEMENT_SIZE ||
        crypto_aead_xchacha20poly1305_ietf_decrypt(
            buffer, &size, NULL, sealed.data + NONCE_SIZE,
            sealed.size - NONCE_SIZE, NULL, 0, sealed.data, key) != 0)
        return bytes_of(NULL, 0);
    return bytes_of(buffer, (size_t)size);
}
