/* Many probes at once, against a NAT that gives each remote address another
 * port [P-11.7]. */
#include "edge/core/punch_private.h"

enum {
    PREDICTED = 32, /* ports */
    /* A first wave opens the own NAT, two more because datagrams are lost. */
    SEQUENCE_PROBES = 3 * PREDICTED,
    WAVES = 3,
    SOCKET_PROBES = WAVES * PUNCH_SOCKETS,
    AT_ONCE = 4, /* guesses */
    SOCKETS_AT_ONCE = 16,
    PORT_FIRST = 1024,
    PORTS = 65536 - PORT_FIRST,
};
_Static_assert((int)SOCKET_PROBES <= (int)PUNCH_GUESSES,
               "sequence numbers are enough");

/* After the start of the round. Until then ordinary probes may do. */
static const struct span predict_after = {300 * 1000};
static const struct span predict_apart = {30 * 1000};
/* In the first wave: it is over before a probe of the peer with the full time
 * to live comes, whose tuple the own NAT might take for its own. */
static const struct span predict_first_apart = {2 * 1000};
static const struct span sockets_after = {1000 * 1000};
static const struct span guesses_after = {1300 * 1000};
static const struct span guesses_last = {10 * 1000 * (int64_t)1000};
static const struct span wave_times[WAVES] = {
    {0}, {2000 * 1000}, {6000 * (int64_t)1000}};
static const struct span sockets_apart = {5 * 1000};
/* For the last answers, and as much later as the other node may have begun. */
static const struct span end_after = {1200 * 1000};

/* --- which --------------------------------------------------------------- */

static bool is_outside_v4(const struct candidate *c, enum candidate_kind kind)
{
    return c->kind == kind && c->address.family == ADDRESS_V4;
}

/* The port that the peer's NAT gave last: the furthest in the sequence. */
static bool is_later(const struct address *a, const struct address *b, int step)
{
    return step > 0 ? a->port > b->port : step < 0 && a->port < b->port;
}

/* Where the peer's NAT has its outside address. */
static bool find_outside(const struct punch_record *peer, struct address *to)
{
    static const enum candidate_kind order[] = {
        CANDIDATE_STUN, CANDIDATE_RELAY, CANDIDATE_MAPPED, CANDIDATE_HOST};
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        bool found = false;
        for (int i = 0; i < peer->candidate_count; i++) {
            const struct candidate *c = &peer->candidates[i];
            if (!is_outside_v4(c, order[k]) ||
                (found && !is_later(&c->address, to, peer->step)))
                continue;
            *to = c->address;
            found = true;
        }
        if (found)
            return true;
    }
    return false;
}

static uint64_t hash_of(const struct candidate *list, int count)
{
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) {
        uint64_t hash = 0xcbf29ce484222325;
        if (list[i].kind == CANDIDATE_HOST)
            continue;
        for (size_t k = 0; k < sizeof list[i].address.ip; k++)
            hash = (hash ^ list[i].address.ip[k]) * 0x100000001b3;
        sum ^= hash;
    }
    return sum;
}

uint64_t burst_networks(const struct punch_round *r)
{
    return 1 | (hash_of(r->side.candidates, r->side.candidate_count) * 3 +
                hash_of(r->peer.candidates, r->peer.candidate_count));
}

static enum burst_kind choose(const struct punch *p)
{
    const struct punch_round *r = p->round;
    bool hard = r->side.mapping == MAPPING_DEPENDENT;
    if (hard == (r->peer.mapping == MAPPING_DEPENDENT))
        return BURST_NONE;
    if ((hard ? r->side.step : r->peer.step) != 0)
        return hard ? BURST_NONE : BURST_SEQUENCE;
    if (r->easy_only || r->peer.easy_only || p->many_done == burst_networks(r))
        return BURST_NONE;
    return hard ? BURST_SOCKETS : BURST_GUESSES;
}

/* Each factor without a divisor of PORTS reaches each port once. */
static uint32_t random_factor(struct entropy *e)
{
    uint32_t factor;
    do {
        factor = (uint32_t)entropy_below(e, PORTS);
    } while (factor % 2 == 0 || factor % 3 == 0 || factor % 7 == 0);
    return factor;
}

void burst_choose(struct punch *p)
{
    struct punch_round *r = p->round;
    struct punch_burst *b = &r->burst;
    *b = (struct punch_burst){.kind = choose(p), .step = r->peer.step};
    if (b->kind == BURST_NONE)
        return;
    if (!find_outside(&r->peer, &b->to)) {
        b->kind = BURST_NONE;
    } else if (b->kind == BURST_GUESSES) {
        b->factor = random_factor(p->conf.entropy);
        b->base = (uint32_t)entropy_below(p->conf.entropy, PORTS);
    }
}

bool burst_is_many(const struct punch_round *r)
{
    return r->burst.kind == BURST_GUESSES || r->burst.kind == BURST_SOCKETS;
}

/* --- when ---------------------------------------------------------------- */

static int count_of(enum burst_kind kind)
{
    switch (kind) {
    case BURST_NONE:
        break;
    case BURST_SEQUENCE:
        return SEQUENCE_PROBES;
    case BURST_GUESSES:
        return PUNCH_GUESSES;
    case BURST_SOCKETS:
        return SOCKET_PROBES;
    }
    return 0;
}

