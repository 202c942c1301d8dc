#include "edge/core/node_private.h"

#include "common/base/memory.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const struct span revocation_each = {250 * 1000};
enum { REVOCATION_BURST = 16 };

uint64_t node_unix_now(const struct node *n)
{
    if (n->unix_base == 0)
        return 0;
    int64_t passed = instant_between(n->unix_at, n->now).us / 1000000;
    return n->unix_base + (uint64_t)(passed > 0 ? passed : 0);
}

/* --- what this node says ------------------------------------------------ */

static void add_candidate(struct announcement *a, enum candidate_kind kind,
                          const struct address *address)
{
    if (a->candidate_count < ANNOUNCEMENT_CANDIDATES)
        a->candidates[a->candidate_count++] =
            (struct candidate){kind, *address};
}

/* A node that keeps its addresses to itself tells the listener's port only:
 * who hears its beacons knows the address [P-3.5]. */
static void fill_hosts(const struct node *n, struct announcement *a)
{
    struct address port_only = {.family = ADDRESS_V4};
    if (n->address_count > 0)
        port_only.port = n->addresses[0].port;
    if (!n->share_addresses && n->address_count > 0)
        add_candidate(a, CANDIDATE_HOST, &port_only);
    for (size_t i = 0; n->share_addresses && i < n->address_count; i++)
        add_candidate(a, CANDIDATE_HOST, &n->addresses[i]);
}

/* The router's port that leads to the listener. If the router is behind
 * another one, the relay sees a better address. */
static void fill_mapped(const struct node *n, struct announcement *a)
{
    const struct address *mapped = &n->udp.mapped_tcp;
    if (mapped->port == 0)
        return;
    if (address_is_usable(mapped))
        add_candidate(a, CANDIDATE_STUN, mapped);
    for (size_t i = 0; i < n->relay_count; i++) {
        struct address seen = n->relays[i].outside;
        seen.port = mapped->port;
        if (n->relays[i].state == RELAY_UP && address_is_usable(&seen) &&
            seen.family == ADDRESS_V4 && !address_same_ip(&seen, mapped))
            add_candidate(a, CANDIDATE_STUN, &seen);
    }
}

static void fill_candidates(const struct node *n, struct announcement *a)
{
    fill_hosts(n, a);
    fill_mapped(n, a);
}

static void fill(const struct node *n, struct announcement *a, bool partial)
{
    *a = (struct announcement){
        .certificate = bytes_of(n->certificate_blob, n->certificate_size),
        .epoch = n->epoch,
        .serial = n->serial,
        .partial = partial,
        .aes = n->aes,
        .revocation_serial = n->revocation.serial,
    };
    memcpy(a->link_key.key, n->link_pair.public_key, KEY_SIZE);
    if (n->tcp)
        fill_candidates(n, a);
    if (partial)
        return;
    a->group_count = n->group_count;
    memcpy(a->groups, n->groups, sizeof n->groups);
    a->info = bytes_of(n->info, n->info_size);
}

static void sign(const struct node *n, bool partial, uint8_t **blob,
                 size_t *size)
{
    struct announcement *a = memory_new(sizeof *a);
    fill(n, a, partial);
    uint8_t *room = memory_new(ANNOUNCEMENT_SIZE);
    struct bytes signed_bytes = announcement_sign(a, n->secret_key, room);
    free(*blob);
    *blob = memory_copy(signed_bytes.data, signed_bytes.size);
    *size = signed_bytes.size;
    free(room);
    free(a);
}

void announce_sign(struct node *n)
{
    n->serial++;
    sign(n, false, &n->said_full, &n->said_full_size);
    if (n->said_full_size > BEACON_SIZE - BEACON_OVERHEAD)
        sign(n, true, &n->said_partial, &n->said_partial_size);
    else
        n->said_partial_size = 0;
}

struct bytes announce_full(const struct node *n)
{
    return bytes_of(n->said_full, n->said_full_size);
}

struct bytes announce_for_beacon(const struct node *n)
{
    if (n->said_partial_size > 0)
        return bytes_of(n->said_partial, n->said_partial_size);
    return announce_full(n);
}

