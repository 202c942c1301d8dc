#include "edge/shell/http_private.h"

#include "common/base/memory.h"
#include "common/base/text.h"
#include "common/io/log.h"
#include "common/io/sockaddr.h"
#include "edge/shell/http_pages.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* No script, style or request but the edge's own; in no other page's frame. */
#define STRICT                                                                 \
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; "           \
    "form-action 'none'; frame-ancestors 'none'; object-src 'none'\r\n"        \
    "X-Content-Type-Options: nosniff\r\n"                                      \
    "X-Frame-Options: DENY\r\n"                                                \
    "Referrer-Policy: no-referrer\r\n"                                         \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                            \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                              \
    "Cache-Control: no-store\r\n"

enum { HOST_SIZE = 272, CREDENTIAL_SIZE = 512, COOKIES_SIZE = 4096 };

struct answer {
    const char *status; /* "200 OK" */
    const char *type;
    struct bytes body;
    const char *more; /* headers, each with its end, or "" */
};

/* ---- Writing */

/* All at once: the library keeps what the socket does not take. */
static int send_answer(struct lws *wsi, const struct answer *a, bool body)
{
    struct text t = {0};

    memset(text_room(&t, LWS_PRE), 0, LWS_PRE);
    text_wrote(&t, LWS_PRE);
    text_add_string(&t, "HTTP/1.1 ");
    text_add_string(&t, a->status);
    text_add_string(&t, "\r\nContent-Type: ");
    text_add_string(&t, a->type);
    text_add_string(&t, "\r\nContent-Length: ");
    text_add_number(&t, a->body.size);
    text_add_string(&t, "\r\n" STRICT);
    text_add_string(&t, a->more);
    text_add_string(&t, "\r\n");
    if (body)
        text_add(&t, a->body);
    int wrote = lws_write(wsi, (unsigned char *)t.data + LWS_PRE,
                          t.size - LWS_PRE, LWS_WRITE_HTTP_HEADERS);
    text_close(&t);
    return wrote < 0 ? -1 : 0;
}

static int send_words(struct lws *wsi, const char *status, const char *more,
                      const char *words)
{
    struct answer a = {status, "text/plain; charset=utf-8",
                       bytes_of_string(words), more};

    return send_answer(wsi, &a, true);
}

/* ---- Who asks */

/* The header; NULL without one. What is too long is nothing that is known. */
static const char *header(struct lws *wsi, enum lws_token_indexes which,
                          char *room, int size)
{
    if (lws_hdr_total_length(wsi, which) == 0)
        return NULL;
    if (lws_hdr_copy(wsi, room, size, which) < 0)
        strcpy(room, "?");
    return room;
}

static const char *bearer(struct lws *wsi, char *room, int size)
{
    const char *value = header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, room, size);

    return value && strncasecmp(value, "Bearer ", 7) == 0 ? value + 7 : value;
}

static const char *cookie(const struct http *h, struct lws *wsi, char *room,
                          int size)
{
    const char *at = header(wsi, WSI_TOKEN_HTTP_COOKIE, room, size);
    size_t name = strlen(h->cookie);
    char *rest = room;

    for (char *c = at ? strtok_r(room, "; ", &rest) : NULL; c;
         c = strtok_r(NULL, "; ", &rest))
        if (strncmp(c, h->cookie, name) == 0 && c[name] == '=')
            return c + name + 1;
    return NULL;
}

static void tell_refusal(struct http *h, struct lws *wsi,
                         enum http_verdict verdict,
                         const struct http_knock *knock)
{
    struct address from = address_of_peer(lws_get_socket_fd(wsi));
    char peer[ADDRESS_TEXT_SIZE], host[HOST_SIZE + 16], origin[HOST_SIZE + 16];
    unsigned more;

    if (!http_may_tell(
            h, (enum http_refusal)((int)HTTP_REFUSED_VERDICT + (int)verdict),
            &more))
        return;
    log_warn(
        "http_refused", "reason=%s from=%s host=%s origin=%s more=%u",
        http_verdict_name(verdict), address_format(&from, peer),
        log_quote(knock->host ? knock->host : "", host, sizeof host),
        log_quote(knock->origin ? knock->origin : "", origin, sizeof origin),
        more);
}

static void refuse(struct lws *wsi, enum http_verdict verdict)
{
    bool token = verdict == HTTP_NO_TOKEN || verdict == HTTP_WRONG_TOKEN;

    (void)send_words(
        wsi, token ? "401 Unauthorized" : "403 Forbidden",
        token ? "WWW-Authenticate: Bearer realm=\"zs-edge\"\r\n" : "",
        token ? "The edge's token is needed. It stands in the file that "
                "`zs status --json` names as token_file: open "
                "http://ADDRESS:PORT/?token=...\n"
              : "Only the edge's own pages may do this; or bring the "
                "token.\n");
}

