#include "edge/core/punch_private.h"

#include "common/base/memory.h"

#include <sodium.h>

#include <stdlib.h>

static const struct instant long_ago = {INT64_MIN / 4};

/* [P-11.9] */
static const struct span pauses[] = {
    {5 * 1000 * 1000},
    {30 * 1000 * 1000},
    {300 * (int64_t)1000 * 1000},
};
enum { PAUSES = sizeof pauses / sizeof pauses[0] };

/* [P-11.4] */
enum { OFFERS = 4 };
static const struct span offers_apart = {500 * 1000};
static const struct span last_offer_waits = {2500 * 1000};
static const struct span asks_apart = {5 * 1000 * 1000};
/* The leader has so much time to offer a round by itself. */
static const struct span ask_after = {2 * 1000 * 1000};
static const struct span rounds_apart = {1000 * 1000};

static const struct span look_takes = {2 * 1000 * 1000};
static const struct span probing_takes = {5 * 1000 * 1000};
/* OFFER is sent for so long: the leader may have begun so much later. */
static const struct span leader_is_late = {1500 * 1000};
static const struct span connecting_takes = {10 * 1000 * 1000};

/* An OFFER that is so many rounds old, or fewer, was delayed; any other one is
 * of a leader that started again. */
enum { OLD_ROUNDS = 16 };

struct punch *punch_new(const struct punch_conf *conf)
{
    struct punch *p = memory_new(sizeof *p);
    p->conf = *conf;
    p->leads = memcmp(conf->self.key, conf->peer.key, KEY_SIZE) < 0;
    p->rtt = span_us(-1);
    p->next = p->begun = p->asked = long_ago;
    return p;
}

void punch_free(struct punch **self)
{
    if (*self == NULL)
        return;
    if ((*self)->round != NULL)
        sodium_memzero((*self)->round, sizeof *(*self)->round);
    free((*self)->round);
    free(*self);
    *self = NULL;
}

/* --- the life of a round ------------------------------------------------- */

static void close_sockets(struct punch *p, uint32_t first, uint32_t count)
{
    if (count == 0)
        return;
    ASSERT(p->closings < (int)(sizeof p->closing / sizeof p->closing[0]));
    p->closing[p->closings].first = first;
    p->closing[p->closings++].count = count;
}

/* All sockets of the round but one, which may be none of them. */
static void close_others(struct punch *p, uint32_t kept)
{
    struct punch_round *r = p->round;
    uint32_t first = r->burst.first_socket;
    if (r->is_open && r->socket != kept)
        close_sockets(p, r->socket, 1);
    if (burst_has_socket(r, kept)) {
        close_sockets(p, first, kept - first);
        close_sockets(p, kept + 1, first + PUNCH_SOCKETS - kept - 1);
    } else if (r->many_open) {
        close_sockets(p, first, PUNCH_SOCKETS);
    }
    r->is_open = r->many_open = false;
}

static void end_round(struct punch *p)
{
    struct punch_round *r = p->round;
    if (r == NULL)
        return;
    close_others(p, 0);
    p->round = NULL;
    sodium_memzero(r, sizeof *r);
    free(r);
}

/* Leaders that lost a relay together do not come back at one moment. The other
 * node asks only after its leader could have offered. */
static void back_off(struct punch *p, struct instant now)
{
    struct span pause = pauses[p->failures < PAUSES ? p->failures : PAUSES - 1];
    int64_t spread = pause.us / 8;
    if (p->leads)
        spread = (int64_t)entropy_below(p->conf.entropy, (uint64_t)spread);
    else
        spread += ask_after.us;
    if (p->failures < PAUSES)
        p->failures++;
    p->next = instant_after(now, span_us(pause.us + spread));
}

/* The next round may begin at once, as if there had been none. */
static void start_anew(struct punch *p, struct instant now)
{
    p->again = p->predicted = p->has_failed = false;
    p->failures = 0;
    p->many_done = 0;
    p->next = now;
    if (!p->leads)
        p->next = instant_max(now, instant_after(p->asked, asks_apart));
}

static void fail_round(struct punch *p, struct instant now)
{
    struct punch_round *r = p->round;
    if (r->state >= ROUND_PROBES) {
        p->why = pairs_why_failed(r);
        p->predicted = p->predicted || r->side.step != 0;
    }
    end_round(p);
    p->owes_failed = p->has_failed = true;
    back_off(p, now);
    if (p->again)
        start_anew(p, now);
}

