#include "common/wire/packet.h"

#include "common/wire/fields.h"

const char *departure_name(enum departure reason)
{
    switch (reason) {
    case DEPARTURE_CLOSED:
        return "closed";
    case DEPARTURE_LOST:
    case DEPARTURE_SILENT:
        return "lost";
    case DEPARTURE_REVOKED:
        return "revoked";
    case DEPARTURE_REFUSED:
        return "refused";
    }
    return "unknown";
}

void relay_hello_encode(const struct relay_hello *h, struct writer *w)
{
    if (h->certificate.size > CERTIFICATE_SIZE ||
        h->sealed.size > SEALED_ANNOUNCEMENT_SIZE)
        w->failed = true;
    write_u8(w, RELAY_HELLO);
    write_u8(w, h->version);
    write_u16(w, (uint16_t)h->certificate.size);
    write_bytes(w, h->certificate);
    write_u64(w, h->epoch.value);
    write_u32(w, h->lost_after_ms);
    write_u64(w, h->revocation_serial);
    write_u32(w, (uint32_t)h->sealed.size);
    write_bytes(w, h->sealed);
}

bool relay_hello_decode(struct bytes packet, struct relay_hello *h)
{
    struct reader r = reader_of(packet);

    memset(h, 0, sizeof(*h));
    if (read_u8(&r) != RELAY_HELLO)
        return false;
    h->version = read_u8(&r);
    h->certificate = read_bounded(&r, read_u16(&r), CERTIFICATE_SIZE);
    h->epoch.value = read_u64(&r);
    h->lost_after_ms = read_u32(&r);
    h->revocation_serial = read_u64(&r);
    h->sealed = read_bounded(&r, read_u32(&r), SEALED_ANNOUNCEMENT_SIZE);
    return version_is_later(h->version) ? reader_ok(&r) : reader_done(&r);
}

/* The relay's name goes into logs unchanged, so it must be printable ASCII. */
static void read_relay_name(struct reader *r, char name[NAME_MAX_SIZE + 1])
{
    struct bytes bytes = read_bounded(r, read_u8(r), NAME_MAX_SIZE);

    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e)
            reader_fail(r);
        name[i] = (char)bytes.data[i];
    }
}

void relay_welcome_encode(const struct relay_welcome *m, struct writer *w)
{
    write_u8(w, RELAY_WELCOME);
    write_u8(w, m->version);
    write_u64(w, m->boot);
    write_name(w, m->name);
    write_address(w, &m->outside);
    write_u64(w, m->revocation_serial);
}

bool relay_welcome_decode(struct bytes packet, struct relay_welcome *m)
{
    struct reader r = reader_of(packet);

    memset(m, 0, sizeof(*m));
    if (read_u8(&r) != RELAY_WELCOME)
        return false;
    m->version = read_u8(&r);
    m->boot = read_u64(&r);
    read_relay_name(&r, m->name);
    read_address(&r, &m->outside);
    m->revocation_serial = read_u64(&r);
    return reader_done(&r);
}

void relay_certificate_encode(const struct relay_tls *t, struct writer *w)
{
    ASSERT(t->end != RELAY_TLS_UNTOLD);
    write_u8(w, RELAY_CERTIFICATE);
    if (t->end == RELAY_TLS_HERE)
        write_bytes(w, bytes_of(t->hash, sizeof(t->hash)));
}

bool relay_certificate_decode(struct bytes packet, struct relay_tls *t)
{
    struct reader r = reader_of(packet);

    memset(t, 0, sizeof(*t));
    if (read_u8(&r) != RELAY_CERTIFICATE)
        return false;
    t->end = reader_left(&r) == 0 ? RELAY_TLS_BEFORE : RELAY_TLS_HERE;
    if (t->end == RELAY_TLS_HERE)
        read_copy(&r, t->hash, sizeof(t->hash));
    return reader_done(&r);
}

void roster_entry_encode(const struct roster_entry *e, struct writer *w)
{
    if (e->sealed.size > SEALED_ANNOUNCEMENT_SIZE)
        w->failed = true;
    write_bytes(w, bytes_of(e->node.key, KEY_SIZE));
    write_u64(w, e->epoch.value);
    write_u32(w, (uint32_t)e->sealed.size);
    write_bytes(w, e->sealed);
}

bool roster_entry_next(struct reader *r, struct roster_entry *e)
{
    memset(e, 0, sizeof(*e));
    if (reader_left(r) == 0)
        return false;
    read_copy(r, e->node.key, KEY_SIZE);
    e->epoch.value = read_u64(r);
    e->sealed = read_bounded(r, read_u32(r), SEALED_ANNOUNCEMENT_SIZE);
    return reader_ok(r);
}
