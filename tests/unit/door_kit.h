/*
 * door_kit - the relay's door on a loop, and clients on sockets of their own.
 *
 * The door's user keeps count of what it hears. A packet's first byte tells it
 * what to do: 'e' sends it back, 'f' forwards it to the connection whose number
 * is the second byte, 'd' drops the connection.
 */
#ifndef TESTS_UNIT_DOOR_KIT_H
#define TESTS_UNIT_DOOR_KIT_H

#include "common/io/clock.h"
#include "common/wire/packet.h"
#include "common/zmtp/frame.h"
#include "relay/shell/door_private.h"
#include "tests/unit/patience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KIT_ROOM = 2 * PACKET_SIZE };

static struct {
    uv_loop_t loop;
    struct zloop zloop;
    struct door *door;
    struct door_conf conf;
    struct curve_pair keys;
    uint16_t port;
    char bound[LISTENER_TEXT_SIZE];
    /* Added to the clock, which stands still, for what the door is told about
     * the time. */
    struct span later;
    void (*idle)(void); /* is called in each turn, or NULL */
    /* What the user heard. */
    size_t packets, bytes, closed, blocked, writable;
    uint64_t last_conn;
    struct curve_key last_key;
    struct address last_address;
    struct relay_tls last_tls; /* UNTOLD if the door says nothing of it */
    uint64_t from_conn[8];     /* packets of the first connections */
    size_t turned_away;
    char away[256]; /* the last: "what reason address" */
    char aways[4096];
} kit;

/* ---- The clock -------------------------------------------------------- */

/* Replaces libc's. The clock of common/io/clock.h stands still, so that a test
 * can wait until right before a limit, however late the machine is. Others
 * (libuv's, and that of a test's patience) go on.
 * NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    static struct timespec stopped;
    if (clock != CLOCK_BOOTTIME)
        return (int)syscall(SYS_clock_gettime, clock, t);
    if (stopped.tv_sec == 0)
        syscall(SYS_clock_gettime, clock, &stopped);
    *t = stopped;
    return 0;
}

/* ---- The door --------------------------------------------------------- */

static void kit_packet(void *context, struct carrier *c,
                       struct packet_ref *packet)
{
    const uint8_t *data = packet_ref_data(packet);
    size_t size = packet_ref_size(packet);
    (void)context;

    kit.packets++;
    kit.bytes += size;
    kit.last_conn = c->id;
    kit.last_key = c->key;
    kit.last_address = c->address;
    kit.last_tls = c->tls != NULL ? *c->tls : (struct relay_tls){0};
    if (c->id < COUNT_OF(kit.from_conn))
        kit.from_conn[c->id]++;
    if (size > 0 && data[0] == 'e')
        door_forward(kit.door, c->id, packet);
    else if (size > 1 && data[0] == 'f')
        door_forward(kit.door, data[1], packet);
    else if (size > 0 && data[0] == 'd')
        door_drop(kit.door, c->id);
}

static void kit_blocked(void *context, struct carrier *c)
{
    (void)context;
    (void)c;
    kit.blocked++;
}

static void kit_writable(void *context, struct carrier *c)
{
    (void)context;
    (void)c;
    kit.writable++;
}

static void kit_closed(void *context, struct carrier *c, enum carrier_end why)
{
    (void)context;
    (void)why;
    kit.closed++;
    /* An owner may write then, to the connection that ends as well. */
    door_write(kit.door, c->id, bytes_of("end", 3));
}

static void kit_turned_away(void *context, const char *what,
                            const struct address *address, const char *reason)
{
    char text[ADDRESS_TEXT_SIZE];
    size_t used = strlen(kit.aways);
    (void)context;

    kit.turned_away++;
    snprintf(kit.away, sizeof kit.away, "%s %s %s", what, reason,
             address_format_ip(address, text));
    snprintf(kit.aways + used, sizeof kit.aways - used, "%s\n", kit.away);
}

static struct instant kit_now(void)
{
    return instant_after(clock_now(), kit.later);
}

static void kit_after(void *context)
{
    (void)context;
    if (kit.door != NULL)
        door_turn(kit.door, kit_now());
}

/* One turn of the loop. */
static void kit_turn(void)
{
    if (kit.door != NULL && instant_reached(door_deadline(kit.door), kit_now()))
        zloop_kick(&kit.zloop);
    uv_run(&kit.loop, UV_RUN_NOWAIT);
    if (kit.idle != NULL)
        kit.idle();
}

/* Turns until the condition holds. */
#define kit_until(condition)                                                   \
    do {                                                                       \
        int64_t end_ = patience_now_ms() + PATIENCE_MS;                        \
        while (!(condition)) {                                                 \
            kit_turn();                                                        \
            usleep(100);                                                       \
            if (patience_now_ms() >= end_)                                     \
                fail_msg("not in time: %s; %s", #condition, kit.aways);        \
        }                                                                      \
    } while (0)

static void kit_listen(const char *endpoint)
{
    assert_true(door_listen(kit.door, endpoint, kit.bound));
    kit.port = (uint16_t)strtoul(strrchr(kit.bound, ':') + 1, NULL, 10);
}

static void kit_open(void)
{
    static const struct carrier_owner owner = {.packet = kit_packet,
                                               .blocked = kit_blocked,
                                               .writable = kit_writable,
                                               .closed = kit_closed};
    struct entrance_user user = {.owner = owner,
                                 .turned_away = kit_turned_away};
    kit.door = door_open(&kit.zloop, &kit.keys, &kit.conf, &user);
}

static int kit_setup(void **state)
{
    const uint8_t seed[32] = {0, 1};
    (void)state;

    assert_true(sodium_init() >= 0);
    memset(&kit, 0, sizeof kit);
    curve_pair_generate(&kit.keys, seed);
    kit.conf = (struct door_conf){
        .gate = {.sockets = 2000,
                 .strangers = 1024,
                 .per_address = 2000,
                 .hello = span_s(5),
                 .drop = span_ms(300),
                 .unsent = 256 * 1024,
                 .unread_stranger = 32 * 1024},
        .handshake = span_s(2),
        .memory_unread = 64 * 1024 * 1024,
        .memory_held = 64 * 1024 * 1024,
        .first_id = 1,
        .id_step = 1,
    };
    uv_loop_init(&kit.loop);
    zloop_open(&kit.zloop, &kit.loop, kit_after, NULL);
    kit_open();
    kit_listen("127.0.0.1:0");
    return 0;
}

static int kit_teardown(void **state)
{
    (void)state;
    door_close(&kit.door);
    zloop_close(&kit.zloop);
    uv_run(&kit.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&kit.loop), 0);
    return 0;
}

