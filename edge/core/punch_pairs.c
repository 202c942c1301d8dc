/* Pairs of addresses: questions, answers, and the choice of one [P-11.6]. */
#include "edge/core/punch_private.h"

/* When a pair is asked, after its start. */
static const struct span timetable[] = {
    {0},           {50 * 1000},   {150 * 1000},
    {300 * 1000},  {600 * 1000},  {1000 * 1000},
    {1600 * 1000}, {2500 * 1000}, {4000 * (int64_t)1000},
};
enum { STEPS = sizeof timetable / sizeof timetable[0] };

static const struct span nomination_times[NOMINATIONS] = {
    {0},          {100 * 1000},  {200 * 1000},  {350 * 1000},  {500 * 1000},
    {750 * 1000}, {1000 * 1000}, {1400 * 1000}, {1900 * 1000}, {2500 * 1000},
};
static const struct span nominating_takes = {3500 * 1000};

static const struct span choose_after = {100 * 1000};
static const struct span urgent_after = {100 * 1000};

/* --- the list ------------------------------------------------------------ */

static struct punch_pair *find(struct punch_round *r, uint32_t socket,
                               const struct address *to)
{
    for (int i = 0; i < r->pair_count; i++)
        if (r->pairs[i].socket == socket && address_equal(&r->pairs[i].to, to))
            return &r->pairs[i];
    return NULL;
}

static struct punch_pair *add(struct punch_round *r, uint32_t socket,
                              const struct address *to, int kind,
                              struct instant start)
{
    if (r->pair_count == PAIRS)
        return NULL;
    struct punch_pair *pair = &r->pairs[r->pair_count++];
    *pair = (struct punch_pair){
        .socket = socket, .to = *to, .kind = kind, .start = start};
    return pair;
}

void pairs_make(struct punch_round *r)
{
    for (int i = 0; i < r->peer.candidate_count; i++) {
        const struct candidate *c = &r->peer.candidates[i];
        if (find(r, r->socket, &c->address) == NULL)
            (void)add(r, r->socket, &c->address, (int)c->kind, r->start);
    }
}

void pairs_start_again(struct punch_round *r)
{
    for (int i = 0; i < r->pair_count; i++) {
        r->pairs[i].step = 0;
        r->pairs[i].start = r->start;
    }
}

struct punch_pair *pairs_find(struct punch_round *r, uint32_t socket,
                              const struct address *to, struct instant now)
{
    struct punch_pair *pair = find(r, socket, to);
    return pair != NULL ? pair : add(r, socket, to, 0, now);
}

/* --- questions ----------------------------------------------------------- */

static struct instant ask_at(const struct punch_pair *pair)
{
    if (pair->is_answered || pair->sent == PAIR_QUESTIONS)
        return INSTANT_NEVER;
    if (pair->is_urgent)
        return pair->start;
    if (pair->step == STEPS)
        return INSTANT_NEVER;
    return instant_after(pair->start, timetable[pair->step]);
}

void pairs_send(struct punch_do *todo, const struct punch *p,
                const struct probe *probe, uint32_t socket,
                const struct address *to, int ttl)
{
    const struct probe_keys *k = &p->round->keys;
    int sender = p->leads ? 0 : 1;
    struct probe actual = *probe;
    memcpy(actual.tag, k->of[sender].tag, sizeof actual.tag);
    todo->action = PUNCH_SEND;
    todo->socket = socket;
    todo->to = *to;
    todo->ttl = ttl;
    todo->size = PROBE_SIZE;
    probe_encode(&actual, k->of[sender].key, todo->bytes);
}

/*
 * How many probes end before the other NAT. The leader has ANSWER: both began.
 * The other node does not know that, and the leader's NAT would take a probe's
 * tuple for its own if ANSWER was lost. So it waits for a probe of the leader,
 * or for OFFER to come again. A hard NAT's tuples are worth nothing to it.
 */
static int short_steps(const struct punch *p)
{
    const struct punch_round *r = p->round;
    bool is_harmless =
        r->side.mapping == MAPPING_DEPENDENT || r->peer.mapping == MAPPING_NONE;
    return p->leads || is_harmless ? 3 : 5;
}

/* An address that the peer came from is behind no NAT that is still closed. */
static int ttl_of(const struct punch *p, const struct punch_pair *pair)
{
    if (pair->kind == 0 || pair->is_urgent || pair->step >= short_steps(p))
        return 0;
    return pair->step < 2 ? PUNCH_TTL_FIRST : PUNCH_TTL;
}

