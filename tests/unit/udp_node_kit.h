/*
 * udp_node_kit - for tests of paths over UDP: two nodes, a relay, sockets.
 *
 * Everything takes `delay` on its way, in virtual time. The relay is as simple
 * as can be: a roster of two, and packets between them. A STUN server sees each
 * node's address. Probes with a low time to live end on their way. A connection
 * over UDP is open when both ends connect with the same secret.
 */
#ifndef TESTS_UNIT_UDP_NODE_KIT_H
#define TESTS_UNIT_UDP_NODE_KIT_H

#include "kit.h"

#include "common/wire/stun.h"
#include "edge/core/node_private.h"

#include <sodium.h>
#include <stdlib.h>

enum { FLIGHTS = 4096, FIRST_PORT = 40000, MESH_SEED = 7 };
/* The relay's wall clock, which stands still. */
enum { RELAY_UNIX = 1800000000 };

/* Something is on its way to a node. */
struct pair_flight {
    struct instant at;
    int to;
    struct node_event event;
    uint8_t *bytes;
};

struct udp_node {
    struct node *node;
    struct node_id id;
    struct address host;
    uint32_t relay, tcp, udp; /* links that are open; 0: none */
    uint32_t dialled;         /* NODE_CONNECT_UDP waits for the other end */
    uint32_t dialled_socket;
    bool dialled_client;
    uint8_t secret[32];
    uint8_t sealed[SEALED_ANNOUNCEMENT_SIZE];
    size_t sealed_size;

    int joined, left, messages, delivered, failed;
    enum departure reason;
    int opened, closed;    /* sockets */
    int probes, connects;  /* datagrams that are no STUN; NODE_CONNECT_UDP */
    int udp_writes;        /* on the link over UDP */
    int forwards;          /* by the relay */
    uint32_t link_socket;  /* of the last connection */
    uint32_t last_closed;  /* the last socket that was closed */
    bool open_link_closed; /* ... while its link was open */
};

struct udp_pair {
    struct instant now;
    struct span delay;
    struct udp_node side[2];
    bool tcp;      /* listeners can be reached, at their host's address */
    bool refuses;  /* other addresses refuse at once; else they are silent */
    bool udp;      /* datagrams between the two pass */
    bool stun;     /* the server answers */
    bool quic;     /* connections can be made */
    bool no_ports; /* sockets cannot be opened */
    bool lan;      /* beacons are heard */
    size_t count;
    struct pair_flight flights[FLIGHTS];
};

static uint8_t udp_mesh_key[64];
static struct mesh_id udp_mesh;

static const struct address stun_server = {ADDRESS_V4, {9, 9, 9, 9}, 3478, 0};

static inline struct node_conf udp_conf(uint8_t seed, bool udp)
{
    static uint8_t rooms[8][CERTIFICATE_SIZE];
    uint8_t public_key[32], secret_key[64], s[32] = {seed};
    crypto_sign_seed_keypair(public_key, secret_key, s);
    struct certificate c = {.mesh = udp_mesh, .not_after = UINT64_MAX};
    memcpy(c.node.key, public_key, 32);
    snprintf(c.name, sizeof c.name, "node-%d", seed);
    struct node_conf conf = {
        .certificate = certificate_sign(&c, udp_mesh_key, rooms[seed % 8]),
        .epoch = {1},
        .seed = {seed},
        .info = bytes_of("{}", 2),
        .tcp = true,
        .udp = udp,
        .share_addresses = true,
        .relay = true,
        .relay_count = 1,
        .beacon_interval = span_s(1),
        .probe = span_s(1),
        .lost_after = span_s(3),
        .limits = {.message = 1 << 20,
                   .window = 1 << 18,
                   .peers = 64,
                   .links = 64},
    };
    memcpy(conf.secret_key, secret_key, 64);
    return conf;
}

static inline void fly(struct udp_pair *p, int to, const struct node_event *e,
                       struct bytes bytes, struct span delay)
{
    assert_true(p->count < FLIGHTS);
    struct pair_flight f = {instant_after(p->now, delay), to, *e, NULL};
    if (bytes.size > 0) {
        f.bytes = malloc(bytes.size);
        memcpy(f.bytes, bytes.data, bytes.size);
        bytes = bytes_of(f.bytes, bytes.size);
    }
    if (e->kind == NODE_LINK_PACKET)
        f.event.link.bytes = bytes;
    else if (e->kind == NODE_UDP_DATAGRAM)
        f.event.udp.bytes = bytes;
    else if (e->kind == NODE_DATAGRAM)
        f.event.datagram.bytes = bytes;
    size_t at = p->count++;
    for (; at > 0 && p->flights[at - 1].at.us > f.at.us; at--)
        p->flights[at] = p->flights[at - 1];
    p->flights[at] = f;
}

