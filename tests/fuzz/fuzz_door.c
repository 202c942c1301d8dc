/*
 * A connection at the relay's door, from its first byte to its end: the first
 * byte of the input says how it begins (enum opening), the others come in
 * pieces, each after a byte with its length. By TLS the pieces go into records
 * of a client of GnuTLS, whose handshake is real; of TLS_CUT the handshake's
 * own bytes go in pieces of the sizes that the input names, and TLS_RAW has no
 * client at all. Whatever comes, the door keeps nothing of it once the
 * connection is over.
 */
#include "relay/shell/door_private.h"

#include "common/conf/keyfile.h"
#include "common/io/clock.h"
#include "common/wire/packet.h"
#include "relay/shell/door_wrap.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define UPGRADE                                                                \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"                      \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                     \
    "Sec-WebSocket-Protocol: zeroservices\r\n"                                 \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define PROXY "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n"

enum { READS = 1000 * 1000, WAITS = 1000 * 1000 };

enum opening {
    BARE,
    WEB,
    BALANCED,
    BALANCED_WEB,
    SHAKEN,     /* ZMTP, after its handshake */
    TLS_RAW,    /* the input comes after the head of a record */
    TLS_CUT,    /* a ClientHello in pieces; then as TLS_BARE */
    TLS_BARE,   /* the input inside TLS */
    TLS_WEB,    /* inside TLS, after the upgrade */
    TLS_SHAKEN, /* inside TLS, after the handshake of ZMTP */
    OPENINGS,
};

static struct {
    uv_loop_t loop;
    struct zloop zloop;
    struct door *door;
    struct curve_pair keys;
    uint16_t port;
    gnutls_certificate_credentials_t credentials;
    gnutls_session_t tls; /* of the client; NULL: it speaks none */
    int fd;               /* that tls uses */
    struct reader *cuts;  /* how its bytes are cut; NULL: not */
} w;

/* ---- The door ----------------------------------------------------------- */

static void on_packet(void *context, struct carrier *c,
                      struct packet_ref *packet)
{
    (void)context;
    door_forward(w.door, c->id, packet);
}

static void on_carrier(void *context, struct carrier *c)
{
    (void)context;
    (void)c;
}

static void on_closed(void *context, struct carrier *c, enum carrier_end why)
{
    (void)context;
    (void)c;
    (void)why;
}

static void on_turned_away(void *context, const char *what,
                           const struct address *address, const char *reason)
{
    (void)context;
    (void)address;
    ASSERT(what[0] != '\0' && reason[0] != '\0');
}

static void after(void *context)
{
    (void)context;
    door_turn(w.door, clock_now());
}

static void serve_tls(void)
{
    size_t size = 0;
    char *text = tls_pair_make("relay-1", &size);

    ASSERT(text != NULL);
    struct bytes pem = bytes_of(text, size);
    struct tls_pair *pair =
        tls_pair_parse(pem, "certificate", pem, "key", stderr);
    ASSERT(pair != NULL);
    door_serve_tls(w.door, pair);
    tls_pair_release(&pair);
    keyfile_wipe(text, size);
    ASSERT(gnutls_certificate_allocate_credentials(&w.credentials) == 0);
}

