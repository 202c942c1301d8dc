/*
 * The door by HTTP: its answers, and ZMTP inside a WebSocket.
 */
#include "common/wire/http_head.h"
#include "common/wire/websocket.h"
#include "door_kit.h"
#include "relay/shell/door_wrap.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE_FIELDS                                                         \
    "Host: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"             \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: zeroservices\r\n"
#define UPGRADE "GET / HTTP/1.1\r\n" UPGRADE_FIELDS KEY "\r\n"

enum { ROOM = 4 * 1024 * 1024, FIN = 0x80, MASKED = 0x80 };

static void expect_away(const char *text)
{
    assert_string_equal(kit.away, text);
}

static void turns(int count)
{
    for (int i = 0; i < count; i++)
        kit_turn();
}

/* ---- Answers ------------------------------------------------------------ */

/* All that the door sends until it closes its half. */
static const char *all_of(const struct door_client *c)
{
    static char text[8192];
    size_t size = 0;
    ssize_t n = -1;

    kit_until((n = recv(c->fd, text + size, sizeof text - 1 - size,
                        MSG_DONTWAIT)) == 0 ||
              (n > 0 && (size += (size_t)n, false)));
    text[size] = '\0';
    return text;
}

static const char *ask(const char *request)
{
    struct door_client *c = kit_client(2);
    kit_send(c, request, strlen(request));
    const char *text = all_of(c);
    kit_free(c);
    return text;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t size = strlen(text), most = strlen(with);
    return size >= most && strcmp(text + size - most, with) == 0;
}

static const struct door_web_row {
    const char *request, *status, *end;
} rows[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK", "</html>\n"},
    {"GET / HTTP/1.0\r\n\r\n", "200 OK", "</html>\n"},
    {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK", "\r\n\r\n"},
    {"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK", "\r\n\r\nok\n"},
    {"HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n", "200 OK", "\r\n\r\n"},
    {"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", "404 Not Found", "page.\n"},
    {"GET /x HTTP/1.1\r\n" UPGRADE_FIELDS KEY "\r\n", "404 Not", "page.\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method", "supported.\n"},
    {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not", "supported.\n"},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505 HTTP", "supported.\n"},
    {"GET / HTTP/1.1\r\n\r\n", "400 Bad", "request.\n"},
    {"GET / HTTP/1.1\nHost: a\n\n", "400 Bad", "request.\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "413 Content",
     "here.\n"},
    /* A WebSocket, but not one for edges. */
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY "\r\n",
     "200 OK", "</html>\n"},
    {"HEAD / HTTP/1.1\r\n" UPGRADE_FIELDS KEY "\r\n", "200 OK", "\r\n\r\n"},
    {"GET / HTTP/1.1\r\n" UPGRADE_FIELDS "\r\n", "400 Bad", "valid.\n"},
    {"GET / HTTP/1.1\r\n" UPGRADE_FIELDS "Sec-WebSocket-Key: x\r\n\r\n",
     "400 Bad", "valid.\n"},
    {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"
     "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
     "Sec-WebSocket-Protocol: zeroservices\r\n" KEY "\r\n",
     "426 Upgrade", "supported.\n"},
};

static void each_request_gets_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *text = ask(rows[i].request);
        if (!begins(text, "HTTP/1.1 ") || !begins(text + 9, rows[i].status) ||
            !ends(text, rows[i].end))
            fail_msg("%s: %s", rows[i].request, text);
        assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
        assert_non_null(strstr(text, "Cache-Control: no-store\r\n"));
        assert_non_null(strstr(text, "nosniff\r\n"));
        assert_non_null(strstr(text, "Policy: default-src 'none';"));
    }
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.door->partial_bytes, 0);
    assert_int_equal(kit.door->kept_bytes, 0);
    assert_int_equal(kit.closed, 0);
    expect_away("http_refused bad_request 127.0.0.1");
}