static inline void fly_link(struct udp_pair *p, int to,
                            enum node_event_kind kind, uint32_t link,
                            struct bytes bytes)
{
    struct node_event e = {.kind = kind};
    e.link.id = link;
    e.link.failure = LINK_BROKEN;
    fly(p, to, &e, bytes, p->delay);
}

/* --- the relay ------------------------------------------------------------ */

static inline void relay_says(struct udp_pair *p, int to, struct writer *w)
{
    assert_true(writer_ok(w));
    if (p->side[to].relay != 0)
        fly_link(p, to, NODE_LINK_PACKET, p->side[to].relay, writer_bytes(w));
}

static inline void relay_lists(struct udp_pair *p, int to)
{
    static uint8_t room[SEALED_ANNOUNCEMENT_SIZE + 64];
    struct writer w = writer_of(room, sizeof room);
    const struct udp_node *other = &p->side[1 - to];
    struct roster_entry entry = {
        .epoch = {1}, .sealed = bytes_of(other->sealed, other->sealed_size)};
    if (other->node == NULL || other->relay == 0 || other->sealed_size == 0)
        return;
    entry.node = other->id;
    write_u8(&w, RELAY_PRESENT);
    roster_entry_encode(&entry, &w);
    relay_says(p, to, &w);
}

static inline void relay_greets(struct udp_pair *p, int who,
                                struct bytes packet)
{
    uint8_t room[256];
    struct relay_hello hello;
    struct udp_node *s = &p->side[who];
    assert_true(relay_hello_decode(packet, &hello));
    s->sealed_size = hello.sealed.size;
    memcpy(s->sealed, hello.sealed.data, hello.sealed.size);
    struct relay_welcome welcome = {
        .version = PROTOCOL_VERSION, .name = "relay", .outside = s->host};
    struct writer w = writer_of(room, sizeof room);
    relay_welcome_encode(&welcome, &w);
    relay_says(p, who, &w);
    w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_CLOCK);
    write_u64(&w, RELAY_UNIX);
    relay_says(p, who, &w);
    relay_lists(p, who);
    relay_lists(p, 1 - who);
    w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_SYNCED);
    relay_says(p, who, &w);
}

/* Sends GONE to a node that knows the other one, which may have ended. */
static inline void relay_says_gone(struct udp_pair *p, int to,
                                   enum departure reason)
{
    uint8_t room[64];
    struct node_id id = p->side[1 - to].id;
    struct writer w = writer_of(room, sizeof room);
    write_u8(&w, RELAY_GONE);
    write_bytes(&w, bytes_of(id.key, KEY_SIZE));
    write_u64(&w, 1);
    write_u8(&w, (uint8_t)reason);
    relay_says(p, to, &w);
}

/* The relay's connection to the node ends, and the other one is told. */
static inline void relay_loses(struct udp_pair *p, int who)
{
    uint32_t link = p->side[who].relay;
    p->side[who].relay = 0;
    fly_link(p, who, NODE_LINK_CLOSED, link, bytes_of(NULL, 0));
    relay_says_gone(p, 1 - who, DEPARTURE_LOST);
}

static inline void relay_forwards(struct udp_pair *p, int from,
                                  struct bytes packet)
{
    static uint8_t room[PACKET_SIZE];
    struct node_id id = p->side[from].id;
    struct writer w = writer_of(room, sizeof room);
    p->side[from].forwards++;
    write_u8(&w, RELAY_FORWARDED);
    write_bytes(&w, bytes_of(id.key, KEY_SIZE));
    write_bytes(&w, bytes_of(packet.data + FORWARD_HEADER_SIZE,
                             packet.size - FORWARD_HEADER_SIZE));
    relay_says(p, 1 - from, &w);
}