static struct span delay_of(enum burst_kind kind, int index)
{
    switch (kind) {
    case BURST_NONE:
        break;
    case BURST_SEQUENCE:
        return index < PREDICTED
                   ? span_times(predict_first_apart, index)
                   : span_us(predict_after.us +
                             (index - PREDICTED) * predict_apart.us);
    case BURST_GUESSES:
        index -= index % AT_ONCE;
        return span_us(guesses_after.us +
                       index * guesses_last.us / PUNCH_GUESSES);
    case BURST_SOCKETS:
        return span_us(sockets_after.us + wave_times[index / PUNCH_SOCKETS].us +
                       index % PUNCH_SOCKETS / SOCKETS_AT_ONCE *
                           sockets_apart.us);
    }
    return span_us(0);
}

struct instant burst_deadline(const struct punch_round *r)
{
    const struct punch_burst *b = &r->burst;
    if (r->state != ROUND_PROBES || b->sent == count_of(b->kind))
        return INSTANT_NEVER;
    return instant_after(r->start, delay_of(b->kind, b->sent));
}

struct instant burst_end(const struct punch_round *r)
{
    /* Both nodes wait for the end of the guesses, whichever of them sends. */
    if (!burst_is_many(r))
        return r->start;
    return instant_after(
        r->start, span_us(guesses_after.us + guesses_last.us + end_after.us));
}

/* --- probes -------------------------------------------------------------- */

static uint16_t predicted_port(const struct punch_burst *b, int index)
{
    int port = b->to.port + b->step * (1 + index % PREDICTED);
    if (port > UINT16_MAX)
        port -= PORTS;
    else if (port < PORT_FIRST)
        port += PORTS;
    return (uint16_t)port;
}

static uint16_t guessed_port(const struct punch_burst *b, int index)
{
    return (uint16_t)(PORT_FIRST +
                      (b->base + b->factor * (uint32_t)index) % PORTS);
}

/* Where the probe of this index goes, and from which socket. */
static void aim(const struct punch_round *r, int index, uint32_t *socket,
                struct address *to)
{
    const struct punch_burst *b = &r->burst;
    *socket = r->socket;
    *to = b->to;
    if (b->kind == BURST_SEQUENCE)
        to->port = predicted_port(b, index);
    else if (b->kind == BURST_GUESSES)
        to->port = guessed_port(b, index);
    else
        *socket = b->first_socket + (uint32_t)(index % PUNCH_SOCKETS);
}

/* The first wave is to open nothing but the own NAT; later ones are for those
 * that are further away. None reaches the other one: it is to hear nothing from
 * a socket before it guesses that socket's port. */
static int ttl_of(const struct punch_burst *b)
{
    static const int ttls[WAVES] = {PUNCH_TTL_FIRST, PUNCH_TTL, PUNCH_TTL_FAR};
    if (b->kind == BURST_SEQUENCE)
        return b->sent < PREDICTED ? PUNCH_TTL : 0;
    if (b->kind != BURST_SOCKETS)
        return 0;
    ASSERT(b->sent >= 0 && b->sent < SOCKET_PROBES);
    return ttls[b->sent / PUNCH_SOCKETS];
}

/* The first of many: none are needed if ordinary probes come through. */
static bool begins(struct punch *p, struct punch_do *todo)
{
    struct punch_round *r = p->round;
    struct punch_burst *b = &r->burst;
    if (r->is_heard) {
        b->kind = BURST_NONE;
        return false;
    }
    p->many_done = burst_networks(r);
    if (b->kind != BURST_SOCKETS || r->many_open)
        return false;
    b->first_socket = *p->conf.next_socket;
    *p->conf.next_socket += PUNCH_SOCKETS;
    r->many_open = true;
    todo->action = PUNCH_OPEN;
    todo->socket = b->first_socket;
    todo->count = PUNCH_SOCKETS;
    return true;
}

bool burst_next(struct punch *p, struct punch_do *todo, struct instant now)
{
    struct punch_round *r = p->round;
    struct punch_burst *b = &r->burst;
    struct probe probe = {.type = PROBE_ASKS};
    uint32_t socket;
    struct address to;
    if (!instant_reached(burst_deadline(r), now))
        return false;
    if (b->sent == 0 && burst_is_many(r) && begins(p, todo))
        return true;
    if (b->kind == BURST_NONE)
        return false;
    probe.sequence = (uint32_t)(SEQUENCE_BURST + b->sent);
    aim(r, b->sent, &socket, &to);
    pairs_send(todo, p, &probe, socket, &to, ttl_of(b));
    b->sent++;
    return true;
}

bool burst_has_socket(const struct punch_round *r, uint32_t socket)
{
    return r->many_open && socket >= r->burst.first_socket &&
           socket - r->burst.first_socket < PUNCH_SOCKETS;
}

bool burst_take(struct punch *p, uint32_t socket, const struct address *from,
                uint32_t sequence, struct instant now)
{
    struct punch_round *r = p->round;
    int index = (int)(sequence - SEQUENCE_BURST);
    uint32_t asked_socket;
    struct address asked;
    if (index >= r->burst.sent)
        return false;
    aim(r, index, &asked_socket, &asked);
    if (asked_socket != socket || !address_equal(&asked, from))
        return false;
    struct punch_pair *pair = pairs_find(r, socket, from, now);
    if (pair == NULL || pair->is_answered)
        return false;
    r->is_heard = true;
    /* The time of each of a thousand is not kept. */
    pairs_answered(p, pair, span_s(1), now);
    return true;
}
