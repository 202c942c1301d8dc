#include "edge/core/outside.h"

#include "common/base/memory.h"
#include "common/wire/stun.h"

#include <stdlib.h>
#include <string.h>

enum {
    SENDS = 3,
    TRANSACTION_SIZE = 12,
    HOSTS = 64,
    SEQUENCE_ANSWERS = 3, /* that show ports in sequence */
    SEQUENCE_STEP = 16,   /* the largest */
};

static const struct span send_interval = {200 * 1000};
static const struct span query_time = {800 * 1000};

/* The requests to one server from one socket. */
struct outside_query {
    struct address server;
    /* The last byte is the number of the send, so that the answer tells which
     * request it answers, and so its round trip. */
    uint8_t transaction[TRANSACTION_SIZE];
    int sends;
    struct instant sent[SENDS];
    bool open;             /* not answered yet, and has time left */
    struct address mapped; /* what the server saw; NONE: no answer */
    struct span rtt;
};

struct outside_socket {
    uint32_t number;
    struct instant asked; /* the last asking began */
    bool running;         /* some of its queries are open */
    bool ended;           /* outside_due has not told it yet */
    size_t count;
    struct outside_query queries[OUTSIDE_SERVERS];
};

struct outside {
    struct entropy *entropy;
    bool begins; /* socket 0 must be asked for, as soon as the time is known */
    size_t server_count, host_count, socket_count;
    struct address servers[OUTSIDE_SERVERS];
    struct address hosts[HOSTS];
    struct outside_socket *sockets[OUTSIDE_SOCKETS];
};

struct outside *outside_new(struct entropy *entropy)
{
    struct outside *o = memory_new(sizeof *o);

    o->entropy = entropy;
    return o;
}

void outside_free(struct outside **self)
{
    struct outside *o = *self;

    if (o == NULL)
        return;
    *self = NULL;
    for (size_t i = 0; i < o->socket_count; i++)
        free(o->sockets[i]);
    free(o);
}

/* ---- Asking */

static struct outside_socket *find(const struct outside *o, uint32_t number)
{
    for (size_t i = 0; i < o->socket_count; i++)
        if (o->sockets[i]->number == number)
            return o->sockets[i];
    return NULL;
}

static void remove_at(struct outside *o, size_t at)
{
    free(o->sockets[at]);
    o->sockets[at] = o->sockets[--o->socket_count];
}

/* Apart from socket 0, which is always asked for. */
static size_t longest_known(const struct outside *o)
{
    size_t at = o->sockets[0]->number == 0 ? 1 : 0;

    for (size_t i = at + 1; i < o->socket_count; i++)
        if (o->sockets[i]->number != 0 &&
            o->sockets[i]->asked.us < o->sockets[at]->asked.us)
            at = i;
    return at;
}

static struct outside_socket *make(struct outside *o, uint32_t number)
{
    struct outside_socket *s = find(o, number);

    if (s != NULL)
        return s;
    if (o->socket_count == OUTSIDE_SOCKETS)
        remove_at(o, longest_known(o));
    s = memory_new(sizeof *s);
    s->number = number;
    o->sockets[o->socket_count++] = s;
    return s;
}

static void end_if_answered(struct outside_socket *s)
{
    if (!s->running)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (s->queries[i].open)
            return;
    s->running = false;
    s->ended = true;
}

static const struct outside_query *query_of(const struct outside_socket *s,
                                            const struct address *server)
{
    for (size_t i = 0; i < s->count; i++)
        if (address_equal(&s->queries[i].server, server))
            return &s->queries[i];
    return NULL;
}

/* Asks all servers of today. Of those that were asked before, the answers are
 * kept. */
static void begin(struct outside *o, struct outside_socket *s,
                  struct instant now)
{
    struct outside_query queries[OUTSIDE_SERVERS];

