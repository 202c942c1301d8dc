#include "edge/shell/http_private.h"

#include "common/core/websocket_accept.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/sockaddr.h"
#include "common/wire/http_answer.h"
#include "edge/shell/http_pages.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Pages load scripts and styles from the edge only, send requests to it only,
 * and cannot be framed. */
#define POLICY                                                                 \
    "default-src 'self'; base-uri 'none'; form-action 'none'; "                \
    "frame-ancestors 'none'; object-src 'none'"

#define UPGRADE                                                                \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"                            \
    "Sec-WebSocket-Version: 13\r\n"

enum { SHOWN_SIZE = 96 };

/* ---- Writing */

static bool send_answer(struct http_conn *c, const struct http_answer *a,
                        struct bytes content)
{
    http_answer_write(&c->out, a, clock_unix_seconds(), content);
    return a->keep;
}

static bool send_words(struct http_conn *c, const struct http_head *head,
                       int status, const char *more, const char *words)
{
    struct http_answer a = {status,     head->keep,
                            head->body, "text/plain; charset=utf-8",
                            POLICY,     more};

    return send_answer(c, &a, bytes_of_string(words));
}

/* ---- Refused */

static const char *shown(const struct http_head *head, const char *name,
                         char room[SHOWN_SIZE])
{
    const struct http_field *f = http_head_field(head, name);
    struct bytes value = f ? f->value : (struct bytes){0};
    char text[SHOWN_SIZE / 2];
    size_t size = value.size < sizeof text ? value.size : sizeof text - 1;

    if (size > 0)
        memcpy(text, value.data, size);
    text[size] = '\0';
    return log_quote(text, room, SHOWN_SIZE);
}

static void tell_refusal(struct http_conn *c, const struct http_head *head,
                         enum http_verdict verdict)
{
    struct address from = address_of_peer(c->fd);
    const char *reason = http_verdict_name(verdict);
    char peer[ADDRESS_TEXT_SIZE], host[SHOWN_SIZE], origin[SHOWN_SIZE];

    if (http_may_log(c->http, "http_refused", reason))
        log_warn("http_refused", "reason=%s from=%s host=%s origin=%s", reason,
                 address_format(&from, peer), shown(head, "host", host),
                 shown(head, "origin", origin));
}

static bool refuse(struct http_conn *c, const struct http_head *head,
                   enum http_verdict verdict)
{
    tell_refusal(c, head, verdict);
    if (verdict == HTTP_FOREIGN_HOST || verdict == HTTP_FOREIGN_ORIGIN)
        return send_words(
            c, head, 403, "",
            "Only the edge's own pages may do this, or a request with "
            "the token.\n");
    return send_words(c, head, 401,
                      "WWW-Authenticate: Bearer realm=\"zs-edge\"\r\n",
                      "The edge's token is required. Open the address that `zs "
                      "status` shows; a program reads the token from the file "
                      "that `zs status --json` shows as token_file.\n");
}

void http_answer_wrong(struct http_conn *c, int status)
{
    struct address from = address_of_peer(c->fd);
    struct http_answer a = {
        status, false,
        true,   "text/plain; charset=utf-8",
        POLICY, status == 405 ? "Allow: GET, HEAD\r\n" : ""};
    char peer[ADDRESS_TEXT_SIZE];

    if (http_may_log(c->http, "http_refused", "bad_request"))
        log_warn("http_refused", "reason=bad_request status=%d from=%s", status,
                 address_format(&from, peer));
    (void)send_answer(c, &a, bytes_of_string(http_answer_refusal(status)));
}

/* ---- Pages and figures */

