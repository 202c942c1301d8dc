#include "common/wire/record.h"

#include "common/base/utf8.h"
#include "common/wire/certificate.h"

enum {
    DATA_FLAGS = RECORD_FIRST | RECORD_LAST | RECORD_NEXT,
    /* The low bits of a message's first byte; the encoding is above. */
    KIND_BITS = 4,
};

static uint8_t data_type(const struct data_record *d)
{
    return (uint8_t)(RECORD_DATA | (d->first ? RECORD_FIRST : 0) |
                     (d->last ? RECORD_LAST : 0));
}

void data_record_begin(const struct data_record *d, size_t size,
                       struct writer *w)
{
    if (d->next)
        write_u8(w, data_type(d) | RECORD_NEXT);
    else
        data_record_number(d, w);
    if (d->first && !d->last)
        write_varint(w, d->total);
    write_varint(w, size);
}

void data_record_number(const struct data_record *d, struct writer *w)
{
    write_u8(w, data_type(d));
    write_varint(w, d->sequence);
}

static void encode_ack(const struct ack_record *a, struct writer *w)
{
    uint64_t end = a->cumulative;

    ASSERT(a->range_count <= ACK_RANGES);
    write_varint(w, a->cumulative);
    write_varint(w, a->window);
    write_u8(w, a->range_count);
    for (size_t i = 0; i < a->range_count; i++) {
        const struct ack_range *range = &a->ranges[i];

        ASSERT(range->from > end && range->from - end >= 2 &&
               range->to >= range->from);
        write_varint(w, range->from - end - 1);
        write_varint(w, range->to - range->from + 1);
        end = range->to;
    }
}

static void encode_group_ack(const struct group_ack *a, struct writer *w)
{
    write_bytes(w, bytes_of(a->tag, sizeof(a->tag)));
    write_u64(w, a->stream);
    write_varint(w, a->cumulative);
    write_u8(w, (uint8_t)a->state);
}

void record_encode(const struct record *r, struct writer *w)
{
    if (r->type != RECORD_DATA)
        write_u8(w, (uint8_t)r->type);
    switch (r->type) {
    case RECORD_DATA:
        data_record_begin(&r->data, r->data.fragment.size, w);
        write_bytes(w, r->data.fragment);
        break;
    case RECORD_ACK:
        encode_ack(&r->ack, w);
        break;
    case RECORD_PING:
    case RECORD_PONG:
        write_u64(w, r->token);
        break;
    case RECORD_CLOSE:
        write_u8(w, r->reason);
        break;
    case RECORD_GROUP_ACK:
        encode_group_ack(&r->group_ack, w);
        break;
    case RECORD_PUNCH:
        write_varint(w, r->punch.size);
        write_bytes(w, r->punch);
        break;
    }
}

/* The number of a DATA record. It must be left out exactly if it is one more
 * than the one before: each packet has one valid form [P-1.1]. */
static uint64_t read_sequence(struct record_reader *r, bool next)
{
    uint64_t follower = r->sequence > 0 ? r->sequence + 1 : 0;
    uint64_t sequence = next ? follower : read_varint(&r->bytes);

    if (sequence == 0 || next != (sequence == follower))
        reader_fail(&r->bytes);
    r->sequence = sequence;
    return sequence;
}

static void decode_data(struct record_reader *r, uint8_t type,
                        struct data_record *d)
{
    uint64_t size;

    d->first = (type & RECORD_FIRST) != 0;
    d->last = (type & RECORD_LAST) != 0;
    d->next = (type & RECORD_NEXT) != 0;
    d->sequence = read_sequence(r, d->next);
    d->total = d->first && !d->last ? read_varint(&r->bytes) : 0;
    size = read_varint(&r->bytes);
    if (size > reader_left(&r->bytes))
        reader_fail(&r->bytes);
    d->fragment = read_bytes(&r->bytes, (size_t)size);
    if (d->first && d->last)
        d->total = size;
}

/* Decodes the range that follows `end`; the sums must not overflow. */
static void decode_range(struct reader *r, uint64_t end,
                         struct ack_range *range)
{
    uint64_t gap = read_varint(r);
    uint64_t length = read_varint(r);

    if (gap == 0 || length == 0 || gap > UINT64_MAX - end ||
        length > UINT64_MAX - end - gap) {
        reader_fail(r);
        return;
    }
    range->from = end + gap + 1;
    range->to = end + gap + length;
}

static void decode_ack(struct reader *r, struct ack_record *a)
{
    uint64_t end;

    a->cumulative = read_varint(r);
    a->window = read_varint(r);
    a->range_count = read_u8(r);
    if (a->range_count > ACK_RANGES)
        reader_fail(r);
    end = a->cumulative;
    for (size_t i = 0; i < a->range_count && !r->failed; i++) {
        decode_range(r, end, &a->ranges[i]);
        end = a->ranges[i].to;
    }
}