    for (size_t i = 0; i < o->server_count; i++) {
        const struct outside_query *before = query_of(s, &o->servers[i]);
        struct outside_query *q = &queries[i];
        *q = (struct outside_query){.server = o->servers[i], .open = true};
        if (before != NULL) {
            q->mapped = before->mapped;
            q->rtt = before->rtt;
        }
        entropy_fill(o->entropy, q->transaction, sizeof q->transaction);
    }
    memcpy(s->queries, queries, o->server_count * sizeof queries[0]);
    s->count = o->server_count;
    s->asked = now;
    s->running = true;
    s->ended = false;
    end_if_answered(s); /* Without servers it ends at once. */
}

static void begin_waiting(struct outside *o, struct instant now)
{
    if (!o->begins)
        return;
    o->begins = false;
    begin(o, make(o, 0), now);
}

void outside_servers(struct outside *o, const struct address *list,
                     size_t count)
{
    struct address servers[OUTSIDE_SERVERS];
    size_t taken = 0;

    for (size_t i = 0; i < count && taken < OUTSIDE_SERVERS; i++) {
        bool again = !address_is_usable(&list[i]);
        for (size_t at = 0; at < taken && !again; at++)
            again = address_equal(&servers[at], &list[i]);
        if (!again)
            servers[taken++] = list[i];
    }
    bool same = taken == o->server_count;
    for (size_t i = 0; i < taken && same; i++)
        same = address_equal(&servers[i], &o->servers[i]);
    if (same)
        return;
    memcpy(o->servers, servers, taken * sizeof servers[0]);
    o->server_count = taken;
    o->begins = true;
}

void outside_hosts(struct outside *o, const struct address *list, size_t count)
{
    o->host_count = count < HOSTS ? count : HOSTS;
    for (size_t i = 0; i < o->host_count; i++)
        o->hosts[i] = list[i];
}

void outside_network_changed(struct outside *o, struct instant now)
{
    o->begins = false;
    (void)make(o, 0);
    for (size_t i = 0; i < o->socket_count; i++) {
        o->sockets[i]->count = 0;
        begin(o, o->sockets[i], now);
    }
}

void outside_ask(struct outside *o, uint32_t socket, struct span fresh,
                 struct instant now)
{
    bool known = find(o, socket) != NULL;
    struct outside_socket *s = make(o, socket);

    if (s->running)
        return;
    if (known && instant_is_recent(s->asked, fresh, now))
        s->ended = true;
    else
        begin(o, s, now);
}

void outside_forget(struct outside *o, uint32_t socket)
{
    for (size_t i = 0; i < o->socket_count; i++)
        if (o->sockets[i]->number == socket) {
            remove_at(o, i);
            return;
        }
}

/* ---- Requests and answers */

/* Writes the request of send number `send`. */
static void write_request(const struct outside_query *q, int send,
                          struct stun_id *id,
                          uint8_t bytes[static STUN_REQUEST_SIZE])
{
    uint8_t transaction[TRANSACTION_SIZE];

    memcpy(transaction, q->transaction, sizeof transaction);
    transaction[TRANSACTION_SIZE - 1] = (uint8_t)send;
    stun_write_request(transaction, id, bytes);
}

static struct instant next_send(const struct outside_query *q)
{
    if (!q->open || q->sends == SENDS)
        return INSTANT_NEVER;
    if (q->sends == 0)
        return (struct instant){INT64_MIN};
    return instant_after(q->sent[q->sends - 1], send_interval);
}

static struct instant end_of(const struct outside_query *q)
{
    return q->open && q->sends > 0 ? instant_after(q->sent[0], query_time)
                                   : INSTANT_NEVER;
}

bool outside_next(struct outside *o, struct outside_request *r,
                  struct instant now)
{
    begin_waiting(o, now);
    for (size_t i = 0; i < o->socket_count; i++) {
        struct outside_socket *s = o->sockets[i];
        for (size_t at = 0; at < s->count; at++) {
            struct outside_query *q = &s->queries[at];
            struct stun_id id;
            if (!instant_reached(next_send(q), now))
                continue;
            r->socket = s->number;
            r->to = q->server;
            write_request(q, q->sends, &id, r->bytes);
            q->sent[q->sends++] = now;
            return true;
        }
    }
    return false;
}

