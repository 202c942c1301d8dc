#include "edge/core/receiver.h"

#include "common/base/memory.h"

#include <stdlib.h>

/* How long a receiver may be silent before it is probed: by a relay, on a
 * direct path, and at most [P-9.8]. */
static const struct span stall_shortest = {400 * 1000};
static const struct span stall_direct = {250 * 1000};
static const struct span stall_longest = {8 * 1000 * 1000};
/* In a continuous stream by a relay the peer delays its acknowledgement by
 * 400 ms. */
static const struct span stall_later = {800 * 1000};
static const struct span stream_rests = {200 * 1000};
/* `slowest` decays by an eighth with each acknowledgement. */
enum { SLOWEST_PART = 8 };
static const struct span slowest_most = {4 * 1000 * 1000};
static const struct span lack_pause = {500 * 1000};
static const struct span patience_first = {2 * 1000 * 1000};
static const struct span patience_restored = {10 * 1000 * 1000};
/* The first upload waits so long for the first receivers to acknowledge their
 * START: without START they drop it, and each would need a repair. */
static const struct span opening = {250 * 1000};
/* Unacknowledged bytes under way during a repair, at most. */
static const uint64_t repair_window = 256 * 1024;

struct receiver *receiver_new(struct channel *c, struct peer *peer,
                              struct instant now)
{
    struct receiver *r = memory_new(sizeof(*r));

    r->channel = c;
    r->peer = peer;
    receiver_is_present(r, true);
    r->route = ROUTE_NONE;
    r->repaired_at = r->left_behind_at = r->ack_at = r->keys_told_at =
        (struct instant){INT64_MIN};
    r->progress_at = now;
    r->patience = patience_first;
    r->next = c->receivers;
    if (c->receivers != NULL)
        c->receivers->previous = r;
    c->receivers = r;
    c->receiver_count++;
    c->awaiting++;
    c->without_aes++;
    return r;
}

/* The only place where a state changes, as the channel counts them. */
static void enter(struct receiver *r, enum receiver_state state)
{
    struct channel *c = r->channel;
    bool held = receiver_holds(r);
    enum receiver_state was = r->state;

    r->state = state;
    c->awaiting -= was == RECEIVER_AWAITING;
    c->awaiting += state == RECEIVER_AWAITING;
    c->starting -= was == RECEIVER_STARTING;
    c->starting += state == RECEIVER_STARTING;
    if (held == receiver_holds(r))
        return;
    if (held) {
        c->holders--;
        c->at_tail -= r->unacknowledged == c->store.base;
        channel_trim(c);
    } else {
        c->holders++;
        c->at_tail += r->unacknowledged == c->store.base;
    }
}

void receiver_free(struct receiver *r)
{
    struct channel *c = r->channel;

    receiver_route(r, ROUTE_NONE);
    receiver_is_present(r, false);
    receiver_has_aes(r, true);
    enter(r, RECEIVER_AWAITING);
    if (r->next != NULL)
        r->next->previous = r->previous;
    if (r->previous != NULL)
        r->previous->next = r->next;
    else
        c->receivers = r->next;
    c->receiver_count--;
    c->awaiting--;
    free(r);
}

void receiver_has_aes(struct receiver *r, bool aes)
{
    r->channel->without_aes += r->aes;
    r->channel->without_aes -= aes;
    r->aes = aes;
}

void receiver_is_present(struct receiver *r, bool present)
{
    r->channel->present += present;
    r->channel->present -= r->present;
    r->present = present;
}

static void send_by_unicast(struct receiver *r)
{
    r->channel->fanout_count -= r->by_fanout;
    r->by_fanout = false;
    r->cursor = r->unacknowledged;
}

void receiver_route(struct receiver *r, int route)
{
    struct channel *c = r->channel;

    if (r->route >= 0)
        c->uploads[r->route].receivers--;
    r->slowest = span_us(0); /* It was measured on another path. */
    r->routed_at = c->store.next;
    r->route = route;
    receiver_probe_ended(r, false);
    send_by_unicast(r);
    if (route >= 0 && c->uploads[route].receivers++ == 0)
        c->uploads[route].next =
            receiver_holds(r) ? r->unacknowledged : c->store.next;
    receiver_try_fanout(r);
}

