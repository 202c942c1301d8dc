#include "common/core/session.h"

#include "common/base/assert.h"
#include "common/base/memory.h"
#include "common/core/session_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct span ask_first = {500 * 1000};
static const struct span ask_longest = {4 * 1000 * 1000};
static const struct span rekey_after = {3600 * (int64_t)1000 * 1000};

void session_init(struct session *s, const struct session_keys *keys,
                  const struct session_limits *limits, struct entropy *entropy,
                  struct session_counters *counters, struct slabs *slabs)
{
    *s = (struct session){
        .keys = *keys,
        .limits = *limits,
        .stream = entropy_u64(entropy),
        .ask_again = INSTANT_NEVER,
        .ask_interval = ask_first,
        .rtt = span_us(-1),
        .handshake_rtt = span_us(-1),
        .progress_at = INSTANT_NEVER,
        .retry_at = INSTANT_NEVER,
        .peer_message = limits->message,
        .peer_window = limits->window,
        .congestion_window = SIZE_MAX,
        .version = keys->version,
        .counters = counters,
    };
    size_t stored = limits->stored;
    outbox_init(&s->outbox, stored > limits->window ? stored : limits->window,
                slabs);
    inbox_init(&s->inbox, limits->message + MESSAGE_HEADER_SIZE);
}

static void keyset_wipe(struct keyset *k)
{
    seal_wipe(&k->seal);
    sodium_memzero(k, sizeof *k);
}

void session_close(struct session *s)
{
    keyset_wipe(&s->current);
    keyset_wipe(&s->previous);
    keyset_wipe(&s->pending);
    outbox_close(&s->outbox);
    inbox_close(&s->inbox);
    free(s->punch);
    sodium_memzero(s, sizeof *s);
}

void session_settle_all(struct session *s, enum session_settled how,
                        const struct session_sink *sink)
{
    uint64_t ref;
    while (outbox_forget(&s->outbox, true, &ref))
        sink->settled(sink->owner, ref, how);
    outbox_renumber(&s->outbox);
}

bool session_has_room(const struct session *s, size_t message_size)
{
    return outbox_has_room(&s->outbox, message_size);
}

bool session_submit(struct session *s, const struct message *m, uint64_t ref,
                    struct instant now)
{
    bool waits = outbox_is_waiting(&s->outbox);
    if (!outbox_has_room(&s->outbox, message_size(m)) ||
        !outbox_put(&s->outbox, m, ref))
        return false;
    if (!waits)
        s->progress_at = now;
    return true;
}

bool session_ping(struct session *s, uint64_t token)
{
    if (s->ping_count == SESSION_PINGS)
        return false;
    s->pings[s->ping_count++] = token;
    return true;
}

bool session_group_ack(struct session *s, const struct group_ack *ack)
{
    size_t i = 0;
    while (i < s->group_ack_count &&
           (s->group_acks[i].stream != ack->stream ||
            memcmp(s->group_acks[i].tag, ack->tag, sizeof ack->tag) != 0))
        i++;
    if (i == SESSION_GROUP_ACKS)
        return false;
    s->group_acks[i] = *ack;
    if (i == s->group_ack_count)
        s->group_ack_count++;
    return true;
}

static void drop_punch(struct session *s)
{
    free(s->punch);
    s->punch = NULL;
}

static bool peer_takes_punches(const struct session *s)
{
    return (s->current.peer_offers & SESSION_UDP) != 0;
}

void session_punch(struct session *s, struct bytes punch)
{
    ASSERT(punch.size <= PUNCH_SIZE);
    drop_punch(s);
    if (s->current.live && !peer_takes_punches(s))
        return;
    s->punch = memory_copy(punch.data, punch.size);
    s->punch_size = punch.size;
}

/* --- handshake ---------------------------------------------------------- */

/* What is believed of the keys, whatever the peer does. */
static void check_keys(const struct session *s)
{
    ASSERT(s->established || !s->current.live);
    ASSERT(s->current.live || !s->previous.live);
    ASSERT(!s->pending.live || !s->pending.asked);
}

