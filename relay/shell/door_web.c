#include "relay/shell/door_wrap.h"

#include <stdlib.h>
#include <string.h>

#include "common/core/websocket_accept.h"
#include "common/io/clock.h"
#include "common/wire/http_answer.h"
#include "common/wire/relay_request.h"

#define POLICY                                                                 \
    "default-src 'none'; base-uri 'none'; form-action 'none'; "                \
    "frame-ancestors 'none'"

#define WORDS "text/plain; charset=utf-8"

/* Bytes that are ignored after the last answer, at most. */
enum { WASTE = 256 * 1024 };

static const char page[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><title>ZeroServices relay</title></head>\n"
    "<body>\n"
    "<h1>ZeroServices relay</h1>\n"
    "<p>This server passes on the packets of ZeroServices nodes that cannot\n"
    "reach each other directly. The nodes encrypt these packets; the relay\n"
    "cannot read them.</p>\n"
    "</body>\n"
    "</html>\n";

/* ---- The last bytes ----------------------------------------------------- */

static void linger(struct door_conn *c, struct instant now)
{
    heap_set(&c->door->timers, &c->due,
             instant_after(now, span_s(DOOR_LINGER_S)));
}

/* Closes in two steps: a close while the other end still sends would make the
 * kernel reset the connection, and the other end lose the last answer. */
void door_web_finish(struct door_conn *c)
{
    struct door *d = c->door;

    door_tls_bye(c);
    c->wrap->state = WEB_LAST;
    door_partial_free(c);
    if (byte_queue_size(&c->out) > 0) {
        byte_queue_took(&c->out, byte_queue_size(&c->out));
        door_queue_emptied(d, &c->out);
    }
    linger(c, clock_now());
    door_conn_watch(c);
}

static void ignore(struct door_conn *c, size_t size)
{
    c->wrap->wasted += size;
    if (c->wrap->wasted > WASTE)
        door_conn_end(c, NULL, NULL);
}

/* ---- Answers ------------------------------------------------------------ */

static void put_text(struct door_conn *c, struct text *t)
{
    door_wrap_put(c, text_bytes(t), (struct bytes){0});
    text_close(t);
}

static void put_answer(struct door_conn *c, const struct http_answer *a,
                       const char *content)
{
    struct text t = {0};

    http_answer_write(&t, a, clock_unix_seconds(), bytes_of_string(content));
    put_text(c, &t);
    door_web_finish(c);
}

static void put_words(struct door_conn *c, const struct http_head *head,
                      int status, const char *more, const char *words)
{
    struct http_answer a = {.status = status,
                            .body = head->body,
                            .type = WORDS,
                            .policy = POLICY,
                            .more = more};
    put_answer(c, &a, words);
}

static void refuse(struct door_conn *c, int status, const char *reason)
{
    static const struct http_head none = {.body = true};
    struct door *d = c->door;

    d->user.turned_away(d->user.owner.context, "http_refused", &c->address,
                        reason);
    put_words(c, &none, status, status == 405 ? "Allow: GET, HEAD\r\n" : "",
              http_answer_refusal(status));
}

static void put_page(struct door_conn *c, const struct http_head *head)
{
    struct http_answer a = {.status = 200,
                            .body = head->body,
                            .type = "text/html; charset=utf-8",
                            .policy = POLICY,
                            .more = ""};
    put_answer(c, &a, page);
}

static void put_health(struct door_conn *c, const struct http_head *head)
{
    if (c->door->stopping)
        put_words(c, head, 503, "", "stopping\n");
    else
        put_words(c, head, 200, "", "ok\n");
}

/* ---- The WebSocket ------------------------------------------------------ */

static void put_frame(struct door_conn *c, enum websocket_opcode opcode,
                      struct bytes payload)
{
    uint8_t head[WEBSOCKET_HEAD_SIZE];
    size_t size = websocket_head(head, opcode, true, payload.size);
    door_wrap_put(c, bytes_of(head, size), payload);
}

static void put_close(struct door_conn *c, int code)
{
    const uint8_t payload[] = {(uint8_t)(code >> 8), (uint8_t)code};
    put_frame(c, WEBSOCKET_CLOSE, bytes_of(payload, sizeof payload));
}

/* The other end broke the rules of WebSocket. */
static void fail_link(struct door_conn *c, int code)
{
    struct door *d = c->door;

    d->user.turned_away(
        d->user.owner.context,
        c->shaken ? "connection_cut" : "handshake_failed", &c->address,
        code == WEBSOCKET_UNACCEPTABLE ? "text_message" : "bad_frame");
    put_close(c, code);
    door_web_finish(c);
    door_conn_forget(c);
}

/* What the other end sent before its CLOSE was read; it sends nothing more. */
static void close_link(struct door_conn *c, int code)
{
    door_conn_flush(c);
    put_close(c, code);
    door_tls_bye(c);
    door_conn_flush(c);
    door_conn_end(c, NULL, NULL);
}

/* True while more may be read: the owner may have ended the connection. */
static bool is_link(const struct door_conn *c)
{
    return !c->is_over && c->wrap->state == WEB_LINK &&
           !(c->carried && c->carrier.deaf);
}

static void take_frames(struct door_conn *c, uint8_t *data, size_t size)
{
    struct websocket_item item;
    uint8_t *at = data;

    c->wrap->asked = false;
    while (is_link(c)) {
        switch (websocket_read(&c->wrap->reader, &at, data + size, &item)) {
        case WEBSOCKET_MORE:
            return;
        case WEBSOCKET_PIECE:
            if (item.data.size > 0)
                door_conn_take(c, at - item.data.size, item.data.size);
            break;
        case WEBSOCKET_PINGED:
            if (door_conn_answers(c))
                put_frame(c, WEBSOCKET_PONG, item.data);
            break;
        case WEBSOCKET_PONGED:
            break;
        case WEBSOCKET_CLOSED:
            close_link(c, item.code);
            return;
        case WEBSOCKET_WRONG:
            fail_link(c, item.code);
            return;
        }
    }
}

static void put_upgrade(struct door_conn *c, const struct http_head *head)
{
    char accept[WEBSOCKET_ACCEPT_SIZE];
    struct text t = {0};

    websocket_accept(http_head_field(head, "sec-websocket-key")->value, accept);
    http_answer_upgrade(&t, accept, RELAY_SUBPROTOCOL);
    put_text(c, &t);
}

/* The time limits begin again: a slow way through proxies is behind. */
static void begin_link(struct door_conn *c, const struct http_head *head)
{
    struct door *d = c->door;
    struct instant now = clock_now();

    put_upgrade(c, head);
    c->wrap->state = WEB_LINK;
    websocket_reader_init(&c->wrap->reader, WEBSOCKET_BINARY, SIZE_MAX);
    heap_set(&d->timers, &c->due, instant_after(now, d->conf.handshake));
    gate_allow(d->gate, c->fd, instant_after(now, d->conf.gate.hello));
    door_conn_greet(c);
}

/* ---- Requests ----------------------------------------------------------- */

/* A load balancer must name the client, unless it asks for its own sake. */
static bool knows_client(struct door_conn *c, const struct http_head *head)
{
    const struct door_conf *conf = &c->door->conf;
    struct address client;

    if (!door_is_proxy(c->door, &c->address))
        return true; /* Its word counts for nothing. */
    switch (
        relay_request_from(head, conf->proxies, conf->proxy_count, &client)) {
    case FROM_CLIENT:
        return door_conn_named(c, &client);
    case FROM_SENDER:
        if (!c->unnamed || relay_request_asks(head) == ASKS_HEALTH)
            return true;
        refuse(c, 400, "no_forwarded_for");
        return false;
    case FROM_MALFORMED:
        break;
    }
    refuse(c, 400, "bad_forwarded_for");
    return false;
}

static void answer(struct door_conn *c, const struct http_head *head)
{
    switch (relay_request_asks(head)) {
    case ASKS_LINK:
        if (c->door->stopping)
            put_health(c, head);
        else
            begin_link(c, head);
        return;
    case ASKS_PAGE:
        put_page(c, head);
        return;
    case ASKS_HEALTH:
        put_health(c, head);
        return;
    case ASKS_NOTHING:
        put_words(c, head, 404, "", "There is no such page.\n");
        return;
    case ASKS_NEW_VERSION:
        put_words(c, head, 426,
                  "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
                  "Only version 13 of WebSocket is supported.\n");
        return;
    case ASKS_BADLY:
        put_words(c, head, 400, "", "Sec-WebSocket-Key is not valid.\n");
        return;
    }
}

/* Frames may have come with the request. */
static void take_early_frames(struct door_conn *c, size_t head_size)
{
    struct door_partial early = door_partial_take(c);

    if (early.size > head_size)
        take_frames(c, early.data + head_size, early.size - head_size);
    free(early.data);
}

static void take_head(struct door_conn *c, const uint8_t *data, size_t size)
{
    struct http_head head;
    size_t head_size = 0;

    door_partial_keep(c, data, size);
    int status = http_head_read(bytes_of(c->partial.data, c->partial.size),
                                &head, &head_size);
    if (status == HTTP_MORE && c->partial.size < HTTP_HEAD_SIZE)
        return;
    if (status != 0)
        refuse(c, status == HTTP_MORE ? 431 : status, "bad_request");
    else if (knows_client(c, &head))
        answer(c, &head);
    if (!c->is_over && c->wrap->state == WEB_LINK)
        take_early_frames(c, head_size);
}

void door_web_take(struct door_conn *c, uint8_t *data, size_t size)
{
    switch (c->wrap->state) {
    case WEB_HEAD:
        take_head(c, data, size);
        return;
    case WEB_BARE:
        door_conn_take(c, data, size);
        return;
    case WEB_LINK:
        take_frames(c, data, size);
        return;
    case WEB_FIRST: /* door_tls.c takes these. */
    case WEB_LAST:
        ignore(c, size);
        return;
    }
}

/* ---- Time --------------------------------------------------------------- */

void door_web_shaken(struct door_conn *c)
{
    if (c->wrap->state == WEB_BARE)
        heap_remove(&c->door->timers, &c->due);
    else
        heap_set(&c->door->timers, &c->due,
                 instant_after(clock_now(), span_s(DOOR_PING_S)));
}

static void keep_alive(struct door_conn *c, struct instant now)
{
    struct door_wrap *w = c->wrap;
    struct instant quiet = instant_after(w->written, span_s(DOOR_PING_S));

    if (w->asked) {
        door_conn_end(c, "connection_cut", "silent");
        return;
    }
    if (!instant_reached(quiet, now)) {
        heap_set(&c->door->timers, &c->due, quiet);
        return;
    }
    w->asked = true;
    put_frame(c, WEBSOCKET_PING, (struct bytes){0});
    heap_set(&c->door->timers, &c->due,
             instant_after(now, span_s(DOOR_SILENT_S)));
}

void door_web_due(struct door_conn *c, struct instant now)
{
    switch (c->wrap->state) {
    case WEB_HEAD:
        refuse(c, 408, "timeout");
        linger(c, now);
        return;
    case WEB_FIRST:
    case WEB_BARE:
        door_conn_end(c, "handshake_failed", "timeout");
        return;
    case WEB_LINK:
        if (c->shaken)
            keep_alive(c, now);
        else
            door_conn_end(c, "handshake_failed", "timeout");
        return;
    case WEB_LAST:
        door_conn_end(c, NULL, NULL);
        return;
    }
}

void door_web_bye(struct door_conn *c)
{
    if (c->is_over || c->full || c->wrap->state == WEB_LAST)
        return;
    if (c->wrap->state == WEB_LINK)
        put_close(c, WEBSOCKET_GOING_AWAY);
    door_tls_bye(c);
    door_conn_flush(c);
}