static inline void relay_takes(struct udp_pair *p, int from,
                               struct bytes packet)
{
    uint8_t room[16];
    struct writer w = writer_of(room, sizeof room);
    struct udp_node *s = &p->side[from];
    if (packet.data[0] == RELAY_HELLO) {
        relay_greets(p, from, packet);
    } else if (packet.data[0] == RELAY_FORWARD) {
        relay_forwards(p, from, packet);
    } else if (packet.data[0] == RELAY_ANNOUNCE) {
        s->sealed_size = packet.size - 1;
        memcpy(s->sealed, packet.data + 1, packet.size - 1);
        relay_lists(p, 1 - from);
    } else if (packet.data[0] == RELAY_PING) {
        write_u8(&w, RELAY_PONG);
        write_bytes(&w, bytes_of(packet.data + 1, 8));
        relay_says(p, from, &w);
    }
}

/* --- sockets -------------------------------------------------------------- */

static inline struct address udp_address(const struct udp_node *s,
                                         uint32_t socket)
{
    struct address a = s->host;
    a.port = (uint16_t)(FIRST_PORT + socket);
    return a;
}

static inline void udp_arrives(struct udp_pair *p, int to, uint32_t socket,
                               struct address from, struct bytes bytes)
{
    struct node_event e = {.kind = NODE_UDP_DATAGRAM};
    e.udp.socket = socket;
    e.udp.from = from;
    fly(p, to, &e, bytes, p->delay);
}

static inline void stun_takes(struct udp_pair *p, int from,
                              const struct node_todo *t)
{
    uint8_t answer[STUN_RESPONSE_SIZE];
    struct stun_id id;
    struct address seen = udp_address(&p->side[from], t->udp.socket);
    if (!p->stun || !stun_read_request(t->udp.bytes, &id))
        return;
    udp_arrives(p, from, t->udp.socket, stun_server,
                stun_write_response(&id, &seen, answer));
}

static inline void udp_sends(struct udp_pair *p, int from,
                             const struct node_todo *t)
{
    struct udp_node *o = &p->side[1 - from];
    if (t->udp.bytes.data[0] < PROBE_ASKS) {
        stun_takes(p, from, t);
        return;
    }
    p->side[from].probes++;
    if (p->udp && t->udp.ttl == 0 && address_same_ip(&t->udp.to, &o->host) &&
        t->udp.to.port >= FIRST_PORT)
        udp_arrives(p, 1 - from, (uint32_t)t->udp.to.port - FIRST_PORT,
                    udp_address(&p->side[from], t->udp.socket), t->udp.bytes);
}

static inline void udp_opens(struct udp_pair *p, int who, uint32_t first,
                             uint32_t count)
{
    struct node_event e = {.kind = NODE_UDP_OPENED};
    e.udp.socket = first;
    e.udp.count = count;
    e.udp.port = p->no_ports ? 0 : (uint16_t)(FIRST_PORT + first);
    p->side[who].opened += (int)count;
    fly(p, who, &e, bytes_of(NULL, 0), span_us(1));
}

static inline void udp_connects(struct udp_pair *p, int who,
                                const struct node_todo *t)
{
    struct udp_node *s = &p->side[who], *o = &p->side[1 - who];
    struct node_event e = {.kind = NODE_LINK_OPENED};
    s->connects++;
    s->dialled = t->udp.link;
    s->link_socket = t->udp.socket;
    s->dialled_client = t->udp.client;
    memcpy(s->secret, t->udp.secret, 32);
    if (!p->quic || !p->udp || o->dialled == 0 ||
        memcmp(s->secret, o->secret, 32) != 0)
        return;
    assert_true(s->dialled_client != o->dialled_client);
    for (int i = 0; i < 2; i++) {
        p->side[i].udp = p->side[i].dialled;
        p->side[i].dialled = 0;
        e.link.id = p->side[i].udp;
        fly(p, i, &e, bytes_of(NULL, 0), p->delay);
    }
}

/* --- links ---------------------------------------------------------------- */

static inline void tcp_connects(struct udp_pair *p, int who,
                                const struct node_todo *t)
{
    static uint32_t incoming = 1000;
    struct udp_node *s = &p->side[who], *o = &p->side[1 - who];
    struct node_event e = {.kind = NODE_LINK_CLOSED};
    e.link.id = t->link.id;
    e.link.failure = LINK_UNREACHABLE;
    bool there = p->tcp && address_same_ip(&t->link.address, &o->host);
    if (!there && !p->refuses) /* A firewall drops it without a word. */
        return;
    if (!there) {
        fly(p, who, &e, bytes_of(NULL, 0), p->delay);
        return;
    }
    if (s->tcp == 0) {
        struct node_event in = {.kind = NODE_LINK_OPENED};
        s->tcp = t->link.id;
        o->tcp = in.link.id = incoming += 2;
        in.link.incoming = true;
        memcpy(in.link.key.key, node_link_keys(s->node)->public_key, 32);
        fly(p, 1 - who, &in, bytes_of(NULL, 0), p->delay);
        e.kind = NODE_LINK_OPENED;
    }
    fly(p, who, &e, bytes_of(NULL, 0), p->delay);
}