/* A NAT may have taken the tuple of a socket that failed for its own. */
static void begin_round(struct punch *p, uint32_t number, struct instant now)
{
    struct punch_round *r = memory_new(sizeof *r);
    p->round = r;
    p->number = r->number = number;
    p->begun = r->second = now;
    r->state = ROUND_LOOKS;
    r->at = instant_after(now, look_takes);
    r->choose = INSTANT_NEVER;
    r->owes_open = p->has_failed;
    if (p->has_failed)
        r->socket = (*p->conf.next_socket)++;
    r->owes_look = true;
    entropy_fill(p->conf.entropy, r->secret, sizeof r->secret);
}

/* Both records are known. */
static void begin_probing(struct punch *p, struct instant start)
{
    struct punch_round *r = p->round;
    const struct node_id *self = &p->conf.self, *peer = &p->conf.peer;
    p->peer_mapping = r->peer.mapping;
    if (p->leads)
        probe_keys_derive(&r->keys, r->secret, r->peer.secret, self, peer,
                          r->number);
    else
        probe_keys_derive(&r->keys, r->peer.secret, r->secret, peer, self,
                          r->number);
    r->state = ROUND_PROBES;
    r->start = start;
    pairs_make(r);
    burst_choose(p);
}

static struct instant probing_end(const struct punch *p)
{
    const struct punch_round *r = p->round;
    struct instant end =
        instant_max(instant_after(r->start, probing_takes), burst_end(r));
    return p->leads ? end : instant_after(end, leader_is_late);
}

void punch_win(struct punch *p, uint32_t socket, const struct address *to,
               struct instant now)
{
    struct punch_round *r = p->round;
    r->state = ROUND_WON;
    r->won_socket = socket;
    r->won_to = *to;
    r->owes_won = true;
    r->at = instant_after(now, connecting_takes);
    close_others(p, socket);
}

/* --- what the owner says ------------------------------------------------- */

void punch_want(struct punch *p, bool wanted, struct instant now)
{
    if (wanted && !p->wanted) {
        p->next = instant_max(p->next,
                              p->leads ? now : instant_after(now, ask_after));
        if (p->why == PUNCH_WHY_NONE)
            p->why = PUNCH_WHY_TRYING;
    }
    if (!wanted)
        end_round(p);
    p->wanted = wanted;
}

void punch_network_changed(struct punch *p, struct instant now)
{
    if (p->round == NULL) {
        start_anew(p, now);
    } else if (p->leads && p->round->state != ROUND_WON) {
        end_round(p); /* Its candidates are of the network before. */
        start_anew(p, now);
    } else { /* It may be that the leader began it for this change. */
        p->again = true;
    }
}

void punch_connected(struct punch *p, struct instant now)
{
    if (p->round == NULL || p->round->state != ROUND_WON)
        return;
    end_round(p);
    p->why = PUNCH_WHY_TRYING;
    p->again = p->has_failed = false;
    back_off(p, now); /* For a connection that ends soon. */
}

void punch_not_connected(struct punch *p, struct instant now)
{
    if (p->round != NULL && p->round->state == ROUND_WON)
        fail_round(p, now);
}

void punch_rtt(struct punch *p, struct span rtt)
{
    p->rtt = rtt;
}

void punch_allow_many(struct punch *p, bool allowed)
{
    p->may_many = allowed;
}

bool punch_has_many(const struct punch *p)
{
    const struct punch_round *r = p->round;
    if (r == NULL || r->state == ROUND_WON || !r->has_side)
        return false;
    return r->state == ROUND_OFFERED ? !r->easy_only : burst_is_many(r);
}

/* Of the answer's sender; the leader begins when it has the answer. */
static struct instant other_begins(const struct punch *p, struct instant now)
{
    struct span rtt = p->rtt.us < 0 ? span_ms(100) : p->rtt;
    return instant_after(now, span_us(span_min(rtt, span_s(2)).us / 2));
}

void punch_looked(struct punch *p, const struct punch_side *side,
                  struct instant now)
{
    struct punch_round *r = p->round;
    if (r == NULL || r->state != ROUND_LOOKS)
        return;
    ASSERT(side->candidate_count <= PUNCH_CANDIDATES);
    r->has_side = true;
    r->side = *side;
    p->mapping = side->mapping;
    if (p->predicted)
        r->side.step = 0;
    r->easy_only = p->conf.easy_only || !p->may_many;
    r->owes_record = true;
    if (p->leads) {
        r->state = ROUND_OFFERED;
        r->records = 1;
        r->at = instant_after(now, offers_apart);
        return;
    }
    r->easy_only = r->easy_only || p->many_done == burst_networks(r);
    begin_probing(p, other_begins(p, now));
    r->at = probing_end(p);
}

