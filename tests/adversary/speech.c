#include "tests/adversary/speech.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/adversary/curve.h"

#define UPGRADE                                                                \
    "GET / HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\n"                  \
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                     \
    "Sec-WebSocket-Protocol: zeroservices\r\n"                                 \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* A literal may hold zeros. */
#define OF(text)                                                               \
    {                                                                          \
        (const uint8_t *)(text), sizeof(text) - 1                              \
    }

enum {
    OPENING_MOST = 8192,
    REFRAIN = 64 * 1024,
    PING = 6 + 125,
    RECORD = 16 * 1024,
};

static struct bytes copy_of(struct bytes b)
{
    uint8_t *copy = malloc(b.size + 1);
    if (copy == NULL)
        abort();
    if (b.size > 0)
        memcpy(copy, b.data, b.size);
    return bytes_of(copy, b.size);
}

static struct bytes joined(struct bytes a, struct bytes b)
{
    uint8_t room[OPENING_MOST];
    if (a.size + b.size > sizeof room)
        abort();
    memcpy(room, a.data, a.size);
    if (b.size > 0)
        memcpy(room + a.size, b.data, b.size);
    return copy_of(bytes_of(room, a.size + b.size));
}

static struct bytes repeated(struct bytes part)
{
    size_t count = REFRAIN / part.size;
    uint8_t *room = malloc(count * part.size);
    if (room == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        memcpy(room + i * part.size, part.data, part.size);
    return bytes_of(room, count * part.size);
}

static struct bytes random_bytes(size_t size)
{
    uint8_t *room = malloc(size);
    if (room == NULL)
        abort();
    randombytes_buf(room, size);
    return bytes_of(room, size);
}

/* ---- Openings ----------------------------------------------------------- */

static struct bytes zmtp(const struct curve_key *server)
{
    uint8_t opening[CURVE_OPENING_SIZE];
    struct curve_pair pair;

    curve_pair_random(&pair);
    curve_opening(server, &pair, opening);
    return copy_of(bytes_of(opening, sizeof opening));
}

struct hello_room {
    uint8_t bytes[OPENING_MOST];
    size_t size;
};

static ssize_t keep_hello(gnutls_transport_ptr_t context, const void *data,
                          size_t size)
{
    struct hello_room *room = context;
    if (room->size + size > sizeof room->bytes)
        abort();
    memcpy(room->bytes + room->size, data, size);
    room->size += size;
    return (ssize_t)size;
}

static ssize_t no_answer(gnutls_transport_ptr_t context, void *to, size_t size)
{
    (void)context;
    (void)to;
    (void)size;
    errno = EAGAIN;
    return -1;
}

/* A ClientHello as a browser's. */
static struct bytes tls_hello(void)
{
    static struct hello_room room;
    const gnutls_datum_t alpn = {(unsigned char *)(uintptr_t) "http/1.1", 8};
    gnutls_certificate_credentials_t any;
    gnutls_session_t session;

    room.size = 0;
    if (gnutls_certificate_allocate_credentials(&any) != 0 ||
        gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0)
        abort();
    gnutls_set_default_priority(session);
    /* Without credentials it would offer no cipher that needs a certificate. */
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, any);
    gnutls_server_name_set(session, GNUTLS_NAME_DNS, "relay.example", 13);
    gnutls_alpn_set_protocols(session, &alpn, 1, 0);
    gnutls_transport_set_ptr(session, &room);
    gnutls_transport_set_push_function(session, keep_hello);
    gnutls_transport_set_pull_function(session, no_answer);
    (void)gnutls_handshake(session);
    gnutls_deinit(session);
    gnutls_certificate_free_credentials(any);
    return copy_of(bytes_of(room.bytes, room.size));
}

/* ---- The table ---------------------------------------------------------- */