/* ---- A client --------------------------------------------------------- */

struct door_client {
    int fd;
    struct zmtp z;
    struct curve_pair keys;
    struct entropy entropy;
    struct zmtp_item item;
    struct zmtp_reply reply;
    size_t read, size;
    uint8_t in[KIT_ROOM];
};

/* Sends all; the door's loop turns while the kernel takes no more. */
static inline void kit_send(const struct door_client *c, const void *data,
                            size_t size)
{
    const uint8_t *at = data;
    while (size > 0) {
        ssize_t n = send(c->fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            kit_turn();
            continue;
        }
        at += n;
        size -= (size_t)n;
    }
}

static inline int kit_connect(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(kit.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    assert_true(fd >= 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* Connects, and prepares the machine; its greeting is in `reply`. */
static inline struct door_client *kit_client(uint8_t number)
{
    const uint8_t seed[32] = {0, number};
    struct door_client *c = calloc(1, sizeof *c);

    assert_non_null(c);
    curve_pair_generate(&c->keys, seed);
    entropy_init(&c->entropy, seed);
    c->fd = kit_connect();
    struct zmtp_conf conf = {.role = ZMTP_AS_CLIENT,
                             .keys = &c->keys,
                             .entropy = &c->entropy,
                             .packet_size = PACKET_SIZE};
    memcpy(conf.server.key, kit.keys.public_key, KEY_SIZE);
    zmtp_init(&c->z, &conf, &c->reply);
    return c;
}

static inline void kit_free(struct door_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

/* What the client reads next; ZMTP_MORE if its end is not there yet. Sends no
 * reply. */
static inline enum zmtp_kind kit_read(struct door_client *c)
{
    uint8_t *at = c->in + c->read;
    enum zmtp_kind kind =
        zmtp_read(&c->z, &at, c->in + c->size, &c->item, &c->reply);

    c->read = (size_t)(at - c->in);
    if (kind != ZMTP_MORE)
        return kind;
    memmove(c->in, c->in + c->read, c->size - c->read);
    c->size -= c->read;
    c->read = 0;
    ssize_t n = recv(c->fd, c->in + c->size, KIT_ROOM - c->size, MSG_DONTWAIT);
    if (n > 0)
        c->size += (size_t)n;
    return kind;
}

/* The next thing that is there, with the loop turning. */
static inline enum zmtp_kind kit_next(struct door_client *c)
{
    enum zmtp_kind kind;
    kit_until((kind = kit_read(c)) != ZMTP_MORE);
    return kind;
}

static inline void kit_reply(struct door_client *c)
{
    kit_send(c, c->reply.bytes, c->reply.size);
}

/* As far as the greeting, HELLO, INITIATE, READY. */
enum kit_stage { KIT_GREETING, KIT_HELLO, KIT_INITIATE, KIT_READY };

/* The stage's bytes are in `reply`, not sent yet; at READY nothing is. */
static inline void kit_go(struct door_client *c, enum kit_stage stage)
{
    for (int at = KIT_GREETING; at < (int)stage; at++) {
        kit_reply(c);
        assert_int_equal(kit_next(c),
                         at == KIT_INITIATE ? ZMTP_READY : ZMTP_NEXT);
    }
}

static inline struct door_client *kit_joined(uint8_t number)
{
    struct door_client *c = kit_client(number);
    kit_go(c, KIT_READY);
    return c;
}

static inline void kit_say(struct door_client *c, struct bytes packet)
{
    static uint8_t out[KIT_ROOM];
    kit_send(c, out, zmtp_seal(&c->z, packet, out));
}

/* A packet of so many bytes: what to do, for whom, a number, a pattern. */
static inline struct bytes kit_make(uint8_t what, uint8_t whom, uint32_t number,
                                    size_t size)
{
    static uint8_t room[PACKET_SIZE];
    assert_in_range(size, 6, PACKET_SIZE);
    room[0] = what;
    room[1] = whom;
    memcpy(room + 2, &number, sizeof number);
    for (size_t i = 6; i < size; i++)
        room[i] = (uint8_t)(i * 31 + number);
    return bytes_of(room, size);
}

static inline void kit_hears(struct door_client *c, struct bytes packet)
{
    assert_int_equal(kit_next(c), ZMTP_PACKET);
    assert_true(bytes_equal(c->item.packet, packet));
}

/* The door has ended this connection. */
static inline bool kit_is_ended(const struct door_client *c)
{
    uint8_t byte[4096];
    ssize_t n;
    while ((n = recv(c->fd, byte, sizeof byte, MSG_DONTWAIT)) > 0)
        ;
    return n == 0 || errno == ECONNRESET || errno == EPIPE;
}

#endif
