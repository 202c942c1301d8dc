/*
 * node_kit - for tests of the node: two nodes and a wire between them.
 *
 * The kit does the todos of each step at once: a packet that one node sends is
 * the event of the other's next step. Each side counts what its node reported.
 */
#ifndef TESTS_UNIT_NODE_KIT_H
#define TESTS_UNIT_NODE_KIT_H

#include "kit.h"

#include "edge/core/node.h"

#include <sodium.h>
#include <stdlib.h>

struct node_side {
    struct node *node;
    struct todo todo;
    uint32_t link; /* to the other node; 0: none */
    struct address address;
    int joined, left, messages, delivered, failed, busy, ready, done;
    uint64_t missed;
    uint32_t peers; /* number of peers that the last publication went to */
    enum departure reason;
    char last[64];
    enum node_path path;
};

struct recorded {
    uint8_t bytes[BEACON_SIZE];
    size_t size;
};

struct node_pair {
    bool record; /* keep b's multicasts */
    size_t recorded;
    struct recorded records[32];
    struct node_side a, b;
    struct instant now;
    bool refuse; /* links cannot be made */
    uint32_t incoming;
    bool lan;
    bool late; /* packets to one node are read after the next multicast */
    uint8_t held[2][BEACON_SIZE];
    size_t held_size[2];
    int pings;
};

/* Nodes (a bit for each seed) whose processor has AES-256-GCM. */
static unsigned with_aes;
static uint64_t not_after = UINT64_MAX; /* of certificates made */
static uint8_t mesh_secret_key[64];
static struct mesh_id mesh;

static inline struct node *make(const char *name, uint8_t seed,
                                struct instant now, uint64_t epoch)
{
    uint8_t public_key[32], secret_key[64], s[32] = {seed},
                                            room[CERTIFICATE_SIZE];
    crypto_sign_seed_keypair(public_key, secret_key, s);
    struct certificate c = {.mesh = mesh, .not_after = not_after};
    memcpy(c.node.key, public_key, 32);
    strcpy(c.name, name);
    struct node_conf conf = {
        .certificate = certificate_sign(&c, mesh_secret_key, room),
        .epoch = {epoch},
        .info = bytes_of("{}", 2),
        .multicast = true,
        .tcp = true,
        .share_addresses = true,
        .aes = (with_aes >> seed & 1) != 0,
        .beacon_interval = span_s(1),
        .probe = span_s(1),
        .lost_after = span_s(3),
        .limits = {.message = 1 << 20,
                   .window = 1 << 18,
                   .peers = 64,
                   .links = 64},
    };
    memcpy(conf.secret_key, secret_key, 64);
    conf.seed[0] = (uint8_t)(seed + epoch);
    return node_new(&conf, now);
}

static inline void step(struct node_pair *p, struct node_side *s,
                        struct node_event *event);

static inline struct node_side *other(struct node_pair *p, struct node_side *s)
{
    return s == &p->a ? &p->b : &p->a;
}

static inline void datagram(struct node_pair *p, struct node_side *s,
                            struct bytes bytes, bool multicast)
{
    struct node_side *o = other(p, s);
    struct node_event e = {.kind = NODE_DATAGRAM};
    e.datagram.from = s->address;
    e.datagram.multicast = multicast;
    e.datagram.bytes = bytes;
    if (p->lan && o->node != NULL)
        step(p, o, &e);
}

static inline void send_late(struct node_pair *p, struct node_side *s,
                             struct bytes bytes, bool multicast)
{
    int i = s == &p->b;
    if (multicast) {
        uint8_t was[BEACON_SIZE];
        size_t size = p->held_size[i];
        memcpy(was, p->held[i], size);
        p->held_size[i] = 0;
        datagram(p, s, bytes, true);
        if (size > 0)
            datagram(p, s, bytes_of(was, size), false);
    } else {
        memcpy(p->held[i], bytes.data, bytes.size);
        p->held_size[i] = bytes.size;
    }
}

static inline void datagram_of(struct node_pair *p, struct node_side *s,
                               const struct node_todo *t)
{
    bool multicast = t->kind == NODE_MULTICAST;
    (p->late ? send_late : datagram)(p, s, multicast ? t->bytes : t->link.bytes,
                                     multicast);
}

/* Counts the outcome of a message: the node's report, or its refusal. */
static inline void ended(struct node_side *s, enum node_outcome outcome)
{
    s->delivered += outcome == OUTCOME_DELIVERED;
    s->failed += outcome != OUTCOME_DELIVERED;
    s->busy += outcome == OUTCOME_BUSY;
}