static void enter(struct session *s, enum session_handshake to)
{
    check_keys(s);
    if (to == HANDSHAKE_WANTED)
        ASSERT(s->handshake == HANDSHAKE_IDLE && s->current.live);
    if (to == HANDSHAKE_ASKED)
        ASSERT(s->asking_version != 0 &&
               (!s->current.live || s->asking_index != s->current.index));
    s->handshake = to;
}

static bool has_something_to_say(const struct session *s)
{
    return outbox_has_next(&s->outbox, SIZE_MAX) ||
           outbox_is_waiting(&s->outbox) || s->ping_count > 0 ||
           s->group_ack_count > 0 || s->punch != NULL;
}

static bool is_due_for_rekey(const struct session *s, struct instant now)
{
    return s->current.live && s->current.asked &&
           (instant_reached(instant_after(s->current.since, rekey_after),
                            now) ||
            seal_is_worn(&s->current.seal));
}

/* The peer has our ACCEPT, or will send its INIT again: no INIT of ours is
 * needed until then. */
static struct instant confirm_by(const struct session *s)
{
    if (!s->pending.live)
        return (struct instant){INT64_MIN};
    return instant_after(s->pending.since, ask_first);
}

bool session_wants_handshake(const struct session *s, struct instant now)
{
    if (s->handshake != HANDSHAKE_IDLE)
        return instant_reached(s->ask_again, now);
    if (s->current.live)
        return is_due_for_rekey(s, now);
    return has_something_to_say(s) && instant_reached(confirm_by(s), now);
}

struct instant session_deadline(const struct session *s)
{
    if (s->handshake != HANDSHAKE_IDLE)
        return s->ask_again;
    if (s->current.live && s->current.asked)
        return instant_after(s->current.since, rekey_after);
    if (!s->current.live && s->pending.live && has_something_to_say(s))
        return confirm_by(s);
    return INSTANT_NEVER;
}

void session_ask_soon(struct session *s, struct instant now)
{
    s->ask_interval = ask_first;
    if (s->handshake != HANDSHAKE_IDLE)
        s->ask_again = now;
}

/* Binds both identities and their roles into the handshake [P-6.2]. */
static struct bytes prologue(const struct node_id *initiator,
                             const struct node_id *responder, uint8_t *buffer)
{
    struct writer w = writer_of(buffer, 3 + 2 * KEY_SIZE);
    write_bytes(&w, bytes_of("zs1", 3));
    write_bytes(&w, bytes_of(initiator->key, KEY_SIZE));
    write_bytes(&w, bytes_of(responder->key, KEY_SIZE));
    return writer_bytes(&w);
}

static uint32_t new_index(struct session *s, struct entropy *entropy)
{
    uint32_t index;
    do {
        index = (uint32_t)entropy_u64(entropy);
    } while (index == s->current.index || index == s->previous.index ||
             index == s->pending.index);
    return index;
}

/* A peer that speaks only the version before does not answer a later one. So
 * while its version is unknown, INITs try both in turn. */
static uint8_t version_to_ask(struct session *s)
{
    if (s->version != 0)
        return s->version;
    return s->unanswered++ % 2 == 0 ? PROTOCOL_VERSION : PROTOCOL_BEFORE;
}

bool session_ask(struct session *s, struct entropy *entropy, struct instant now,
                 struct writer *w)
{
    uint8_t ephemeral[32], names[3 + 2 * KEY_SIZE],
        payload[SESSION_PAYLOAD_SIZE];
    entropy_fill(entropy, ephemeral, sizeof ephemeral);
    noise_start_initiator(
        &s->noise, s->keys.self, &s->keys.peer_key, s->keys.psk,
        prologue(&s->keys.self_id, &s->keys.peer_id, names), ephemeral);
    sodium_memzero(ephemeral, sizeof ephemeral);

