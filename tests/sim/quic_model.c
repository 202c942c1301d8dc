#include "tests/sim/quic_model.h"

#include "common/base/memory.h"

#include <stdlib.h>

enum {
    FIRST_BYTE = 0x40,
    HEADER_SIZE = 1 + 8 + 8,
    CHUNK_HEADER_SIZE = HEADER_SIZE + 8,
    FRAME_HEADER_SIZE = 4,
    WINDOW = 128,      /* chunks that are under way */
    ACKS = 4 * WINDOW, /* that wait to be sent; more are lost */
    SIZE_TRIES = 3,
    BACKOFF_MOST = 6,
};

static const struct span handshake_time = {5 * 1000 * 1000};
static const struct span idle_time = {60 * 1000 * 1000};
static const struct span first_timeout = {333 * 1000};
static const struct span least_timeout = {30 * 1000};

/* A datagram: 0x40 and the kind, the key, the sender's number of the datagram,
 * and what its kind has. */
enum quic_datagram {
    KIND_HELLO, /* zeros up to 1,200 bytes; by the server: the answer */
    KIND_DATA,  /* a chunk's number and its bytes */
    KIND_PING,  /* zeros */
    KIND_ACK,   /* the number of a datagram that came */
    KIND_CLOSE,
};

/* A piece of the stream of bytes. */
struct chunk {
    uint64_t number; /* in the stream */
    uint8_t *data;
    size_t size;
    bool sent, lost, acked;
    uint64_t sent_as; /* the datagram that carried it last */
    struct instant sent_at;
};

struct quic_model {
    struct quic_model_conf conf;
    uint64_t key_in, key_out;
    struct instant began, heard, active;
    bool open, told_open;
    enum { GOES_ON, FAILED, ENDED, CLOSING, OVER } end;
    uint64_t next_datagram, largest_heard;
    /* Sending. */
    struct chunk *chunks; /* from the first that is not acknowledged */
    size_t chunk_count, chunk_room;
    uint64_t next_chunk;
    size_t waiting;
    size_t payload; /* the largest datagram */
    struct span rtt;
    int backoff;
    struct instant sent_last; /* a datagram that awaits an ACK; or NEVER */
    /* Small tasks: what is to be sent, and which datagram did it. */
    bool hello_due, ping_due;
    uint64_t ping_as, try_as; /* 0: none is under way */
    struct instant try_at;    /* the larger size */
    int tries;
    struct span quiet; /* until the next keep-alive */
    /* Receiving. */
    uint64_t acks[ACKS];
    size_t ack_count;
    uint64_t expected;   /* chunk */
    struct chunk *early; /* chunks after that */
    size_t early_count, early_room;
    uint8_t *stream; /* bytes in order, from the first frame's */
    size_t stream_size, stream_room;
    size_t handed; /* bytes of the stream that the caller has */
    uint8_t datagram[QUIC_MODEL_MOST];
};

/* --- keys and datagrams -------------------------------------------------- */

static uint64_t key_of(const struct quic_model_conf *c, bool from_client)
{
    uint8_t text[32 + 64 + 1];
    uint64_t key = 0xcbf29ce484222325;

    memcpy(text, c->secret, 32);
    memcpy(text + 32, c->identity, 64);
    text[96] = from_client;
    for (size_t i = 0; i < sizeof(text); i++)
        key = (key ^ text[i]) * 0x100000001b3;
    return key ^ key >> 29;
}

bool quic_model_key(struct bytes datagram, uint64_t *key)
{
    struct reader r = reader_of(datagram);
    uint8_t first = read_u8(&r);

    *key = read_u64(&r);
    return (first & FIRST_BYTE) != 0 && reader_ok(&r);
}

uint64_t quic_model_takes(const struct quic_model *q)
{
    return q->key_in;
}

struct quic_model *quic_model_new(const struct quic_model_conf *conf,
                                  struct instant now)
{
    struct quic_model *q = memory_new(sizeof(*q));

    q->conf = *conf;
    q->key_in = key_of(conf, !conf->client);
    q->key_out = key_of(conf, conf->client);
    q->began = q->heard = q->active = now;
    q->next_datagram = 1;
    q->payload = QUIC_MODEL_LEAST;
    q->hello_due = conf->client;
    q->sent_last = q->try_at = INSTANT_NEVER;
    return q;
}

static void free_chunks(struct chunk *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i].data);
    free(list);
}

void quic_model_free(struct quic_model **self)
{
    struct quic_model *q = *self;

    if (q == NULL)
        return;
    free_chunks(q->chunks, q->chunk_count);
    free_chunks(q->early, q->early_count);
    free(q->stream);
    free(q);
    *self = NULL;
}

