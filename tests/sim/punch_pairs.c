#include "tests/sim/punch_pairs_private.h"

#include "common/base/memory.h"
#include "common/wire/stun.h"

#include <stdio.h>
#include <stdlib.h>

enum { FLOOD = 20, ROUND_SENDS_MAX = 2200, ROUND_RECORDS_MAX = 5 };

/* What stands for a connection: the leader sends HELLO until ECHO comes, then
 * DONE. */
enum { HELLO = 0x40, ECHO, DONE };
static const struct span hello_apart = {100 * 1000};
static const struct span connecting_takes = {5 * 1000 * (int64_t)1000};

static struct punched_pair *pair_of(struct world *w)
{
    return w->udp->owner;
}

/* --- sockets ------------------------------------------------------------- */

static uint16_t port_of(const struct pair_end *e, uint32_t number)
{
    for (size_t i = 0; i < e->socket_count; i++)
        if (e->sockets[i].number == number)
            return e->sockets[i].port;
    return 0;
}

static bool find_socket(const struct pair_end *e, uint16_t port,
                        uint32_t *number)
{
    for (size_t i = 0; i < e->socket_count; i++)
        if (e->sockets[i].port == port) {
            *number = e->sockets[i].number;
            return true;
        }
    return false;
}

void pair_open_socket(struct world *w, struct pair_end *e, uint32_t number,
                      uint16_t port)
{
    e->sockets = memory_grow(e->sockets, e->socket_count, &e->socket_room,
                             sizeof *e->sockets);
    e->sockets[e->socket_count++] =
        (struct pair_socket){number, udp_open(w, e->host, port)};
}

static void close_socket(struct world *w, struct pair_end *e, uint32_t number)
{
    for (size_t i = 0; i < e->socket_count; i++)
        if (e->sockets[i].number == number) {
            udp_close(w, e->host, e->sockets[i].port);
            e->sockets[i] = e->sockets[--e->socket_count];
            return;
        }
    world_fail(w, "punch-sockets", "socket %u was not open", number);
}

/* --- what the machine wants ---------------------------------------------- */

static void settle(struct world *w, int end);

static void add(struct punch_side *side, enum candidate_kind kind,
                const struct address *a)
{
    if (side->candidate_count < PUNCH_CANDIDATES)
        side->candidates[side->candidate_count++] =
            (struct candidate){kind, *a};
}

static void tell_side(struct world *w, struct pair_end *e)
{
    struct outside_view view = {0};
    struct punch_side side = {0};
    struct address host = e->ip;
    host.port = port_of(e, e->looked);
    if (outside_get(e->outside, e->looked, &view)) {
        side.mapping = view.mapping;
        side.step = view.step;
        for (int i = 0; i < view.count; i++)
            add(&side, CANDIDATE_STUN, &view.found[i]);
    }
    add(&side, CANDIDATE_HOST, &host);
    e->looks = false;
    punch_looked(e->punch, &side, w->now);
}

static void record_arrives(struct world *w, int end, uint64_t index)
{
    struct punched_pair *p = pair_of(w);
    struct pair_record r;
    if (p == NULL)
        return;
    r = p->records[index];
    p->records[index].is_used = false;
    if (r.bytes[0] == PUNCH_ASK)
        p->ends[end].failed_at = (struct instant){0};
    if (!punch_take_record(p->ends[end].punch, bytes_of(r.bytes, r.size),
                           w->now))
        world_fail(w, "punch-agree", "a record is not taken");
    settle(w, end);
}

static void send_record(struct world *w, int end, const struct punch_do *todo)
{
    struct punched_pair *p = pair_of(w);
    struct span delay = p->record_delay[end];
    int i = 0;
    if (++p->ends[end].records > ROUND_RECORDS_MAX)
        world_fail(w, "punch-bounds", "a round has too many records");
    while (i < RECORDS && p->records[i].is_used)
        i++;
    if (i == RECORDS || rng_chance(&w->rng, p->conf->loss_percent))
        return;
    p->records[i] = (struct pair_record){.is_used = true, .size = todo->size};
    memcpy(p->records[i].bytes, todo->bytes, todo->size);
    delay.us += rng_between(&w->rng, 0, 5000);
    world_at(w, delay, record_arrives, 1 - end, (uint64_t)i);
}