static void a_stopping_relay_is_not_healthy(void **state)
{
    (void)state;
    door_stopping(kit.door);
    assert_true(begins(ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"),
                       "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_true(begins(ask(UPGRADE), "HTTP/1.1 503 "));
}

static void a_head_is_limited(void **state)
{
    static char head[HTTP_HEAD_SIZE + 100];
    int size = snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    (void)state;

    memset(head + size, 'x', sizeof head - (size_t)size - 1);
    assert_true(begins(ask(head), "HTTP/1.1 431 "));
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.door->partial_bytes, 0);
}

/* In pieces of any size; the rest of what it sends is ignored. */
static void a_request_comes_in_pieces(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    (void)state;

    for (size_t step = 1; step < sizeof request - 1; step++) {
        struct door_client *c = kit_client(2);
        for (size_t at = 0; at < sizeof request - 1; at += step) {
            size_t left = sizeof request - 1 - at;
            kit_send(c, request + at, left < step ? left : step);
            turns(3);
        }
        kit_send(c, "more", 4);
        assert_true(ends(all_of(c), "ok\n"));
        kit_free(c);
    }
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.turned_away, 0);
}

/* A head that comes slowly is answered after 10 s from the accept, in all. */
static void a_slow_head_is_answered_in_time(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y";
    struct door_client *c = kit_client(2);
    (void)state;

    kit_send(c, request, 5);
    for (int i = 0; i < 10; i++) {
        kit_send(c, request + 5 + i, 1);
        kit.later = span_s(i);
        turns(5);
        assert_int_equal(door_count(kit.door), 1);
    }
    kit.later = span_s(10);
    assert_true(begins(all_of(c), "HTTP/1.1 408 "));
    expect_away("http_refused timeout 127.0.0.1");
    assert_int_equal(door_count(kit.door), 1);
    kit.later = span_s(12); /* It does not close its end. */
    kit_until(door_count(kit.door) == 0);
    kit_free(c);
}