/* --- time ---------------------------------------------------------------- */

static struct span timeout_of(const struct quic_model *q)
{
    struct span once = q->rtt.us == 0
                           ? first_timeout
                           : span_max(span_times(q->rtt, 2), least_timeout);

    return span_times(once, (int64_t)1 << q->backoff);
}

static struct instant keep_alive_at(const struct quic_model *q)
{
    return q->conf.client && q->open ? instant_after(q->active, q->quiet)
                                     : INSTANT_NEVER;
}

struct instant quic_model_deadline(const struct quic_model *q)
{
    struct instant at = instant_after(q->heard, idle_time);

    if (q->end != GOES_ON)
        return INSTANT_NEVER;
    if (!q->open)
        at = instant_after(q->began, handshake_time);
    at = instant_min(at, instant_after(q->sent_last, timeout_of(q)));
    return instant_min(at, instant_min(keep_alive_at(q), q->try_at));
}

/* Nothing was acknowledged in time: the oldest goes again. */
static void timed_out(struct quic_model *q)
{
    q->sent_last = INSTANT_NEVER;
    if (q->backoff < BACKOFF_MOST)
        q->backoff++;
    if (!q->open)
        q->hello_due = true;
    else if (q->ping_as != 0)
        q->ping_due = true;
    for (size_t i = 0, again = 0; i < q->chunk_count && again < 2; i++)
        if (q->chunks[i].sent && !q->chunks[i].acked) {
            q->chunks[i].lost = true;
            again++;
        }
}

void quic_model_due(struct quic_model *q, struct instant now)
{
    if (q->end != GOES_ON)
        return;
    if (!q->open &&
        instant_reached(instant_after(q->began, handshake_time), now))
        q->end = FAILED;
    else if (instant_reached(instant_after(q->heard, idle_time), now))
        q->end = ENDED;
    if (instant_reached(instant_after(q->sent_last, timeout_of(q)), now))
        timed_out(q);
    if (instant_reached(keep_alive_at(q), now))
        q->ping_due = true;
}

/* --- receiving ----------------------------------------------------------- */

static void opens(struct quic_model *q, struct instant now)
{
    if (q->open)
        return;
    q->open = true;
    q->backoff = 0;
    q->sent_last = INSTANT_NEVER;
    q->try_at = instant_after(now, span_ms(200));
    q->quiet = rng_span(&q->conf.rng, span_s(20), span_s(26));
}

static void took_hello(struct quic_model *q, struct instant now)
{
    if (q->conf.client) {
        opens(q, now);
        q->ping_due = true;
    } else if (!q->open) {
        q->hello_due = true;
    }
}

static void append(struct quic_model *q, struct bytes bytes)
{
    size_t size = q->stream_size + bytes.size;

    if (size > q->stream_room) {
        q->stream_room = 2 * size;
        q->stream = memory_resize(q->stream, q->stream_room, 1);
    }
    memcpy(q->stream + q->stream_size, bytes.data, bytes.size);
    q->stream_size = size;
}

static bool append_early(struct quic_model *q)
{
    for (size_t i = 0; i < q->early_count; i++)
        if (q->early[i].number == q->expected) {
            append(q, bytes_of(q->early[i].data, q->early[i].size));
            free(q->early[i].data);
            q->early[i] = q->early[--q->early_count];
            q->expected++;
            return true;
        }
    return false;
}

static bool has_early(const struct quic_model *q, uint64_t number)
{
    for (size_t i = 0; i < q->early_count; i++)
        if (q->early[i].number == number)
            return true;
    return false;
}

static void took_data(struct quic_model *q, struct reader *r)
{
    uint64_t number = read_u64(r);
    struct bytes bytes = read_bytes(r, reader_left(r));

    if (number < q->expected || has_early(q, number))
        return;
    if (number > q->expected) {
        q->early = memory_grow(q->early, q->early_count, &q->early_room,
                               sizeof(*q->early));
        q->early[q->early_count++] =
            (struct chunk){.number = number,
                           .data = memory_copy(bytes.data, bytes.size),
                           .size = bytes.size};
        return;
    }
    append(q, bytes);
    q->expected++;
    while (append_early(q))
        ;
}

static void measured(struct quic_model *q, struct span rtt)
{
    q->rtt = q->rtt.us == 0 ? rtt : span_us((7 * q->rtt.us + rtt.us) / 8);
    if (q->rtt.us == 0)
        q->rtt.us = 1;
}

static void drop_acknowledged(struct quic_model *q)
{
    size_t count = 0;

    while (count < q->chunk_count && q->chunks[count].acked)
        q->waiting -= q->chunks[count++].size;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        free(q->chunks[i].data);
    q->chunk_count -= count;
    memmove(q->chunks, q->chunks + count, q->chunk_count * sizeof(*q->chunks));
}

