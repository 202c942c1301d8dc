#include "relay/core/hub_private.h"

#include <string.h>

/* A connection's first packet while the hub decides on it. */
struct arrival {
    const struct hub_event *event;
    uint8_t version;
    struct relay_hello hello;
    struct certificate certificate;
};

/* The protocol version to speak with the sender of this HELLO [P-1.3]; 0 if
 * there is none. */
static uint8_t version_of(struct bytes packet)
{
    if (packet.size < 2 || packet.data[0] != RELAY_HELLO)
        return PROTOCOL_VERSION; /* Malformed: decoding it will fail. */
    return version_agreed(PROTOCOL_VERSION, packet.data[1]);
}

/* Checks that the certificate is valid, of a mesh that the hub serves, and of
 * the key that the connection's handshake proved. */
static enum refusal examine_certificate(struct hub *h, struct arrival *a)
{
    struct certificate *c = &a->certificate;
    if (!certificate_decode(a->hello.certificate, c))
        return REFUSAL_MALFORMED;
    if (!hub_serves(h, &c->mesh))
        return REFUSAL_MESH_UNKNOWN;
    uint64_t unix_now = hub_unix_now(h);
    if (unix_now == 0)
        return REFUSAL_NOT_YET; /* Without a clock no certificate is valid. */
    struct mesh_id mesh = c->mesh;
    enum certificate_verdict verdict =
        certificate_check(a->hello.certificate, &mesh, unix_now, c);
    if (verdict != CERTIFICATE_GOOD)
        return refusal_of(verdict);

    struct curve_key key;
    if (!node_curve_key(&c->node, &key) ||
        memcmp(key.key, a->event->key.key, KEY_SIZE) != 0)
        return REFUSAL_KEY_MISMATCH;
    return REFUSAL_NONE;
}

static bool has_room(const struct hub *h, const struct hub_mesh *m,
                     const struct address *address, const struct hub_edge *old)
{
    /* The connection that this one replaces leaves its place. */
    size_t spare = old ? 1 : 0;
    size_t spare_address =
        old && address_same_network(&old->address, address) ? 1 : 0;
    return h->counters.edges < h->conf.limits.edges + spare &&
           (!m || m->count < h->conf.limits.edges_per_mesh + spare) &&
           edges_from(h, address) <
               h->conf.limits.edges_per_address + spare_address;
}

/* Checks the edge against the edges of its mesh: whether it is revoked or
 * replaced, its name taken, or the relay full. */
static enum refusal examine_place(struct hub *h, const struct arrival *a)
{
    const struct certificate *c = &a->certificate;
    const struct hub_mesh *m = mesh_find(h, &c->mesh);
    const struct hub_edge *old = m ? map_get(&m->nodes, c->node.key) : NULL;
    if (m && mesh_revoked(m, &c->node))
        return REFUSAL_REVOKED;
    if (old && a->hello.epoch.value < old->epoch.value)
        return REFUSAL_REPLACED;
    char name[NAME_KEY_SIZE] = {0};
    memcpy(name, c->name, strlen(c->name));
    const struct hub_edge *namesake = m ? map_get(&m->names, name) : NULL;
    if (namesake && namesake != old)
        return REFUSAL_NAME_TAKEN;
    if (!has_room(h, m, &a->event->address, old))
        return REFUSAL_FULL;
    return REFUSAL_NONE;
}

static enum refusal examine(struct hub *h, struct arrival *a)
{
    struct bytes packet = bytes_of(a->event->data, a->event->size);
    if (h->stopping)
        return REFUSAL_SHUTDOWN;
    a->version = version_of(packet);
    if (a->version == 0)
        return REFUSAL_VERSION;
    if (!relay_hello_decode(packet, &a->hello))
        return REFUSAL_MALFORMED;
    if (a->hello.sealed.size > SEALED_ANNOUNCEMENT_SIZE)
        return REFUSAL_TOO_LARGE;
    enum refusal reason = examine_certificate(h, a);
    return reason != REFUSAL_NONE ? reason : examine_place(h, a);
}

static void refuse(struct hub *h, const struct arrival *a, enum refusal reason)
{
    h->counters.refused[reason]++;
    if (reason == REFUSAL_NOT_YET || reason == REFUSAL_EXPIRED)
        send_clock(h, a->event->conn);
    send_refused(h, a->event->conn, reason);
    hub_todos_add(h->todos, HUB_DROP, a->event->conn);
    struct hub_todo *todo = hub_todos_add(h->todos, HUB_LOG, a->event->conn);
    todo->log.what = HUB_EDGE_REFUSED;
    todo->log.reason = (uint8_t)reason;
    todo->log.node = a->certificate.node;
    todo->log.mesh = a->certificate.mesh;
    todo->log.address = a->event->address;
    memcpy(todo->log.name, a->certificate.name, sizeof todo->log.name);
}

static void welcome(struct hub *h, struct hub_edge *e, uint8_t version)
{
    struct relay_welcome m = {
        .version = version,
        .boot = h->conf.boot,
        .outside = e->address,
        .revocation_serial = e->mesh->revocation.serial,
    };
    memcpy(m.name, h->conf.name, sizeof m.name);
    struct writer w = hub_room(h, 128);
    relay_welcome_encode(&m, &w);
    ASSERT(writer_ok(&w));
    edge_control(h, e, writer_bytes(&w));
}

static void swap_queues(struct fair_queue *a, struct fair_queue *b)
{
    struct fair_queue kept = *a;
    *a = *b;
    *b = kept;
}

/* The packets that waited on a connection of the same process go on by the new
 * one. */
static void admit(struct hub *h, const struct arrival *a)
{
    struct hub_mesh *m = mesh_take(h, &a->certificate.mesh);
    struct hub_edge *old = map_get(&m->nodes, a->certificate.node.key);
    /* A new connection alone is no news for the other edges. But an edge that
     * is still receiving the roster may have missed the old connection. */
    bool news =
        !old || old->epoch.value != a->hello.epoch.value || m->syncing > 0 ||
        !bytes_equal(bytes_of(old->sealed, old->sealed_size), a->hello.sealed);
    struct token_bucket announcing = {{0}};
    struct fair_queue waiting;
    fair_queue_init(&waiting, h->conf.hash_key);
    if (old) {
        announcing = old->announcing; /* The limit is one for each node. */
        if (old->epoch.value == a->hello.epoch.value)
            swap_queues(&waiting, &old->data);
        edge_replace(h, old);
    }
    struct hub_edge *e = edge_new(
        h, m, &(struct edge_start){a->event, &a->hello, &a->certificate});
    e->announcing = announcing;
    swap_queues(&e->data, &waiting);
    fair_queue_close(&waiting);
    h->counters.handshakes++;
    edge_log(h, e, HUB_EDGE_UP, 0);
    welcome(h, e, a->version);
    send_clock(h, e->conn);
    send_certificate(h, e->conn, a->event->tls);
    if (a->hello.revocation_serial < m->revocation.serial)
        send_revocation(h, e);
    edge_work(h, e);
    if (news)
        edge_has_news(h, e);
}

void admission_packet(struct hub *h, const struct hub_event *event)
{
    struct arrival a = {.event = event};
    enum refusal reason = examine(h, &a);
    if (reason != REFUSAL_NONE)
        refuse(h, &a, reason);
    else
        admit(h, &a);
}