static void send_probe(struct world *w, int end, const struct punch_do *todo)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    uint16_t port = port_of(e, todo->socket);
    int times = p->sabotage == PUNCH_SABOTAGE_FLOOD ? FLOOD : 1;
    e->sends += times;
    if (e->sends > ROUND_SENDS_MAX)
        world_fail(w, "punch-bounds", "a round has too many probes");
    if (port == 0) {
        world_fail(w, "punch-sockets", "socket %u is not open", todo->socket);
        return;
    }
    int ttl = p->sabotage == PUNCH_SABOTAGE_FAR ? 0 : todo->ttl;
    for (int i = 0; i < times; i++)
        (void)udp_send(w, e->host, port, &todo->to,
                       bytes_of(todo->bytes, todo->size), ttl);
}

static void begins(struct world *w, struct pair_end *e, uint32_t socket)
{
    /* The other end learns later that a round failed. An ASK is let pass. */
    if (e->host == 0 && e->rounds > 0 &&
        instant_is_recent(e->failed_at, span_ms(4900), w->now))
        world_fail(w, "punch-pauses",
                   "a round follows a failed one after %lld ms",
                   (long long)instant_between(e->failed_at, w->now).us / 1000);
    e->rounds++;
    e->sends = e->records = 0;
    e->looks = true;
    e->looked = socket;
    outside_ask(e->outside, socket, span_us(0), w->now);
}

static void has_won(struct world *w, int end, const struct punch_do *todo)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    e->is_won = true;
    e->won = *todo;
    e->won_at = e->hello_at = w->now;
    if (p->sabotage == PUNCH_SABOTAGE_KEY && end == 0)
        e->won.quic[5] ^= 1;
    if (todo->lead != (end == 0))
        world_fail(w, "punch-agree", "the wrong end leads");
}

static void is_hasty(struct world *w, int end, uint64_t unused)
{
    struct punched_pair *p = pair_of(w);
    (void)unused;
    if (p == NULL)
        return;
    punch_network_changed(p->ends[end].punch, w->now);
    settle(w, end);
}

static void fails(struct world *w, int end)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    e->failed_at = w->now;
    e->is_won = false;
    if (p->sabotage == PUNCH_SABOTAGE_HASTY)
        world_at(w, span_ms(10), is_hasty, end, 0);
}

static void carry_out(struct world *w, int end, const struct punch_do *todo)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    switch (todo->action) {
    case PUNCH_LOOK:
        begins(w, e, todo->socket);
        break;
    case PUNCH_RECORD:
        send_record(w, end, todo);
        break;
    case PUNCH_OPEN:
        e->had_many = e->had_many || todo->count > 1;
        for (uint32_t i = 0; i < todo->count; i++)
            pair_open_socket(w, e, todo->socket + i, 0);
        break;
    case PUNCH_CLOSE:
        for (uint32_t i = 0;
             i < todo->count && p->sabotage != PUNCH_SABOTAGE_KEEPS; i++)
            close_socket(w, e, todo->socket + i);
        break;
    case PUNCH_SEND:
        send_probe(w, end, todo);
        break;
    case PUNCH_WON:
        has_won(w, end, todo);
        break;
    case PUNCH_FAILED:
        fails(w, end);
        break;
    }
}

/* --- the pair that was won ------------------------------------------------ */

static void say(struct world *w, int end, uint8_t what)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    uint16_t port = port_of(e, e->won.socket);
    if (port != 0 && p->sabotage != PUNCH_SABOTAGE_DEAD)
        (void)udp_send(w, e->host, port, &e->won.to, bytes_of(&what, 1), 0);
}

