#include "relay/shell/door_private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "common/wire/first_bytes.h"
#include "common/wire/proxy_header.h"
#include "relay/shell/door_wrap.h"

/* ---- What they tell ---------------------------------------------------- */

static void begin_plain(struct door_conn *c, uint8_t *data, size_t size)
{
    c->way = DOOR_PLAIN;
    door_conn_greet(c);
    door_conn_take(c, data, size);
}

static void take_first(struct door_conn *c, uint8_t *data, size_t size);

/* A header that nobody may send is a mistake in a configuration, or a lie. */
static void take_proxy_header(struct door_conn *c, uint8_t *data, size_t size)
{
    struct proxy_header h;

    if (!c->unnamed) {
        door_conn_end(c, "handshake_failed", "proxy_not_allowed");
        return;
    }
    switch (proxy_header_read(bytes_of(data, size), &h)) {
    case PROXY_MORE:
        door_partial_keep(c, data, size);
        return;
    case PROXY_MALFORMED:
        door_conn_end(c, "handshake_failed", "bad_proxy_header");
        return;
    case PROXY_DONE:
        break;
    }
    if (door_conn_named(c, h.named ? &h.source : NULL) && size > h.size)
        take_first(c, data + h.size, size - h.size);
}

static void take_first(struct door_conn *c, uint8_t *data, size_t size)
{
    switch (first_bytes_tell(bytes_of(data, size))) {
    case FIRST_MORE:
        door_partial_keep(c, data, size);
        return;
    case FIRST_ZMTP:
        begin_plain(c, data, size);
        return;
    case FIRST_HTTP:
        door_wrap_begin(c);
        door_wrap_take(c, data, size);
        return;
    case FIRST_TLS:
        if (c->door->tls == NULL)
            break;
        door_wrap_begin(c);
        door_tls_begin(c);
        if (!c->is_over)
            door_wrap_take(c, data, size);
        return;
    case FIRST_PROXY:
        take_proxy_header(c, data, size);
        return;
    case FIRST_UNKNOWN:
        break;
    }
    door_conn_end(c, "handshake_failed", "unknown_protocol");
}

/* ---- Reading ----------------------------------------------------------- */

/* What came before goes in front of what comes now, so that the whole is one
 * piece, as if it had come at once. */
static size_t take_back(struct door_conn *c)
{
    size_t size = c->partial.size;
    if (size > 0)
        memcpy(c->door->in, c->partial.data, size);
    return size;
}

void door_first_read(struct door_conn *c)
{
    uint8_t *in = c->door->in;
    size_t before = take_back(c);
    ssize_t n = recv(c->fd, in + before, DOOR_READ - before, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        door_conn_end(c, NULL, NULL);
        return;
    }
    door_partial_free(c);
    take_first(c, in, before + (size_t)n);
}