static bool awaits_ack(const struct quic_model *q)
{
    for (size_t i = 0; i < q->chunk_count && q->chunks[i].sent; i++)
        if (!q->chunks[i].acked && !q->chunks[i].lost)
            return true;
    return q->ping_as != 0;
}

/* What was sent three datagrams earlier and is not acknowledged is lost. */
static void took_ack(struct quic_model *q, uint64_t number, struct instant now)
{
    q->backoff = 0;
    if (number == q->ping_as)
        q->ping_as = 0;
    if (number == q->try_as) {
        q->try_as = 0;
        q->try_at = INSTANT_NEVER;
        q->payload = QUIC_MODEL_MOST;
    }
    for (size_t i = 0; i < q->chunk_count && q->chunks[i].sent; i++) {
        struct chunk *c = &q->chunks[i];

        if (c->sent_as == number && !c->acked) {
            c->acked = true;
            measured(q, instant_between(c->sent_at, now));
        } else if (!c->acked && c->sent_as + 3 <= number) {
            c->lost = true;
        }
    }
    drop_acknowledged(q);
    q->sent_last = awaits_ack(q) ? now : INSTANT_NEVER;
}

/* Whether the datagram comes from where the other end is. */
static bool is_from_peer(struct quic_model *q, const struct address *from,
                         uint64_t number)
{
    if (address_equal(from, &q->conf.remote))
        return true;
    if (q->conf.client)
        return false;
    if (number > q->largest_heard)
        q->conf.remote = *from;
    return true;
}

static void owe_ack(struct quic_model *q, uint64_t number)
{
    if (q->ack_count < ACKS)
        q->acks[q->ack_count++] = number;
}

void quic_model_take(struct quic_model *q, const struct address *from,
                     struct bytes datagram, struct instant now)
{
    struct reader r = reader_of(datagram);
    enum quic_datagram kind =
        (enum quic_datagram)(read_u8(&r) & (FIRST_BYTE - 1));
    uint64_t key = read_u64(&r), number = read_u64(&r);

    if (!reader_ok(&r) || key != q->key_in || q->end != GOES_ON ||
        !is_from_peer(q, from, number))
        return;
    if (number > q->largest_heard)
        q->largest_heard = number;
    q->heard = q->active = now;
    if (kind == KIND_CLOSE) {
        q->end = q->open ? ENDED : FAILED;
        return;
    }
    if (kind == KIND_HELLO) {
        took_hello(q, now);
        return;
    }
    if (!q->conf.client)
        opens(q, now);
    if (!q->open)
        return; /* It overtook the server's HELLO. */
    if (kind == KIND_ACK) {
        took_ack(q, read_u64(&r), now);
        return;
    }
    owe_ack(q, number);
    if (kind == KIND_DATA)
        took_data(q, &r);
}

/* --- sending ------------------------------------------------------------- */

static void add_bytes(struct quic_model *q, struct bytes bytes)
{
    size_t most = q->payload - CHUNK_HEADER_SIZE;

    q->waiting += bytes.size;
    while (bytes.size > 0) {
        struct chunk *last =
            q->chunk_count > 0 ? &q->chunks[q->chunk_count - 1] : NULL;
        size_t part;

        if (last == NULL || last->sent || last->size >= most) {
            q->chunks = memory_grow(q->chunks, q->chunk_count, &q->chunk_room,
                                    sizeof(*q->chunks));
            last = &q->chunks[q->chunk_count++];
            *last = (struct chunk){.number = q->next_chunk++};
            last->data = memory_new(QUIC_MODEL_MOST);
        }
        part = most - last->size < bytes.size ? most - last->size : bytes.size;
        memcpy(last->data + last->size, bytes.data, part);
        last->size += part;
        bytes = bytes_of(bytes.data + part, bytes.size - part);
    }
}

void quic_model_send(struct quic_model *q, struct bytes packet)
{
    uint8_t header[FRAME_HEADER_SIZE];
    struct writer w = writer_of(header, sizeof(header));

    write_u32(&w, (uint32_t)packet.size);
    add_bytes(q, bytes_of(header, sizeof(header)));
    add_bytes(q, packet);
}

size_t quic_model_waiting(const struct quic_model *q)
{
    return q->waiting;
}

void quic_model_close(struct quic_model *q)
{
    if (q->end == GOES_ON)
        q->end = CLOSING;
}

/* Writes a datagram, with zeros up to `least` bytes. */
static bool write(struct quic_model *q, enum quic_datagram kind,
                  uint64_t number, struct bytes bytes, size_t least,
                  struct quic_model_do *todo)
{
    struct writer w = writer_of(q->datagram, sizeof(q->datagram));

