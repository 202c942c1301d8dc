#include "common/wire/multicast.h"

void multicast_header_encode(const struct multicast_packet *m, struct writer *w)
{
    write_u8(w, PACKET_MULTICAST);
    write_bytes(w, bytes_of(m->tag.bytes, GROUP_TAG_SIZE));
    write_u32(w, m->key);
    write_u64(w, m->number);
}

bool multicast_decode(struct bytes packet, bool by_relay,
                      struct multicast_packet *m)
{
    struct reader r = reader_of(packet);
    size_t tail = by_relay ? SIGNATURE_SIZE : 0;

    memset(m, 0, sizeof(*m));
    if (read_u8(&r) != PACKET_MULTICAST)
        return false;
    read_copy(&r, m->tag.bytes, GROUP_TAG_SIZE);
    m->key = read_u32(&r);
    m->number = read_u64(&r);
    if (reader_left(&r) < MULTICAST_SEAL_SIZE + tail)
        return false;
    m->header = bytes_of(packet.data, MULTICAST_HEADER_SIZE);
    m->sealed = read_bytes(&r, reader_left(&r) - tail);
    m->signed_part = bytes_of(packet.data, packet.size - tail);
    if (by_relay)
        m->signature = r.at;
    return m->key != 0 && m->number != 0;
}

void group_start_encode(const struct group_start *s, struct writer *w)
{
    write_bytes(w, bytes_of(s->tag.bytes, GROUP_TAG_SIZE));
    write_u64(w, s->stream);
    write_u32(w, s->key_id);
    write_u8(w, s->aes);
    write_bytes(w, bytes_of(s->key, sizeof(s->key)));
    write_u64(w, s->record);
    write_u64(w, s->message);
    write_u64(w, s->since);
}

bool group_start_decode(struct bytes data, struct group_start *s)
{
    struct reader r = reader_of(data);

    memset(s, 0, sizeof(*s));
    read_copy(&r, s->tag.bytes, GROUP_TAG_SIZE);
    s->stream = read_u64(&r);
    s->key_id = read_u32(&r);
    uint8_t cipher = read_u8(&r);
    s->aes = cipher == 1;
    read_copy(&r, s->key, sizeof(s->key));
    s->record = read_u64(&r);
    s->message = read_u64(&r);
    s->since = read_u64(&r);
    return reader_done(&r) && s->key_id != 0 && cipher <= 1 &&
           (s->record == 0) == (s->message == 0) &&
           (s->record == 0) == (s->since == 0) && s->since <= s->message;
}