static void begin(void)
{
    static const uint8_t seed[32] = {1};
    struct entrance_user user = {.owner = {.packet = on_packet,
                                           .blocked = on_carrier,
                                           .writable = on_carrier,
                                           .closed = on_closed},
                                 .turned_away = on_turned_away};
    struct door_conf conf = {.gate = {.sockets = 100,
                                      .per_address = 100,
                                      .hello = span_s(60),
                                      .drop = span_ms(300),
                                      .unsent = 256 * 1024,
                                      .unread_stranger = 16 * 1024},
                             .handshake = span_s(60),
                             .memory_unread = 1024 * 1024,
                             .memory_held = 1024 * 1024,
                             .proxy_count = 1,
                             .first_id = 1,
                             .id_step = 1};
    char bound[LISTENER_TEXT_SIZE];

    ASSERT(sodium_init() >= 0);
    ASSERT(address_prefix_parse("127.0.0.0/8", &conf.proxies[0]));
    curve_pair_generate(&w.keys, seed);
    uv_loop_init(&w.loop);
    zloop_open(&w.zloop, &w.loop, after, NULL);
    w.door = door_open(&w.zloop, &w.keys, &conf, &user);
    ASSERT(door_listen(w.door, "127.0.0.1:0", bound));
    w.port = (uint16_t)strtoul(strrchr(bound, ':') + 1, NULL, 10);
    serve_tls();
}

static void turn(void)
{
    if (instant_reached(door_deadline(w.door), clock_now()))
        zloop_kick(&w.zloop);
    uv_run(&w.loop, UV_RUN_NOWAIT);
}

/* ---- The client --------------------------------------------------------- */

