#include "common/core/session.h"

#include "common/core/detector.h"
#include "common/core/session_private.h"

#include <stdlib.h>

static const struct span suspect_shortest = {400 * 1000};
static const struct span stall_shortest = {1000 * 1000};
static const struct span stall_longest = {8 * 1000 * 1000};
/* A peer that was silent for longer was perhaps cut off. */
static const struct span cut_off = {500 * 1000};

static const struct span refused_pause = {100 * 1000};

enum {
    /* The largest size of everything that precedes the data records in a
     * packet. */
    CONTROL_SIZE = 1 + 10 + 10 + 1 + 2 * SESSION_PINGS * (1 + 8) +
                   SESSION_GROUP_ACKS * GROUP_ACK_SIZE,
    PUNCH_OVERHEAD = 1 + 2,
    PLAIN_HEADER_SIZE = 5,
    SEALED_HEADER_SIZE = 13,
    /* The least that may be in flight, and the growth for each window that is
     * acknowledged. */
    WINDOW_STEP = 32 * 1024,
};

_Static_assert(CONTROL_SIZE + RECORD_DATA_OVERHEAD + RECORD_FRAGMENT_SIZE <=
                   (int)PACKET_RECORDS_SIZE,
               "a packet must hold any record, whatever is due with it");
_Static_assert(PLAIN_HEADER_SIZE + CONTROL_SIZE <= (int)OUTBOX_PREFIX_SIZE,
               "all that goes before the messages has room where they lie");

/* --- receiving ---------------------------------------------------------- */

static void measure(struct session *s, uint64_t cumulative, struct instant now)
{
    if (s->timed_sequence == 0 || cumulative < s->timed_sequence)
        return;
    s->rtt = rtt_smooth(s->rtt, instant_between(s->timed_at, now));
    s->timed_sequence = 0;
}

/* The smallest of both ends' limits and the congestion window. */
static size_t window_of(const struct session *s)
{
    size_t own = s->congestion_window < s->limits.window ? s->congestion_window
                                                         : s->limits.window;
    return s->peer_window < own ? (size_t)s->peer_window : own;
}

/* Each window that is acknowledged adds a step to the congestion window. */
static void widen(struct session *s, size_t acknowledged)
{
    if (s->congestion_window >= s->limits.window)
        s->congestion_window = SIZE_MAX;
    else
        s->congestion_window +=
            WINDOW_STEP * acknowledged / s->congestion_window;
}

static void take_ack(struct session *s, const struct ack_record *ack,
                     struct instant now, const struct session_sink *sink)
{
    uint64_t before = s->outbox.base;
    size_t stored = s->outbox.bytes;
    uint64_t ref;
    while (outbox_acknowledge(&s->outbox, ack->cumulative, &ref))
        sink->settled(sink->owner, ref, SESSION_DELIVERED);
    s->peer_window = ack->window;
    measure(s, ack->cumulative, now);
    if (s->outbox.base != before) {
        s->progress_at = now;
        s->stalls = 0;
        widen(s, stored - s->outbox.bytes);
    }
}

static bool take_data(struct session *s, const struct data_record *data,
                      const struct session_sink *sink)
{
    struct bytes message;
    s->ack_due = true;
    switch (inbox_take(&s->inbox, data, &message)) {
    case INBOX_TAKEN:
    case INBOX_GAP:
        return true;
    case INBOX_DUPLICATE:
        s->counters->records_duplicate++;
        return true;
    case INBOX_MESSAGE:
        sink->message(sink->owner, message);
        return true;
    case INBOX_VIOLATION:
        return false;
    }
    return false;
}

static bool take_record(struct session *s, const struct record *record,
                        struct instant now, const struct session_sink *sink)
{
    switch (record->type) {
    case RECORD_DATA:
        return take_data(s, &record->data, sink);
    case RECORD_ACK:
        take_ack(s, &record->ack, now, sink);
        return true;
    case RECORD_PING:
        if (s->pong_count < SESSION_PINGS)
            s->pongs[s->pong_count++] = record->token;
        return true;
    case RECORD_PONG:
        sink->pong(sink->owner, record->token);
        return true;
    case RECORD_GROUP_ACK:
        sink->group_ack(sink->owner, &record->group_ack);
        return true;
    case RECORD_PUNCH:
        if (sink->punch != NULL)
            sink->punch(sink->owner, record->punch);
        return true;
    case RECORD_CLOSE:
        return true; /* CLOSE has no effect: links and relays carry BYE. */
    }
    return false;
}

