#include "tests/bench/core/mesh.h"

#include "common/base/memory.h"
#include "tests/bench/core/steps.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct span turn_takes = {100};
static const struct span long_time = {60 * 1000 * 1000};
enum { UNIX_NOW = 1800000000, TURNS_TO_MEET = 100 * 1000 };

/* ---- Members */

static const uint8_t mesh_seed[32] = {7};

static struct bytes certify(const struct mesh_id *mesh, const uint8_t secret[],
                            const uint8_t node_key[32], uint32_t number,
                            uint8_t *room)
{
    struct certificate c = {.mesh = *mesh, .not_after = UINT64_MAX};
    memcpy(c.node.key, node_key, KEY_SIZE);
    snprintf(c.name, sizeof c.name, "node-%u", number);
    return certificate_sign(&c, secret, room);
}

static struct node *node_make(const struct bench_mesh *m, uint32_t number)
{
    struct mesh_id id;
    uint8_t mesh_secret[64], public_key[32], room[CERTIFICATE_SIZE];
    uint8_t seed[32] = {1, (uint8_t)number, (uint8_t)(number >> 8)};
    struct node_conf conf = {
        .epoch = {1},
        .info = bytes_of_string("{}"),
        .tcp = m->shape.way == WAY_DIRECT,
        .share_addresses = true,
        .relay = true,
        .aes = m->shape.aes,
        .relay_count = 1,
        .relay_keys = {{{9}}},
        .beacon_interval = span_s(1),
        .probe = span_s(1),
        .lost_after = long_time, /* no node is lost while we measure */
        .limits = {.message = 16 << 20,
                   .window = 4 << 20,
                   .peers = 4096,
                   .links = 256},
    };
    crypto_sign_seed_keypair(id.key, mesh_secret, mesh_seed);
    crypto_sign_seed_keypair(public_key, conf.secret_key, seed);
    conf.certificate = certify(&id, mesh_secret, public_key, number, room);
    memcpy(conf.seed, seed, sizeof conf.seed);
    return node_new(&conf, m->now);
}

static struct node_event *inbox_add(struct mesh_member *member,
                                    enum node_event_kind kind)
{
    struct mesh_inbox *in = member->inbox;
    if (in->count == in->room) {
        in->room = in->room > 0 ? 2 * in->room : 64;
        in->events = memory_resize(in->events, in->room, sizeof *in->events);
    }
    struct node_event *e = &in->events[in->count++];
    *e = (struct node_event){.kind = kind};
    return e;
}

static void inbox_packet(struct mesh_member *member, uint32_t link,
                         struct bytes packet)
{
    struct node_event *e = inbox_add(member, NODE_LINK_PACKET);
    e->link.id = link;
    e->link.bytes = arena_copy(&member->inbox->arena, packet);
}

static void member_make(struct bench_mesh *m, uint32_t number)
{
    struct mesh_member *member = &m->members[number];
    member->node = node_make(m, number);
    ASSERT(member->node != NULL);
    member->conn = number + 1;
    member->inbox = &member->inboxes[0];
    todo_init(&member->todo);
    member->address = (struct address){
        ADDRESS_V4, {10, 0, (uint8_t)(number >> 8), (uint8_t)number}, 4000, 0};
    struct node_event *e = inbox_add(member, NODE_ADDRESSES_ARE);
    e->addresses.list = &member->address;
    e->addresses.count = 1;
    inbox_add(member, NODE_CLOCK)->unix_seconds = UNIX_NOW;
}

static void member_close(struct mesh_member *member)
{
    node_free(member->node);
    todo_close(&member->todo);
    for (size_t i = 0; i < 2; i++) {
        free(member->inboxes[i].events);
        free(member->inboxes[i].messages);
        arena_close(&member->inboxes[i].arena);
    }
}

/* ---- The relay */

