#include "edge/core/inflow.h"

#include <sodium.h>
#include <string.h>

/* From a packet to its acknowledgement: after a pause, and within a continuous
 * stream by a relay or by a direct link. A cut direct link shows only by
 * acknowledgements that get no answer, so these are more frequent. */
static const struct span delay_first = {50 * 1000};
static const struct span delay_later = {400 * 1000};
static const struct span delay_direct = {100 * 1000};
/* The stream is continuous if the next packet comes within this time. */
static const struct span rest = {200 * 1000};
/* The shortest time between two reports of a gap or duplicate. */
static const struct span complain_after = {20 * 1000};
/* For so long after a report or a probe the sender repairs at the pace of the
 * acknowledgements, so none of them waits longer. */
static const struct span quick_for = {1000 * 1000};

/* An acknowledgement is due at once after so many bytes: after a pause, and
 * within a continuous stream; and after 1/WINDOW_PART of the sender's store. */
enum { BYTES_FIRST = 256 * 1024, BYTES_LATER = 1024 * 1024, WINDOW_PART = 4 };

void inflow_init(struct inflow *in, const struct group_start *start,
                 const struct inflow_conf *conf)
{
    uint64_t share = conf->sender_window / WINDOW_PART;

    *in = (struct inflow){
        .tag = start->tag,
        .stream = start->stream,
        .next_message = start->since,
        .share = share < SIZE_MAX ? (size_t)share : SIZE_MAX,
        .came_at = {INT64_MIN},
        .quick_until = {INT64_MIN},
        .acknowledge_at = INSTANT_NEVER,
        .acknowledged_at = {INT64_MIN},
    };
    inbox_init(&in->inbox, conf->message_limit + MESSAGE_HEADER_SIZE);
}

void inflow_close(struct inflow *in)
{
    inbox_close(&in->inbox);
    aead_wipe(&in->ready);
    sodium_memzero(in, sizeof(*in));
}

static void keep_key(struct inflow *in, const struct group_start *start)
{
    struct inflow_key *k = &in->keys[start->key_id % INFLOW_KEYS];

    if (k->id > start->key_id)
        return;
    k->id = start->key_id;
    k->aes = start->aes;
    in->ready_id = 0;
    memcpy(k->key, start->key, sizeof(k->key));
}

void inflow_start(struct inflow *in, const struct group_start *start,
                  struct instant now, const struct inflow_sink *sink)
{
    keep_key(in, start);
    in->acknowledge_at = now;
    if (start->record == 0) {
        in->quick_until = instant_after(now, quick_for); /* May be a probe. */
        return;
    }
    if (in->left && start->since > in->next_message)
        in->next_message = start->since; /* Sent while it was not a member. */
    in->left = false;
    if (start->record <= inbox_cumulative(&in->inbox) + 1)
        return; /* No records are skipped. */
    inbox_begin(&in->inbox, start->record);
    in->next_record = start->record;
    in->skipping = false;
    if (start->message > in->next_message)
        sink->gap(sink->owner, start->message - in->next_message);
    in->next_message = start->message;
}

static void message_ended(struct inflow *in, const struct data_record *last)
{
    in->next_message++;
    in->next_record = last->sequence + 1;
}

/* Skips the records of a message that is too large. True: skipped. */
static bool skip(struct inflow *in, const struct data_record *r,
                 const struct inflow_sink *sink)
{
    if (r->sequence != inbox_cumulative(&in->inbox) + 1)
        return false;
    if (r->first)
        in->skipping = r->total > in->inbox.limit;
    if (!in->skipping)
        return false;
    inbox_pass(&in->inbox);
    if (r->last) {
        in->skipping = false;
        message_ended(in, r);
        sink->gap(sink->owner, 1);
    }
    return true;
}

static bool take_record(struct inflow *in, const struct data_record *r,
                        const struct inflow_sink *sink)
{
    struct bytes message;

    if (skip(in, r, sink))
        return true;
    switch (inbox_take(&in->inbox, r, &message)) {
    case INBOX_TAKEN:
        return true;
    case INBOX_MESSAGE:
        message_ended(in, r);
        sink->message(sink->owner, message);
        return true;
    case INBOX_GAP:
        in->missing = true;
        in->hurry = true;
        return true;
    case INBOX_DUPLICATE:
        in->hurry = true;
        return true;
    case INBOX_VIOLATION:
        return false;
    }
    return false;
}

