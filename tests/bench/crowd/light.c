#include "tests/bench/crowd/crowd.h"

#include "common/base/memory.h"
#include "common/core/secrets.h"
#include "common/wire/announcement.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 20, YEAR_S = 365 * 24 * 3600 };

static const struct span backoff_first = {250 * 1000};
static const struct span backoff_longest = {2 * 1000 * 1000};
static const struct span open_most = {20 * 1000 * 1000};
/* An edge that finds too many others connecting looks again. */
static const struct span again = {5 * 1000};

static uint8_t room[ROOM]; /* what was read, decrypted in place */

/* ---- Identities */

struct crowd_mesh *crowd_mesh_of(const struct light_crowd *c, size_t number)
{
    size_t each = c->options.all / c->mesh_count;

    return &c->meshes[number / each % c->mesh_count];
}

void light_identity(const struct crowd_mesh *m, size_t number,
                    struct node_id *id, uint8_t secret_key[64])
{
    uint8_t seed[32];
    uint64_t n = number;

    crypto_generichash(seed, sizeof seed, (const uint8_t *)&n, sizeof n,
                       m->key.secret.key, sizeof m->key.secret.key);
    crypto_sign_seed_keypair(id->key, secret_key, seed);
}

static struct bytes certify(const struct light *l, const struct node_id *id,
                            uint8_t *buffer)
{
    uint64_t now = (uint64_t)time(NULL);
    struct certificate c = {.mesh = l->mesh->key.id,
                            .node = *id,
                            .not_before = now - 3600,
                            .not_after = now + YEAR_S};

    snprintf(c.name, sizeof c.name, "light-%zu", l->number);
    return certificate_sign(&c, l->mesh->key.key, buffer);
}

static void make_hello(struct light *l, const struct node_id *id)
{
    static uint8_t packet[PACKET_SIZE];
    uint8_t said[ANNOUNCEMENT_SIZE], sealed[SEALED_ANNOUNCEMENT_SIZE];
    uint8_t certificate[CERTIFICATE_SIZE], nonce[24];
    struct light_crowd *c = l->crowd;
    struct announcement a = {.certificate = certify(l, id, certificate),
                             .epoch = l->epoch,
                             .serial = 1,
                             .info = bytes_of("{}", 2)};

    entropy_fill(&c->entropy, a.link_key.key, KEY_SIZE);
    entropy_fill(&c->entropy, nonce, sizeof nonce);
    struct relay_hello hello = {
        .version = PROTOCOL_VERSION,
        .certificate = a.certificate,
        .epoch = l->epoch,
        .lost_after_ms = (uint32_t)(c->options.lost_after.us / 1000),
        .sealed = announcement_seal(announcement_sign(&a, l->secret_key, said),
                                    l->mesh->keys.announcement, nonce, sealed),
    };
    struct writer w = writer_of(packet, sizeof packet);
    relay_hello_encode(&hello, &w);
    l->hello_size = writer_bytes(&w).size;
    l->hello = memory_copy(packet, l->hello_size);
}

void light_init(struct light *l, struct light_crowd *c, size_t number)
{
    struct node_id id;

    *l = (struct light){.crowd = c,
                        .mesh = crowd_mesh_of(c, number),
                        .number = number,
                        .fd = -1,
                        .backoff = backoff_first,
                        .epoch.value = (uint64_t)time(NULL) * 1000000};
    l->timer.owner = l;
    light_identity(l->mesh, number, &id, l->secret_key);
    curve_pair_of_node(&l->curve, l->secret_key);
    make_hello(l, &id);
    talk_init(l);
    heap_set(&c->timers, &l->timer, c->now);
}

/* ---- The end of a connection */

static void note_complete(struct light *l)
{
    bool complete =
        l->state == LIGHT_UP && l->present_count >= l->crowd->options.peers;

    l->crowd->up += (size_t)complete - (size_t)l->complete;
    l->complete = complete;
}

static void end(struct light *l)
{
    struct light_crowd *c = l->crowd;

    c->connecting -= l->state == LIGHT_OPENING || l->state == LIGHT_JOINING;
    c->counts.ended += l->state == LIGHT_UP;
    close(l->fd);
    l->fd = -1;
    l->state = LIGHT_AWAY;
    l->waits = false;
    zmtp_wipe(&l->zmtp);
    byte_queue_free(&l->in);
    byte_queue_free(&l->out);
    if (l->present_size > 0)
        memset(l->present, 0, l->present_size);
    l->present_count = 0;
    note_complete(l);
    heap_set(
        &c->timers, &l->timer,
        instant_after(c->now, entropy_pause(&l->crowd->entropy, l->backoff)));
    l->backoff = span_min(span_times(l->backoff, 2), backoff_longest);
}

/* ---- Bytes out */

