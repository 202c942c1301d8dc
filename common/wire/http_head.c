#include "common/wire/http_head.h"

#include <string.h>

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool same_start(struct bytes bytes, const char *text)
{
    size_t size = strlen(text);

    if (bytes.size < size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (lower(bytes.data[i]) != lower((uint8_t)text[i]))
            return false;
    return true;
}

bool http_same(struct bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && same_start(bytes, text);
}

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {303, "See Other"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {426, "Upgrade Required"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Error";
}

/* ---- Characters */

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* True for a character of a method or a field name: tchar [RFC 9110, 5.6.2]. */
static bool is_token_char(uint8_t c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct bytes b)
{
    for (size_t i = 0; i < b.size; i++)
        if (!is_token_char(b.data[i]))
            return false;
    return b.size > 0;
}

static bool is_value(struct bytes b)
{
    for (size_t i = 0; i < b.size; i++)
        if ((b.data[i] < 0x20 && b.data[i] != '\t') || b.data[i] == 0x7f)
            return false;
    return true;
}

static bool is_target(struct bytes b)
{
    for (size_t i = 0; i < b.size; i++)
        if (b.data[i] <= 0x20 || b.data[i] >= 0x7f || b.data[i] == '#')
            return false;
    return b.size > 0;
}

/* True for a host name or address, with or without a port, and nothing else of
 * a URL. */
static bool is_host(struct bytes b)
{
    for (size_t i = 0; i < b.size; i++)
        if (!is_alnum(b.data[i]) &&
            (b.data[i] == '\0' || !strchr("-._~%!$&'()*+,;=:[]", b.data[i])))
            return false;
    return true;
}

struct bytes http_trimmed(struct bytes b)
{
    while (b.size > 0 && (b.data[0] == ' ' || b.data[0] == '\t'))
        b = bytes_of(b.data + 1, b.size - 1);
    while (b.size > 0 &&
           (b.data[b.size - 1] == ' ' || b.data[b.size - 1] == '\t'))
        b.size--;
    return b;
}

/* Cuts `b` at the first `end`: returns the part before, `b` keeps the part
 * after. Without an `end` it returns everything. */
static struct bytes up_to(struct bytes *b, char end)
{
    if (b->size == 0)
        return *b;
    const uint8_t *at = memchr(b->data, end, b->size);
    size_t size = at ? (size_t)(at - b->data) : b->size;
    struct bytes part = bytes_of(b->data, size);
    size_t past = at ? size + 1 : size;

    *b = bytes_of(b->data + past, b->size - past);
    return part;
}

/* ---- Fields */

const struct http_field *http_head_field(const struct http_head *h,
                                         const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (http_same(h->fields[i].name, name))
            return &h->fields[i];
    return NULL;
}

static size_t count_of(const struct http_head *h, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++)
        count += http_same(h->fields[i].name, name);
    return count;
}

bool http_head_lists(const struct http_head *h, const char *name,
                     const char *word)
{
    for (size_t i = 0; i < h->count; i++) {
        struct bytes rest = h->fields[i].value;
        if (!http_same(h->fields[i].name, name))
            continue;
        while (rest.size > 0)
            if (http_same(http_trimmed(up_to(&rest, ',')), word))
                return true;
    }
    return false;
}

/* Takes the last item of the list; false once nothing is left. */
static bool take_last(struct bytes *list, bool *more, struct bytes *item)
{
    size_t at = list->size;

    if (!*more)
        return false;
    while (at > 0 && list->data[at - 1] != ',')
        at--;
    *more = at > 0;
    *item = http_trimmed(bytes_of(list->data + at, list->size - at));
    list->size = at > 0 ? at - 1 : 0;
    return true;
}

bool http_head_last(const struct http_head *h, const char *name, size_t n,
                    struct bytes *item)
{
    for (size_t i = h->count; i-- > 0;) {
        struct bytes rest = h->fields[i].value;
        bool more = true;
        if (!http_same(h->fields[i].name, name))
            continue;
        while (take_last(&rest, &more, item))
            if (n-- == 0)
                return true;
    }
    return false;
}

bool http_head_parameter(const struct http_head *h, const char *name,
                         struct bytes *value)
{
    struct bytes rest = h->query;

    while (rest.size > 0) {
        struct bytes pair = up_to(&rest, '&');
        if (http_same(up_to(&pair, '='), name)) {
            *value = pair;
            return true;
        }
    }
    return false;
}

bool http_head_forwarded(const struct http_head *h)
{
    static const char *const names[] = {"forwarded",
                                        "via",
                                        "x-real-ip",
                                        "x-client-ip",
                                        "x-cluster-client-ip",
                                        "true-client-ip",
                                        "cf-connecting-ip",
                                        "x-original-host",
                                        "x-original-forwarded-for"};

    for (size_t i = 0; i < h->count; i++) {
        if (same_start(h->fields[i].name, "x-forwarded"))
            return true;
        for (size_t n = 0; n < sizeof names / sizeof *names; n++)
            if (http_same(h->fields[i].name, names[n]))
                return true;
    }
    return false;
}

/* ---- Reading */

/* Takes one line, which must end with CR LF; returns it without that end and
 * moves `in` behind it. False for any other line end. */
static bool next_line(struct bytes *in, struct bytes *line)
{
    *line = up_to(in, '\n');
    if (line->size == 0 || line->data[line->size - 1] != '\r')
        return false;
    line->size--;
    return line->size == 0 || !memchr(line->data, '\r', line->size);
}

/* Reads "HTTP/1.1"; returns 0, 400 or 505. */
static int read_version(struct bytes version, struct http_head *h)
{
    const uint8_t *v = version.data;

    if (version.size != 8 || memcmp(v, "HTTP/", 5) != 0 || v[6] != '.' ||
        v[5] < '0' || v[5] > '9' || v[7] < '0' || v[7] > '9')
        return 400;
    if (v[5] != '1')
        return 505;
    h->http_1_1 = v[7] != '0';
    return 0;
}

/* Returns 405 for the other methods of HTTP, 501 for anything else. */
static int read_method(struct bytes method, struct http_head *h)
{
    static const char *const others[] = {
        "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};

    h->body = bytes_equal(method, bytes_of_string("GET"));
    if (h->body || bytes_equal(method, bytes_of_string("HEAD")))
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (bytes_equal(method, bytes_of_string(others[i])))
            return 405;
    return 501;
}

/* Reads "/path?query", or "http://host/path?query" as clients ask a proxy. */
static int read_target(struct bytes target, struct http_head *h)
{
    size_t scheme = same_start(target, "http://")    ? 7
                    : same_start(target, "https://") ? 8
                                                     : 0;

    if (scheme > 0) {
        size_t size = scheme;
        while (size < target.size && target.data[size] != '/' &&
               target.data[size] != '?')
            size++;
        h->host = bytes_of(target.data + scheme, size - scheme);
        if (h->host.size == 0 || !is_host(h->host))
            return 400;
        target = bytes_of(target.data + size, target.size - size);
        if (target.size == 0)
            target = bytes_of_string("/");
    }
    h->path = up_to(&target, '?');
    h->query = target;
    return h->path.size > 0 && h->path.data[0] == '/' ? 0 : 400;
}

static int read_request(struct bytes line, struct http_head *h)
{
    struct bytes method = up_to(&line, ' ');
    struct bytes target = up_to(&line, ' ');
    int status;

    if (!is_token(method) || !is_target(target))
        return 400;
    if ((status = read_version(line, h)) != 0 ||
        (status = read_method(method, h)) != 0)
        return status;
    return read_target(target, h);
}

static int read_field(struct bytes line, struct http_head *h)
{
    struct http_field field;
    size_t all = line.size;

    field.name = up_to(&line, ':');
    if (field.name.size == all || !is_token(field.name))
        return 400; /* also a folded line: a name has no space */
    field.value = http_trimmed(line);
    if (!is_value(field.value))
        return 400;
    if (h->count == HTTP_FIELDS)
        return 431;
    h->fields[h->count++] = field;
    return 0;
}

static int check_host(struct http_head *h)
{
    size_t count = count_of(h, "host");

    if (count > 1 || (count == 0 && h->http_1_1))
        return 400;
    if (count == 0)
        return 0;
    struct bytes host = http_head_field(h, "host")->value;
    if (!is_host(host))
        return 400;
    if (h->host.size == 0)
        h->host = host;
    return 0;
}

static bool is_number(struct bytes b, bool *zero)
{
    *zero = true;
    for (size_t i = 0; i < b.size; i++) {
        if (b.data[i] < '0' || b.data[i] > '9')
            return false;
        *zero = *zero && b.data[i] == '0';
    }
    return b.size > 0;
}

/* Requests must have no body, because nothing here reads one. */
static int check_body(const struct http_head *h)
{
    size_t lengths = count_of(h, "content-length");
    bool coded = count_of(h, "transfer-encoding") > 0;
    bool zero;

    if (lengths > 1 || (coded && (lengths > 0 || !h->http_1_1)))
        return 400;
    if (coded)
        return http_head_lists(h, "transfer-encoding", "chunked") ? 413 : 501;
    if (lengths == 0)
        return 0;
    if (!is_number(http_head_field(h, "content-length")->value, &zero))
        return 400;
    return zero ? 0 : 413;
}

/* The length of the head with the empty line at its end; 0: that line has not
 * come yet. */
static size_t head_size(struct bytes in)
{
    struct bytes rest = in;

    for (;;) {
        const uint8_t *at = rest.size ? memchr(rest.data, '\n', rest.size) : 0;
        if (!at)
            return 0;
        size_t past = (size_t)(at - rest.data) + 1;
        rest = bytes_of(rest.data + past, rest.size - past);
        if (rest.size >= 1 && rest.data[0] == '\n')
            return in.size - rest.size + 1;
        if (rest.size >= 2 && rest.data[0] == '\r' && rest.data[1] == '\n')
            return in.size - rest.size + 2;
    }
}

static int check_unfinished(struct bytes in)
{
    if (in.size > 0 && !is_token_char(in.data[0]) && in.data[0] != '\r')
        return 400; /* the first byte of TLS: more bytes would not help */
    if (in.size < HTTP_HEAD_SIZE)
        return HTTP_MORE;
    return memchr(in.data, '\n', in.size) ? 431 : 414;
}

static int read_lines(struct bytes head, struct http_head *h)
{
    struct bytes line;
    int status;

    if (!next_line(&head, &line))
        return 400;
    if ((status = read_request(line, h)) != 0)
        return status;
    while (next_line(&head, &line)) {
        if (line.size == 0)
            return (status = check_host(h)) != 0 ? status : check_body(h);
        if ((status = read_field(line, h)) != 0)
            return status;
    }
    return 400;
}

int http_head_read(struct bytes in, struct http_head *h, size_t *size)
{
    size_t blank = 0;

    h->count = 0;
    h->http_1_1 = h->keep = h->body = false;
    h->path = h->query = h->host = (struct bytes){0};
    /* Some clients send an empty line after the previous request. */
    while (in.size >= blank + 2 && in.data[blank] == '\r' &&
           in.data[blank + 1] == '\n')
        blank += 2;
    struct bytes head = bytes_of(in.data + blank, in.size - blank);
    head.size = head_size(head);
    if (head.size == 0)
        return check_unfinished(bytes_of(in.data + blank, in.size - blank));
    *size = blank + head.size;
    if (head.size > HTTP_HEAD_SIZE)
        return 431;
    int status = read_lines(head, h);
    h->keep = h->http_1_1 && !http_head_lists(h, "connection", "close");
    return status;
}