/* --- START -----------------------------------------------------------------
 */

bool receiver_wants_start(const struct receiver *r)
{
    return r->present && r->route != ROUTE_NONE && r->start_ref == 0 &&
           (r->state == RECEIVER_STARTING || r->state == RECEIVER_BEHIND);
}

/* The receiver begins with the next publication. */
static void begin_at_end(struct receiver *r)
{
    struct channel *c = r->channel;

    r->first_record = c->next_record;
    r->first_message = c->next_message;
    r->first_key = c->key_id;
    r->acknowledged = c->next_record - 1;
    r->unacknowledged = c->store.next;
    send_by_unicast(r);
}

void receiver_begin(struct receiver *r, struct instant now)
{
    begin_at_end(r);
    r->since = r->first_message;
    r->progress_at = now;
    if (instant_is_never(r->channel->opening_until))
        r->channel->opening_until = instant_after(now, opening);
    enter(r, RECEIVER_STARTING);
}

struct group_start receiver_start(struct receiver *r)
{
    struct group_start start;

    if (r->state == RECEIVER_STARTING &&
        !channel_tell_key(r->channel, r->first_key, &start))
        enter(r, RECEIVER_BEHIND); /* The channel has not kept its key. */
    if (r->state != RECEIVER_STARTING)
        begin_at_end(r);
    bool kept = channel_tell_key(r->channel, r->first_key, &start);
    ASSERT(kept);
    start.record = r->first_record;
    start.message = r->first_message;
    start.since = r->since != 0 ? r->since : r->first_message;
    return start;
}

void receiver_start_sent(struct receiver *r, uint64_t ref, struct instant now)
{
    r->start_ref = ref;
    r->progress_at = now;
    if (r->state == RECEIVER_BEHIND)
        enter(r, RECEIVER_CATCHING);
}

void receiver_start_acked(struct receiver *r, struct instant now)
{
    r->start_ref = 0;
    r->since = 0; /* From now on the peer counts messages itself. */
    r->progress_at = now;
    r->stalls = 0;
    if (r->state == RECEIVER_STARTING) {
        enter(r, RECEIVER_TAKING);
    } else if (r->state == RECEIVER_CATCHING) {
        bool gone = r->unacknowledged < r->channel->store.base;
        enter(r, gone ? RECEIVER_BEHIND : RECEIVER_TAKING);
    } else {
        return;
    }
    send_by_unicast(r);
    receiver_try_fanout(r);
}

void receiver_start_lost(struct receiver *r)
{
    r->start_ref = 0;
    if (r->state == RECEIVER_CATCHING)
        enter(r, RECEIVER_BEHIND);
}

/* --- keys ------------------------------------------------------------------
 */

void receiver_owes_keys(struct receiver *r, uint32_t from)
{
    if (r->owed_key == 0 || from < r->owed_key)
        r->owed_key = from;
}

bool receiver_may_lack(struct receiver *r, struct instant now)
{
    struct instant again = instant_after(r->keys_told_at, lack_pause);

    if (!instant_reached(again, now))
        return false;
    r->keys_told_at = now;
    return true;
}

/* Skips keys that the channel has not kept and keys that are under way. A key
 * whose slot an older key under way occupies has to wait. */
bool receiver_next_key(struct receiver *r, struct group_start *start)
{
    for (; r->owed_key != 0; r->owed_key++) {
        const struct telling *t = &r->telling[r->owed_key % CHANNEL_KEYS];
        if (r->owed_key > r->channel->key_id)
            break;
        if (t->ref != 0 && t->key == r->owed_key)
            continue;
        if (channel_tell_key(r->channel, r->owed_key, start))
            return t->ref == 0;
    }
    r->owed_key = 0;
    return false;
}