/* Whether the acknowledgement may wait: the stream is continuous, and the
 * sender is not repairing. The sender needs it only to free its store, and one
 * sender reads the acknowledgements of many receivers. */
static bool goes_on(const struct inflow *in, struct instant now)
{
    return instant_is_recent(in->came_at, rest, now) &&
           instant_reached(in->quick_until, now);
}

/* A packet brought nothing new, or came after a gap: the sender must know soon
 * or it wastes more packets; but one report for each packet is too many. */
static struct instant complain_at(struct inflow *in, struct instant now)
{
    in->later = false;
    in->quick_until = instant_after(now, quick_for);
    return instant_max(now, instant_after(in->acknowledged_at, complain_after));
}

static struct span delay(const struct inflow *in,
                         const struct multicast_packet *m)
{
    if (!in->later)
        return delay_first;
    return m->signature == NULL ? delay_direct : delay_later;
}

static void owe(struct inflow *in, const struct multicast_packet *m,
                struct instant now)
{
    if (in->unacknowledged == 0)
        in->later = goes_on(in, now);
    in->came_at = now;
    in->unacknowledged += m->sealed.size;
    struct span wait = delay(in, m);
    size_t most = in->later ? BYTES_LATER : BYTES_FIRST;
    if (in->unacknowledged >= most || in->unacknowledged >= in->share)
        wait = span_us(0);
    struct instant at = instant_after(now, wait);
    if (in->hurry)
        at = complain_at(in, now);
    in->acknowledge_at = instant_min(in->acknowledge_at, at);
}

/* Prepares the cipher for the key, unless the last packet used the same. */
static bool ready_key(struct inflow *in, uint32_t id)
{
    const struct inflow_key *k = &in->keys[id % INFLOW_KEYS];

    if (k->id != id)
        return false;
    if (in->ready_id == id)
        return true;
    aead_wipe(&in->ready);
    aead_init(&in->ready, k->aes ? CIPHER_AES : CIPHER_CHACHA, k->key);
    in->ready_id = id;
    return true;
}

enum inflow_verdict inflow_take(struct inflow *in,
                                const struct multicast_packet *m,
                                struct instant now,
                                const struct inflow_sink *sink)
{
    uint8_t *content = (uint8_t *)(uintptr_t)m->sealed.data;

    if (!ready_key(in, m->key))
        return INFLOW_NO_KEY;
    if (!group_open(m, &in->ready, content))
        return INFLOW_FORGED;
    struct record_reader r = record_reader_of(
        bytes_of(content, m->sealed.size - MULTICAST_SEAL_SIZE));
    struct record record;
    while (record_next(&r, &record))
        if (record.type != RECORD_DATA || !take_record(in, &record.data, sink))
            return INFLOW_VIOLATION;
    owe(in, m, now);
    return record_reader_done(&r) ? INFLOW_TAKEN : INFLOW_VIOLATION;
}

void inflow_path_changed(struct inflow *in, struct instant now)
{
    in->later = false;
    if (in->unacknowledged > 0)
        in->acknowledge_at =
            instant_min(in->acknowledge_at, instant_after(now, delay_first));
}

struct instant inflow_deadline(const struct inflow *in)
{
    return in->acknowledge_at;
}

struct group_ack inflow_acknowledge(struct inflow *in, struct instant now)
{
    struct group_ack ack = {
        .stream = in->stream,
        .cumulative = inbox_cumulative(&in->inbox),
        .state = in->missing ? GROUP_ACK_MISSING : GROUP_ACK_GOOD,
    };

    memcpy(ack.tag, in->tag.bytes, sizeof(ack.tag));
    in->missing = false;
    in->hurry = false;
    in->unacknowledged = 0;
    in->acknowledged_at = now;
    in->acknowledge_at = INSTANT_NEVER;
    return ack;
}