/* The send that the datagram answers; -1: none. */
static int answered_send(const struct outside_query *q, struct bytes datagram,
                         struct address *mapped)
{
    for (int send = 0; send < q->sends; send++) {
        uint8_t request[STUN_REQUEST_SIZE];
        struct stun_id id;
        write_request(q, send, &id, request);
        if (stun_read_response(datagram, &id, mapped))
            return send;
    }
    return -1;
}

/* An answer that comes late counts until the socket is asked for again. */
bool outside_take(struct outside *o, uint32_t socket,
                  const struct address *from, struct bytes datagram,
                  struct instant now)
{
    struct outside_socket *s = find(o, socket);

    for (size_t i = 0; s != NULL && i < s->count; i++) {
        struct outside_query *q = &s->queries[i];
        struct address mapped;
        if (!address_equal(&q->server, from))
            continue;
        int send = answered_send(q, datagram, &mapped);
        if (send < 0 || mapped.family != from->family ||
            !address_is_usable(&mapped))
            return false;
        if (q->open || q->mapped.family == ADDRESS_NONE) {
            q->mapped = mapped;
            q->rtt = instant_between(q->sent[send], now);
            q->open = false;
            end_if_answered(s);
        }
        return true;
    }
    return false;
}

bool outside_due(struct outside *o, struct instant now)
{
    bool some = false;

    begin_waiting(o, now);
    for (size_t i = 0; i < o->socket_count; i++) {
        struct outside_socket *s = o->sockets[i];
        for (size_t at = 0; at < s->count; at++) {
            struct outside_query *q = &s->queries[at];
            if (!instant_reached(end_of(q), now))
                continue;
            q->open = false;
            q->mapped = (struct address){.family = ADDRESS_NONE};
        }
        end_if_answered(s);
        some = some || s->ended;
        s->ended = false;
    }
    return some;
}

struct instant outside_deadline(const struct outside *o)
{
    struct instant first = INSTANT_NEVER;

    if (o->begins)
        return (struct instant){INT64_MIN};
    for (size_t i = 0; i < o->socket_count; i++) {
        const struct outside_socket *s = o->sockets[i];
        if (s->ended)
            return (struct instant){INT64_MIN};
        for (size_t at = 0; at < s->count; at++) {
            first = instant_min(first, next_send(&s->queries[at]));
            first = instant_min(first, end_of(&s->queries[at]));
        }
    }
    return first;
}

/* ---- What the answers say */

static bool is_host(const struct outside *o, const struct address *a)
{
    for (size_t i = 0; i < o->host_count; i++)
        if (address_same_ip(&o->hosts[i], a))
            return true;
    return false;
}

/* Whether an earlier query to the same host, at another port, was answered. */
static bool is_known_server(const struct outside_socket *s, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (s->queries[i].mapped.family != ADDRESS_NONE &&
            address_same_ip(&s->queries[i].server, &s->queries[at].server))
            return true;
    return false;
}

/* What the answers over one family say together. */
struct outside_verdict {
    int answers, servers;
    int behind;         /* answers that came through a NAT */
    int behind_servers; /* that gave them */
    bool differ;        /* two of them saw different addresses */
    bool sequence;      /* each port is `step` larger than the one before */
    int step;
    struct address last; /* of those that came through a NAT */
};

static void weigh(struct outside_verdict *v, const struct address *mapped)
{
    int step = (int)mapped->port - (int)v->last.port;

    if (v->behind == 0) {
        v->sequence = true;
    } else {
        v->differ = v->differ || !address_equal(mapped, &v->last);
        v->sequence = v->sequence && address_same_ip(mapped, &v->last) &&
                      step >= 1 && step <= SEQUENCE_STEP &&
                      (v->behind == 1 || step == v->step);
        v->step = step;
    }
    v->last = *mapped;
    v->behind++;
}

