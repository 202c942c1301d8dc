/*
 * Which nodes the others refuse.
 */
#include "tests/sim/application.h"
#include "tests/sim/checkers.h"
#include "tests/sim/scenarios.h"

/* Two good nodes on a LAN with a relay, and one that must be refused. */
struct refusal_scene {
    int relay, a, b, stranger;
};

static struct refusal_scene build_scene(struct world *w)
{
    int segment = world_add_segment(w, true);
    struct refusal_scene g;

    w->segments[segment].reaches[INTERNET] = true;
    g.relay = world_add_relay(w);
    g.a = world_add_edge(w, segment);
    g.b = world_add_edge(w, segment);
    g.stranger = world_add_edge(w, segment);
    world_uses_relay(w, g.a, g.relay);
    world_uses_relay(w, g.b, g.relay);
    world_uses_relay(w, g.stranger, g.relay);
    return g;
}

/* All refuse it, the others are not disturbed, and both ends tell the
 * reason. */
static void is_refused(struct world *w, const struct refusal_scene *g,
                       enum refusal reason, bool told)
{
    w->hosts[g->stranger].outcast = true;
    host_start_all(w);
    world_run(w, span_s(20));
    expect(w,
           !checkers_joined(w, g->a, g->stranger) &&
               !checkers_joined(w, g->b, g->stranger),
           "it is not there for the others");
    expect(w, is_mutual(w, g->a, g->b, PATH_TCP), "the others are together");
    expect(w,
           checkers_refusals(w, g->a, false, (uint8_t)reason) +
                   checkers_refusals(w, g->b, false, (uint8_t)reason) >
               0,
           "who refuses says so");
    if (told)
        expect(w, checkers_refusals(w, g->stranger, true, (uint8_t)reason) > 0,
               "who is refused says so");
    talks_within(w, g->a, g->b, span_ms(100));
}

static void other_mesh(struct world *w, int host, uint8_t number)
{
    struct identity *i = &w->hosts[host].identity;
    struct certificate c = {.node = i->id, .name = "stranger"};
    uint8_t seed[32] = {number}, public_key[32], secret_key[64];

    c.not_after = w->unix_start + 86400;
    crypto_sign_seed_keypair(public_key, secret_key, seed);
    memcpy(c.mesh.key, public_key, sizeof(public_key));
    i->mesh = c.mesh;
    memset(i->secret.key, number, sizeof(i->secret.key));
    i->certificate_size = certificate_sign(&c, secret_key, i->certificate).size;
}

static void wrong_mesh(struct world *w)
{
    struct refusal_scene g = build_scene(w);

    other_mesh(w, g.stranger, 9);
    is_refused(w, &g, REFUSAL_WRONG_MESH, false);
    expect(w, checkers_refusals(w, g.stranger, true, REFUSAL_MESH_UNKNOWN) > 0,
           "the relay does not serve its mesh");
    expect(w,
           !checkers_joined(w, g.stranger, g.a) &&
               !checkers_joined(w, g.stranger, g.b),
           "nobody is there for it");
}

/* The mesh's secret leaked, the mesh's key did not. */
static void forged(struct world *w)
{
    struct refusal_scene g = build_scene(w);
    struct identity *i = &w->hosts[g.stranger].identity;
    struct certificate c = {.mesh = i->mesh, .node = i->id, .name = "forger"};
    uint8_t seed[32] = {5}, public_key[32], secret_key[64];

    c.not_after = w->unix_start + 86400;
    crypto_sign_seed_keypair(public_key, secret_key, seed);
    i->certificate_size = certificate_sign(&c, secret_key, i->certificate).size;
    is_refused(w, &g, REFUSAL_FORGED, true);
}

static void expired(struct world *w)
{
    struct refusal_scene g = build_scene(w);

    world_certify(w, g.stranger, "late", -7200, -3600);
    is_refused(w, &g, REFUSAL_EXPIRED, true);
}

static void not_yet(struct world *w)
{
    struct refusal_scene g = build_scene(w);

    world_certify(w, g.stranger, "early", 3600, 7200);
    is_refused(w, &g, REFUSAL_NOT_YET, true);
}

/* A certificate expires while all are connected. */
static void expires(struct world *w)
{
    struct refusal_scene g = build_scene(w);

    world_certify(w, g.stranger, "short", -3600, 90);
    host_start_all(w);
    settles_within(w, span_s(2), "all meet");
    world_run(w, span_s(80));
    expect(w, checkers_joined(w, g.a, g.stranger), "good for 90 s");
    w->hosts[g.stranger].outcast = true; /* It loses the others one by one. */
    world_run(w, span_s(70));
    expect(w, !checkers_joined(w, g.a, g.stranger), "and no longer");
    expect(w, !checkers_joined(w, g.b, g.stranger), "for nobody");
}