static struct bytes to_link(struct node *n)
{
    struct writer w = todo_writer(n, 3 + n->said_full_size);
    write_u8(&w, LINK_ANNOUNCE);
    write_u16(&w, (uint16_t)n->said_full_size);
    write_bytes(&w, announce_full(n));
    return writer_bytes(&w);
}

static struct bytes to_relay(struct node *n)
{
    return todo_packet(n, RELAY_ANNOUNCE, announce_sealed(n));
}

struct bytes announce_sealed(struct node *n)
{
    struct bytes said = announce_full(n);
    uint8_t nonce[24];
    entropy_fill(&n->entropy, nonce, sizeof nonce);
    if (n->sealed_serial != n->serial)
        memcpy(n->sealed_nonce, nonce, sizeof nonce);
    n->sealed_serial = n->serial;
    uint8_t *room = arena_take(&n->todo->arena, said.size + 40);
    return announcement_seal(said, n->keys.announcement, n->sealed_nonce, room);
}

struct bytes announce_greeting(const struct node *n, struct link *link)
{
    link->greeted = n->serial;
    return announce_full(n);
}

void announce_news(struct node *n, struct link *link)
{
    if (link->greeted == n->serial)
        return;
    todo_write(n, link, link->relay != NULL ? to_relay(n) : to_link(n));
}

void announce_changed(struct node *n)
{
    announce_sign(n);
    links_tell_all(n, to_link(n));
    relays_tell_all(n, to_relay(n));
    if (!n->left)
        node_arm(n, &n->beacon_deadline, n->now);
}

/* --- what others say ---------------------------------------------------- */

bool node_is_revoked(const struct node *n, const struct node_id *id)
{
    return n->revocation_blob != NULL && revocation_has(&n->revocation, id);
}

uint64_t certificate_hash(struct bytes certificate)
{
    uint64_t hash[2];
    crypto_generichash((uint8_t *)hash, sizeof hash, certificate.data,
                       certificate.size, NULL, 0);
    return hash[0] | 1;
}

struct stranger *stranger_of(struct node *n, const struct node_id *id)
{
    return &n->strangers[id->key[0] % STRANGERS];
}

/* Whether this certificate was verified before: then only its validity period
 * must be checked again. */
static bool was_good(struct node *n, struct bytes bytes,
                     const struct certificate *c)
{
    const struct peer *known = peer_get(n, &c->node);
    if (known != NULL && bytes_equal(known->said.certificate, bytes))
        return true;
    return stranger_of(n, &c->node)->certificate == certificate_hash(bytes);
}

static enum certificate_verdict
verify_certificate(struct node *n, struct bytes bytes, struct certificate *c)
{
    uint64_t now = node_unix_now(n);
    if (!certificate_decode(bytes, c))
        return CERTIFICATE_MALFORMED;
    if (!was_good(n, bytes, c))
        return certificate_check(bytes, &n->certificate.mesh, now, c);
    if (now != 0 && now >= c->not_after)
        return CERTIFICATE_EXPIRED;
    /* A peer that joined stays when this node's clock goes back. */
    const struct peer *known = peer_get(n, &c->node);
    if (now != 0 && now < c->not_before && (known == NULL || !known->joined))
        return CERTIFICATE_NOT_YET;
    return CERTIFICATE_GOOD;
}

/* A mesh key signs each name once. A passphrase mesh cannot ensure that, so the
 * node that is present first keeps its name [P-2.4]. */
static bool name_is_taken(struct node *n, const struct certificate *c)
{
    char padded[NAME_ROOM];
    name_pad(padded, c->name);
    if (strcmp(padded, n->certificate.name) == 0)
        return true;
    const struct peer *owner = map_get(&n->names, padded);
    return owner != NULL && owner->joined &&
           !node_id_equal(&owner->id, &c->node);
}

enum refusal announce_check_certificate(struct node *n, struct bytes bytes,
                                        struct certificate *c)
{
    enum certificate_verdict verdict = verify_certificate(n, bytes, c);
    if (verdict != CERTIFICATE_GOOD)
        return refusal_of(verdict);
    if (node_is_revoked(n, &c->node))
        return REFUSAL_REVOKED;
    if (node_id_equal(&c->node, &n->certificate.node))
        return REFUSAL_REPLACED; /* Another process uses this node's key. */
    if (name_is_taken(n, c))
        return REFUSAL_NAME_TAKEN;
    return REFUSAL_NONE;
}