static void is_connected(struct world *w, struct pair_end *e)
{
    const struct punched_pair *p = pair_of(w);
    if (e->is_connected)
        return;
    if (memcmp(p->ends[0].won.quic, p->ends[1].won.quic, 32) != 0)
        world_fail(w, "punch-agree", "the ends have different keys");
    e->is_connected = true;
    punch_connected(e->punch, w->now);
}

static void hear(struct world *w, int end, uint32_t socket,
                 const struct udp_delivery *d)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    if (!e->is_won || socket != e->won.socket ||
        !address_equal(&e->won.to, &d->from))
        return;
    switch (d->bytes.data[0]) {
    case HELLO:
        say(w, end, ECHO);
        break;
    case ECHO:
        say(w, end, DONE);
        is_connected(w, e);
        break;
    case DONE:
        is_connected(w, e);
        break;
    }
}

/* The next time that the won pair is due. */
static struct instant connection_deadline(const struct pair_end *e)
{
    if (!e->is_won || (e->is_connected && !e->won.lead))
        return INSTANT_NEVER;
    return e->won.lead ? e->hello_at
                       : instant_after(e->won_at, connecting_takes);
}

static void connection_due(struct world *w, int end)
{
    struct pair_end *e = &pair_of(w)->ends[end];
    if (!instant_reached(connection_deadline(e), w->now))
        return;
    if (!e->is_connected &&
        instant_reached(instant_after(e->won_at, connecting_takes), w->now)) {
        if (pair_of(w)->ends[1 - end].is_won)
            world_fail(w, "punch-works", "nothing passes over the pair");
        punch_not_connected(e->punch, w->now);
        settle(w, end);
        return;
    }
    /* DONE may be lost: HELLO has it sent again. */
    e->hello_at = instant_after(w->now, hello_apart);
    say(w, end, HELLO);
}

/* --- running ---------------------------------------------------------------
 */

static void ask_servers(struct world *w, struct pair_end *e)
{
    struct outside_request r;
    while (outside_next(e->outside, &r, w->now))
        if (port_of(e, r.socket) != 0)
            (void)udp_send(w, e->host, port_of(e, r.socket), &r.to,
                           bytes_of(r.bytes, sizeof r.bytes), 0);
}

static struct instant end_deadline(const struct pair_end *e)
{
    return instant_min(
        instant_min(punch_deadline(e->punch), outside_deadline(e->outside)),
        connection_deadline(e));
}

static void wake(struct world *w, int end, uint64_t unused)
{
    struct punched_pair *p = pair_of(w);
    (void)unused;
    if (p == NULL)
        return;
    if (instant_reached(p->ends[end].wake_at, w->now))
        p->ends[end].wake_at = INSTANT_NEVER;
    settle(w, end);
}

static void wake_later(struct world *w, int end)
{
    struct pair_end *e = &pair_of(w)->ends[end];
    struct instant at = end_deadline(e);
    if (instant_reached(at, w->now)) {
        world_fail(w, "punch-rests", "something is due still");
        return;
    }
    if (at.us >= e->wake_at.us)
        return;
    e->wake_at = at;
    world_at(w, instant_between(w->now, at), wake, end, 0);
}

static void settle(struct world *w, int end)
{
    struct punched_pair *p = pair_of(w);
    struct pair_end *e = &p->ends[end];
    struct punch_do todo;
    struct outside_view view;
    if (w->failed)
        return;
    punch_allow_many(e->punch, true);
    if (p->sabotage != PUNCH_SABOTAGE_RESTLESS &&
        instant_reached(punch_deadline(e->punch), w->now))
        punch_due(e->punch, w->now);
    (void)outside_due(e->outside, w->now);
    do {
        while (!w->failed && punch_next(e->punch, &todo, w->now))
            carry_out(w, end, &todo);
        ask_servers(w, e);
        (void)outside_due(e->outside, w->now);
        if (e->looks && outside_get(e->outside, e->looked, &view) && view.done)
            tell_side(w, e);
    } while (!w->failed && punch_next(e->punch, &todo, w->now) &&
             (carry_out(w, end, &todo), true));
    connection_due(w, end);
    if (!w->failed)
        wake_later(w, end);
}