    s->asking_version = version_to_ask(s);
    struct writer p = writer_of(payload, sizeof payload);
    write_u8(&p, s->asking_version);
    write_u64(&p, s->keys.self_epoch.value);
    write_u64(&p, s->keys.peer_epoch.value);
    write_u64(&p, ++*s->keys.ask_counter);
    write_u64(&p, s->stream);
    write_u64(&p, s->established ? s->peer_stream : 0);
    write_u64(&p, s->limits.window);
    write_u64(&p, s->limits.message);
    write_u8(&p, s->keys.offers);

    s->asking_index = new_index(s, entropy);
    enter(s, HANDSHAKE_ASKED);
    s->asked_at = now;
    s->ask_again = instant_after(now, s->ask_interval);
    s->ask_interval = span_min(span_times(s->ask_interval, 2), ask_longest);
    write_u8(w, PACKET_INIT);
    write_u32(w, s->asking_index);
    return noise_write_1(&s->noise, writer_bytes(&p), w);
}

struct offer {
    uint8_t version;
    struct epoch epoch, to_epoch;
    uint64_t counter, stream, known_stream, window, message;
    uint8_t offers;
};

/* The fields that every version has [P-1.3]. */
static bool offer_begin(struct reader *r, struct offer *o)
{
    o->version = read_u8(r);
    o->epoch.value = read_u64(r);
    o->to_epoch.value = read_u64(r);
    o->counter = read_u64(r);
    return reader_ok(r);
}

static bool offer_decode(struct bytes payload, struct offer *o)
{
    struct reader r = reader_of(payload);
    if (!offer_begin(&r, o))
        return false;
    if (version_agreed(PROTOCOL_VERSION, o->version) == 0)
        return true;
    o->stream = read_u64(&r);
    o->known_stream = read_u64(&r);
    o->window = read_u64(&r);
    o->message = read_u64(&r);
    o->offers = read_u8(&r);
    return version_is_later(o->version) ? reader_ok(&r) : reader_done(&r);
}

/* False if a relay replayed the INIT: it is then of another process, or its
 * counter is not larger [P-6.3]. */
static bool offer_is_new(const struct session *s, const struct offer *o)
{
    return o->epoch.value == s->keys.peer_epoch.value &&
           o->to_epoch.value == s->keys.self_epoch.value &&
           o->counter > *s->keys.taken_counter;
}

/* This node has sent an INIT too, and has the smaller id: that INIT goes on
 * [P-6.2]. */
static bool ours_goes_first(const struct session *s)
{
    return s->handshake != HANDSHAKE_IDLE &&
           memcmp(s->keys.self_id.key, s->keys.peer_id.key, KEY_SIZE) < 0;
}

/* Both ends get the same result. The handshake authenticates both offers, so
 * nobody in between can force the weaker cipher. */
static enum cipher agree_on_cipher(const struct session *s, uint8_t theirs)
{
    return s->keys.offers & theirs & SESSION_AES ? CIPHER_AES : CIPHER_CHACHA;
}

/* The first key of a handshake is for packets of its initiator. */
static void take_keys(struct session *s, struct keyset *k, uint8_t offers,
                      const struct noise *noise)
{
    uint8_t initiator[32], responder[32];
    noise_split(noise, initiator, responder);
    seal_wipe(&k->seal); /* left by a handshake that was not completed */
    seal_init(&k->seal, agree_on_cipher(s, offers),
              k->asked ? initiator : responder,
              k->asked ? responder : initiator);
    sodium_memzero(initiator, sizeof initiator);
    sodium_memzero(responder, sizeof responder);
    k->peer_offers = offers;
    k->live = true;
}

/*
 * Decides what happens to the streams when the initiator proves that it has the
 * new keys: they go on if both sides know the same pair, current or pending.
 * Returns true if the initiator must begin its streams anew.
 */