static void ask(struct punch *p, int index, struct punch_do *todo,
                struct instant now)
{
    struct punch_pair *pair = &p->round->pairs[index];
    struct probe probe = {
        .type = PROBE_ASKS,
        .sequence =
            (uint32_t)(SEQUENCE_PAIRS + index * PAIR_QUESTIONS + pair->sent)};
    int ttl = ttl_of(p, pair);
    pair->sent_at[pair->sent++] = now;
    if (!pair->is_urgent)
        pair->step++;
    pair->is_urgent = false;
    pairs_send(todo, p, &probe, pair->socket, &pair->to, ttl);
}

static struct instant nominate_at(const struct punch_round *r)
{
    return r->nominations == NOMINATIONS
               ? INSTANT_NEVER
               : instant_after(r->nominated, nomination_times[r->nominations]);
}

static void nominate(struct punch *p, struct punch_do *todo)
{
    struct punch_round *r = p->round;
    const struct punch_pair *pair = &r->pairs[r->chosen];
    struct probe probe = {
        .type = PROBE_NOMINATES,
        .sequence = (uint32_t)(SEQUENCE_NOMINATES + r->nominations++)};
    pairs_send(todo, p, &probe, pair->socket, &pair->to, 0);
}

static void answer(struct punch *p, struct punch_do *todo)
{
    struct punch_round *r = p->round;
    struct punch_owed owed = r->owed[--r->owed_count];
    struct probe probe = {
        .type = owed.type, .sequence = owed.sequence, .seen = owed.to};
    pairs_send(todo, p, &probe, owed.socket, &owed.to, 0);
}

static bool is_better(const struct punch_pair *a, const struct punch_pair *b)
{
    bool a_host = a->kind == CANDIDATE_HOST, b_host = b->kind == CANDIDATE_HOST;
    return a_host != b_host ? a_host : a->rtt.us < b->rtt.us;
}

static void choose(struct punch_round *r, struct instant now)
{
    int best = -1;
    if (r->state != ROUND_PROBES || !instant_reached(r->choose, now))
        return;
    for (int i = 0; i < r->pair_count; i++)
        if (r->pairs[i].is_answered &&
            (best < 0 || is_better(&r->pairs[i], &r->pairs[best])))
            best = i;
    ASSERT(best >= 0);
    r->state = ROUND_NOMINATES;
    r->chosen = best;
    r->nominated = now;
    r->at = instant_after(now, nominating_takes);
}

bool pairs_next(struct punch *p, struct punch_do *todo, struct instant now)
{
    struct punch_round *r = p->round;
    choose(r, now);
    if (r->owed_count > 0) {
        answer(p, todo);
        return true;
    }
    if (r->state == ROUND_NOMINATES && instant_reached(nominate_at(r), now)) {
        nominate(p, todo);
        return true;
    }
    for (int i = 0; r->state == ROUND_PROBES && i < r->pair_count; i++)
        if (instant_reached(ask_at(&r->pairs[i]), now)) {
            ask(p, i, todo, now);
            return true;
        }
    return false;
}

struct instant pairs_deadline(const struct punch *p)
{
    const struct punch_round *r = p->round;
    struct instant at = INSTANT_NEVER;
    if (r->state == ROUND_NOMINATES)
        return nominate_at(r);
    if (r->state != ROUND_PROBES)
        return at;
    for (int i = 0; i < r->pair_count; i++)
        at = instant_min(at, ask_at(&r->pairs[i]));
    return instant_min(at, r->choose);
}

void pairs_answered(struct punch *p, struct punch_pair *pair, struct span rtt,
                    struct instant now)
{
    struct punch_round *r = p->round;
    if (pair->is_answered)
        return;
    pair->is_answered = true;
    pair->rtt = rtt;
    if (!p->leads)
        return;
    r->choose = instant_min(r->choose, pair->kind == CANDIDATE_HOST
                                           ? now
                                           : instant_after(now, choose_after));
}

/* --- what comes ---------------------------------------------------------- */

static bool was_answered(const struct punch_round *r, uint32_t sequence)
{
    return (r->answered[sequence / 8] >> sequence % 8 & 1) != 0;
}

static bool may_answer(struct punch_round *r, struct instant now)
{
    if (instant_reached(instant_after(r->second, span_s(1)), now)) {
        r->second = now;
        r->answers = 0;
    }
    return r->answers < ANSWERS_A_SECOND && r->owed_count < ANSWERS_WAITING;
}

static bool owe(struct punch_round *r, enum probe_type type, uint32_t socket,
                const struct address *to, uint32_t sequence, struct instant now)
{
    if (was_answered(r, sequence) || !may_answer(r, now))
        return false;
    r->answered[sequence / 8] |= (uint8_t)(1 << sequence % 8);
    r->answers++;
    r->owed[r->owed_count++] = (struct punch_owed){type, socket, sequence, *to};
    return true;
}

/* The peer's datagrams come through from there, so ours may go through to
 * there. */