void receiver_key_told(struct receiver *r, uint32_t key, uint64_t ref)
{
    r->telling[key % CHANNEL_KEYS] = (struct telling){ref, key};
    r->owed_key = key + 1;
}

bool receiver_key_settled(struct receiver *r, uint64_t ref)
{
    for (size_t i = 0; i < CHANNEL_KEYS; i++)
        if (r->telling[i].ref == ref) {
            r->telling[i].ref = 0;
            return true;
        }
    return false;
}

/* --- starting again --------------------------------------------------------
 */

/* The content of a packet; at store.next that of the batch, NULL if empty. */
static const struct store_content *content_at(const struct channel *c,
                                              uint64_t packet)
{
    if (packet < c->store.next)
        return &store_at(&c->store, packet)->content;
    bool is_batch = packet == c->store.next && c->batch_size > 0;
    return is_batch ? &c->batch_content : NULL;
}

static void advance_to(struct receiver *r, uint64_t packet)
{
    struct channel *c = r->channel;
    bool was_at_tail = r->unacknowledged == c->store.base;

    r->unacknowledged = packet;
    if (was_at_tail && packet != c->store.base) {
        c->at_tail--;
        channel_trim(c);
    }
}

/* The peer lost its state. If the first unacknowledged packet begins within a
 * message, the peer misses that message and starts with the next. */
void receiver_forgot(struct receiver *r)
{
    struct channel *c = r->channel;
    uint64_t at = r->unacknowledged;

    if (r->start_ref != 0 || r->state != RECEIVER_TAKING)
        return;
    const struct store_content *content = content_at(c, at);
    r->since = content != NULL ? content->message : c->next_message;
    while (content != NULL && content->start_record == 0)
        content = content_at(c, ++at);
    r->first_record = c->next_record;
    r->first_message = c->next_message;
    r->first_key = c->key_id;
    if (content != NULL) {
        r->first_record = content->start_record;
        r->first_message = content->start_message;
    }
    if (content != NULL && content != &c->batch_content)
        r->first_key = content->key_id;
    r->acknowledged = r->first_record - 1;
    advance_to(r, at);
    send_by_unicast(r);
    enter(r, RECEIVER_STARTING);
}

/* --- acknowledgements, probes, repairs -------------------------------------
 */

/* Measures from the sealing of the oldest packet that is acknowledged. Not for
 * a packet that was sent twice: it is unknown which copy arrived first. */
static void measure(struct receiver *r, struct instant now)
{
    if (r->unacknowledged < r->repair_until || r->unacknowledged < r->routed_at)
        return;
    struct instant at = store_at(&r->channel->store, r->unacknowledged)->at;
    struct span kept = span_us(r->slowest.us - r->slowest.us / SLOWEST_PART);
    r->slowest =
        span_min(span_max(kept, instant_between(at, now)), slowest_most);
}

void receiver_acknowledged(struct receiver *r, uint64_t record,
                           struct instant now)
{
    const struct store *s = &r->channel->store;
    uint64_t at = r->unacknowledged;

    if (!receiver_holds(r) || record < r->acknowledged)
        return;
    for (; at < s->next && store_at(s, at)->content.last_record <= record; at++)
        r->acknowledged = store_at(s, at)->content.last_record;
    if (at > r->unacknowledged) {
        measure(r, now);
        r->progress_at = r->ack_at = now;
        r->stalls = 0;
    }
    if (r->cursor < at)
        r->cursor = at;
    advance_to(r, at);
    receiver_try_fanout(r);
}

void receiver_repair(struct receiver *r, struct instant now, struct span pause)
{
    if (r->state != RECEIVER_TAKING ||
        (r->repaired == r->unacknowledged &&
         instant_is_recent(r->repaired_at, pause, now)))
        return;
    r->repaired = r->unacknowledged;
    r->repaired_at = now;
    r->repair_until = r->channel->store.next;
    send_by_unicast(r);
    receiver_try_fanout(r);
}