static void watch(struct light *l, int how)
{
    struct epoll_event e = {.events = EPOLLIN | (l->waits ? EPOLLOUT : 0),
                            .data.ptr = l};

    if (epoll_ctl(l->crowd->epoll_fd, how, l->fd, &e) != 0)
        crowd_die("epoll: %s", strerror(errno));
}

/* False: the connection is gone; the next read says so. */
static void flush(struct light *l)
{
    struct bytes left = byte_queue_bytes(&l->out);
    ssize_t n =
        left.size == 0 ? 0 : send(l->fd, left.data, left.size, MSG_NOSIGNAL);

    if (n > 0) {
        l->crowd->counts.bytes_out += (uint64_t)n;
        byte_queue_took(&l->out, (size_t)n);
    }
    bool waits = byte_queue_size(&l->out) > 0;
    if (waits != l->waits) {
        l->waits = waits;
        watch(l, EPOLL_CTL_MOD);
    } else if (!waits) {
        byte_queue_free(&l->out);
    }
}

static void add_reply(struct light *l, const struct zmtp_reply *reply)
{
    if (reply->size == 0)
        return;
    memcpy(byte_queue_reserve(&l->out, reply->size), reply->bytes, reply->size);
    byte_queue_added(&l->out, reply->size);
}

bool light_send(struct light *l, struct bytes packet)
{
    if (l->state != LIGHT_JOINING && l->state != LIGHT_UP)
        return false;
    uint8_t *to = byte_queue_reserve(&l->out, zmtp_sealed_size(packet.size));
    byte_queue_added(&l->out, zmtp_seal(&l->zmtp, packet, to));
    return true;
}

static void ping(struct light *l)
{
    uint8_t packet[9] = {RELAY_PING};

    light_send(l, bytes_of(packet, sizeof packet));
    l->ping_at = instant_after(l->crowd->now, l->crowd->options.probe);
}

/* ---- The roster */

static size_t number_of(struct crowd_mesh *m, const struct node_id *id)
{
    uintptr_t number = (uintptr_t)map_get(&m->nodes, id->key);

    if (number == 0) {
        number = ++m->node_count;
        map_put(&m->nodes, id->key, (void *)number);
    }
    return number - 1;
}

static void mark(struct light *l, const struct node_id *id, bool present)
{
    size_t number = number_of(l->mesh, id);

    if (number / 8 >= l->present_size) {
        size_t size = 2 * (number / 8) + 16;
        uint8_t *grown = memory_new(size);
        if (l->present_size > 0)
            memcpy(grown, l->present, l->present_size);
        free(l->present);
        l->present = grown;
        l->present_size = size;
    }
    uint8_t bit = (uint8_t)(1 << number % 8), *in = &l->present[number / 8];
    l->present_count += (size_t)present - (size_t)((*in & bit) != 0);
    *in = (uint8_t)(present ? *in | bit : *in & ~bit);
}

static void take_present(struct light *l, struct reader *r)
{
    struct roster_entry entry;

    while (roster_entry_next(r, &entry)) {
        mark(l, &entry.node, true);
        talk_present(l, &entry.node, entry.epoch);
    }
    note_complete(l);
}

static void take_gone(struct light *l, struct reader *r)
{
    struct node_id node;

    read_copy(r, node.key, KEY_SIZE);
    mark(l, &node, false);
    talk_gone(l, &node);
    note_complete(l);
}

static void take_synced(struct light *l)
{
    l->crowd->connecting--;
    l->state = LIGHT_UP;
    l->backoff = backoff_first;
    note_complete(l);
    talk_path_changed(l);
}

static void take_refused(struct light *l, struct reader *r)
{
    static const uint8_t nobody[KEY_SIZE];
    uint8_t reason = read_u8(r), to[KEY_SIZE];

    read_copy(r, to, sizeof to);
    if (memcmp(to, nobody, sizeof to) != 0) {
        talk_refused(l, reason);
        return;
    }
    if (l->crowd->counts.refused++ == 0)
        fprintf(stderr, "light-%zu is refused: %s\n", l->number,
                refusal_name(reason));
}

static void take_packet(struct light *l, struct bytes packet)
{
    struct reader r = reader_of(packet);

    switch (read_u8(&r)) {
    case RELAY_PRESENT:
        take_present(l, &r);
        break;
    case RELAY_GONE:
        take_gone(l, &r);
        break;
    case RELAY_SYNCED:
        take_synced(l);
        break;
    case RELAY_REFUSED:
        take_refused(l, &r);
        break;
    case RELAY_FORWARDED:
        if (packet.size > FORWARD_HEADER_SIZE)
            talk_take(l, packet.data + 1,
                      (uint8_t *)(uintptr_t)packet.data + FORWARD_HEADER_SIZE,
                      packet.size - FORWARD_HEADER_SIZE);
        break;
    default:
        break;
    }
}