static void rename_peer(struct node *n, struct peer *p, const char *name)
{
    if (strcmp(p->name, name) == 0)
        return;
    if (p->name[0] != '\0' && map_get(&n->names, p->name) == p)
        (void)map_remove(&n->names, p->name);
    name_pad(p->name, name);
    (void)map_put(&n->names, p->name, p);
}

/* Whether both name the same addresses to connect to, and the same key. */
static bool same_candidates(const struct announcement *a,
                            const struct announcement *b)
{
    if (a->candidate_count != b->candidate_count)
        return false;
    for (size_t i = 0; i < a->candidate_count; i++)
        if (!address_equal(&a->candidates[i].address,
                           &b->candidates[i].address))
            return false;
    return memcmp(a->link_key.key, b->link_key.key, KEY_SIZE) == 0;
}

static void take_up(struct node *n, struct peer *p, struct bytes bytes,
                    const struct announcement *said,
                    const struct certificate *c)
{
    bool first = p->blob == NULL;
    bool moved = first || !same_candidates(&p->said, said);
    if (!first && p->said.epoch.value != said->epoch.value) {
        if (p->said.epoch.value < said->epoch.value)
            refused_nodes_keep_replaced(n, p);
        peer_restarted(n, p);
    }
    uint8_t *blob = memory_copy(bytes.data, bytes.size);
    free(p->blob);
    p->blob = blob;
    p->blob_size = bytes.size;
    bool decoded =
        announcement_decode(bytes_of(p->blob, p->blob_size), &p->said);
    ASSERT(decoded);
    p->certificate = *c;
    rename_peer(n, p, c->name);
    groups_changed(n, p);
    if (moved) {
        dialer_clear(&p->dialer);
        for (size_t i = 0; i < said->candidate_count; i++)
            if (address_is_usable(&said->candidates[i].address))
                (void)dialer_add(&p->dialer, &said->candidates[i].address,
                                 false);
        for (struct link *l = p->links; l != NULL; l = l->next_of_peer)
            link_hurry(n, l);
        udp_peer_moved(n, p);
        peer_dial_soon(n, p, false);
    }
}

/* Whether `a` is not newer than the announcement that is known. */
static bool is_old(const struct peer *known, const struct announcement *a)
{
    const struct announcement *b = &known->said;
    if (a->epoch.value != b->epoch.value)
        return false;
    if (a->serial != b->serial)
        return a->serial < b->serial;
    return a->partial || !b->partial;
}

static void recall_counter(struct node *n, struct peer *p, struct epoch epoch)
{
    const struct removed_peer *f = &n->removed_peers[p->id.key[0]];
    if (f->epoch.value == epoch.value && node_id_equal(&f->id, &p->id))
        p->taken_counter = f->taken_counter;
}

/* Whether it is the announcement that is known, and is still valid. */
static bool is_known(const struct node *n, const struct peer *known,
                     struct bytes announcement)
{
    uint64_t now = node_unix_now(n);
    return known != NULL && known->blob != NULL &&
           bytes_equal(announcement, bytes_of(known->blob, known->blob_size)) &&
           !node_is_revoked(n, &known->id) &&
           (now == 0 || now < known->certificate.not_after);
}

/* Another process uses this node's key: the one that started later is the node
 * [P-3.3]. */
static enum learned learn_own(struct node *n, struct bytes announcement,
                              bool signed_outer,
                              const struct announcement *said,
                              enum refusal *why)
{
    *why = REFUSAL_REPLACED;
    if (said->epoch.value <= n->epoch.value)
        return LEARNED_REFUSED;
    if (!signed_outer &&
        !announcement_signed_by(announcement, &n->certificate.node)) {
        *why = REFUSAL_FORGED;
        return LEARNED_REFUSED;
    }
    n->replaced_at = n->now;
    (void)refusal_say(n, true, REFUSAL_REPLACED, -1, &n->certificate.node,
                      n->certificate.name, NULL);
    return LEARNED_REPLACED;
}

