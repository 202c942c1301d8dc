#include "common/wire/notice.h"

#include "common/wire/announcement.h"
#include "common/wire/fields.h"

static const char label[] = "zs1 notice";

enum { MAGIC = 0x3152535a /* "ZSR1" */ };

_Static_assert(SEALED_NOTICE_SIZE ==
                   NOTICE_SIZE + SEALED_ANNOUNCEMENT_SIZE - ANNOUNCEMENT_SIZE,
               "the header tells the size by number");

struct bytes notice_seal(const struct notice *m, const uint8_t key[32],
                         const uint8_t nonce[24],
                         const uint8_t node_secret_key[64], uint8_t *buffer)
{
    uint8_t plain[NOTICE_SIZE];
    struct writer w = writer_of(plain, sizeof plain);

    write_u32(&w, MAGIC);
    write_u8(&w, m->reason);
    write_bytes(&w, bytes_of(m->whom.key, KEY_SIZE));
    write_u64(&w, m->whom_epoch.value);
    write_u64(&w, m->epoch.value);
    write_u64(&w, m->counter);
    write_u64(&w, m->unix_seconds);
    write_signature(&w, label, node_secret_key);
    ASSERT(writer_ok(&w));
    return announcement_seal(writer_bytes(&w), key, nonce, buffer);
}

bool notice_open(struct bytes sealed, const uint8_t key[32], uint8_t *buffer,
                 struct notice *m, struct bytes *opened)
{
    if (sealed.size != SEALED_NOTICE_SIZE)
        return false;
    *opened = announcement_open(sealed, key, buffer);
    struct reader r = reader_of(*opened);
    bool magic = read_u32(&r) == MAGIC;
    m->reason = read_u8(&r);
    read_copy(&r, m->whom.key, KEY_SIZE);
    m->whom_epoch.value = read_u64(&r);
    m->epoch.value = read_u64(&r);
    m->counter = read_u64(&r);
    m->unix_seconds = read_u64(&r);
    (void)read_bytes(&r, SIGNATURE_SIZE);
    return reader_done(&r) && magic;
}

bool notice_signed_by(struct bytes opened, const struct node_id *node)
{
    return signed_labelled(label, opened, node->key);
}