bool receiver_awaits_unicast(const struct receiver *r)
{
    return r->unacknowledged < (r->by_fanout ? r->unicast_until : r->cursor);
}

/* All packets before this one were sent to the receiver. */
static uint64_t sent_until(const struct receiver *r)
{
    return r->by_fanout ? r->channel->uploads[r->route].next : r->cursor;
}

/* Whether a packet was sent that the receiver has not acknowledged. */
static bool is_waiting(const struct receiver *r)
{
    return r->present && r->state == RECEIVER_TAKING &&
           r->unacknowledged < sent_until(r) &&
           r->unacknowledged < r->channel->store.next;
}

struct instant receiver_stall_at(const struct receiver *r, struct span rtt)
{
    if (!is_waiting(r))
        return INSTANT_NEVER;
    struct instant at = store_at(&r->channel->store, r->unacknowledged)->at;
    struct instant rests = instant_after(r->ack_at, stream_rests);
    bool by_relay = r->route >= 0;
    struct span wait =
        span_max(by_relay ? stall_shortest : stall_direct, span_times(rtt, 4));
    if (by_relay && !instant_reached(rests, at)) /* A late ack [P-9.7]. */
        wait = span_max(wait, stall_later);
    wait = span_max(wait, span_us(r->slowest.us * 3 / 2));
    for (int i = 0; i < r->stalls && wait.us < stall_longest.us; i++)
        wait = span_times(wait, 2);
    return instant_after(instant_max(at, r->progress_at), wait);
}

void receiver_probed(struct receiver *r, uint64_t ref)
{
    r->probe_ref = ref;
    r->probe_sent_until = sent_until(r);
}

void receiver_probe_ended(struct receiver *r, bool answered)
{
    r->probe_ref = 0;
    r->answered = answered;
}

bool receiver_shows_loss(struct receiver *r)
{
    bool answered = r->answered;

    r->answered = false;
    return answered && r->unacknowledged < r->probe_sent_until;
}

bool receiver_lacks(const struct receiver *r)
{
    switch (r->state) {
    case RECEIVER_AWAITING:
        return false;
    case RECEIVER_STARTING:
    case RECEIVER_BEHIND:
    case RECEIVER_CATCHING:
        return r->present;
    case RECEIVER_TAKING:
        return r->present && r->unacknowledged < r->channel->store.next;
    }
    return false;
}

bool receiver_has_output(const struct receiver *r)
{
    const struct store *s = &r->channel->store;

    if (!r->present || r->state != RECEIVER_TAKING || r->by_fanout ||
        r->cursor >= s->next)
        return false;
    if (r->cursor >= r->repair_until)
        return true;
    uint64_t flying = store_at(s, r->cursor)->position -
                      store_at(s, r->unacknowledged)->position;
    return flying < repair_window;
}

void receiver_try_fanout(struct receiver *r)
{
    if (r->route >= 0 && r->state == RECEIVER_TAKING &&
        r->cursor >= r->channel->uploads[r->route].next && !r->by_fanout) {
        r->by_fanout = true;
        r->unicast_until = r->channel->uploads[r->route].next;
        r->channel->fanout_count++;
    }
}

void receiver_sent(struct receiver *r)
{
    r->cursor++;
    receiver_try_fanout(r);
}

/* --- pace ------------------------------------------------------------------
 */

struct span receiver_patience(const struct receiver *r, struct instant now)
{
    if (!r->present)
        return span_us(0);
    if (r->left_behind_at.us == INT64_MIN ||
        !instant_is_recent(r->left_behind_at, patience_restored, now))
        return patience_first;
    return r->patience;
}

void receiver_leave_behind(struct receiver *r, struct instant now)
{
    r->patience = span_us(receiver_patience(r, now).us / 2);
    r->left_behind_at = now;
    send_by_unicast(r);
    enter(r, r->start_ref != 0 ? RECEIVER_CATCHING : RECEIVER_BEHIND);
}