static struct keyset *find_keyset(struct session *s, uint32_t index)
{
    struct keyset *sets[] = {&s->current, &s->pending, &s->previous};
    for (size_t i = 0; i < 3; i++)
        if (sets[i]->live && sets[i]->index == index)
            return sets[i];
    return NULL;
}

/* Finds the keys by the packet's index and decrypts it; *records are the
 * decrypted bytes. */
static enum session_verdict open_packet(struct session *s, uint8_t *packet,
                                        size_t size, struct keyset **keyset,
                                        struct bytes *records)
{
    struct reader r = reader_of(bytes_of(packet, size));
    bool sealed = read_u8(&r) == PACKET_SEALED;
    uint32_t index = read_u32(&r);
    uint64_t number = sealed ? read_u64(&r) : 0;
    if (!reader_ok(&r))
        return SESSION_DROPPED;
    struct keyset *k = find_keyset(s, index);
    if (k == NULL)
        return SESSION_UNKNOWN;
    *keyset = k;
    if (!sealed) {
        *records = bytes_of(r.at, reader_left(&r));
        return SESSION_TAKEN;
    }
    uint8_t *data = packet + SEALED_HEADER_SIZE;
    struct bytes ciphertext = bytes_of(data, size - SEALED_HEADER_SIZE);
    if (ciphertext.size < SEAL_TAG_SIZE ||
        seal_open(&k->seal, number, bytes_of(packet, SEALED_HEADER_SIZE),
                  ciphertext, data) != SEAL_OPENED)
        return SESSION_DROPPED;
    *records = bytes_of(data, ciphertext.size - SEAL_TAG_SIZE);
    return SESSION_TAKEN;
}

/* The peer is back from a silence, in which what was sent is lost: that is sent
 * again now, and not only when the next stall is over. */
static void notice_return(struct session *s, struct instant now)
{
    if (s->stalls > 0 && instant_between(s->heard_at, now).us >= cut_off.us)
        s->retry_at = now;
    s->heard_at = now;
}

enum session_verdict session_take(struct session *s, uint8_t *packet,
                                  size_t size, struct instant now,
                                  const struct session_sink *sink)
{
    struct keyset *keyset;
    struct bytes records;
    enum session_verdict verdict =
        open_packet(s, packet, size, &keyset, &records);
    if (verdict != SESSION_TAKEN)
        return verdict;
    if (keyset == &s->pending)
        session_put_in_force(s, keyset, now, sink);
    notice_return(s, now);
    struct record_reader r = record_reader_of(records);
    struct record record;
    while (record_next(&r, &record))
        if (!take_record(s, &record, now, sink))
            return SESSION_VIOLATION;
    return record_reader_done(&r) ? SESSION_TAKEN : SESSION_VIOLATION;
}

/* --- writing ------------------------------------------------------------ */

bool session_has_output(const struct session *s)
{
    return s->current.live &&
           (s->ack_due || s->confirm_due || s->ping_count > 0 ||
            s->pong_count > 0 || s->group_ack_count > 0 || s->punch != NULL ||
            outbox_has_next(&s->outbox, window_of(s)));
}

size_t session_write_size(const struct session *s)
{
    size_t records = s->punch != NULL
                         ? CONTROL_SIZE + PUNCH_OVERHEAD + s->punch_size
                         : CONTROL_SIZE + (size_t)outbox_unsent(&s->outbox);
    if (records > PACKET_RECORDS_SIZE)
        records = PACKET_RECORDS_SIZE;
    return PACKET_OVERHEAD + records;
}

bool session_only_acknowledges(const struct session *s)
{
    return s->current.live && s->ack_due && !s->confirm_due &&
           s->ping_count == 0 && s->pong_count == 0 &&
           s->group_ack_count == 0 && s->punch == NULL &&
           !outbox_has_next(&s->outbox, window_of(s));
}