/* False if it is refused, and that is answered; `with` tells what it brought:
 * the token itself, so that it may have it as a cookie. */
static bool may_enter(struct http *h, struct lws *wsi, bool *with)
{
    char host[HOST_SIZE], origin[HOST_SIZE];
    char token[CREDENTIAL_SIZE], query[CREDENTIAL_SIZE];
    char cookies[COOKIES_SIZE];
    struct http_knock knock = {
        .host = header(wsi, WSI_TOKEN_HOST, host, sizeof host),
        .origin = header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof origin),
        .token = bearer(wsi, token, sizeof token),
        .cookie = cookie(h, wsi, cookies, sizeof cookies),
    };

    if (!knock.token)
        knock.token =
            lws_get_urlarg_by_name(wsi, "token=", query, sizeof query);
    enum http_verdict verdict = http_gate_judge(&h->gate, &knock);
    *with = knock.token != NULL;
    sodium_memzero(token, sizeof token);
    sodium_memzero(query, sizeof query);
    sodium_memzero(cookies, sizeof cookies);
    if (verdict == HTTP_PASS)
        return true;
    tell_refusal(h, wsi, verdict, &knock);
    refuse(wsi, verdict);
    return false;
}

/* ---- What it gets */

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

static const struct http_page *find_page(const char *path)
{
    const char *name = path + 1;

    if (strcmp(path, "/") == 0)
        name = "index.html";
    else if (strcmp(path, "/dashboard") == 0)
        name = "dashboard.html";
    for (const struct http_page *p = http_pages; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

static int send_page(struct http *h, struct lws *wsi,
                     const struct http_page *page, bool token, bool body)
{
    char more[HTTP_TOKEN_SIZE + HTTP_COOKIE_SIZE + 64] = "";
    struct answer a = {"200 OK", type_of(page->name),
                       bytes_of(page->data, page->size), more};

    if (token)
        snprintf(more, sizeof more,
                 "Set-Cookie: %s=%s; Path=/; HttpOnly; SameSite=Strict\r\n",
                 h->cookie, h->gate.token);
    return send_answer(wsi, &a, body);
}

static int send_metrics(struct http *h, struct lws *wsi, bool body)
{
    char *metrics = api_metrics(h->api);
    struct answer a = {"200 OK", "text/plain; version=0.0.4; charset=utf-8",
                       bytes_of_string(metrics), ""};
    int result = send_answer(wsi, &a, body);

    free(metrics);
    return result;
}

static int send_what(struct http *h, struct lws *wsi, const char *path,
                     bool token, bool body)
{
    const struct http_page *page = find_page(path);

    if (page)
        return send_page(h, wsi, page, token, body);
    if (strcmp(path, "/healthz") == 0)
        return send_words(wsi, "200 OK", "", body ? "ok\n" : "");
    if (strcmp(path, "/metrics") == 0)
        return send_metrics(h, wsi, body);
    if (strcmp(path, "/api") == 0)
        return send_words(wsi, "426 Upgrade Required", "Upgrade: websocket\r\n",
                          "The API is a WebSocket.\n");
    return send_words(wsi, "404 Not Found", "", "There is no such page.\n");
}

int http_answer(struct http *h, struct lws *wsi, const char *path)
{
    char *uri;
    int length;
    int method = lws_http_get_uri_and_method(wsi, &uri, &length);
    bool token;

    if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
        (void)send_words(wsi, "405 Method Not Allowed",
                         "Allow: GET, HEAD\r\nConnection: close\r\n",
                         "Only GET and HEAD.\n");
        return -1; /* A body that may come is not read. */
    }
    if (h->closing)
        return -1;
    if (may_enter(h, wsi, &token) &&
        send_what(h, wsi, path, token, method == LWSHUMETH_GET) < 0)
        return -1;
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int http_answer_upgrade(struct http *h, struct lws *wsi, const char *to)
{
    char *uri = NULL;
    int length = 0;
    unsigned more;
    bool token;

    if (h->closing ||
        lws_http_get_uri_and_method(wsi, &uri, &length) != LWSHUMETH_GET)
        return -1;
    if (!may_enter(h, wsi, &token))
        return 1;
    if (strcasecmp(to, "websocket") != 0 || length != 4 ||
        strncmp(uri, "/api", 4) != 0)
        return send_words(wsi, "404 Not Found", "",
                          "The API is a WebSocket at /api.\n") < 0
                   ? -1
                   : 1;
    if (h->bridges < HTTP_BRIDGES)
        return 0;
    if (http_may_tell(h, HTTP_REFUSED_BRIDGES, &more))
        log_warn("http_refused", "reason=too_many_clients limit=%d more=%u",
                 HTTP_BRIDGES, more);
    return send_words(wsi, "503 Service Unavailable", "Retry-After: 10\r\n",
                      "Too many pages are open.\n") < 0
               ? -1
               : 1;
}