static void is_shown(struct punch *p, uint32_t socket,
                     const struct address *from, struct instant now)
{
    struct punch_round *r = p->round;
    struct punch_pair *pair = pairs_find(r, socket, from, now);
    if (pair == NULL || pair->is_answered || r->state != ROUND_PROBES)
        return;
    if (pair->sent == 0 || pair->step <= short_steps(p) ||
        !instant_is_recent(pair->sent_at[pair->sent - 1], urgent_after, now)) {
        pair->is_urgent = true;
        pair->start = instant_min(pair->start, now);
    }
}

static bool take_question(struct punch *p, uint32_t socket,
                          const struct address *from, uint32_t sequence,
                          struct instant now)
{
    struct punch_round *r = p->round;
    if (!owe(r, PROBE_ANSWERS, socket, from, sequence, now))
        return false;
    r->is_heard = true;
    is_shown(p, socket, from, now);
    return true;
}

static bool take_answer(struct punch *p, uint32_t socket,
                        const struct address *from, uint32_t sequence,
                        struct instant now)
{
    struct punch_round *r = p->round;
    if (sequence >= SEQUENCE_BURST)
        return burst_take(p, socket, from, sequence, now);
    int index = (int)sequence / PAIR_QUESTIONS;
    int question = (int)sequence % PAIR_QUESTIONS;
    if (index >= r->pair_count || question >= r->pairs[index].sent)
        return false;
    struct punch_pair *pair = &r->pairs[index];
    if (pair->socket != socket || pair->is_answered)
        return false;
    r->is_heard = true;
    if (address_equal(&pair->to, from))
        pairs_answered(p, pair, instant_between(pair->sent_at[question], now),
                       now);
    else /* A connection would go to one address, and hear another one. */
        is_shown(p, socket, from, now);
    return true;
}

static bool take_nomination(struct punch *p, uint32_t socket,
                            const struct address *from, uint32_t sequence,
                            struct instant now)
{
    struct punch_round *r = p->round;
    if (p->leads ||
        (r->state == ROUND_WON &&
         (r->won_socket != socket || !address_equal(&r->won_to, from))))
        return false;
    if (!owe(r, PROBE_AGREES, socket, from, sequence, now))
        return false;
    if (r->state != ROUND_WON)
        punch_win(p, socket, from, now);
    return true;
}

static bool take_agreement(struct punch *p, uint32_t socket,
                           const struct address *from, uint32_t sequence,
                           struct instant now)
{
    struct punch_round *r = p->round;
    if (r->state != ROUND_NOMINATES || sequence < SEQUENCE_NOMINATES ||
        sequence >= (uint32_t)(SEQUENCE_NOMINATES + r->nominations))
        return false;
    const struct punch_pair *pair = &r->pairs[r->chosen];
    if (pair->socket != socket || !address_equal(&pair->to, from))
        return false;
    punch_win(p, socket, from, now);
    return true;
}

bool pairs_take(struct punch *p, uint32_t socket, const struct address *from,
                const struct probe *probe, struct instant now)
{
    switch (probe->type) {
    case PROBE_ASKS:
        return take_question(p, socket, from, probe->sequence, now);
    case PROBE_ANSWERS:
        return p->round->state == ROUND_PROBES &&
               take_answer(p, socket, from, probe->sequence, now);
    case PROBE_NOMINATES:
        return take_nomination(p, socket, from, probe->sequence, now);
    case PROBE_AGREES:
        return take_agreement(p, socket, from, probe->sequence, now);
    }
    return false;
}

/* --- why it failed -------------------------------------------------------- */

static bool is_blocked(enum nat_mapping mapping, const struct candidate *list,
                       int count)
{
    for (int i = 0; i < count; i++)
        if (list[i].kind == CANDIDATE_STUN || list[i].kind == CANDIDATE_MAPPED)
            return false;
    return mapping == MAPPING_UNKNOWN;
}

static bool has_family(const struct candidate *list, int count,
                       enum address_family family)
{
    for (int i = 0; i < count; i++)
        if (list[i].address.family == family)
            return true;
    return false;
}

/* Else one of the two has no address, or the one has IPv4 only and the other
 * IPv6 only. */
static bool both_have(const struct punch_round *r, enum address_family family)
{
    return has_family(r->side.candidates, r->side.candidate_count, family) &&
           has_family(r->peer.candidates, r->peer.candidate_count, family);
}

enum punch_why pairs_why_failed(const struct punch_round *r)
{
    if (!both_have(r, ADDRESS_V4) && !both_have(r, ADDRESS_V6))
        return PUNCH_WHY_NO_CANDIDATES;
    if (is_blocked(r->side.mapping, r->side.candidates,
                   r->side.candidate_count) ||
        is_blocked(r->peer.mapping, r->peer.candidates,
                   r->peer.candidate_count))
        return PUNCH_WHY_UDP_BLOCKED;
    return PUNCH_WHY_NAT;
}