static void hub_told(struct bench_mesh *m, const struct hub_event *event)
{
    hub_todos_clear(&m->hub_todos);
    if (m->measured)
        steps_relay(m->hub, m->now, event, &m->hub_todos);
    else
        hub_step(m->hub, m->now, event, &m->hub_todos);
    for (size_t i = 0; i < m->hub_todos.count; i++) {
        const struct hub_todo *t = &m->hub_todos.items[i];
        struct bytes packet = t->kind == HUB_FORWARD
                                  ? bytes_of(event->data, event->size)
                                  : t->bytes;
        if (t->kind == HUB_DROP)
            m->wrong++;
        /* An idle node reads nothing. */
        if ((t->kind == HUB_WRITE || t->kind == HUB_FORWARD) &&
            t->conn <= m->count)
            inbox_packet(&m->members[t->conn - 1],
                         m->members[t->conn - 1].relay_link, packet);
    }
}

static void to_relay(struct bench_mesh *m, const struct node *from,
                     uint64_t conn, struct bytes packet)
{
    struct hub_event e = {
        .kind = HUB_PACKET,
        .conn = conn,
        .address = {ADDRESS_V4, {10, 1, 0, 1}, 1000, 0},
        .data = m->packet,
        .size = packet.size,
    };
    ASSERT(packet.size <= sizeof m->packet);
    memcpy(e.key.key, node_identity_keys(from)->public_key, KEY_SIZE);
    memcpy(m->packet, packet.data, packet.size);
    hub_told(m, &e);
}

static void hub_make(struct bench_mesh *m)
{
    struct mesh_id id;
    uint8_t secret[64];
    size_t edges = m->count + m->shape.idle;
    crypto_sign_seed_keypair(id.key, secret, mesh_seed);
    struct hub_conf conf = {
        .name = "relay",
        .boot = 1,
        .meshes = &id,
        .mesh_count = 1,
        .limits = {.edges = edges,
                   .edges_per_mesh = edges,
                   .edges_per_address = edges,
                   .queue = 4 << 20},
    };
    m->hub = hub_new(&conf, m->now);
    hub_todos_init(&m->hub_todos);
    hub_told(m,
             &(struct hub_event){.kind = HUB_CLOCK, .unix_seconds = UNIX_NOW});
}

/* ---- A member's todos */

static void connect_relay(struct mesh_member *member, uint32_t link)
{
    member->relay_link = link;
    inbox_add(member, NODE_LINK_OPENED)->link.id = link;
}

static void connect_direct(struct bench_mesh *m, struct mesh_member *from,
                           const struct node_todo *t)
{
    struct mesh_member *to = &m->members[t->link.address.ip[3]];
    ASSERT(to < m->members + m->count && m->wire_count < MESH_WIRES);
    struct mesh_wire *wire = &m->wires[m->wire_count++];
    *wire = (struct mesh_wire){{from, to},
                               {t->link.id, (uint32_t)(2 * m->wire_count)}};
    for (int i = 0; i < 2; i++) {
        struct node_event *e = inbox_add(wire->end[i], NODE_LINK_OPENED);
        e->link.id = wire->link[i];
        e->link.incoming = i == 1;
        e->link.address = wire->end[1 - i]->address;
        memcpy(e->link.key.key, node_link_keys(from->node)->public_key,
               KEY_SIZE);
    }
}

/* The member at the other end of a direct link. Sets *link to the link's number
 * there. */
static struct mesh_member *
across(struct bench_mesh *m, const struct mesh_member *member, uint32_t *link)
{
    for (size_t i = 0; i < 2 * m->wire_count; i++) {
        struct mesh_wire *wire = &m->wires[i / 2];
        if (wire->end[i % 2] == member && wire->link[i % 2] == *link) {
            *link = wire->link[1 - i % 2];
            return wire->end[1 - i % 2];
        }
    }
    return NULL;
}