static bool is_stale(const struct peer *known, const struct announcement *said)
{
    return known != NULL && said->epoch.value < known->said.epoch.value &&
           !peer_has_departed(known);
}

enum learned announce_learn(struct node *n, struct bytes announcement,
                            bool signed_outer, struct peer **peer,
                            enum refusal *why, struct certificate *claimed)
{
    struct announcement said;
    *claimed = (struct certificate){0};
    *why = REFUSAL_MALFORMED;
    if (!announcement_decode(announcement, &said) ||
        !certificate_decode(said.certificate, claimed))
        return LEARNED_REFUSED;

    if (node_id_equal(&claimed->node, &n->certificate.node))
        return learn_own(n, announcement, signed_outer, &said, why);

    struct peer *known = peer_get(n, &claimed->node);
    if (is_known(n, known, announcement)) {
        *peer = known;
        refused_nodes_admit(n, known);
        return LEARNED_GOOD;
    }
    *why = announce_check_certificate(n, said.certificate, claimed);
    bool authentic = signed_outer;
    if (*why == REFUSAL_NONE && !authentic) {
        authentic = announcement_signed_by(announcement, &claimed->node);
        *why = authentic ? REFUSAL_NONE : REFUSAL_FORGED;
    }
    bool stale = *why == REFUSAL_NONE && is_stale(known, &said);
    if (stale)
        *why = REFUSAL_REPLACED;
    else if (*why == REFUSAL_NONE && known == NULL && !peers_make_room(n))
        *why = REFUSAL_FULL;
    if (*why != REFUSAL_NONE) {
        (void)refused_nodes_keep(n, announcement, &said, claimed, *why,
                                 authentic);
        return stale ? LEARNED_STALE : LEARNED_REFUSED;
    }
    if (known == NULL) {
        known = peer_new(n, &claimed->node);
        recall_counter(n, known, said.epoch);
    }
    if (known->blob == NULL || !is_old(known, &said))
        take_up(n, known, announcement, &said, claimed);
    *peer = known;
    refused_nodes_admit(n, known);
    peer_touch(n, known);
    return LEARNED_GOOD;
}

struct bytes revocation_packet(struct node *n, enum packet_type type)
{
    return todo_packet(n, type,
                       bytes_of(n->revocation_blob, n->revocation_size));
}

static void put_out(struct node *n, struct peer *p)
{
    struct refused_node *o = refused_nodes_keep_peer(n, p, REFUSAL_REVOKED);
    peer_departed(n, p, DEPARTURE_REVOKED);
    if (o != NULL)
        (void)notices_tell(n, o);
}

void revocation_take(struct node *n, struct bytes list, bool by_peer)
{
    struct revocation r;
    if (!revocation_check(list, &r) ||
        !mesh_id_equal(&r.mesh, &n->certificate.mesh)) {
        n->counters.packets_dropped += by_peer;
        return;
    }
    if (r.serial <= n->revocation.serial)
        return;
    /* This node forwards each newer list to all peers, so their rate is
     * limited. A list that is dropped here comes again with the next HELLO or
     * announcement [P-2.5]. */
    if (by_peer && !token_bucket_takes(&n->revocation_pace, n->now,
                                       revocation_each, REVOCATION_BURST)) {
        n->counters.packets_dropped++;
        return;
    }
    free(n->revocation_blob);
    n->revocation_blob = memory_copy(list.data, list.size);
    n->revocation_size = list.size;
    bool good = revocation_check(bytes_of(n->revocation_blob, list.size),
                                 &n->revocation);
    ASSERT(good);
    todo_add(n->todo, NODE_REVOKED)->bytes = arena_copy(&n->todo->arena, list);

    links_tell_all(n, revocation_packet(n, LINK_REVOCATION));
    relays_tell_all(n, revocation_packet(n, RELAY_REVOCATION));

    size_t cursor = 0;
    struct peer *p;
    while ((p = map_next(&n->peers, &cursor)) != NULL)
        if (revocation_has(&n->revocation, &p->id))
            put_out(n, p);
    refused_nodes_look_soon(n); /* The new list may lack some of them. */
    announce_changed(n);
}