    write_u8(&w, (uint8_t)(FIRST_BYTE | kind));
    write_u64(&w, q->key_out);
    write_u64(&w, q->next_datagram++);
    if (kind == KIND_DATA || kind == KIND_ACK)
        write_u64(&w, number);
    write_bytes(&w, bytes);
    while (writer_bytes(&w).size < least)
        write_u8(&w, 0);
    ASSERT(writer_ok(&w));
    *todo = (struct quic_model_do){.action = QUIC_MODEL_DATAGRAM,
                                   .to = q->conf.remote,
                                   .bytes = writer_bytes(&w)};
    return true;
}

/* The datagram awaits an ACK, or an answer. */
static void awaits(struct quic_model *q, struct instant now)
{
    q->active = now;
    if (instant_is_never(q->sent_last) || q->backoff == 0)
        q->sent_last = now;
}

static bool write_small(struct quic_model *q, struct quic_model_do *todo,
                        struct instant now)
{
    if (q->ack_count > 0)
        return write(q, KIND_ACK, q->acks[--q->ack_count], bytes_of(NULL, 0), 0,
                     todo);
    if (q->hello_due) {
        q->hello_due = false;
        awaits(q, now);
        return write(q, KIND_HELLO, 0, bytes_of(NULL, 0), QUIC_MODEL_LEAST,
                     todo);
    }
    if (q->ping_due) {
        q->ping_due = false;
        q->quiet = rng_span(&q->conf.rng, span_s(20), span_s(26));
        q->ping_as = q->next_datagram;
        awaits(q, now);
        return write(q, KIND_PING, 0, bytes_of(NULL, 0), 0, todo);
    }
    if (q->open && instant_reached(q->try_at, now)) {
        q->try_at = ++q->tries < SIZE_TRIES ? instant_after(now, span_s(1))
                                            : INSTANT_NEVER;
        q->try_as = q->next_datagram;
        return write(q, KIND_PING, 0, bytes_of(NULL, 0), QUIC_MODEL_MOST, todo);
    }
    return false;
}

static bool write_chunk(struct quic_model *q, struct quic_model_do *todo,
                        struct instant now)
{
    for (size_t i = 0; q->open && i < q->chunk_count && i < WINDOW; i++) {
        struct chunk *c = &q->chunks[i];

        if (c->acked || (c->sent && !c->lost))
            continue;
        c->sent = true;
        c->lost = false;
        c->sent_as = q->next_datagram;
        c->sent_at = now;
        awaits(q, now);
        return write(q, KIND_DATA, c->number, bytes_of(c->data, c->size), 0,
                     todo);
    }
    return false;
}

/* --- what is to be done -------------------------------------------------- */

static void forget_handed(struct quic_model *q)
{
    q->stream_size -= q->handed;
    memmove(q->stream, q->stream + q->handed, q->stream_size);
    q->handed = 0;
}

static bool next_packet(struct quic_model *q, struct quic_model_do *todo)
{
    struct reader r;
    uint32_t size;

    if (q->handed > 0)
        forget_handed(q);
    if (q->stream_size < FRAME_HEADER_SIZE)
        return false;
    r = reader_of(bytes_of(q->stream, q->stream_size));
    size = read_u32(&r);
    if (size > reader_left(&r))
        return false;
    q->handed = FRAME_HEADER_SIZE + size;
    *todo = (struct quic_model_do){.action = QUIC_MODEL_PACKET,
                                   .bytes = read_bytes(&r, size)};
    return true;
}

static bool next_end(struct quic_model *q, struct quic_model_do *todo)
{
    switch (q->end) {
    case FAILED:
    case ENDED:
        *todo = (struct quic_model_do){
            .action = q->end == FAILED ? QUIC_MODEL_FAILED : QUIC_MODEL_ENDED};
        q->end = OVER;
        return true;
    case CLOSING:
        q->end = OVER;
        return write(q, KIND_CLOSE, 0, bytes_of(NULL, 0), 0, todo);
    case GOES_ON:
    case OVER:
        break;
    }
    return false;
}

bool quic_model_next(struct quic_model *q, struct quic_model_do *todo,
                     struct instant now)
{
    if (q->end == CLOSING || q->end == OVER)
        return next_end(q, todo);
    if (q->open && !q->told_open) {
        q->told_open = true;
        *todo = (struct quic_model_do){.action = QUIC_MODEL_OPENED};
        return true;
    }
    return next_packet(q, todo) || next_end(q, todo) ||
           write_small(q, todo, now) || write_chunk(q, todo, now);
}