/* ---- Bytes in */

static void opened(struct light *l)
{
    if (l->crowd->options.role == CROWD_HANDSHAKES) {
        l->crowd->connecting--;
        l->state = LIGHT_UP;
        l->ping_at = INSTANT_NEVER;
        note_complete(l);
        return;
    }
    l->state = LIGHT_JOINING;
    light_send(l, bytes_of(l->hello, l->hello_size));
    l->ping_at =
        instant_after(l->crowd->now, entropy_pause(&l->crowd->entropy,
                                                   l->crowd->options.probe));
}

/* False: the connection is over. */
static bool take_frames(struct light *l, uint8_t **at, uint8_t *until)
{
    struct zmtp_reply reply;
    struct zmtp_item item;

    for (;;) {
        switch (zmtp_read(&l->zmtp, at, until, &item, &reply)) {
        case ZMTP_MORE:
            return true;
        case ZMTP_READY:
            opened(l);
            break;
        case ZMTP_PACKET:
            take_packet(l, item.packet);
            break;
        case ZMTP_NEXT:
        case ZMTP_PINGED:
            add_reply(l, &reply);
            break;
        case ZMTP_PONGED:
        case ZMTP_IGNORED:
            break;
        case ZMTP_HELLO:
        case ZMTP_CLIENT:
        case ZMTP_FAILED:
            fprintf(stderr, "light-%zu: %s\n", l->number,
                    zmtp_failure_name(l->zmtp.failure));
            return false;
        }
    }
}

/* False: the connection is over. */
static bool receive(struct light *l)
{
    size_t held = byte_queue_size(&l->in);

    if (held > 0)
        memcpy(room, byte_queue_bytes(&l->in).data, held);
    ssize_t n = recv(l->fd, room + held, sizeof room - held, 0);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    l->crowd->counts.bytes_in += (uint64_t)n;
    uint8_t *at = room, *until = room + held + (size_t)n;
    byte_queue_free(&l->in);
    if (!take_frames(l, &at, until))
        return false;
    size_t rest = (size_t)(until - at);
    if (rest > 0) {
        memcpy(byte_queue_reserve(&l->in, rest), at, rest);
        byte_queue_added(&l->in, rest);
    }
    return true;
}

void light_ready(struct light *l, uint32_t events)
{
    if ((events & ~(uint32_t)EPOLLOUT) != 0 && !receive(l)) {
        end(l);
        return;
    }
    light_set_timer(l);
    flush(l);
}

/* ---- Time */

static void greet(struct light *l)
{
    struct light_crowd *c = l->crowd;
    struct zmtp_reply reply;
    struct zmtp_conf conf = {.role = ZMTP_AS_CLIENT,
                             .keys = &l->curve,
                             .server = c->options.relay.key,
                             .entropy = &c->entropy,
                             .packet_size = PACKET_SIZE};

    zmtp_init(&l->zmtp, &conf, &reply);
    add_reply(l, &reply);
}

static void connect_to_relay(struct light *l)
{
    struct light_crowd *c = l->crowd;
    uint32_t host = 0x7f010000 + (uint32_t)l->number;
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(host)};
    struct sockaddr_in relay = {.sin_family = AF_INET,
                                .sin_port = htons(c->options.relay.port)};
    int yes = 1;

    inet_pton(AF_INET, c->options.relay.host, &relay.sin_addr);
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        crowd_die("socket: %s", strerror(errno));
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(l->fd, (struct sockaddr *)&own, sizeof own) != 0)
        crowd_die("bind: %s", strerror(errno));
    c->connecting++;
    l->state = LIGHT_OPENING;
    l->waits = true;
    watch(l, EPOLL_CTL_ADD);
    if (connect(l->fd, (struct sockaddr *)&relay, sizeof relay) != 0 &&
        errno != EINPROGRESS) {
        end(l);
        return;
    }
    greet(l);
    heap_set(&c->timers, &l->timer, instant_after(c->now, open_most));
}

void light_set_timer(struct light *l)
{
    struct instant at = l->ping_at;

    if (l->state != LIGHT_JOINING && l->state != LIGHT_UP)
        return;
    if (l->talk != NULL)
        at = instant_min(at, talk_due(l));
    heap_set(&l->crowd->timers, &l->timer, at);
}

void light_due(struct light *l)
{
    struct light_crowd *c = l->crowd;

    switch (l->state) {
    case LIGHT_AWAY:
        if (c->connecting < c->options.at_once)
            connect_to_relay(l);
        else
            heap_set(&c->timers, &l->timer, instant_after(c->now, again));
        return;
    case LIGHT_OPENING:
        end(l);
        return;
    case LIGHT_JOINING:
    case LIGHT_UP:
        if (instant_reached(l->ping_at, c->now))
            ping(l);
        light_set_timer(l);
        flush(l);
        return;
    }
}