static inline void link_writes(struct udp_pair *p, int who,
                               const struct node_todo *t)
{
    struct udp_node *s = &p->side[who], *o = &p->side[1 - who];
    if (t->link.id == s->relay) {
        relay_takes(p, who, t->link.bytes);
    } else if (t->link.id == s->udp) {
        s->udp_writes++;
        if (p->udp && o->udp != 0)
            fly_link(p, 1 - who, NODE_LINK_PACKET, o->udp, t->link.bytes);
    } else if (t->link.id == s->tcp && o->tcp != 0) {
        fly_link(p, 1 - who, NODE_LINK_PACKET, o->tcp, t->link.bytes);
    }
}

static inline void link_closes(struct udp_pair *p, int who, uint32_t id)
{
    struct udp_node *s = &p->side[who], *o = &p->side[1 - who];
    if (id == s->relay)
        s->relay = 0;
    if (id == s->dialled)
        s->dialled = 0;
    if (id != 0 && id == s->udp) {
        s->udp = 0;
        if (p->udp && o->udp != 0)
            fly_link(p, 1 - who, NODE_LINK_CLOSED, o->udp, bytes_of(NULL, 0));
        if (p->udp)
            o->udp = 0;
    }
    if (id != 0 && id == s->tcp) {
        s->tcp = 0;
        if (o->tcp != 0)
            fly_link(p, 1 - who, NODE_LINK_CLOSED, o->tcp, bytes_of(NULL, 0));
        o->tcp = 0;
    }
}

static inline void beacon_flies(struct udp_pair *p, int who,
                                const struct node_todo *t)
{
    struct node_event e = {.kind = NODE_DATAGRAM};
    e.datagram.from = p->side[who].host;
    e.datagram.from.port = 9083;
    e.datagram.multicast = t->kind == NODE_MULTICAST;
    if (p->lan)
        fly(p, 1 - who, &e, e.datagram.multicast ? t->bytes : t->link.bytes,
            p->delay);
}

/* --- the nodes ------------------------------------------------------------ */

static inline void udp_do(struct udp_pair *p, int who,
                          const struct node_todo *t)
{
    struct udp_node *s = &p->side[who];
    struct node_event e = {.kind = NODE_LINK_OPENED};
    switch (t->kind) {
    case NODE_CONNECT_RELAY:
        s->relay = e.link.id = t->link.id;
        fly(p, who, &e, bytes_of(NULL, 0), p->delay);
        return;
    case NODE_CONNECT:
        tcp_connects(p, who, t);
        return;
    case NODE_CONNECT_UDP:
        udp_connects(p, who, t);
        return;
    case NODE_DISCONNECT:
        link_closes(p, who, t->link.id);
        return;
    case NODE_WRITE:
        link_writes(p, who, t);
        return;
    case NODE_UDP_OPEN:
        udp_opens(p, who, t->udp.socket, t->udp.count);
        return;
    case NODE_UDP_CLOSE:
        assert_true(t->udp.socket != 0);
        s->closed += (int)t->udp.count;
        s->last_closed = t->udp.socket;
        s->open_link_closed |= s->udp != 0 && t->udp.socket == s->link_socket;
        return;
    case NODE_UDP_SEND:
        udp_sends(p, who, t);
        return;
    case NODE_JOINED:
        s->joined++;
        return;
    case NODE_LEFT:
        s->left++;
        s->reason = t->peer.reason;
        return;
    case NODE_MESSAGE:
        s->messages++;
        return;
    case NODE_REPORT:
        s->delivered += t->report.outcome == OUTCOME_DELIVERED;
        s->failed += t->report.outcome != OUTCOME_DELIVERED;
        return;
    case NODE_MULTICAST:
    case NODE_SEND_TO:
        beacon_flies(p, who, t);
        return;
    case NODE_PATH:
    case NODE_READY:
    case NODE_GAP:
    case NODE_RELAY:
    case NODE_LARGE_LOST:
    case NODE_REFUSED:
    case NODE_REVOKED:
    case NODE_DONE:
        return;
    }
}