/* --- records ------------------------------------------------------------- */

static void take_ask(struct punch *p, struct instant now)
{
    struct instant soonest = instant_after(p->begun, asks_apart);
    if (p->leads && p->round == NULL)
        p->next = instant_min(p->next, instant_max(now, soonest));
}

static bool is_old(const struct punch *p, uint32_t number)
{
    return p->begun.us != long_ago.us && p->number - number < OLD_ROUNDS;
}

/* ANSWER was lost, or is under way still. */
static void answer_again(struct punch *p, struct instant now)
{
    struct punch_round *r = p->round;
    if (r->state != ROUND_PROBES || r->records == OFFERS)
        return;
    r->owes_record = true;
    if (r->is_heard)
        return;
    r->start = other_begins(p, now);
    r->at = probing_end(p);
    pairs_start_again(r);
}

static void take_offer(struct punch *p, const struct punch_record *record,
                       struct instant now)
{
    struct punch_round *r = p->round;
    if (p->leads || !p->wanted)
        return;
    if (r != NULL && r->number == record->round) {
        answer_again(p, now);
        return;
    }
    if (is_old(p, record->round) ||
        instant_is_recent(p->begun, rounds_apart, now))
        return;
    end_round(p);
    begin_round(p, record->round, now);
    p->round->peer = *record;
}

static void take_answer(struct punch *p, const struct punch_record *record,
                        struct instant now)
{
    struct punch_round *r = p->round;
    if (!p->leads || r == NULL || r->state != ROUND_OFFERED ||
        r->number != record->round)
        return;
    r->peer = *record;
    r->owes_record = false;
    begin_probing(
        p, instant_after(now, span_min(span_ms(record->delay_ms), span_s(1))));
    r->at = probing_end(p);
}

bool punch_take_record(struct punch *p, struct bytes record, struct instant now)
{
    struct punch_record r;
    if (!punch_record_decode(record, &r))
        return false;
    switch (r.kind) {
    case PUNCH_OFFER:
        take_offer(p, &r, now);
        break;
    case PUNCH_ANSWER:
        take_answer(p, &r, now);
        break;
    case PUNCH_ASK:
        take_ask(p, now);
        break;
    }
    sodium_memzero(&r, sizeof r);
    return true;
}

static void write_record(const struct punch *p, enum punch_kind kind,
                         struct punch_do *todo)
{
    struct writer w = writer_of(todo->bytes, sizeof todo->bytes);
    const struct punch_round *r = p->round;
    struct punch_record record = {.kind = kind, .round = p->number};
    if (kind != PUNCH_ASK) {
        memcpy(record.secret, r->secret, sizeof record.secret);
        record.mapping = r->side.mapping;
        record.step = r->side.step;
        record.easy_only = r->easy_only;
        record.candidate_count = r->side.candidate_count;
        memcpy(record.candidates, r->side.candidates, sizeof record.candidates);
    }
    punch_record_encode(&record, &w);
    ASSERT(writer_ok(&w));
    todo->action = PUNCH_RECORD;
    todo->size = writer_bytes(&w).size;
    sodium_memzero(record.secret, sizeof record.secret);
}

/* --- probes -------------------------------------------------------------- */

bool punch_tag(const struct punch *p, uint8_t tag[static 8])
{
    if (p->round == NULL || p->round->state < ROUND_PROBES)
        return false;
    memcpy(tag, p->round->keys.of[p->leads ? 1 : 0].tag, 8);
    return true;
}

static bool has_socket(const struct punch_round *r, uint32_t socket)
{
    if (r->state == ROUND_WON)
        return socket == r->won_socket;
    return socket == r->socket || burst_has_socket(r, socket);
}

bool punch_take_probe(struct punch *p, uint32_t socket,
                      const struct address *from, struct bytes datagram,
                      struct instant now)
{
    uint8_t tag[8];
    struct probe probe;
    struct punch_round *r = p->round;
    if (!punch_tag(p, tag) || !has_socket(r, socket) ||
        !probe_decode(datagram, r->keys.of[p->leads ? 1 : 0].key, &probe) ||
        memcmp(tag, probe.tag, sizeof tag) != 0)
        return false;
    return pairs_take(p, socket, from, &probe, now);
}

