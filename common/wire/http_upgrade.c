#include "common/wire/http_upgrade.h"

#include "common/wire/http_head.h"
#include "common/wire/http_reply.h"

struct upgrade_answer {
    int status;
    struct bytes fields; /* lines that end in CRLF */
};

/* ---- Lines and fields */

/* Takes a line off `rest`, without its CRLF; false if there is none. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    for (size_t i = 0; i + 1 < rest->size; i++) {
        if (rest->data[i] != '\r' || rest->data[i + 1] != '\n')
            continue;
        *line = bytes_of(rest->data, i);
        *rest = bytes_of(rest->data + i + 2, rest->size - i - 2);
        return true;
    }
    return false;
}

/* How many fields of that name there are; `value` is the last one's. */
static size_t field(const struct upgrade_answer *a, const char *name,
                    struct bytes *value)
{
    struct bytes rest = a->fields, line;
    size_t count = 0;

    while (take_line(&rest, &line))
        count += http_field_value(line, name, value);
    return count;
}

/* Whether a list such as "keep-alive, Upgrade" has the word. */
static bool lists(struct bytes list, const char *word)
{
    while (list.size > 0) {
        const uint8_t *comma = memchr(list.data, ',', list.size);
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        if (http_same(http_trimmed(bytes_of(list.data, size)), word))
            return true;
        size += comma != NULL;
        list = bytes_of(list.data + size, list.size - size);
    }
    return false;
}

static bool begins_with(struct bytes b, const char *text)
{
    size_t size = strlen(text);

    return b.size >= size && http_same(bytes_of(b.data, size), text);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 101 Switching Protocols"; 0: that is no status line. */
static int read_status(struct bytes line)
{
    const uint8_t *d = line.data;

    if (!begins_with(line, "HTTP/1.") || line.size < 12 || !is_digit(d[7]) ||
        d[8] != ' ' || !is_digit(d[9]) || !is_digit(d[10]) ||
        !is_digit(d[11]) || (line.size > 12 && d[12] != ' '))
        return 0;
    return (d[9] - '0') * 100 + (d[10] - '0') * 10 + d[11] - '0';
}

/* ---- What it means */

/* "http://HOST:PORT/PATH" of another host; without a host it is ours. */
static bool is_elsewhere(struct bytes location, const char *host)
{
    size_t host_size = strlen(host), at = 0;

    while (at + 1 < location.size &&
           (location.data[at] != '/' || location.data[at + 1] != '/'))
        at++;
    if (at + 1 >= location.size)
        return false;
    struct bytes rest =
        bytes_of(location.data + at + 2, location.size - at - 2);
    if (rest.size > 0 && rest.data[0] == '[')
        rest = bytes_of(rest.data + 1, rest.size - 1);
    if (!begins_with(rest, host))
        return true;
    return rest.size > host_size &&
           strchr("]:/?#", rest.data[host_size]) == NULL;
}

static bool is_portal(const struct upgrade_answer *a, const char *host)
{
    struct bytes value;

    if (a->status == 511)
        return true;
    if (a->status / 100 == 3)
        return field(a, "location", &value) > 0 && is_elsewhere(value, host);
    return a->status == 200 && field(a, "content-type", &value) > 0 &&
           begins_with(value, "text/html");
}

static bool is_upgrade(const struct upgrade_answer *a,
                       const struct http_upgrade_asked *asked)
{
    struct bytes upgrade, connection, accept, protocol, ignored;

    return a->status == 101 && field(a, "upgrade", &upgrade) == 1 &&
           http_same(upgrade, "websocket") &&
           field(a, "connection", &connection) == 1 &&
           lists(connection, "upgrade") &&
           field(a, "sec-websocket-accept", &accept) == 1 &&
           bytes_equal(accept, bytes_of_string(asked->accept)) &&
           field(a, "sec-websocket-protocol", &protocol) == 1 &&
           bytes_equal(protocol, bytes_of_string(asked->protocol)) &&
           field(a, "sec-websocket-extensions", &ignored) == 0;
}

/* Whether bytes that do not end a line yet can begin an answer. */
static bool may_be_answer(struct bytes in)
{
    static const char start[] = "HTTP/1.";
    size_t size = in.size < sizeof start - 1 ? in.size : sizeof start - 1;

    return size == 0 || memcmp(in.data, start, size) == 0;
}

enum http_upgrade http_upgrade_read(struct bytes in,
                                    const struct http_upgrade_asked *asked,
                                    size_t *size, int *status)
{
    struct bytes rest = in, line;
    struct upgrade_answer a = {.status = 0};

    *status = 0;
    if (!may_be_answer(in))
        return HTTP_UPGRADE_NO;
    enum http_upgrade missing =
        in.size >= HTTP_UPGRADE_SIZE ? HTTP_UPGRADE_NO : HTTP_UPGRADE_MORE;
    if (!take_line(&rest, &line))
        return missing;
    a.status = read_status(line);
    if (a.status == 0)
        return HTTP_UPGRADE_NO;
    a.fields = bytes_of(rest.data, 0);
    do {
        if (!take_line(&rest, &line))
            return missing;
        a.fields.size = (size_t)(line.data - a.fields.data);
    } while (line.size > 0);
    *status = a.status;
    *size = (size_t)(rest.data - in.data);
    if (*size > HTTP_UPGRADE_SIZE)
        return HTTP_UPGRADE_NO;
    if (is_upgrade(&a, asked))
        return HTTP_UPGRADE_YES;
    return is_portal(&a, asked->host) ? HTTP_UPGRADE_PORTAL : HTTP_UPGRADE_NO;
}