static bool agree_on_streams(struct session *s, const struct offer *o,
                             struct entropy *entropy)
{
    struct keyset *p = &s->pending;
    p->peer_window = o->window;
    p->peer_message = o->message;
    if (s->established && o->stream == s->peer_stream &&
        o->known_stream == s->stream) {
        p->stream = s->stream;
        p->peer_stream = s->peer_stream;
        p->fresh = false;
        return false;
    }
    if (p->stream != 0 && o->stream == p->peer_stream &&
        o->known_stream == p->stream)
        return false; /* p->fresh stays: this side must still begin anew */
    p->stream = entropy_u64(entropy) | 1;
    p->peer_stream = o->stream;
    p->fresh = true;
    return true;
}

static bool accept(struct session *s, struct bytes packet,
                   const struct offer *offer, struct noise *noise,
                   struct entropy *entropy, struct instant now,
                   struct writer *w)
{
    uint8_t version = version_agreed(PROTOCOL_VERSION, offer->version);
    *s->keys.taken_counter = offer->counter;
    s->version = version;
    enter(s, HANDSHAKE_IDLE); /* The peer's handshake goes on, ours ends. */

    struct keyset *k = &s->pending;
    bool fresh = agree_on_streams(s, offer, entropy);
    k->index = new_index(s, entropy);
    struct reader r = reader_of(packet);
    (void)read_u8(&r);
    k->peer_index = read_u32(&r);
    k->since = now;
    k->asked = false;

    uint8_t payload[SESSION_PAYLOAD_SIZE];
    struct writer p = writer_of(payload, sizeof payload);
    write_u8(&p, version);
    write_u64(&p, s->keys.self_epoch.value);
    write_u64(&p, k->stream);
    write_u8(&p, fresh);
    write_u64(&p, s->limits.window);
    write_u64(&p, s->limits.message);
    write_u8(&p, s->keys.offers);
    write_u8(w, PACKET_ACCEPT);
    write_u32(w, k->index);
    write_u32(w, k->peer_index);
    if (!noise_write_2(noise, writer_bytes(&p), w))
        return false;
    take_keys(s, k, offer->offers, noise);
    return true;
}

/* Opens an INIT; false if it is forged, replayed or from another process. */
static bool open_offer(const struct session *s, struct bytes packet,
                       struct entropy *entropy, struct noise *noise,
                       struct offer *offer)
{
    uint8_t ephemeral[32], names[3 + 2 * KEY_SIZE];
    uint8_t payload[SESSION_PAYLOAD_SIZE];
    size_t size;
    entropy_fill(entropy, ephemeral, sizeof ephemeral);
    noise_start_responder(noise, s->keys.self, s->keys.psk,
                          prologue(&s->keys.peer_id, &s->keys.self_id, names),
                          ephemeral);
    sodium_memzero(ephemeral, sizeof ephemeral);
    struct bytes message = bytes_of(packet.data + 5, packet.size - 5);
    return noise_read_1(noise, message, payload, &size) &&
           memcmp(noise->peer_static, s->keys.peer_key.key, KEY_SIZE) == 0 &&
           offer_decode(bytes_of(payload, size), offer) &&
           offer_is_new(s, offer);
}

enum session_greeting session_take_init(struct session *s, struct bytes packet,
                                        struct entropy *entropy,
                                        struct instant now, struct writer *w)
{
    struct noise noise;
    struct offer offer = {0};
    if (packet.size < 5 + NOISE_1_OVERHEAD || packet.size > SESSION_INIT_SIZE)
        return SESSION_IGNORED;
    if (!open_offer(s, packet, entropy, &noise, &offer)) {
        noise_wipe(&noise);
        return SESSION_IGNORED;
    }
    uint8_t version = version_agreed(PROTOCOL_VERSION, offer.version);
    if (version == 0 || ours_goes_first(s)) {
        noise_wipe(&noise);
        return version == 0 ? SESSION_UNSPOKEN : SESSION_IGNORED;
    }
    bool ok = accept(s, packet, &offer, &noise, entropy, now, w);
    noise_wipe(&noise);
    return ok ? SESSION_ACCEPTED : SESSION_IGNORED;
}

/* Both streams begin at 1 again: messages sent and not acknowledged end as
 * NOT_DELIVERED, the others stay queued. */
