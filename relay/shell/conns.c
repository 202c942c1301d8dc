#include "relay/shell/conns.h"

#include <stdlib.h>

#include <sodium.h>

#include "common/base/memory.h"

void conns_init(struct conns *t)
{
    uint8_t hash_key[16];
    *t = (struct conns){0};
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&t->routes, ROUTE_SIZE, hash_key);
    map_init(&t->ids, sizeof(uint64_t), hash_key);
}

void conns_close(struct conns *t)
{
    size_t cursor = 0;
    for (struct conn *c; (c = map_next(&t->ids, &cursor));)
        conns_remove(t, c);
    map_close(&t->routes);
    map_close(&t->ids);
}

uint64_t conns_next_id(const struct conns *t)
{
    return t->last_id + 1;
}

struct conn *conns_add(struct conns *t, const struct conn *conn)
{
    struct conn *c = memory_copy(conn, sizeof *conn);
    c->id = ++t->last_id;
    c->held = send_credit_new(HELD_BYTES, NULL);
    struct conn *old = map_put(&t->routes, c->route, c);
    if (old)
        conns_set_closing(t, old);
    map_put(&t->ids, &c->id, c);
    return c;
}

void conns_remove(struct conns *t, struct conn *c)
{
    if (c->blocked)
        conns_unblock(t, c);
    if (map_get(&t->routes, c->route) == c)
        map_remove(&t->routes, c->route);
    map_remove(&t->ids, &c->id);
    while (c->first)
        conn_drop_kept(c);
    send_credit_release(&c->held);
    free(c);
}

struct conn *conns_by_id(const struct conns *t, uint64_t id)
{
    return map_get(&t->ids, &id);
}

struct conn *conns_by_route(const struct conns *t, const uint8_t *route)
{
    return map_get(&t->routes, route);
}

void conns_set_closing(struct conns *t, struct conn *c)
{
    if (c->closing)
        return;
    c->closing = true;
    c->next_closing = t->closing;
    t->closing = c;
}

struct conn *conns_take_closing(struct conns *t)
{
    struct conn *closing = t->closing;
    t->closing = NULL;
    return closing;
}

void conns_keep(struct conns *t, struct conn *c, zmq_msg_t *packet)
{
    struct kept *k = memory_new(sizeof *k);
    zmq_msg_init(&k->packet);
    zmq_msg_move(&k->packet, packet);
    if (c->last)
        c->last->next = k;
    else
        c->first = k;
    c->last = k;
    if (!c->blocked)
        conns_set_blocked(t, c);
}

void conn_drop_kept(struct conn *c)
{
    struct kept *k = c->first;
    c->first = k->next;
    if (!c->first)
        c->last = NULL;
    zmq_msg_close(&k->packet);
    free(k);
}

void conns_set_blocked(struct conns *t, struct conn *c)
{
    c->blocked = true;
    if (t->last_blocked)
        t->last_blocked->next_blocked = c;
    else
        t->first_blocked = c;
    t->last_blocked = c;
    t->blocked_count++;
}

size_t conns_held_limit(const struct conns *t, size_t memory)
{
    size_t each = memory / (t->blocked_count + 1);
    if (each > HELD_BYTES)
        return HELD_BYTES;
    return each < HELD_BYTES_MIN ? HELD_BYTES_MIN : each;
}

void conns_unblock(struct conns *t, struct conn *c)
{
    struct conn *before = NULL;
    for (struct conn *at = t->first_blocked; at != c; at = at->next_blocked)
        before = at;
    *(before ? &before->next_blocked : &t->first_blocked) = c->next_blocked;
    if (t->last_blocked == c)
        t->last_blocked = before;
    c->next_blocked = NULL;
    c->blocked = false;
    t->blocked_count--;
}
