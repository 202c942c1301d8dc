#include "edge/shell/edge_private.h"

#include "common/io/log.h"
#include "edge/shell/quic.h"

enum {
    FILES_LEAST = 64, /* With fewer there is no path over UDP. */
    /* Rounds of many sockets [P-11.7] take 256 at a time. */
    FILES_FOR_MANY = 1000,
    MANY_FILES = 256,
    /* Sockets of links count as those of links over TCP, which have more. */
    OWN_FILES = 3, /* socket 0 of both families, and the timer of all links */
    /* Bytes that one link may hold: what is under way to a peer, limits.window.
     * All links share limits.memory, and few are full at the same time. */
    HOLD_LEAST = 512 * 1024,
    HOLD_SHARES = 16,
};

bool edge_has_udp(const struct edge *e)
{
    return edge_conf_has_udp(e->conf) && quic_is_available() &&
           open_files_limit() >= FILES_LEAST;
}

bool edge_is_udp_easy(const struct edge *e)
{
    return edge_conf_is_udp_easy(e->conf) ||
           open_files_limit() < FILES_FOR_MANY;
}

size_t edge_udp_files(const struct edge *e)
{
    if (!edge_has_udp(e))
        return 0;
    return OWN_FILES + (edge_is_udp_easy(e) ? 0 : MANY_FILES);
}

static size_t hold_of(const struct edge *e)
{
    size_t share = e->conf->limits.memory / HOLD_SHARES;
    size_t window = e->conf->limits.window;
    size_t hold = window < share ? window : share;

    return hold < HOLD_LEAST ? HOLD_LEAST : hold;
}

static void on_moved(void *context)
{
    edge_udp_port_moved(context);
}

bool edge_open_udp(struct edge *e)
{
    if (!edge_has_udp(e)) {
        log_debug("udp_off", "wanted=%d quic=%d files=%zu",
                  edge_conf_has_udp(e->conf), quic_is_available(),
                  open_files_limit());
        return true;
    }
    e->udp = udp_path_open(&(struct udp_path_conf){.links = &e->links,
                                                   .port = e->conf->listen.udp,
                                                   .hold = hold_of(e),
                                                   .moved = on_moved,
                                                   .context = e});
    return e->udp != NULL;
}