static inline void udp_step(struct udp_pair *p, int who,
                            const struct node_event *event)
{
    struct todo todo;
    todo_init(&todo);
    node_step(p->side[who].node, p->now, event, event != NULL, &todo);
    for (size_t i = 0; i < todo.count; i++)
        udp_do(p, who, &todo.items[i]);
    todo_close(&todo);
}

static inline void land_first(struct udp_pair *p)
{
    struct pair_flight f = p->flights[0];
    p->count--;
    memmove(&p->flights[0], &p->flights[1], p->count * sizeof f);
    p->now = instant_max(p->now, f.at);
    if (p->side[f.to].node != NULL)
        udp_step(p, f.to, &f.event);
    free(f.bytes);
}

static inline void udp_run(struct udp_pair *p, struct span how_long)
{
    struct instant end = instant_after(p->now, how_long);
    for (;;) {
        struct instant at = end;
        int who = -1;
        if (p->count > 0 && p->flights[0].at.us < at.us) {
            at = p->flights[0].at;
            who = 2;
        }
        for (int i = 0; i < 2; i++)
            if (p->side[i].node != NULL &&
                node_deadline(p->side[i].node).us < at.us) {
                at = node_deadline(p->side[i].node);
                who = i;
            }
        if (who == 2) {
            land_first(p);
            continue;
        }
        p->now = instant_max(p->now, at);
        if (who < 0)
            return;
        udp_step(p, who, NULL);
    }
}

static inline void udp_starts(struct udp_pair *p, int who,
                              const struct node_conf *conf)
{
    struct udp_node *s = &p->side[who];
    struct node_event e = {.kind = NODE_ADDRESSES_ARE};
    s->node = node_new(conf, p->now);
    assert_non_null(s->node);
    s->id = node_self(s->node);
    e.addresses.list = &s->host;
    e.addresses.count = 1;
    udp_step(p, who, &e);
    e.kind = NODE_STUN_SERVERS_ARE;
    e.addresses.list = &stun_server;
    udp_step(p, who, &e);
    if (conf->udp)
        udp_opens(p, who, 0, 1);
}

/* Everything passes but TCP. */
static inline void udp_setup(struct udp_pair *p)
{
    uint8_t seed[32] = {MESH_SEED};
    crypto_sign_seed_keypair(udp_mesh.key, udp_mesh_key, seed);
    *p = (struct udp_pair){.now = {1000000},
                           .delay = span_ms(10),
                           .udp = true,
                           .stun = true,
                           .quic = true};
    for (uint8_t i = 0; i < 2; i++)
        p->side[i].host = (struct address){ADDRESS_V4, {10, 0, i, 1}, 4000, 0};
}

static inline void udp_start_both(struct udp_pair *p)
{
    for (uint8_t i = 0; i < 2; i++) {
        struct node_conf conf = udp_conf((uint8_t)(1 + i), true);
        udp_starts(p, i, &conf);
    }
}

static inline void udp_teardown(struct udp_pair *p)
{
    for (int i = 0; i < 2; i++)
        node_free(p->side[i].node);
    for (size_t i = 0; i < p->count; i++)
        free(p->flights[i].bytes);
}

/* Returns the other node, as this one sees it. */
static inline struct node_peer udp_peer_of(const struct udp_pair *p, int who)
{
    struct node_peer peer = {.path = PATH_NONE};
    (void)node_peer_get(p->side[who].node, &p->side[1 - who].id, &peer);
    return peer;
}

static inline void assert_paths(const struct udp_pair *p, enum node_path path)
{
    assert_string_equal(node_path_name(udp_peer_of(p, 0).path),
                        node_path_name(path));
    assert_string_equal(node_path_name(udp_peer_of(p, 1).path),
                        node_path_name(path));
}

static inline void udp_submit(struct udp_pair *p, int from)
{
    struct node_id to = p->side[1 - from].id;
    const struct message m = {.kind = MESSAGE_SEND,
                              .encoding = ENCODING_BYTES,
                              .type = bytes_of("t", 1),
                              .data = bytes_of("data", 4)};
    enum node_outcome why;
    assert_true(node_submit(p->side[from].node, p->now, (struct node_ref){1},
                            &to, &m, &why));
    udp_step(p, from, NULL);
}

#endif