static void start_afresh(struct session *s, const struct session_sink *sink)
{
    uint64_t ref;
    while (outbox_forget(&s->outbox, false, &ref))
        sink->settled(sink->owner, ref, SESSION_NOT_DELIVERED);
    outbox_renumber(&s->outbox);
    inbox_begin(&s->inbox, 1);
}

void session_put_in_force(struct session *s, struct keyset *k,
                          struct instant now, const struct session_sink *sink)
{
    ASSERT(k->live && k->asked == (k != &s->pending));
    keyset_wipe(&s->previous);
    s->previous = s->current;
    s->handshake_rtt = instant_between(k->asked ? s->asked_at : k->since, now);
    if (k->fresh) {
        start_afresh(s, sink);
        /* Packets under the old keys number the records of the old streams. */
        keyset_wipe(&s->previous);
    }
    s->current = *k;
    sodium_memzero(k, sizeof *k);
    keyset_wipe(&s->pending);
    s->established = true;
    s->stream = s->current.stream;
    s->peer_stream = s->current.peer_stream;
    s->peer_window = s->current.peer_window;
    s->peer_message = s->current.peer_message;
    if (!peer_takes_punches(s))
        drop_punch(s);
    enter(s, HANDSHAKE_IDLE);
    s->ask_interval = ask_first;
    session_rewind(s);
    s->progress_at = now;
    s->counters->handshakes++;
    s->counters->handshakes_aes += s->current.seal.send.cipher == CIPHER_AES;
}

bool session_take_accept(struct session *s, struct bytes packet,
                         struct instant now, const struct session_sink *sink)
{
    if (s->handshake != HANDSHAKE_ASKED || packet.size < 9 + NOISE_2_OVERHEAD ||
        packet.size > SESSION_ACCEPT_SIZE)
        return false;
    struct reader r = reader_of(packet);
    (void)read_u8(&r);
    struct keyset k = {.asked = true, .since = now};
    k.peer_index = read_u32(&r);
    k.index = read_u32(&r);
    if (k.index != s->asking_index)
        return false;
    /* A copy, so that a forged ACCEPT does not spoil the handshake for the true
     * one. */
    struct noise noise = s->noise;
    uint8_t payload[SESSION_PAYLOAD_SIZE], offers = 0, version = 0;
    size_t size;
    bool ok =
        noise_read_2(&noise, read_bytes(&r, reader_left(&r)), payload, &size);
    if (ok) {
        struct reader p = reader_of(bytes_of(payload, size));
        version = read_u8(&p);
        ok = version <= s->asking_version &&
             version_agreed(s->asking_version, version) != 0 &&
             read_u64(&p) == s->keys.peer_epoch.value;
        k.stream = s->stream;
        k.peer_stream = read_u64(&p);
        k.fresh = read_u8(&p) != 0;
        k.peer_window = read_u64(&p);
        k.peer_message = read_u64(&p);
        offers = read_u8(&p);
        ok = ok && reader_done(&p);
    }
    if (ok) {
        s->version = version;
        take_keys(s, &k, offers, &noise);
        session_put_in_force(s, &k, now, sink);
        s->confirm_due = true;
        noise_wipe(&s->noise);
    }
    noise_wipe(&noise);
    return ok;
}

void session_take_reset(struct session *s, struct bytes packet,
                        struct instant now)
{
    struct reader r = reader_of(packet);
    (void)read_u8(&r);
    uint32_t index = read_u32(&r);
    if (!reader_done(&r) || !s->current.live || index != s->current.peer_index)
        return;
    /* A RESET may be forged, so it is only a hint: the keys stay until a new
     * handshake gives others. The pause limits how often RESETs can cause an
     * INIT, even from a liar that completes each handshake. */
    if (s->handshake == HANDSHAKE_IDLE) {
        enter(s, HANDSHAKE_WANTED);
        s->ask_again =
            instant_max(now, instant_after(s->current.since, ask_first));
    }
}