static void revoke(struct world *w, int host, uint64_t serial, uint8_t *room,
                   struct bytes *list)
{
    struct revocation r = {
        .mesh = w->mesh.mesh,
        .serial = serial,
        .count = 1,
        .nodes = w->hosts[host].identity.id.key,
    };

    *list = revocation_sign(&r, w->mesh_secret_key, room);
}

static void revoked(struct world *w)
{
    static uint8_t room[REVOCATION_SIZE];
    struct refusal_scene g = build_scene(w);

    revoke(w, g.stranger, 1, room, &w->hosts[g.a].revocations);
    w->hosts[g.b].revocations = w->hosts[g.a].revocations;
    is_refused(w, &g, REFUSAL_REVOKED, true);
}

/* One node learns of the revocation; the others learn it from that node. */
static void revocation_spreads(struct world *w)
{
    static uint8_t room[REVOCATION_SIZE];
    struct refusal_scene g = build_scene(w);
    int far = world_add_edge(w, world_add_nat(w));
    struct node_event event = {.kind = NODE_REVOCATION};

    world_uses_relay(w, far, g.relay);
    host_start_all(w);
    settles_within(w, span_s(4), "all meet");
    revoke(w, g.stranger, 1, room, &event.revocation);
    host_event(w, g.a, &event);
    w->hosts[g.stranger].outcast = true;
    world_run(w, span_s(2));
    expect(w, !checkers_joined(w, g.a, g.stranger), "gone where it was said");
    expect(w, !checkers_joined(w, g.b, g.stranger), "gone next door");
    expect(w, !checkers_joined(w, far, g.stranger), "gone far away");
    world_run(w, span_s(30));
    expect(w,
           checkers_joined(w, far, g.a) && checkers_joined(w, far, g.b) &&
               checkers_joined(w, g.a, g.b),
           "the others are still together");
}

/* The relay learns of the revocation first. */
static void revocation_at_the_relay(struct world *w)
{
    static uint8_t room[REVOCATION_SIZE];
    struct refusal_scene g = build_scene(w);
    struct bytes list;

    host_start_all(w);
    settles_within(w, span_s(4), "all meet");
    revoke(w, g.stranger, 1, room, &list);
    hub_revoke(w, g.relay, list);
    w->hosts[g.stranger].outcast = true;
    world_run(w, span_s(2));
    expect(w, !checkers_joined(w, g.a, g.stranger), "gone");
    expect(w, !checkers_joined(w, g.b, g.stranger), "gone everywhere");
}

/* Two certificates with one name, as a passphrase mesh may have: the first node
 * that is present keeps it. */
static void name_taken(struct world *w)
{
    struct refusal_scene g = build_scene(w);

    world_certify(w, g.stranger, "node-1", -3600, 86400);
    w->hosts[g.stranger].outcast = true;
    host_start(w, g.relay);
    host_start(w, g.a);
    host_start(w, g.b);
    settles_within(w, span_s(2), "the first two meet");
    is_refused(w, &g, REFUSAL_NAME_TAKEN, true);
}

/* Another relay answers at the address: the node sends nothing to it. */
static void wrong_relay_key(struct world *w)
{
    int relay = world_add_relay(w);
    int a = world_add_edge(w, world_add_nat(w));
    int b = world_add_edge(w, world_add_nat(w));

    world_uses_relay(w, a, relay);
    world_uses_relay(w, b, relay);
    host_start(w, relay);
    host_start(w, a);
    w->hosts[relay].relay_key.key[0] ^= 1;
    host_start(w, b);
    world_run(w, span_s(10));
    expect(w, !checkers_joined(w, a, b) && !checkers_joined(w, b, a),
           "nobody meets at the wrong relay");
}

/* A relay that serves two meshes keeps them apart. */
static void two_meshes(struct world *w)
{
    struct refusal_scene g = build_scene(w);
    int friend = world_add_edge(w, world_add_nat(w));

    other_mesh(w, g.stranger, 9);
    other_mesh(w, friend, 9);
    memcpy(&w->hosts[g.relay].meshes[w->hosts[g.relay].mesh_count++],
           &w->hosts[friend].identity.mesh, sizeof(struct mesh_id));
    world_uses_relay(w, friend, g.relay);
    w->hosts[g.stranger].outcast = w->hosts[friend].outcast = true;
    host_start_all(w);
    world_run(w, span_s(5));
    expect(w, is_mutual(w, g.a, g.b, PATH_TCP), "the one mesh is together");
    expect(w, !checkers_joined(w, g.a, friend), "and apart from the other");
}

const struct scenario scenarios_of_refusals[] = {
    {"wrong-mesh", wrong_mesh},
    {"forged", forged},
    {"expired", expired},
    {"not-yet", not_yet},
    {"expires", expires},
    {"revoked", revoked},
    {"revocation-spreads", revocation_spreads},
    {"revocation-at-the-relay", revocation_at_the_relay},
    {"name-taken", name_taken},
    {"wrong-relay-key", wrong_relay_key},
    {"two-meshes", two_meshes},
    {NULL, NULL},
};