static int reach(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(w.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct linger at_once = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ASSERT(fd >= 0);
    /* Its end leaves no port in TIME_WAIT. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ASSERT(connect(fd, (struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

static void say_bare(int fd, struct bytes bytes)
{
    if (bytes.size > 0)
        (void)!send(fd, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    turn();
    turn();
}

static void say(int fd, struct bytes bytes)
{
    if (w.tls != NULL && bytes.size > 0)
        (void)!gnutls_record_send(w.tls, bytes.data, bytes.size);
    else
        say_bare(fd, bytes);
}

static void say_text(int fd, const char *text)
{
    say(fd, bytes_of_string(text));
}

/* ---- Its TLS ------------------------------------------------------------ */

static ssize_t on_push(gnutls_transport_ptr_t context, const void *data,
                       size_t size)
{
    struct bytes left = bytes_of(data, size);
    (void)context;

    while (w.cuts != NULL && left.size > 0 && reader_left(w.cuts) > 0) {
        size_t part = read_u8(w.cuts) + 1u;
        part = part < left.size ? part : left.size;
        say_bare(w.fd, bytes_of(left.data, part));
        left = bytes_of(left.data + part, left.size - part);
    }
    say_bare(w.fd, left);
    return (ssize_t)size;
}

static ssize_t on_pull(gnutls_transport_ptr_t context, void *to, size_t size)
{
    ssize_t n = recv(w.fd, to, size, MSG_DONTWAIT);
    (void)context;

    if (n < 0)
        gnutls_transport_set_errno(w.tls, errno);
    return n;
}

static int on_wait(gnutls_transport_ptr_t context, unsigned int ms)
{
    (void)context;
    (void)ms;
    return 1;
}

static void begin_tls(int fd, struct reader *cuts)
{
    w.fd = fd;
    w.cuts = cuts;
    ASSERT(gnutls_init(&w.tls, GNUTLS_CLIENT) == 0);
    ASSERT(gnutls_set_default_priority(w.tls) == 0);
    ASSERT(gnutls_credentials_set(w.tls, GNUTLS_CRD_CERTIFICATE,
                                  w.credentials) == 0);
    gnutls_transport_set_pull_function(w.tls, on_pull);
    gnutls_transport_set_pull_timeout_function(w.tls, on_wait);
    gnutls_transport_set_push_function(w.tls, on_push);
    int n = GNUTLS_E_AGAIN;
    for (int i = 0; i < READS && n == GNUTLS_E_AGAIN; i++) {
        n = gnutls_handshake(w.tls);
        turn();
    }
    ASSERT(n == 0);
    w.cuts = NULL;
    ASSERT(w.door->tls_bytes >= TLS_MEMORY_OPEN);
}

static void end_tls(void)
{
    if (w.tls != NULL)
        gnutls_deinit(w.tls);
    w.tls = NULL;
}

/* ---- Its ZMTP ----------------------------------------------------------- */

/* The door's next bytes, read by the machine. */
static enum zmtp_kind hear(int fd, struct zmtp *z, struct zmtp_reply *reply)
{
    uint8_t room[1024], *at = room;
    struct zmtp_item item;
    ssize_t size = 0;

    for (int i = 0; i < READS && size <= 0; i++) {
        turn();
        size = w.tls != NULL ? gnutls_record_recv(w.tls, room, sizeof room)
                             : recv(fd, room, sizeof room, MSG_DONTWAIT);
    }
    ASSERT(size > 0);
    return zmtp_read(z, &at, room + size, &item, reply);
}

static void shake(int fd)
{
    static const uint8_t seed[32] = {2};
    struct curve_pair keys;
    struct entropy entropy;
    struct zmtp_reply reply;
    struct zmtp z;

    curve_pair_generate(&keys, seed);
    entropy_init(&entropy, seed);
    struct zmtp_conf conf = {.role = ZMTP_AS_CLIENT,
                             .keys = &keys,
                             .entropy = &entropy,
                             .packet_size = PACKET_SIZE};
    memcpy(conf.server.key, w.keys.public_key, KEY_SIZE);
    zmtp_init(&z, &conf, &reply);
    for (int step = 0; step < 3; step++) {
        say(fd, bytes_of(reply.bytes, reply.size));
        ASSERT(hear(fd, &z, &reply) == (step < 2 ? ZMTP_NEXT : ZMTP_READY));
    }
}

static void open_with(int fd, enum opening opening, struct reader *r)
{
    if (opening == BALANCED || opening == BALANCED_WEB)
        say_text(fd, PROXY);
    if (opening >= SHAKEN)
        say_text(fd, "PROXY UNKNOWN\r\n");
    if (opening == TLS_RAW)
        say(fd, bytes_of("\x16\x03\x01", 3));
    if (opening >= TLS_CUT)
        begin_tls(fd, opening == TLS_CUT ? r : NULL);
    if (opening == WEB || opening == BALANCED_WEB || opening == TLS_WEB)
        say_text(fd, UPGRADE);
    if (opening == SHAKEN || opening == TLS_SHAKEN)
        shake(fd);
}

static void say_pieces(int fd, struct reader *r)
{
    while (reader_left(r) > 0) {
        size_t size = read_u8(r);
        if (size == 0 || size > reader_left(r))
            size = reader_left(r);
        say(fd, read_bytes(r, size));
        ASSERT(door_count(w.door) <= 1);
    }
}

static void visit(enum opening opening, struct reader r)
{
    int fd = reach();

    open_with(fd, opening, &r);
    say_pieces(fd, &r);
    end_tls();
    close(fd);
    for (int i = 0; i < 10 || door_count(w.door) > 0; i++) {
        ASSERT(i < WAITS);
        turn();
    }
    ASSERT(w.door->partial_bytes == 0 && w.door->kept_bytes == 0);
    ASSERT(w.door->tls_bytes == 0);
}

/* Most mutations keep the first byte, so some sizes say that there is TLS. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    size_t first = read_u8(&r);

    if (w.door == NULL)
        begin();
    if (size % 16 == 0)
        first = TLS_RAW + size / 16 % (OPENINGS - TLS_RAW);
    visit((enum opening)(first % OPENINGS), r);
    return 0;
}

/* A WebSocket with a PING, and the greeting in two frames of one message. */
size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const uint8_t sample[] = {
        WEB, 9,    0x89, 0x83, 0, 0, 0, 0,    'a', 'b', 'c', /* PING */
        11,  0x02, 0x85, 0,    0, 0, 0, 0xff, 0,   0,   0,
        0, /* a part of it */
        11,  0x80, 0x85, 0,    0, 0, 0, 0,    0,   0,   1,
        0x7f};
    return fuzz_keep(bytes_of(sample, sizeof sample), room, size);
}