/* A server on this side of the NAT sees an address of this host. That says
 * nothing of a NAT that other servers see. */
static struct outside_verdict judge(const struct outside *o,
                                    const struct outside_socket *s,
                                    enum address_family family)
{
    struct outside_verdict v = {.answers = 0};

    for (size_t i = 0; i < s->count; i++) {
        const struct outside_query *q = &s->queries[i];
        if (q->server.family != family || q->mapped.family == ADDRESS_NONE)
            continue;
        bool known = is_known_server(s, i);
        v.answers++;
        v.servers += known ? 0 : 1;
        if (is_host(o, &q->mapped))
            continue;
        v.behind_servers += known ? 0 : 1;
        weigh(&v, &q->mapped);
    }
    return v;
}

static enum nat_mapping mapping_of(const struct outside_verdict *v)
{
    if (v->answers == 0)
        return MAPPING_UNKNOWN;
    if (v->behind == 0)
        return MAPPING_NONE;
    if (v->differ)
        return MAPPING_DEPENDENT;
    return v->behind_servers >= 2 ? MAPPING_ENDPOINT_INDEPENDENT
                                  : MAPPING_UNKNOWN;
}

static bool is_found(const struct outside_view *view, const struct address *a)
{
    for (int i = 0; i < view->count; i++)
        if (address_equal(&view->found[i], a))
            return true;
    return false;
}

static void list_found(const struct outside_socket *s,
                       struct outside_view *view)
{
    int v4 = 0, v6 = 0;

    for (size_t i = s->count; i-- > 0;) {
        const struct address *a = &s->queries[i].mapped;
        int *of_family = a->family == ADDRESS_V4 ? &v4 : &v6;
        if (a->family == ADDRESS_NONE || *of_family == OUTSIDE_FOUND / 2 ||
            is_found(view, a))
            continue;
        (*of_family)++;
        view->found[view->count++] = *a;
    }
}

size_t outside_answers(const struct outside *o, uint32_t socket,
                       struct outside_answer list[static OUTSIDE_SERVERS])
{
    const struct outside_socket *s = find(o, socket);
    size_t count = s != NULL ? s->count : 0;

    for (size_t i = 0; i < count; i++) {
        const struct outside_query *q = &s->queries[i];
        list[i] = (struct outside_answer){.server = q->server,
                                          .seen = q->mapped,
                                          .natted = !is_host(o, &q->mapped),
                                          .rtt = q->rtt};
    }
    return count;
}

bool outside_get(const struct outside *o, uint32_t socket,
                 struct outside_view *view)
{
    const struct outside_socket *s = find(o, socket);

    *view = (struct outside_view){.rtt = span_us(-1)};
    if (s == NULL)
        return false;
    struct outside_verdict v4 = judge(o, s, ADDRESS_V4);
    struct outside_verdict v6 = judge(o, s, ADDRESS_V6);
    const struct outside_verdict *v = v4.answers > 0 ? &v4 : &v6;
    view->done = !s->running;
    view->answered_v4 = v4.answers > 0;
    view->answered_v6 = v6.answers > 0;
    view->servers = v->servers;
    view->mapping = mapping_of(v);
    if (view->mapping == MAPPING_DEPENDENT && v->sequence &&
        v->behind >= SEQUENCE_ANSWERS)
        view->step = (int8_t)v->step;
    list_found(s, view);
    for (size_t i = 0; i < s->count; i++) {
        const struct outside_query *q = &s->queries[i];
        if (q->mapped.family != ADDRESS_NONE &&
            (view->rtt.us < 0 || q->rtt.us < view->rtt.us))
            view->rtt = q->rtt;
    }
    return true;
}