static void write_packet(struct bench_mesh *m, struct mesh_member *member,
                         const struct node_todo *t)
{
    uint32_t link = t->link.id;
    if (m->measured && member == m->members)
        m->uploaded += t->link.bytes.size;
    if (link == member->relay_link) {
        to_relay(m, member->node, member->conn, t->link.bytes);
        return;
    }
    struct mesh_member *other = across(m, member, &link);
    if (other != NULL)
        inbox_packet(other, link, t->link.bytes);
}

static void disconnect(struct bench_mesh *m, const struct mesh_member *member,
                       uint32_t link)
{
    struct mesh_member *other = across(m, member, &link);
    if (other == NULL)
        return;
    struct node_event *e = inbox_add(other, NODE_LINK_CLOSED);
    e->link.id = link;
    e->link.failure = LINK_BROKEN;
}

static void take_message(struct bench_mesh *m, struct mesh_member *member,
                         struct bytes data)
{
    uint64_t number = 0;
    memcpy(&number, data.data, sizeof number);
    if (data.size != m->shape.size || number != member->had)
        m->wrong++;
    member->had++;
}

static void do_item(struct bench_mesh *m, struct mesh_member *member,
                    const struct node_todo *t)
{
    switch (t->kind) {
    case NODE_CONNECT:
        connect_direct(m, member, t);
        return;
    case NODE_CONNECT_RELAY:
        connect_relay(member, t->link.id);
        return;
    case NODE_DISCONNECT:
        disconnect(m, member, t->link.id);
        return;
    case NODE_WRITE:
        write_packet(m, member, t);
        return;
    case NODE_MESSAGE:
        take_message(m, member, t->peer.message.data);
        return;
    case NODE_REPORT:
        member->delivered += t->report.outcome == OUTCOME_DELIVERED;
        m->wrong += t->report.outcome != OUTCOME_DELIVERED;
        return;
    case NODE_LEFT:
    case NODE_GAP:
    case NODE_REFUSED:
    case NODE_CONNECT_UDP:
    case NODE_UDP_OPEN:
    case NODE_UDP_CLOSE:
    case NODE_UDP_SEND:
    case NODE_LARGE_LOST:
        m->wrong++;
        return;
    case NODE_MULTICAST:
    case NODE_SEND_TO:
    case NODE_JOINED:
    case NODE_PATH:
    case NODE_READY:
    case NODE_RELAY:
    case NODE_REVOKED:
    case NODE_DONE:
        return;
    }
}

/* Steps the sender. A refused message is an error; an accepted publication
 * counts as delivered. */
static void sender_step(struct bench_mesh *m, struct mesh_member *sender,
                        const struct mesh_inbox *in)
{
    size_t accepted = (m->measured ? steps_sender : steps_submit)(
        sender->node, m->now, in->messages, in->message_count, in->events,
        in->count, &sender->todo);
    m->wrong += in->message_count - accepted;
    if (m->shape.way == WAY_PUBLISH)
        sender->delivered += accepted;
}

static void member_step(struct bench_mesh *m, struct mesh_member *member)
{
    struct mesh_inbox *in = member->inbox;
    bool idle = in->count == 0 && in->message_count == 0;
    if (idle && !instant_reached(node_deadline(member->node), m->now))
        return;
    member->inbox = &member->inboxes[in == &member->inboxes[0]];
    todo_clear(&member->todo);
    if (member == &m->members[0])
        sender_step(m, member, in);
    else
        (m->measured ? steps_receiver : node_step)(
            member->node, m->now, in->events, in->count, &member->todo);
    for (size_t i = 0; i < member->todo.count; i++)
        do_item(m, member, &member->todo.items[i]);
    in->count = in->message_count = 0;
    arena_clear(&in->arena);
}

void mesh_turn(struct bench_mesh *m)
{
    m->now = instant_after(m->now, turn_takes);
    if (instant_reached(hub_deadline(m->hub), m->now))
        hub_told(m, &(struct hub_event){.kind = HUB_TICK});
    for (size_t i = 0; i < m->count; i++)
        member_step(m, &m->members[i]);
}

