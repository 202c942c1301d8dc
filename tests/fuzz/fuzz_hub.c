/*
 * An admitted edge sends arbitrary packets. The input holds packets, each after
 * a 16-bit length; a length of 0xffff stands for an event of the owner. The hub
 * must not crash, and must free everything.
 */
#include "relay/core/hub.h"
#include "common/wire/multicast.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* Two are enough to forward; each costs the checks of its HELLO. */
enum { NODES = 2 };

static struct {
    bool ready;
    struct mesh_id mesh;
    struct curve_key keys[NODES];
    uint8_t hellos[NODES][4096];
    size_t sizes[NODES];
} world;

static void make_node(int i, const uint8_t mesh_secret[64])
{
    static const char names[NODES][2] = {"a", "b"};
    uint8_t seed[32] = {2, (uint8_t)i};
    uint8_t secret[64];
    uint8_t room[CERTIFICATE_SIZE];
    struct certificate c = {.mesh = world.mesh, .not_after = 2000};
    crypto_sign_seed_keypair(c.node.key, secret, seed);
    memcpy(c.name, names[i], sizeof names[i]);
    if (!node_curve_key(&c.node, &world.keys[i]))
        abort();
    struct relay_hello hello = {.version = PROTOCOL_VERSION,
                                .certificate =
                                    certificate_sign(&c, mesh_secret, room),
                                .epoch = {7},
                                .lost_after_ms = 3000};
    struct writer w = writer_of(world.hellos[i], sizeof world.hellos[i]);
    relay_hello_encode(&hello, &w);
    if (!writer_ok(&w))
        abort();
    world.sizes[i] = writer_bytes(&w).size;
}

static void make_world(void)
{
    uint8_t seed[32] = {1};
    uint8_t secret[64];
    if (world.ready || sodium_init() < 0)
        return;
    crypto_sign_seed_keypair(world.mesh.key, secret, seed);
    for (int i = 0; i < NODES; i++)
        make_node(i, secret);
    world.ready = true;
}

static struct instant now;

static void step(struct hub *h, struct hub_event event)
{
    struct hub_todos todos;
    hub_todos_init(&todos);
    hub_step(h, now, &event, &todos);
    hub_todos_close(&todos);
}

static const struct relay_tls tls = {.end = RELAY_TLS_HERE, .hash = {1}};

static void packet(struct hub *h, uint64_t conn, const uint8_t *data,
                   size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    step(h, (struct hub_event){.kind = HUB_PACKET,
                               .conn = conn,
                               .key = world.keys[conn % NODES],
                               .tls = conn == 0 ? &tls : NULL,
                               .data = copy,
                               .size = size});
    free(copy);
}

static void owner_event(struct hub *h, uint8_t what, uint8_t conn)
{
    static const enum hub_event_kind kinds[] = {HUB_TICK, HUB_CLOSED,
                                                HUB_BLOCKED, HUB_WRITABLE};
    now = instant_after(now, span_ms(what));
    step(h, (struct hub_event){.kind = kinds[what % 4], .conn = conn % NODES});
}

static void play(struct hub *h, struct reader *r)
{
    while (reader_left(r) > 0) {
        uint8_t conn = read_u8(r) % NODES;
        uint16_t size = read_u16(r);
        if (size == 0xffff) {
            owner_event(h, read_u8(r), conn);
            continue;
        }
        if (size > reader_left(r))
            size = (uint16_t)reader_left(r);
        packet(h, conn, r->at, size);
        read_bytes(r, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_world();
    struct hub_conf conf = {.name = "r",
                            .meshes = &world.mesh,
                            .mesh_count = 1,
                            .limits = {.edges = 10,
                                       .edges_per_mesh = 10,
                                       .edges_per_address = 10,
                                       .queue = 4096}};
    now = (struct instant){1000000};
    struct hub *h = hub_new(&conf, now);
    step(h, (struct hub_event){.kind = HUB_CLOCK, .unix_seconds = 1000});
    for (uint64_t i = 0; i < NODES; i++)
        packet(h, i, world.hellos[i], world.sizes[i]);
    struct reader r = reader_of(bytes_of(data, size));
    play(h, &r);

    for (uint64_t i = 0; i < NODES; i++)
        step(h, (struct hub_event){.kind = HUB_CLOSED, .conn = i});
    struct hub_counters c;
    hub_counters_get(h, &c);
    if (c.edges != 0 || c.queue_bytes != 0)
        abort();
    hub_free(h);
    return 0;
}

static void add(struct writer *w, uint8_t conn, struct bytes packet)
{
    write_u8(w, conn);
    write_u16(w, (uint16_t)packet.size);
    write_bytes(w, packet);
}

static void add_event(struct writer *w, uint8_t conn, uint8_t what)
{
    write_u8(w, conn);
    write_u16(w, 0xffff);
    write_u8(w, what);
}

static void add_forward(struct writer *w, uint8_t conn)
{
    uint8_t packet[FORWARD_HEADER_SIZE + 600] = {RELAY_FORWARD};
    uint8_t seed[32] = {2, conn == 0};
    uint8_t secret[64];
    crypto_sign_seed_keypair(packet + 1, secret, seed);
    add(w, conn, bytes_of(packet, sizeof packet));
}

static void add_multicast(struct writer *w, uint8_t conn)
{
    uint8_t packet[1000] = {RELAY_MULTICAST};
    struct multicast_packet m = {.tag = {{2}}, .key = 1, .number = 1};
    struct writer header = writer_of(packet + FORWARD_HEADER_SIZE,
                                     sizeof packet - FORWARD_HEADER_SIZE);
    multicast_header_encode(&m, &header);
    add(w, conn, bytes_of(packet, sizeof packet));
}

/* Groups, whom to spare, and what is sent to one or all, to an edge that
 * takes it and to one that does not. */
size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const uint8_t groups[1 + 2 * GROUP_TAG_SIZE] = {RELAY_GROUPS,
                                                           1, [17] = 2};
    static const uint8_t spare[1 + 2 * (1 + KEY_SIZE)] = {RELAY_SPARE,
                                                          1, [34] = 0};
    static const uint8_t ping[9] = {RELAY_PING};
    static const uint8_t announce[9] = {RELAY_ANNOUNCE};
    struct writer w = writer_of(room, size);
    for (uint8_t conn = 0; conn < NODES; conn++) {
        add(&w, conn, bytes_of(groups, sizeof groups));
        add(&w, conn, bytes_of(spare, sizeof spare));
        add(&w, conn, bytes_of(announce, sizeof announce));
    }
    for (uint8_t what = 1; what < 4; what++) { /* the last: it can write */
        add_event(&w, 1, what == 1 ? 0 : what);
        for (int i = 0; i < 4; i++) {
            add_multicast(&w, 0);
            add_forward(&w, 0);
        }
        add(&w, 1, bytes_of(ping, sizeof ping));
    }
    return writer_ok(&w) ? writer_bytes(&w).size : 0;
}