static const struct speech_row {
    const char *name, *what;
    /* What the opening begins with. */
    enum { NOTHING, ZMTP, TLS, WEB } begins;
    struct bytes opening; /* what follows it */
    struct bytes refrain; /* once, if it is WORDS */
    enum { WORDS, GARBAGE, PINGS, RECORDS } repeats;
} rows[] = {
    {.name = "nothing", .what = "not a word"},
    {.name = "zmtp", .what = "the greeting and HELLO", .begins = ZMTP},
    {.name = "tls", .what = "a ClientHello", .begins = TLS},
    {.name = "upgrade", .what = "asks for a WebSocket", .begins = WEB},
    {.name = "head",
     .what = "a request whose head never ends",
     .opening = OF("GET / HTTP/1.1\r\nHost: relay\r\n"),
     .refrain = OF("X-And-One-More: field\r\n")},
    {.name = "line",
     .what = "a request whose first line never ends",
     .opening = OF("GET /"),
     .refrain = OF("x")},
    {.name = "pipeline",
     .what = "request after request",
     .refrain = OF("GET / HTTP/1.1\r\nHost: relay\r\n\r\n"
                   "GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n")},
    {.name = "pings",
     .what = "WebSocket PINGs, whose PONGs are not read",
     .begins = WEB,
     .repeats = PINGS},
    {.name = "fragments",
     .what = "a WebSocket message of empty fragments",
     .begins = WEB,
     .opening = OF("\x02\x80\0\0\0\0"),
     .refrain = OF("\0\x80\0\0\0\0")},
    {.name = "giant",
     .what = "a WebSocket frame of 2^63 - 1 bytes",
     .begins = WEB,
     .opening = OF("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
     .refrain = OF("\xff")},
    {.name = "beyond",
     .what = "a WebSocket frame of 2^64 - 1 bytes",
     .begins = WEB,
     .opening = OF("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
     .refrain = OF("\xff")},
    {.name = "web-garbage",
     .what = "asks for a WebSocket; then random bytes",
     .begins = WEB,
     .repeats = GARBAGE},
    {.name = "garbage", .what = "random bytes", .repeats = GARBAGE},
    {.name = "tls-garbage",
     .what = "a ClientHello; then random bytes",
     .begins = TLS,
     .repeats = GARBAGE},
    {.name = "tls-empty",
     .what = "a ClientHello; then empty records",
     .begins = TLS,
     .refrain = OF("\x16\x03\x03\0\0")},
    {.name = "tls-alerts",
     .what = "a ClientHello; then warnings",
     .begins = TLS,
     .refrain = OF("\x15\x03\x03\0\x02\x01\x5a")},
    {.name = "tls-ciphers",
     .what = "a ClientHello; then CHANGE CIPHER SPEC for ever",
     .begins = TLS,
     .refrain = OF("\x14\x03\x03\0\x01\x01")},
    {.name = "tls-large",
     .what = "a ClientHello of 16 MiB",
     .opening = OF("\x16\x03\x01\0\x04\x01\xff\xff\xff"),
     .repeats = RECORDS},
    {.name = "proxy-1",
     .what = "a PROXY header of version 1; then HTTP",
     .opening = OF("PROXY TCP4 192.0.2.1 192.0.2.2 50000 443\r\n"
                   "GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n")},
    {.name = "proxy-2",
     .what = "a PROXY header of version 2; then HTTP",
     .opening = OF("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02"
                   "\x02\xc3\x50\x01\xbb"
                   "GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\n")},
    {.name = "proxy-line",
     .what = "a PROXY header that never ends",
     .opening = OF("PROXY TCP4 "),
     .refrain = OF("1")},
};

static struct bytes begin(const struct speech_row *row,
                          const struct curve_key *server)
{
    static const struct bytes upgrade = OF(UPGRADE), none = OF("");

    switch (row->begins) {
    case NOTHING:
        return none;
    case ZMTP:
        return zmtp(server);
    case TLS:
        return tls_hello();
    case WEB:
        return upgrade;
    }
    return none;
}

static struct bytes refrain_of(const struct speech_row *row)
{
    static const uint8_t ping[PING] = {0x89, 0x80 | 125}; /* a mask of zeros */
    static const uint8_t record[5 + RECORD] = {0x16, 3, 1, RECORD >> 8};

    switch (row->repeats) {
    case WORDS:
        return row->refrain.size > 0 ? repeated(row->refrain) : row->refrain;
    case GARBAGE:
        return random_bytes(REFRAIN);
    case PINGS:
        return repeated(bytes_of(ping, sizeof ping));
    case RECORDS:
        return repeated(bytes_of(record, sizeof record));
    }
    return row->refrain;
}

bool speech_make(struct speech *s, const char *name,
                 const struct curve_key *server)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        s->opening = joined(begin(&rows[i], server), rows[i].opening);
        s->refrain = refrain_of(&rows[i]);
        return true;
    }
    return false;
}

void speech_list(FILE *to)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(to, "  --say %-12s %s\n", rows[i].name, rows[i].what);
}