static void decode_group_ack(struct reader *r, struct group_ack *a)
{
    uint8_t state;

    read_copy(r, a->tag, sizeof(a->tag));
    a->stream = read_u64(r);
    a->cumulative = read_varint(r);
    state = read_u8(r);
    if (state > GROUP_ACK_UNKNOWN)
        reader_fail(r);
    a->state = (enum group_ack_state)state;
}

static void decode_punch(struct reader *r, struct bytes *punch)
{
    uint64_t size = read_varint(r);

    if (size > PUNCH_SIZE || size > reader_left(r))
        reader_fail(r);
    else
        *punch = read_bytes(r, (size_t)size);
}

struct record_reader record_reader_of(struct bytes records)
{
    return (struct record_reader){.bytes = reader_of(records)};
}

bool record_reader_done(const struct record_reader *r)
{
    return reader_done(&r->bytes);
}

static void decode_control(struct reader *r, uint8_t type,
                           struct record *record)
{
    record->type = (enum record_type)type;
    switch (type) {
    case RECORD_ACK:
        decode_ack(r, &record->ack);
        break;
    case RECORD_PING:
    case RECORD_PONG:
        record->token = read_u64(r);
        break;
    case RECORD_CLOSE:
        record->reason = read_u8(r);
        break;
    case RECORD_GROUP_ACK:
        decode_group_ack(r, &record->group_ack);
        break;
    case RECORD_PUNCH:
        decode_punch(r, &record->punch);
        break;
    default:
        reader_fail(r);
    }
}

/* Does not clear the record: of an ACK's ranges only the first range_count are
 * valid. */
bool record_next(struct record_reader *r, struct record *record)
{
    uint8_t type;

    if (reader_left(&r->bytes) == 0)
        return false;
    type = read_u8(&r->bytes);
    if ((type & ~DATA_FLAGS) == RECORD_DATA) {
        record->type = RECORD_DATA;
        decode_data(r, type, &record->data);
    } else {
        decode_control(&r->bytes, type, record);
    }
    return reader_ok(&r->bytes);
}

static bool has_reference(enum message_kind kind)
{
    return kind == MESSAGE_REQUEST || kind == MESSAGE_REPLY;
}

static size_t header_size(const struct message *m)
{
    size_t reference = has_reference(m->kind) ? 8 : 0;
    size_t group = m->kind == MESSAGE_EVENT ? 1 + m->group.size : 0;

    return 1 + reference + 1 + m->type.size + group;
}

size_t message_size(const struct message *m)
{
    return header_size(m) + m->data.size;
}

static void encode_header(const struct message *m, struct writer *w)
{
    if (m->type.size < 1 || m->type.size > MESSAGE_TYPE_SIZE ||
        m->group.size > NAME_MAX_SIZE)
        w->failed = true;
    write_u8(w, (uint8_t)(m->kind | m->encoding << KIND_BITS));
    if (has_reference(m->kind))
        write_u64(w, m->reference);
    write_u8(w, (uint8_t)m->type.size);
    write_bytes(w, m->type);
    if (m->kind == MESSAGE_EVENT) {
        write_u8(w, (uint8_t)m->group.size);
        write_bytes(w, m->group);
    }
}

void message_encode_part(const struct message *m, size_t from, size_t size,
                         struct writer *w)
{
    const uint8_t *data = m->data.data;
    size_t header = header_size(m);

    if (from == 0) {
        encode_header(m, w);
        size -= header;
    } else {
        data += from - header;
    }
    write_bytes(w, bytes_of(data, size));
}

void message_encode(const struct message *m, struct writer *w)
{
    message_encode_part(m, 0, message_size(m), w);
}

bool message_decode(struct bytes bytes, struct message *m)
{
    struct reader r = reader_of(bytes);
    uint8_t first = read_u8(&r);
    unsigned kind = first & ((1u << KIND_BITS) - 1);
    unsigned encoding = first >> KIND_BITS;

    if (kind < MESSAGE_SEND || kind > MESSAGE_START ||
        encoding < ENCODING_JSON || encoding > ENCODING_BYTES)
        return false;
    m->kind = (enum message_kind)kind;
    m->encoding = (enum message_encoding)encoding;
    m->reference = has_reference(m->kind) ? read_u64(&r) : 0;
    m->type = read_bytes(&r, read_u8(&r));
    m->group = bytes_of(NULL, 0);
    if (m->kind == MESSAGE_EVENT)
        m->group = read_bytes(&r, read_u8(&r));
    m->data = read_bytes(&r, reader_left(&r));
    return reader_ok(&r) && m->type.size > 0 && utf8_valid(m->type) &&
           (m->group.size == 0 || name_is_valid(m->group));
}