/* ---- Meeting */

/* A node that says HELLO to the relay and nothing more. */
static void add_idle(struct bench_mesh *m, uint32_t number)
{
    struct node *n = node_make(m, number);
    struct todo todo;
    struct node_event opened = {.kind = NODE_LINK_OPENED};
    ASSERT(n != NULL);
    todo_init(&todo);
    node_step(n, m->now, NULL, 0, &todo);
    for (size_t i = 0; i < todo.count; i++)
        if (todo.items[i].kind == NODE_CONNECT_RELAY)
            opened.link.id = todo.items[i].link.id;
    todo_clear(&todo);
    node_step(n, m->now, &opened, 1, &todo);
    for (size_t i = 0; i < todo.count; i++)
        if (todo.items[i].kind == NODE_WRITE)
            to_relay(m, n, number + 1, todo.items[i].link.bytes);
    todo_close(&todo);
    node_free(n);
}

static bool all_met(const struct bench_mesh *m)
{
    enum node_path wanted = m->shape.way == WAY_DIRECT ? PATH_TCP : PATH_RELAY;
    for (size_t i = 0; i < m->count; i++) {
        struct node_id id = node_self(m->members[i == 0].node);
        struct node_peer p;
        if (node_peer_count(m->members[i].node) !=
                m->count - 1 + m->shape.idle ||
            !node_peer_get(m->members[i].node, &id, &p) || p.path != wanted)
            return false;
    }
    return true;
}

bool mesh_open(struct bench_mesh *m, const struct mesh_shape *shape)
{
    *m = (struct bench_mesh){.shape = *shape, .now = {1000000}};
    ASSERT(shape->size >= sizeof(uint64_t) && shape->size <= MESH_MESSAGE);
    m->count = 1 + shape->receivers;
    m->members = memory_array(m->count, sizeof *m->members);
    steps_trust(true);
    hub_make(m);
    for (uint32_t i = 0; i < shape->idle; i++)
        add_idle(m, (uint32_t)m->count + i);
    for (uint32_t i = 0; i < m->count; i++)
        member_make(m, i);
    bool met = false;
    for (int i = 0; i < TURNS_TO_MEET && !met; i++) {
        mesh_turn(m);
        met = all_met(m);
    }
    steps_trust(false);
    m->wrong = 0;
    return met;
}

void mesh_close(struct bench_mesh *m)
{
    for (size_t i = 0; i < m->count; i++)
        member_close(&m->members[i]);
    free(m->members);
    hub_free(m->hub);
    hub_todos_close(&m->hub_todos);
}

/* ---- Sending */

void mesh_send(struct bench_mesh *m)
{
    static uint8_t data[MESH_MESSAGE];
    bool publish = m->shape.way == WAY_PUBLISH;
    struct mesh_inbox *in = m->members[0].inbox;
    if (in->message_count == in->message_room) {
        in->message_room = in->message_room > 0 ? 2 * in->message_room : 64;
        in->messages =
            memory_resize(in->messages, in->message_room, sizeof *in->messages);
    }
    struct steps_message *out = &in->messages[in->message_count++];
    memcpy(data, &m->sent, sizeof m->sent);
    *out = (struct steps_message){.publish = publish, .ref = {++m->sent}};
    if (!publish)
        out->to = node_self(m->members[1].node);
    out->message = (struct message){
        .kind = publish ? MESSAGE_EVENT : MESSAGE_SEND,
        .encoding = ENCODING_BYTES,
        .type = bytes_of_string("bench"),
        .group = bytes_of_string(""),
        .data = arena_copy(&in->arena, bytes_of(data, m->shape.size)),
    };
}

bool mesh_is_quiet(const struct bench_mesh *m)
{
    for (size_t i = 1; i < m->count; i++)
        if (m->members[i].had != m->sent)
            return false;
    return m->members[0].delivered == m->sent;
}