static void write_token(struct writer *w, enum record_type type, uint64_t token)
{
    record_encode(&(struct record){.type = type, .token = token}, w);
}

static void write_ack(const struct session *s, struct writer *w)
{
    struct record ack = {.type = RECORD_ACK};
    ack.ack.cumulative = inbox_cumulative(&s->inbox);
    ack.ack.window = s->limits.window;
    record_encode(&ack, w);
}

static void write_group_acks(const struct session *s, struct writer *w)
{
    for (size_t i = 0; i < s->group_ack_count; i++)
        record_encode(&(struct record){.type = RECORD_GROUP_ACK,
                                       .group_ack = s->group_acks[i]},
                      w);
}

static void write_control(struct session *s, struct writer *w)
{
    if (s->ack_due || s->confirm_due) {
        write_ack(s, w);
        s->ack_due = false;
        s->confirm_due = false;
    }
    for (size_t i = 0; i < s->pong_count; i++)
        write_token(w, RECORD_PONG, s->pongs[i]);
    for (size_t i = 0; i < s->ping_count; i++)
        write_token(w, RECORD_PING, s->pings[i]);
    write_group_acks(s, w);
    s->pong_count = 0;
    s->ping_count = 0;
    s->group_ack_count = 0;
}

/* Takes the next data records that fit `room` bytes, and keeps the counters. */
static struct outbox_row take_row(struct session *s, struct instant now,
                                  size_t room)
{
    bool was_waiting = outbox_is_waiting(&s->outbox);
    struct outbox_row row = outbox_take(&s->outbox, room, window_of(s));
    size_t fresh = row.records - row.resent;
    s->counters->records_sent += row.records;
    s->counters->records_resent += row.resent;
    if (s->timed_sequence == 0 && fresh > 0) {
        s->timed_sequence = s->outbox.next - fresh;
        s->timed_at = now;
    }
    if (!was_waiting && outbox_is_waiting(&s->outbox))
        s->progress_at = now;
    return row;
}

/* Writes the packet's header; returns where the records begin. */
static uint8_t *begin_packet(struct session *s, bool sealed, struct writer *w)
{
    write_u8(w, sealed ? PACKET_SEALED : PACKET_PLAIN);
    write_u32(w, s->current.peer_index);
    if (sealed)
        write_u64(w, seal_number(&s->current.seal));
    return w->at;
}

/* Seals `plain` to `records`, the place in `w` behind the header. `plain` may
 * be there already. */
static void seal_to(struct session *s, struct bytes plain, uint8_t *records,
                    struct writer *w)
{
    w->at = records;
    (void)write_room(w, plain.size + SEAL_TAG_SIZE);
    ASSERT(writer_ok(w));
    seal_close(&s->current.seal,
               bytes_of(records - SEALED_HEADER_SIZE, SEALED_HEADER_SIZE),
               plain, records);
}

static void end_packet(struct session *s, bool sealed, uint8_t *records,
                       struct writer *w)
{
    ASSERT(writer_ok(w));
    if (sealed)
        seal_to(s, bytes_of(records, (size_t)(w->at - records)), records, w);
}

/* True if the next data records need no copy: their packet can be made in the
 * slab. */
static bool is_lent(const struct session *s)
{
    return s->punch == NULL && outbox_has_next(&s->outbox, window_of(s)) &&
           outbox_is_at_front(&s->outbox, BLOCK_WORTH);
}

/* Like session_write, but seals from the slab straight into `w`. */
static void write_lent(struct session *s, struct instant now, struct writer *w)
{
    uint8_t buffer[OUTBOX_PREFIX_SIZE];
    struct writer before = writer_of(buffer, sizeof buffer);
    uint8_t *records = begin_packet(s, true, w);
    write_control(s, &before);
    struct outbox_row row = take_row(s, now, SIZE_MAX);
    seal_to(s, outbox_row_join(&row, writer_bytes(&before)), records, w);
}

