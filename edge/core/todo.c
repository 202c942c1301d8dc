#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <stdlib.h>
#include <string.h>

void todo_init(struct todo *t)
{
    *t = (struct todo){0};
}

static void let_go(struct todo *t)
{
    for (size_t i = 0; t->lent > 0; i++) {
        struct node_todo *item = &t->items[i];
        if (item->kind != NODE_WRITE || !item->link.lent)
            continue;
        block_release(item->link.block);
        t->lent--;
    }
}

void todo_clear(struct todo *t)
{
    let_go(t);
    t->count = 0;
    arena_clear(&t->arena);
}

void todo_close(struct todo *t)
{
    let_go(t);
    free(t->items);
    arena_close(&t->arena);
    *t = (struct todo){0};
}

/* False: there is no memory. todo_add then gives out `lost`, which is never
 * carried out: the owner checks memory_is_sound first and ends the node. */
static bool grow(struct todo *t)
{
    size_t capacity = t->capacity == 0 ? 256 : 2 * t->capacity;
    struct node_todo *items = memory_try(t->items, capacity, sizeof *items);
    if (items == NULL)
        return false;
    t->items = items;
    t->capacity = capacity;
    return true;
}

struct node_todo *todo_add(struct todo *t, enum node_todo_kind kind)
{
    struct node_todo *item = &t->lost;
    if (t->count < t->capacity || grow(t))
        item = &t->items[t->count++];
    *item = (struct node_todo){.kind = kind};
    return item;
}

const struct node_peer *todo_peer(struct node *n, const struct peer *p)
{
    if (n->viewed == p)
        return n->view;
    struct arena *arena = &n->todo->arena;
    struct node_peer *view = arena_take(arena, sizeof *view);
    *view = (struct node_peer){.id = p->id};
    view->name =
        (const char *)arena_copy(arena, bytes_of(p->name, sizeof p->name)).data;
    n->viewed = p;
    n->view = view;
    return view;
}

static struct node_todo *add_link(struct node *n, enum node_todo_kind kind,
                                  const struct link *link)
{
    struct node_todo *item = todo_add(n->todo, kind);
    item->link.id = link->id;
    item->link.transport = (uint8_t)link->transport;
    item->link.incoming = !link->outgoing;
    return item;
}

struct writer todo_writer(struct node *n, size_t size)
{
    return writer_of(arena_take(&n->todo->arena, size), size);
}

struct bytes todo_packet(struct node *n, enum packet_type type,
                         struct bytes content)
{
    struct writer w = todo_writer(n, 1 + content.size);
    write_u8(&w, (uint8_t)type);
    write_bytes(&w, content);
    return writer_bytes(&w);
}

static struct node_todo *add_write(struct node *n, const struct link *link,
                                   struct bytes bytes, struct block *block)
{
    struct node_todo *item = add_link(n, NODE_WRITE, link);
    item->link.bytes = bytes;
    item->link.block = block;
    n->counters.packets_sent++;
    if (link->relay != NULL)
        link->relay->bytes_sent += bytes.size;
    return item;
}

void todo_write(struct node *n, const struct link *link, struct bytes bytes)
{
    (void)add_write(n, link, bytes,
                    arena_block_of(&n->todo->arena, bytes.data));
}

void todo_write_lent(struct node *n, const struct link *link,
                     struct bytes bytes, struct block *block)
{
    struct node_todo *item = add_write(n, link, bytes, block);
    if (item == &n->todo->lost)
        return;
    block_hold(block);
    item->link.lent = true;
    n->todo->lent++;
}

void todo_connect(struct node *n, const struct link *link)
{
    const struct relay *relay = link->relay;
    struct node_todo *item =
        add_link(n, relay != NULL ? NODE_CONNECT_RELAY : NODE_CONNECT, link);
    item->link.key = link->key;
    item->link.address = link->address;
    item->link.relay = relay != NULL ? relay->index : 0;
    item->link.form = link->form;
}

void todo_connect_udp(struct node *n, const struct link *link, bool client,
                      const uint8_t secret[32])
{
    struct arena *arena = &n->todo->arena;
    const struct node_id *self = &n->certificate.node, *peer = &link->peer->id;
    uint8_t *identity = arena_take(arena, 2 * KEY_SIZE);
    memcpy(identity, (client ? self : peer)->key, KEY_SIZE);
    memcpy(identity + KEY_SIZE, (client ? peer : self)->key, KEY_SIZE);
    struct node_todo *item = todo_add(n->todo, NODE_CONNECT_UDP);
    item->udp.link = link->id;
    item->udp.socket = link->socket;
    item->udp.count = 1;
    item->udp.to = link->address;
    item->udp.client = client;
    item->udp.secret = arena_copy(arena, bytes_of(secret, 32)).data;
    item->udp.identity = identity;
}

void todo_disconnect(struct node *n, const struct link *link)
{
    (void)add_link(n, NODE_DISCONNECT, link);
}

struct node_todo *todo_report(struct node *n, struct node_ref ref,
                              enum node_outcome outcome, const struct peer *p)
{
    struct node_todo *item = todo_add(n->todo, NODE_REPORT);
    item->report.ref = ref;
    item->report.outcome = outcome;
    item->report.rtt = span_us(-1);
    if (p != NULL) {
        item->report.path = p->paths.current.kind;
        if (p->session != NULL)
            item->report.rtt = p->session->rtt;
    }
    return item;
}
