#include "tests/adversary/member.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 3000 };

struct forged_member *member_new(const struct attack *a)
{
    struct forged_member *m = calloc(1, sizeof *m);
    uint8_t seed[32];

    if (m == NULL)
        abort();
    m->attack = a;
    m->relay.fd = m->direct.fd = -1;
    mesh_keys_derive(&m->keys, &a->self.mesh_secret);
    curve_pair_of_node(&m->node, a->self.secret_key);
    curve_pair_random(&m->link);
    m->epoch.value = (uint64_t)time(NULL) * 1000000;
    randombytes_buf(seed, sizeof seed);
    entropy_init(&m->entropy, seed);
    return m;
}

void member_free(struct forged_member *m)
{
    if (m->relay.fd >= 0)
        socket_abort(m->relay.fd);
    if (m->direct.fd >= 0)
        socket_abort(m->direct.fd);
    session_close(&m->session);
    free(m);
}

struct bytes member_announcement(struct forged_member *m, uint8_t *room)
{
    const struct edge_identity *self = &m->attack->self;
    struct announcement a = {
        .certificate = bytes_of(self->certificate, self->certificate_size),
        .epoch = m->epoch,
        .serial = ++m->serial,
        .info = bytes_of("{}", 2),
    };
    memcpy(a.link_key.key, m->link.public_key, KEY_SIZE);
    return announcement_sign(&a, self->secret_key, room);
}

struct bytes member_relay_hello(struct forged_member *m, uint8_t *room)
{
    const struct edge_identity *self = &m->attack->self;
    uint8_t said[ANNOUNCEMENT_SIZE], sealed[SEALED_ANNOUNCEMENT_SIZE];
    uint8_t nonce[24];

    randombytes_buf(nonce, sizeof nonce);
    struct relay_hello hello = {
        .version = PROTOCOL_VERSION,
        .certificate = bytes_of(self->certificate, self->certificate_size),
        .epoch = m->epoch,
        .lost_after_ms = 60000,
        .sealed = announcement_seal(member_announcement(m, said),
                                    m->keys.announcement, nonce, sealed),
    };
    struct writer w = writer_of(room, PACKET_SIZE);
    relay_hello_encode(&hello, &w);
    return writer_bytes(&w);
}

struct bytes link_hello(struct bytes announcement, uint8_t *room)
{
    struct writer w = writer_of(room, PACKET_SIZE);
    write_u8(&w, LINK_HELLO);
    write_u8(&w, PROTOCOL_VERSION);
    write_u16(&w, (uint16_t)announcement.size);
    write_bytes(&w, announcement);
    return writer_bytes(&w);
}

/* --- the relay -------------------------------------------------------------
 */

static void take_entry(struct forged_member *m,
                       const struct roster_entry *entry, member_node_fn *each,
                       void *context)
{
    uint8_t room[SEALED_ANNOUNCEMENT_SIZE];
    struct announcement said;
    struct certificate certificate;

    if (entry->sealed.size > sizeof room)
        return;
    struct bytes open =
        announcement_open(entry->sealed, m->keys.announcement, room);
    if (!announcement_decode(open, &said) ||
        !certificate_decode(said.certificate, &certificate))
        return;
    if (m->attack->victim != NULL &&
        strcmp(certificate.name, m->attack->victim) == 0) {
        m->found = true;
        m->victim = certificate.node;
        m->victim_epoch = said.epoch;
        m->victim_link = said.link_key;
    }
    if (each != NULL)
        each(context, entry, open, &said);
}

static bool read_roster(struct forged_member *m, member_node_fn *each,
                        void *context)
{
    uint64_t deadline = attack_now_ms() + PATIENCE_MS;
    struct roster_entry entry;
    bool gone = false;

    while (!gone) {
        struct bytes packet = curve_hear(&m->relay, deadline, &gone);
        struct reader r = reader_of(packet);
        enum packet_type type = read_u8(&r);
        if (type == RELAY_SYNCED)
            return true;
        if (packet.size == 0 || type == RELAY_REFUSED)
            return false;
        while (type == RELAY_PRESENT && roster_entry_next(&r, &entry))
            take_entry(m, &entry, each, context);
    }
    return false;
}

bool member_meets(struct forged_member *m, member_node_fn *each, void *context)
{
    const struct attack *a = m->attack;
    uint64_t deadline = attack_now_ms() + PATIENCE_MS;
    uint8_t room[PACKET_SIZE];

    m->relay.fd = socket_open(&a->relay, 0, PATIENCE_MS);
    return m->relay.fd >= 0 &&
           curve_connect(&m->relay, &a->relay_key, &m->node, deadline) &&
           curve_say(&m->relay, member_relay_hello(m, room), deadline) &&
           read_roster(m, each, context);
}

/* --- the victim ------------------------------------------------------------
 */

bool member_links(struct forged_member *m)
{
    const struct attack *a = m->attack;
    uint64_t deadline = attack_now_ms() + PATIENCE_MS;
    uint8_t room[PACKET_SIZE], said[ANNOUNCEMENT_SIZE];
    bool gone = false;

    m->direct.fd = socket_open(&a->target, 0, PATIENCE_MS);
    if (m->direct.fd < 0 ||
        !curve_connect(&m->direct, &a->key, &m->link, deadline) ||
        !curve_say(&m->direct, link_hello(member_announcement(m, said), room),
                   deadline))
        return false;
    while (!gone) {
        struct bytes packet = curve_hear(&m->direct, deadline, &gone);
        if (packet.size == 0 || packet.data[0] == LINK_REFUSE)
            return false;
        if (packet.data[0] == LINK_HELLO)
            return true;
    }
    return false;
}

static struct instant session_now(void)
{
    return (struct instant){(int64_t)attack_now_ms() * 1000};
}

void session_prepare(struct forged_member *m)
{
    struct session_keys keys = {
        .self = &m->node,
        .psk = m->keys.psk,
        .self_id = m->attack->self.said.node,
        .peer_id = m->victim,
        .self_epoch = m->epoch,
        .peer_epoch = m->victim_epoch,
        .ask_counter = &m->ask_counter,
    };
    struct session_limits limits = {
        .window = 4 << 20, .stored = 4 << 20, .message = 16 << 20};

    if (!node_curve_key(&m->victim, &keys.peer_key))
        abort();
    session_init(&m->session, &keys, &limits, &m->entropy, &m->counters,
                 &m->slabs);
}

/* Sends a first packet: only then the victim uses the session's keys. */
static bool confirm(struct forged_member *m, struct bytes accept,
                    uint64_t deadline)
{
    static const struct session_sink nobody;
    static uint8_t room[PACKET_SIZE];
    struct writer w = writer_of(room, sizeof room);

    return session_take_accept(&m->session, accept, session_now(), &nobody) &&
           session_write(&m->session, false, session_now(), &w) &&
           curve_say(&m->direct, writer_bytes(&w), deadline);
}

bool member_opens_session(struct forged_member *m)
{
    uint64_t deadline = attack_now_ms() + PATIENCE_MS;
    uint8_t room[SESSION_INIT_SIZE];
    struct writer w = writer_of(room, sizeof room);
    bool gone = false;

    session_prepare(m);
    if (!session_ask(&m->session, &m->entropy, session_now(), &w) ||
        !curve_say(&m->direct, writer_bytes(&w), deadline))
        return false;
    while (!gone) {
        struct bytes packet = curve_hear(&m->direct, deadline, &gone);
        if (packet.size == 0)
            return false;
        if (packet.data[0] == PACKET_ACCEPT)
            return confirm(m, packet, deadline);
    }
    return false;
}