/* --- time ---------------------------------------------------------------- */

/* OFFERED: another one, until the last had its time. */
static void offer_again(struct punch *p, struct instant now)
{
    struct punch_round *r = p->round;
    if (r->records == OFFERS) {
        fail_round(p, now);
        return;
    }
    r->owes_record = true;
    r->records++;
    r->at = instant_after(now, r->records == OFFERS ? last_offer_waits
                                                    : offers_apart);
}

static void idle_due(struct punch *p, struct instant now)
{
    if (!p->wanted || !instant_reached(p->next, now))
        return;
    if (p->leads) {
        uint32_t number = p->number + 1;
        if (p->begun.us == long_ago.us)
            number = (uint32_t)entropy_u64(p->conf.entropy);
        begin_round(p, number, now);
        return;
    }
    p->owes_ask = true;
    p->asked = now;
    back_off(p, now);
}

static void round_due(struct punch *p, struct instant now)
{
    const struct punch_side nothing = {.mapping = MAPPING_UNKNOWN};
    if (!instant_reached(p->round->at, now))
        return;
    switch (p->round->state) {
    case ROUND_LOOKS:
        punch_looked(p, &nothing, now);
        break;
    case ROUND_OFFERED:
        offer_again(p, now);
        break;
    case ROUND_PROBES:
    case ROUND_NOMINATES:
    case ROUND_WON:
        fail_round(p, now);
        break;
    }
}

void punch_due(struct punch *p, struct instant now)
{
    if (p->round != NULL)
        round_due(p, now);
    if (p->round == NULL) /* The next may be due at once. */
        idle_due(p, now);
}

struct instant punch_deadline(const struct punch *p)
{
    const struct punch_round *r = p->round;
    if (r == NULL)
        return p->wanted ? p->next : INSTANT_NEVER;
    return instant_min(r->at,
                       instant_min(pairs_deadline(p), burst_deadline(r)));
}

/* --- what to do ---------------------------------------------------------- */

static bool once(bool *owed)
{
    bool owes = *owed;
    *owed = false;
    return owes;
}

static void won(const struct punch *p, struct punch_do *todo)
{
    const struct punch_round *r = p->round;
    todo->action = PUNCH_WON;
    todo->socket = r->won_socket;
    todo->to = r->won_to;
    todo->lead = p->leads;
    memcpy(todo->quic, r->keys.quic, sizeof todo->quic);
}

static bool next_of_round(struct punch *p, struct punch_do *todo,
                          struct instant now)
{
    struct punch_round *r = p->round;
    if (once(&r->owes_open)) {
        r->is_open = true;
        *todo = (struct punch_do){
            .action = PUNCH_OPEN, .socket = r->socket, .count = 1};
        return true;
    }
    if (once(&r->owes_look)) {
        *todo = (struct punch_do){.action = PUNCH_LOOK, .socket = r->socket};
        return true;
    }
    if (once(&r->owes_record)) {
        if (!p->leads)
            r->records++;
        write_record(p, p->leads ? PUNCH_OFFER : PUNCH_ANSWER, todo);
        return true;
    }
    if (pairs_next(p, todo, now) || burst_next(p, todo, now))
        return true;
    if (!once(&r->owes_won))
        return false;
    won(p, todo);
    return true;
}

bool punch_next(struct punch *p, struct punch_do *todo, struct instant now)
{
    *todo = (struct punch_do){.action = PUNCH_FAILED};
    if (p->closings > 0) {
        p->closings--;
        todo->action = PUNCH_CLOSE;
        todo->socket = p->closing[p->closings].first;
        todo->count = p->closing[p->closings].count;
        return true;
    }
    if (once(&p->owes_failed))
        return true;
    if (once(&p->owes_ask)) {
        write_record(p, PUNCH_ASK, todo);
        return true;
    }
    return p->round != NULL && next_of_round(p, todo, now);
}

/* --- what is told -------------------------------------------------------- */

enum punch_why punch_why(const struct punch *p)
{
    if (!p->wanted)
        return PUNCH_WHY_NONE;
    return p->round != NULL ? PUNCH_WHY_TRYING : p->why;
}

enum nat_mapping punch_mapping(const struct punch *p)
{
    return p->mapping;
}

enum nat_mapping punch_peer_mapping(const struct punch *p)
{
    return p->peer_mapping;
}