static void serve(struct world *w, const struct udp_delivery *d)
{
    uint8_t room[STUN_RESPONSE_SIZE];
    struct stun_id id;
    if (!stun_read_request(d->bytes, &id))
        return;
    struct bytes response = stun_write_response(&id, &d->from, room);
    (void)udp_send(w, d->host, d->to.port, &d->from, response, 0);
}

static void receive(struct world *w, const struct udp_delivery *d)
{
    struct punched_pair *p = pair_of(w);
    uint32_t socket;
    uint8_t tag[8];
    if (d->host >= SERVER_HOST) {
        serve(w, d);
        return;
    }
    for (int end = 0; end < 2; end++) {
        struct pair_end *e = &p->ends[end];
        if (e->host != d->host || !find_socket(e, d->to.port, &socket))
            continue;
        if (d->bytes.data[0] >= HELLO)
            hear(w, end, socket, d);
        else if (probe_peek(d->bytes, tag) &&
                 p->sabotage != PUNCH_SABOTAGE_DEAF)
            (void)punch_take_probe(e->punch, socket, &d->from, d->bytes,
                                   w->now);
        else
            (void)outside_take(e->outside, socket, &d->from, d->bytes, w->now);
        settle(w, end);
    }
}

/* --- a pair ----------------------------------------------------------------
 */

static bool is_done(struct world *w)
{
    const struct punched_pair *p = pair_of(w);
    return p->ends[0].is_connected && p->ends[1].is_connected;
}

static void end_pair(struct world *w, struct punched_pair *p)
{
    for (int end = 0; end < 2; end++) {
        struct pair_end *e = &p->ends[end];
        size_t expected = e->is_won && e->won.socket != 0 ? 2 : 1;
        punch_want(e->punch, false, w->now);
        settle(w, end);
        if (!w->failed && e->socket_count != expected)
            world_fail(w, "punch-sockets", "%zu sockets are open",
                       e->socket_count);
        e->is_won = false;
    }
    w->udp->receiver = NULL;
    w->udp->owner = NULL;
    for (int end = 0; end < 2; end++) {
        punch_free(&p->ends[end].punch);
        outside_free(&p->ends[end].outside);
        free(p->ends[end].sockets);
    }
    world_run(w, span_s(5));
    if (!w->failed)
        udp_settle(w);
}

struct pair_result pair_run_in(struct world *w, const struct pair_conf *conf,
                               enum punch_sabotage s)
{
    struct punched_pair *p = memory_new(sizeof *p);
    struct pair_result r = {0};
    struct instant began;
    p->conf = conf;
    p->sabotage = s;
    pair_build(w, p);
    w->udp->receiver = receive;
    world_run(w, span_s(1)); /* Socket 0 was asked for. */
    began = w->now;
    int first = (int)rng_below(&w->rng, 2);
    for (int i = 0; i < 2; i++) {
        int end = i == 0 ? first : 1 - first;
        punch_want(p->ends[end].punch, true, w->now);
        settle(w, end);
        world_run(w, rng_span(&w->rng, span_us(0), span_ms(100)));
    }
    r.is_direct = world_run_until(w, is_done, conf->limit);
    r.took = instant_between(began, w->now);
    r.rounds = p->ends[0].rounds;
    r.had_many = p->ends[0].had_many || p->ends[1].had_many;
    end_pair(w, p);
    if (w->failed)
        snprintf(r.failure, sizeof r.failure, "%s", w->failure);
    free(p);
    return r;
}

struct pair_result pair_run(const struct pair_conf *conf, uint64_t seed,
                            enum punch_sabotage s)
{
    struct world *w = world_new(seed);
    struct pair_result r = pair_run_in(w, conf, s);
    world_free(w);
    return r;
}