bool session_lend(struct session *s, struct instant now, struct bytes *packet,
                  struct block **block)
{
    uint8_t buffer[OUTBOX_PREFIX_SIZE];
    struct writer before = writer_of(buffer, sizeof buffer);
    if (!s->current.live || !is_lent(s))
        return false;
    (void)begin_packet(s, false, &before);
    write_control(s, &before);
    struct outbox_row row = take_row(s, now, SIZE_MAX);
    *packet = outbox_row_join(&row, writer_bytes(&before));
    *block = &row.slab->block;
    return true;
}

static void write_punch(struct session *s, struct writer *w)
{
    struct bytes punch = bytes_of(s->punch, s->punch_size);
    record_encode(&(struct record){.type = RECORD_PUNCH, .punch = punch}, w);
    free(s->punch);
    s->punch = NULL;
}

bool session_write(struct session *s, bool sealed, struct instant now,
                   struct writer *w)
{
    if (!session_has_output(s))
        return false;
    if (sealed && is_lent(s) && writer_left(w) >= session_write_size(s)) {
        write_lent(s, now, w);
        return true;
    }
    uint8_t *records = begin_packet(s, sealed, w);
    size_t tail = sealed ? SEAL_TAG_SIZE : 0;
    write_control(s, w);
    if (s->punch != NULL) {
        write_punch(s, w);
        end_packet(s, sealed, records, w);
        return true; /* Messages go in the next packet. */
    }
    size_t room = writer_left(w) > tail ? writer_left(w) - tail : 0;
    struct outbox_row row = take_row(s, now, room);
    outbox_row_write(&row, w);
    end_packet(s, sealed, records, w);
    return true;
}

bool session_write_ack(struct session *s, bool sealed, struct writer *w)
{
    if (!s->current.live)
        return false;
    uint8_t *records = begin_packet(s, sealed, w);
    write_ack(s, w);
    write_group_acks(s, w); /* The session's own path carries them too. */
    end_packet(s, sealed, records, w);
    return true;
}

/* --- retransmission ----------------------------------------------------- */

void session_rewind(struct session *s)
{
    outbox_rewind(&s->outbox);
    s->timed_sequence = 0; /* An acknowledgement could be for either copy. */
    /* The acknowledgement may be lost too, and the peer does not ask for it. */
    if (inbox_cumulative(&s->inbox) > 0)
        s->ack_due = true;
}

/* The relay may refuse many packets of one window: halve only once. */
static void halve(struct session *s)
{
    size_t in_flight = s->outbox.in_flight_bytes;
    if (instant_is_never(s->retry_at))
        s->congestion_window =
            in_flight / 2 > WINDOW_STEP ? in_flight / 2 : WINDOW_STEP;
}

void session_refused(struct session *s, bool full, struct instant now)
{
    if (!outbox_is_waiting(&s->outbox))
        return;
    if (full)
        halve(s);
    s->retry_at = instant_min(s->retry_at, instant_after(now, refused_pause));
}

void session_path_changed(struct session *s, struct instant now)
{
    s->congestion_window = SIZE_MAX;
    s->progress_at = now;
    session_rewind(s);
    session_ask_soon(s, now);
}

struct instant session_suspect_path_at(const struct session *s, struct span rtt)
{
    if (!outbox_is_waiting(&s->outbox) || !s->current.live)
        return INSTANT_NEVER;
    struct span wait = span_max(suspect_shortest, span_times(rtt, 4));
    return instant_after(s->progress_at, wait);
}

struct instant session_stall_at(const struct session *s)
{
    if (!outbox_is_waiting(&s->outbox))
        return INSTANT_NEVER;
    struct span wait = stall_shortest;
    if (s->rtt.us >= 0)
        wait = span_max(wait, span_times(s->rtt, 4));
    for (int i = 0; i < s->stalls && wait.us < stall_longest.us; i++)
        wait = span_times(wait, 2);
    return instant_min(s->retry_at, instant_after(s->progress_at, wait));
}

void session_stalled(struct session *s, struct instant now)
{
    s->stalls++;
    s->progress_at = now;
    s->retry_at = INSTANT_NEVER;
    session_rewind(s);
}