static const char *type_of(const char *name)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
    };
    const char *end = strrchr(name, '.');

    for (size_t i = 0; end && i < sizeof types / sizeof *types; i++)
        if (strcmp(end, types[i].end) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static bool is_path(const struct http_head *head, const char *path)
{
    return bytes_equal(head->path, bytes_of_string(path));
}

static const struct http_page *find_page(const struct http_head *head)
{
    struct bytes name = bytes_of(head->path.data + 1, head->path.size - 1);

    if (is_path(head, "/"))
        name = bytes_of_string("index.html");
    else if (is_path(head, "/dashboard"))
        name = bytes_of_string("dashboard.html");
    for (const struct http_page *p = http_pages; p->name; p++)
        if (bytes_equal(bytes_of_string(p->name), name))
            return p;
    return NULL;
}

/* The URL had the token: sets the cookie and redirects, so that the token stays
 * neither in the address bar nor in the history. */
static bool send_cookie(struct http_conn *c, const struct http_head *head)
{
    const struct http_field *by = http_head_field(head, "x-forwarded-proto");
    char name[HTTP_COOKIE_SIZE], value[HTTP_TOKEN_SIZE];
    struct text more = {0};

    http_gate_cookie_name(&c->http->gate, name);
    http_gate_cookie_value(&c->http->gate, head->host, value);
    text_add_string(&more, "Location: ");
    text_add(&more, head->path); /* Safe: find_page knows it. */
    text_add_string(&more, "\r\nSet-Cookie: ");
    text_add_string(&more, name);
    text_add_char(&more, '=');
    text_add_string(&more, value);
    text_add_string(&more, "; Path=/; HttpOnly; SameSite=Strict");
    if (by && http_same(by->value, "https"))
        text_add_string(&more, "; Secure");
    text_add_string(&more, "\r\n");
    bool keep = send_words(c, head, 303, text_string(&more), "");
    sodium_memzero(value, sizeof value);
    text_close(&more);
    return keep;
}

static bool send_metrics(struct http_conn *c, const struct http_head *head)
{
    char *metrics = api_metrics(c->http->api);
    struct http_answer a = {
        200,        head->keep,
        head->body, "text/plain; version=0.0.4; charset=utf-8",
        POLICY,     ""};
    bool keep = send_answer(c, &a, bytes_of_string(metrics));

    free(metrics);
    return keep;
}

static bool send_what(struct http_conn *c, const struct http_head *head,
                      bool token)
{
    const struct http_page *page = find_page(head);
    struct http_answer a = {200, head->keep, head->body, "", POLICY, ""};

    if (page && token)
        return send_cookie(c, head);
    if (page) {
        a.type = type_of(page->name);
        return send_answer(c, &a, bytes_of(page->data, page->size));
    }
    if (is_path(head, "/healthz") || is_path(head, "/allowed"))
        return send_words(c, head, 200, "", "ok\n");
    if (is_path(head, "/metrics"))
        return send_metrics(c, head);
    return send_words(c, head, 404, "", "There is no such page.\n");
}

/* ---- The API */

static bool is_upgrade(const struct http_head *head)
{
    return http_head_lists(head, "upgrade", "websocket") &&
           http_head_lists(head, "connection", "upgrade");
}

static bool send_busy(struct http_conn *c, const struct http_head *head)
{
    if (http_may_log(c->http, "http_refused", "too_many_clients"))
        log_warn("http_refused", "reason=too_many_clients limit=%zu",
                 c->http->bridges_limit);
    return send_words(c, head, 503, "Retry-After: 10\r\n",
                      "Too many pages are open.\n");
}

static bool open_socket(struct http_conn *c, const struct http_head *head)
{
    const struct http_field *key = http_head_field(head, "sec-websocket-key");
    const struct http_field *version =
        http_head_field(head, "sec-websocket-version");
    char accept[WEBSOCKET_ACCEPT_SIZE];

    if (!head->body || !head->http_1_1 || !is_upgrade(head))
        return send_words(c, head, 426, UPGRADE, "The API is a WebSocket.\n");
    if (!version || !http_same(version->value, "13"))
        return send_words(c, head, 426, UPGRADE,
                          "Only version 13 of WebSocket is supported.\n");
    if (!key || !websocket_key_valid(key->value))
        return send_words(c, head, 400, "",
                          "Sec-WebSocket-Key is not valid.\n");
    if (c->http->bridges >= c->http->bridges_limit)
        return send_busy(c, head);
    c->bridge = http_bridge_open(c);
    if (!c->bridge)
        return send_busy(c, head);
    c->state = CONN_OPEN;
    websocket_accept(key->value, accept);
    http_answer_upgrade(&c->out, accept, NULL);
    return true;
}

bool http_answer(struct http_conn *c, const struct http_head *head)
{
    bool api = is_path(head, "/api");
    bool token;

    if (c->http->closing)
        return false;
    enum http_verdict verdict = http_gate_judge(
        &c->http->gate, head, api || is_path(head, "/allowed"), &token);
    if (verdict != HTTP_PASS)
        return refuse(c, head, verdict);
    return api ? open_socket(c, head) : send_what(c, head, token);
}