static inline void do_item(struct node_pair *p, struct node_side *s,
                           const struct node_todo *t)
{
    struct node_side *o = other(p, s);
    struct node_event e = {0};
    uint8_t *copy;
    switch (t->kind) {
    case NODE_MULTICAST:
        if (p->record && s == &p->b && p->recorded < COUNT_OF(p->records)) {
            struct recorded *r = &p->records[p->recorded++];
            r->size = t->bytes.size;
            memcpy(r->bytes, t->bytes.data, r->size);
        }
        datagram_of(p, s, t);
        return;
    case NODE_SEND_TO:
        datagram_of(p, s, t);
        return;
    case NODE_CONNECT:
        e.link.id = t->link.id;
        e.kind = NODE_LINK_CLOSED;
        e.link.failure = LINK_UNREACHABLE;
        if (!p->refuse && o->node != NULL && s->link == 0) {
            s->link = t->link.id;
            o->link = p->incoming += 2;
            struct node_event in = {.kind = NODE_LINK_OPENED};
            in.link.id = o->link;
            in.link.incoming = true;
            memcpy(in.link.key.key, node_link_keys(s->node)->public_key, 32);
            step(p, o, &in);
            e.kind = NODE_LINK_OPENED;
        }
        step(p, s, &e);
        return;
    case NODE_WRITE:
        e.kind = NODE_LINK_PACKET;
        e.link.id = o->link;
        copy = malloc(t->link.bytes.size);
        memcpy(copy, t->link.bytes.data, t->link.bytes.size);
        e.link.bytes = bytes_of(copy, t->link.bytes.size);
        if (o->node != NULL && t->link.id == s->link)
            step(p, o, &e);
        free(copy);
        return;
    case NODE_JOINED:
        s->joined++;
        s->path = t->peer.peer->path;
        return;
    case NODE_LEFT:
        s->left++;
        s->reason = t->peer.reason;
        return;
    case NODE_PATH:
        s->path = t->peer.peer->path;
        return;
    case NODE_MESSAGE:
        s->messages++;
        memset(s->last, 0, sizeof s->last);
        memcpy(s->last, t->peer.message.data.data,
               t->peer.message.data.size < sizeof s->last
                   ? t->peer.message.data.size
                   : sizeof s->last - 1);
        return;
    case NODE_GAP:
        s->missed += t->peer.missed;
        return;
    case NODE_REPORT:
        ended(s, t->report.outcome);
        return;
    case NODE_READY:
        s->ready++;
        return;
    case NODE_CONNECT_UDP:
    case NODE_UDP_OPEN:
    case NODE_UDP_CLOSE:
    case NODE_UDP_SEND:
    case NODE_DISCONNECT:
    case NODE_CONNECT_RELAY:
    case NODE_RELAY:
    case NODE_REFUSED:
    case NODE_LARGE_LOST:
    case NODE_REVOKED:
        return;
    case NODE_DONE:
        s->done++;
        return;
    }
}

static inline void step(struct node_pair *p, struct node_side *s,
                        struct node_event *event)
{
    struct todo todo;
    todo_init(&todo);
    node_step(s->node, p->now, event, event != NULL, &todo);
    for (size_t i = 0; i < todo.count; i++)
        do_item(p, s, &todo.items[i]);
    todo_close(&todo);
}

static inline void run(struct node_pair *p, struct span how_long)
{
    struct instant end = instant_after(p->now, how_long);
    for (;;) {
        struct node_side *next = NULL;
        struct instant at = end;
        if (p->a.node != NULL && node_deadline(p->a.node).us < at.us) {
            at = node_deadline(p->a.node);
            next = &p->a;
        }
        if (p->b.node != NULL && node_deadline(p->b.node).us < at.us) {
            at = node_deadline(p->b.node);
            next = &p->b;
        }
        p->now = instant_max(p->now, at);
        if (next == NULL)
            return;
        step(p, next, NULL);
    }
}

static inline void setup_as(struct node_pair *p, bool late)
{
    uint8_t seed[32] = {7};
    crypto_sign_seed_keypair(mesh.key, mesh_secret_key, seed);
    *p = (struct node_pair){
        .lan = true, .late = late, .refuse = late, .now = {1000000}};
    p->a.address = (struct address){ADDRESS_V4, {10, 0, 0, 1}, 4000, 0};
    p->b.address = (struct address){ADDRESS_V4, {10, 0, 0, 2}, 4000, 0};
    p->a.node = make("alice", 1, p->now, 1);
    p->b.node = make("bob", 2, p->now, 1);
    struct node_event e = {.kind = NODE_ADDRESSES_ARE};
    e.addresses.count = 1;
    e.addresses.list = &p->a.address;
    step(p, &p->a, &e);
    e.addresses.list = &p->b.address;
    step(p, &p->b, &e);
}

static inline void setup(struct node_pair *p)
{
    setup_as(p, false);
}

static inline void teardown(struct node_pair *p)
{
    node_free(p->a.node);
    node_free(p->b.node);
}

static inline void submit_to(struct node_pair *p, struct node_id to,
                             const char *data)
{
    const struct message m = {
        .kind = MESSAGE_SEND,
        .encoding = ENCODING_BYTES,
        .type = bytes_of("t", 1),
        .data = bytes_of_string(data),
    };
    enum node_outcome why;
    if (!node_submit(p->a.node, p->now, (struct node_ref){1}, &to, &m, &why))
        ended(&p->a, why);
    step(p, &p->a, NULL);
}

/* Node a publishes to the group; "" means all nodes. */
static inline void publish(struct node_pair *p, const char *group,
                           struct bytes data)
{
    const struct message m = {
        .kind = MESSAGE_EVENT,
        .encoding = ENCODING_BYTES,
        .type = bytes_of("t", 1),
        .group = bytes_of_string(group),
        .data = data,
    };
    enum node_outcome why;
    if (!node_publish(p->a.node, p->now, &m, &p->a.peers, &why))
        ended(&p->a, why);
    step(p, &p->a, NULL);
}

static inline void submit(struct node_pair *p, const char *data)
{
    submit_to(p, node_self(p->b.node), data);
}

#endif