static void what_follows_an_answer_is_ignored_to_a_limit(void **state)
{
    static uint8_t zeros[64 * 1024];
    struct door_client *c = kit_client(2);
    size_t sent = 0;
    ssize_t n;
    (void)state;

    /* What the kernel holds comes on top of the limit. */
    kit_send(c, "GET / HTTP/1.1\r\n\r\n", 18);
    while (door_count(kit.door) > 0 || sent == 0) {
        n = send(c->fd, zeros, sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        kit_turn();
    }
    assert_true(sent < 64 * 1024 * 1024);
    kit_free(c);
}

/* ---- A client in a WebSocket --------------------------------------------- */

struct web {
    struct door_client *c;
    size_t size; /* bytes in `raw` */
    int code;    /* of CLOSE; 0: none came */
    size_t pings, pongs, messages;
    uint8_t pong[WEBSOCKET_CONTROL];
    size_t pong_size;
    uint8_t raw[ROOM];
};

/* Takes one frame of the door; false if its end is not there. */
static bool web_frame(struct web *w)
{
    size_t head = 2, size = w->raw[1];

    if (w->size < 2)
        return false;
    assert_true((w->raw[1] & MASKED) == 0 && (w->raw[0] & FIN) != 0);
    if (size >= 126) {
        head = size == 126 ? 4 : 10;
        if (w->size < head)
            return false;
        size = 0;
        for (size_t i = 2; i < head; i++)
            size = size << 8 | w->raw[i];
    }
    if (w->size < head + size)
        return false;
    switch (w->raw[0] & 0xf) {
    case WEBSOCKET_BINARY:
        assert_true(w->c->size + size <= KIT_ROOM);
        memcpy(w->c->in + w->c->size, w->raw + head, size);
        w->c->size += size;
        w->messages++;
        break;
    case WEBSOCKET_CLOSE:
        w->code = w->raw[head] << 8 | w->raw[head + 1];
        break;
    case WEBSOCKET_PING:
        w->pings++;
        break;
    case WEBSOCKET_PONG:
        w->pongs++;
        w->pong_size = size;
        memcpy(w->pong, w->raw + head, size);
        break;
    default:
        fail_msg("opcode %d", w->raw[0] & 0xf);
    }
    w->size -= head + size;
    memmove(w->raw, w->raw + head + size, w->size);
    return true;
}

/* Reads what is there, as far as there is room. False at the end. */
static bool web_pump(struct web *w)
{
    ssize_t n = -1;

    if (w->size < ROOM - 65536)
        n = recv(w->c->fd, w->raw + w->size, 65536, MSG_DONTWAIT);
    if (n > 0)
        w->size += (size_t)n;
    while (w->c->size < KIT_ROOM - 66000 && web_frame(w))
        ;
    return n != 0;
}

static void web_free(struct web **self)
{
    kit_free((*self)->c);
    free(*self);
    *self = NULL;
}

static void web_raw(struct web *w, uint8_t first, struct bytes payload)
{
    static uint8_t frame[KIT_ROOM + 32];
    static const uint8_t mask[] = {0x11, 0xa2, 0x33, 0xf4};
    size_t head = websocket_head(frame, WEBSOCKET_BINARY, true, payload.size);

    frame[0] = first;
    frame[1] |= MASKED;
    memcpy(frame + head, mask, 4);
    for (size_t i = 0; i < payload.size; i++)
        frame[head + 4 + i] = payload.data[i] ^ mask[i % 4];
    kit_send(w->c, frame, head + 4 + payload.size);
}

static void web_send(struct web *w, const void *data, size_t size)
{
    web_raw(w, FIN | WEBSOCKET_BINARY, bytes_of(data, size));
}

/* The answer to the upgrade is read, and not a byte more. */
static void web_answered(struct web *w)
{
    static const char end[] = "\r\n\r\n";
    char text[512];
    size_t size = 0;

    while (size < 4 || memcmp(text + size - 4, end, 4) != 0) {
        assert_true(size < sizeof text);
        kit_until(recv(w->c->fd, text + size, 1, MSG_DONTWAIT) == 1);
        size++;
    }
    assert_int_equal(strncmp(text, "HTTP/1.1 101 Switching", 22), 0);
    text[size - 1] = '\0';
    assert_non_null(strstr(text, "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(text, "Protocol: zeroservices\r\n"));
}

static struct web *web_new(uint8_t number)
{
    struct web *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->c = kit_client(number);
    return w;
}

static struct web *web_open(uint8_t number)
{
    struct web *w = web_new(number);
    kit_send(w->c, UPGRADE, strlen(UPGRADE));
    web_answered(w);
    return w;
}

/* What the machine reads next from the bytes that came in frames. */
static enum zmtp_kind web_next(struct web *w)
{
    struct door_client *c = w->c;
    enum zmtp_kind kind;

    memmove(c->in, c->in + c->read, c->size - c->read);
    c->size -= c->read;
    c->read = 0;
    for (;;) {
        uint8_t *at = c->in;
        kind = zmtp_read(&c->z, &at, c->in + c->size, &c->item, &c->reply);
        if (kind != ZMTP_MORE) {
            c->read = (size_t)(at - c->in);
            return kind;
        }
        size_t before = c->size;
        kit_until(!web_pump(w) || c->size > before);
        assert_true(c->size > before);
    }
}

static void web_shake(struct web *w)
{
    for (int at = KIT_GREETING; at < KIT_READY; at++) {
        web_send(w, w->c->reply.bytes, w->c->reply.size);
        assert_int_equal(web_next(w),
                         at == KIT_INITIATE ? ZMTP_READY : ZMTP_NEXT);
    }
}

static struct web *web_joined(uint8_t number)
{
    struct web *w = web_open(number);
    web_shake(w);
    return w;
}

static size_t web_seal(struct web *w, struct bytes packet, uint8_t *out)
{
    return zmtp_seal(&w->c->z, packet, out);
}

static void web_say(struct web *w, struct bytes packet)
{
    static uint8_t out[KIT_ROOM];
    web_send(w, out, web_seal(w, packet, out));
}

static void web_hears(struct web *w, struct bytes packet)
{
    assert_int_equal(web_next(w), ZMTP_PACKET);
    assert_true(bytes_equal(w->c->item.packet, packet));
}

/* The door says this code, and closes. */
static void web_closed(struct web *w, int code)
{
    kit_until(!web_pump(w));
    assert_int_equal(w->code, code);
}

static struct web *web_member(uint8_t number)
{
    struct web *w = web_joined(number);
    size_t before = kit.packets;
    web_say(w, kit_make('-', 0, 0, 10));
    kit_until(kit.packets == before + 1);
    /* Whoever ended TLS, if there was any, stands before the relay [P-14.4]. */
    assert_int_equal(kit.last_tls.end, RELAY_TLS_BEFORE);
    door_prove(kit.door, kit.last_conn);
    return w;
}

static struct door_conn *last_conn(void)
{
    return kit.door->lists[DOOR_ALL].last;
}

static void nothing_is_left(void)
{
    kit_until(door_count(kit.door) == 0);
    assert_int_equal(kit.door->partial_bytes, 0);
    assert_int_equal(kit.door->kept_bytes, 0);
    assert_true(instant_is_never(heap_deadline(&kit.door->timers)));
}

/* ---- ZMTP inside ----------------------------------------------------------
 */

static void packets_pass_between_web_and_plain(void **state)
{
    static const size_t sizes[] = {6, 64, 1000, 65400, PACKET_SIZE};
    struct web *w = web_member(2);
    struct door_client *c = kit_joined(3);
    (void)state;

    kit_say(c, kit_make('-', 0, 0, 10));
    kit_until(kit.packets == 2);
    door_prove(kit.door, 2);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        web_say(w, kit_make('f', 2, 1, sizes[i]));
        kit_hears(c, kit_make('f', 2, 1, sizes[i]));
        kit_say(c, kit_make('f', 1, 2, sizes[i]));
        web_hears(w, kit_make('f', 1, 2, sizes[i]));
    }
    web_free(&w);
    kit_until(kit.closed == 1);
    kit_free(c);
    nothing_is_left();
}

/* Sealed packets without frames around them, one after the other. */
static size_t seal_many(struct web *w, uint32_t count, uint8_t *out)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += web_seal(w, kit_make('e', 0, i, 10 + i * 40), out + size);
    return size;
}

static void hears_many(struct web *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        web_hears(w, kit_make('e', 0, i, 10 + i * 40));
}

/* Where messages end means nothing to what is inside. */
static void messages_are_cut_and_joined_at_will(void **state)
{
    static const size_t steps[] = {1, 2, 7, 100, 5000};
    static uint8_t out[KIT_ROOM];
    struct web *w = web_member(2);
    (void)state;

    for (size_t k = 0; k < COUNT_OF(steps); k++) {
        size_t size = seal_many(w, 10, out);
        for (size_t at = 0; at < size; at += steps[k]) {
            size_t left = size - at;
            web_send(w, out + at, left < steps[k] ? left : steps[k]);
            if (at % 64 == 0)
                kit_turn();
        }
        hears_many(w, 10);
    }
    web_free(&w);
    nothing_is_left();
}

/* In fragments, with empty ones, and with control frames between. */
static void fragments_and_empty_messages_are_read(void **state)
{
    static uint8_t out[KIT_ROOM];
    struct web *w = web_member(2);
    size_t size = seal_many(w, 10, out);
    (void)state;

    web_raw(w, FIN | WEBSOCKET_BINARY, bytes_of(out, 0));
    web_raw(w, WEBSOCKET_BINARY, bytes_of(out, 0));
    web_raw(w, WEBSOCKET_CONTINUATION, bytes_of(out, size / 2));
    web_raw(w, FIN | WEBSOCKET_PING, bytes_of("ping", 4));
    web_raw(w, FIN | WEBSOCKET_PONG, bytes_of("", 0));
    web_raw(w, WEBSOCKET_CONTINUATION, bytes_of(out, 0));
    web_raw(w, FIN | WEBSOCKET_CONTINUATION,
            bytes_of(out + size / 2, size - size / 2));
    hears_many(w, 10);
    assert_int_equal(w->pongs, 1);
    assert_int_equal(w->pong_size, 4);
    assert_memory_equal(w->pong, "ping", 4);
    web_free(&w);
    nothing_is_left();
}

/* The handshake with each byte of the wire by itself, the request as well. */
static void every_byte_may_come_alone(void **state)
{
    static uint8_t out[KIT_ROOM];
    static const char upgrade[] = UPGRADE;
    struct web *w = web_new(2);
    (void)state;

    for (size_t i = 0; i < sizeof upgrade - 1; i++) {
        kit_send(w->c, &upgrade[i], 1);
        turns(2);
    }
    web_answered(w);
    for (int at = KIT_GREETING; at < KIT_READY; at++) {
        const struct zmtp_reply *reply = &w->c->reply;
        uint8_t head[14] = {FIN | WEBSOCKET_BINARY, MASKED | 126,
                            (uint8_t)(reply->size >> 8), (uint8_t)reply->size};
        size_t size = reply->size < 126 ? 2 : 4;
        if (size == 2)
            head[1] = (uint8_t)(MASKED | reply->size);
        memcpy(out, head, size + 4); /* the mask is zero */
        memcpy(out + size + 4, reply->bytes, reply->size);
        if (size == 2)
            memset(out + 2, 0, 4);
        for (size_t i = 0; i < size + 4 + reply->size; i++) {
            kit_send(w->c, out + i, 1);
            turns(2);
        }
        assert_int_equal(web_next(w),
                         at == KIT_INITIATE ? ZMTP_READY : ZMTP_NEXT);
    }
    web_say(w, kit_make('e', 0, 1, 100));
    web_hears(w, kit_make('e', 0, 1, 100));
    web_free(&w);
    nothing_is_left();
}

/* Frames that come in one segment with the request. */
static void frames_may_come_with_the_request(void **state)
{
    uint8_t out[1024];
    struct web *w = web_new(2);
    size_t size = strlen(UPGRADE), greeting = w->c->reply.size;
    (void)state;

    memcpy(out, UPGRADE, size);
    out[size++] = FIN | WEBSOCKET_BINARY;
    out[size++] = (uint8_t)(MASKED | greeting);
    memset(out + size, 0, 4);
    memcpy(out + size + 4, w->c->reply.bytes, greeting);
    kit_send(w->c, out, size + 4 + greeting);
    web_answered(w);
    assert_int_equal(web_next(w), ZMTP_NEXT);
    for (int at = KIT_HELLO; at < KIT_READY; at++) {
        web_send(w, w->c->reply.bytes, w->c->reply.size);
        assert_int_equal(web_next(w),
                         at == KIT_INITIATE ? ZMTP_READY : ZMTP_NEXT);
    }
    web_free(&w);
    nothing_is_left();
}

/* What waits inside and outside of the frames counts together. */
static void a_slow_web_reader_blocks_and_loses_nothing(void **state)
{
    struct web *w = web_member(2);
    struct door_client *a = kit_joined(3);
    uint32_t sent = 0;
    (void)state;

    const struct door_conn *to = kit.door->lists[DOOR_ALL].first;
    kit_say(a, kit_make('-', 0, 0, 10));
    kit_until(kit.packets == 2);
    door_prove(kit.door, 2);
    while (kit.blocked == 0) {
        kit_say(a, kit_make('f', 1, sent++, 60000));
        kit_turn();
    }
    assert_true(byte_queue_size(&to->wrap->wire) > 0);
    assert_true(byte_queue_size(&to->wrap->wire) <= 65536 + 10);
    assert_in_range(door_conn_unsent(to), DOOR_CREDIT,
                    DOOR_CREDIT + 2 * PACKET_SIZE);
    kit_say(a, kit_make('f', 1, sent++, 60000));
    kit_until(kit.packets == 2 + sent);
    for (uint32_t i = 0; i < sent; i++)
        web_hears(w, kit_make('f', 1, i, 60000));
    kit_until(kit.writable > 0);
    assert_int_equal(door_conn_unsent(to), 0);
    kit_free(a);
    web_free(&w);
    nothing_is_left();
}

/* Answers that nobody reads are not kept, and the connection stays. */
static void pongs_that_nobody_reads_are_dropped(void **state)
{
    enum { PING = 131, FLOOD = 16 * 1024 * 1024 };
    static uint8_t pings[PING * 500];
    struct web *w = web_member(2);
    ssize_t n;
    (void)state;

    for (size_t at = 0; at < sizeof pings; at += PING) {
        pings[at] = FIN | WEBSOCKET_PING;
        pings[at + 1] = MASKED | 125;
    }
    for (size_t sent = 0; sent < FLOOD; sent += (size_t)n) {
        size_t from = sent % sizeof pings;
        kit_until((n = send(w->c->fd, pings + from, sizeof pings - from,
                            MSG_DONTWAIT | MSG_NOSIGNAL)) > 0);
        kit_turn();
        assert_in_range(door_conn_unsent(last_conn()), 0, 8 * 1024);
    }
    assert_int_equal(door_count(kit.door), 1);
    web_free(&w);
}

/* ---- Ends -----------------------------------------------------------------
 */

static void a_text_message_ends_with_1003(void **state)
{
    struct web *w = web_member(2);
    (void)state;

    web_raw(w, FIN | WEBSOCKET_TEXT, bytes_of("hi", 2));
    web_closed(w, WEBSOCKET_UNACCEPTABLE);
    expect_away("connection_cut text_message 127.0.0.1");
    assert_int_equal(kit.closed, 1);
    web_free(&w);
    nothing_is_left();
}

static void a_frame_without_a_mask_ends_with_1002(void **state)
{
    struct web *w = web_open(2);
    (void)state;

    kit_send(w->c, "\x82\x01x", 3);
    web_closed(w, WEBSOCKET_PROTOCOL);
    expect_away("handshake_failed bad_frame 127.0.0.1");
    assert_int_equal(kit.closed, 0);
    web_free(&w);
    nothing_is_left();
}

/* What it sent before is heard, and its code comes back. */
static void a_close_is_answered(void **state)
{
    struct web *w = web_member(2);
    (void)state;

    web_say(w, kit_make('e', 0, 7, 100));
    web_raw(w, FIN | WEBSOCKET_CLOSE, bytes_of("\x03\xe9", 2));
    web_hears(w, kit_make('e', 0, 7, 100));
    web_closed(w, WEBSOCKET_GOING_AWAY);
    assert_int_equal(kit.closed, 1);
    assert_int_equal(kit.turned_away, 0);
    web_free(&w);
    nothing_is_left();
}

static void garbage_inside_ends_the_connection(void **state)
{
    static uint8_t zeros[300];
    struct web *w = web_open(2);
    (void)state;

    web_send(w, zeros, sizeof zeros);
    kit_until(kit.turned_away == 1);
    expect_away("handshake_failed not_zmtp 127.0.0.1");
    web_free(&w);
    nothing_is_left();
}

static void a_dropped_link_gets_its_last_packets(void **state)
{
    struct web *w = web_member(2);
    (void)state;

    web_say(w, kit_make('e', 0, 1, 100));
    web_say(w, kit_make('d', 0, 1, 100));
    web_hears(w, kit_make('e', 0, 1, 100));
    kit.later = span_ms(301);
    kit_until(door_count(kit.door) == 0);
    web_free(&w);
}

static void a_door_that_closes_says_so(void **state)
{
    struct web *w = web_member(2), *v = web_open(3);
    struct door_client *c = kit_client(4);
    (void)state;

    kit_send(c, "GET /", 5);
    turns(10);
    door_close(&kit.door);
    web_closed(w, WEBSOCKET_GOING_AWAY);
    web_closed(v, WEBSOCKET_GOING_AWAY);
    web_free(&w);
    web_free(&v);
    kit_free(c);
}

/* ---- Time ------------------------------------------------------------------
 */

static void a_link_that_never_speaks_zmtp_is_cut(void **state)
{
    struct web *w = web_open(2);
    (void)state;

    kit.later = span_ms(1500);
    web_raw(w, FIN | WEBSOCKET_PING, bytes_of("", 0));
    turns(20);
    assert_int_equal(door_count(kit.door), 1);
    kit.later = span_ms(2000);
    kit_until(door_count(kit.door) == 0);
    expect_away("handshake_failed timeout 127.0.0.1");
    web_free(&w);
    nothing_is_left();
}

static void a_link_without_a_packet_is_cut(void **state)
{
    struct web *w = web_joined(2);
    (void)state;

    struct instant limit = instant_after(clock_now(), span_s(5));
    assert_true(instant_reached(door_deadline(kit.door), limit));
    kit.later = span_s(5);
    kit_until(door_count(kit.door) == 0);
    expect_away("connection_cut no_hello 127.0.0.1");
    web_free(&w);
    nothing_is_left();
}

/* Even if it is looked at for another reason. */
static void a_link_that_was_written_to_is_not_pinged(void **state)
{
    struct web *w = web_member(2);
    struct door_conn *conn = last_conn();
    (void)state;

    web_say(w, kit_make('e', 0, 1, 100));
    web_hears(w, kit_make('e', 0, 1, 100));
    heap_set(&kit.door->timers, &conn->due, clock_now());
    turns(10);
    web_pump(w);
    assert_int_equal(w->pings, 0);
    assert_false(conn->wrap->asked);
    web_free(&w);
    nothing_is_left();
}

static void a_quiet_link_is_pinged_and_ends_when_silent(void **state)
{
    struct web *w = web_member(2);
    (void)state;

    kit.later = span_s(19);
    turns(10);
    web_pump(w);
    assert_int_equal(w->pings, 0);
    kit.later = span_s(20);
    kit_until(!web_pump(w) || w->pings == 1);
    web_raw(w, FIN | WEBSOCKET_PONG, bytes_of("", 0));
    kit_until(!last_conn()->wrap->asked);
    kit.later = span_s(26);
    turns(10);
    assert_int_equal(door_count(kit.door), 1);
    kit.later = span_s(46);
    kit_until(!web_pump(w) || w->pings == 2);
    kit.later = span_s(52);
    kit_until(door_count(kit.door) == 0);
    expect_away("connection_cut silent 127.0.0.1");
    assert_int_equal(kit.closed, 1);
    web_free(&w);
    nothing_is_left();
}

#define WITH_DOOR(test)                                                        \
    cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DOOR(each_request_gets_its_answer),
        WITH_DOOR(a_stopping_relay_is_not_healthy),
        WITH_DOOR(a_head_is_limited),
        WITH_DOOR(a_request_comes_in_pieces),
        WITH_DOOR(a_slow_head_is_answered_in_time),
        WITH_DOOR(what_follows_an_answer_is_ignored_to_a_limit),
        WITH_DOOR(packets_pass_between_web_and_plain),
        WITH_DOOR(messages_are_cut_and_joined_at_will),
        WITH_DOOR(fragments_and_empty_messages_are_read),
        WITH_DOOR(every_byte_may_come_alone),
        WITH_DOOR(frames_may_come_with_the_request),
        WITH_DOOR(a_slow_web_reader_blocks_and_loses_nothing),
        WITH_DOOR(pongs_that_nobody_reads_are_dropped),
        WITH_DOOR(a_text_message_ends_with_1003),
        WITH_DOOR(a_frame_without_a_mask_ends_with_1002),
        WITH_DOOR(a_close_is_answered),
        WITH_DOOR(garbage_inside_ends_the_connection),
        WITH_DOOR(a_dropped_link_gets_its_last_packets),
        WITH_DOOR(a_door_that_closes_says_so),
        WITH_DOOR(a_link_that_never_speaks_zmtp_is_cut),
        WITH_DOOR(a_link_without_a_packet_is_cut),
        WITH_DOOR(a_link_that_was_written_to_is_not_pinged),
        WITH_DOOR(a_quiet_link_is_pinged_and_ends_when_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
