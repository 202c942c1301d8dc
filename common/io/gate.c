#include "common/io/gate.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/heap.h"
#include "common/base/memory.h"
#include "common/io/sockaddr.h"
#include "common/io/syn_filter.h"

enum {
    /* No process has a higher descriptor. */
    FD_MAX = 1 << 24,
    /* Listeners beyond this number get no filter. */
    LISTENERS = 32,
    /* The least time between two changes of the filter. */
    FILTER_MS = 10,
    /* For how long the kernel rejects connections when descriptors run out, */
    STARVED_MS = 1000,
    /* and how often one is then cut to get a free descriptor. */
    MAKE_ROOM_MS = 20,
    /* libzmq keeps some 40 KiB for each closed connection; after this many, the
     * freed memory is returned to the system. */
    CLOSED_MANY = 256,
};

struct socket_entry {
    int fd;
    uint64_t conn;          /* the holder; 0: none yet */
    struct address address; /* the other end of the socket */
    struct address client;  /* the same, or whom a load balancer named */
    struct source *source;  /* of the client; NULL: not named yet */
    struct timer timer;     /* set: when the connection will be cut */
    const char *reason;     /* the reason for that; "": the owner dropped it */
    struct gate *gate;
    struct unread_conn unread;
    bool is_cut;
    bool stranger; /* is in the list of strangers, */
    struct socket_entry *older;
    struct socket_entry *newer;
};

struct gate {
    struct gate_conf conf;
    gate_cut_fn *cut;
    void *context;
    struct socket_entry **by_fd;
    size_t capacity; /* allocated places in by_fd */
    size_t count;
    struct socket_entry *oldest; /* of the strangers */
    struct socket_entry *newest;
    size_t strangers;
    struct sources sources;
    struct heap timers;
    struct unread *unread;
    int listeners[LISTENERS];
    size_t listener_count;
    size_t closed;       /* connections since memory was last returned */
    struct timer filter; /* has no owner; set: the filter must change then */
    struct instant filter_at;
    struct instant make_room_at;
};

static struct sources_conf sources_conf_of(const struct gate_conf *conf)
{
    return (struct sources_conf){.handshakes = conf->handshakes,
                                 .burst = 2 * conf->per_address};
}

struct gate *gate_new(const struct gate_conf *conf, struct unread *unread,
                      gate_cut_fn *cut, void *context)
{
    struct gate *g = memory_new(sizeof *g);
    struct sources_conf sources = sources_conf_of(conf);
    *g = (struct gate){
        .conf = *conf, .cut = cut, .context = context, .unread = unread};
    g->filter_at = g->make_room_at = (struct instant){INT64_MIN};
    sources_init(&g->sources, &sources);
    return g;
}

static struct socket_entry *entry_of(const struct gate *g, int fd)
{
    return fd >= 0 && (size_t)fd < g->capacity ? g->by_fd[fd] : NULL;
}

/* ---- Connections without a packet --------------------------------------- */

static void strangers_add(struct gate *g, struct socket_entry *e)
{
    if (e->stranger)
        return;
    e->stranger = true;
    e->newer = NULL;
    e->older = g->newest;
    *(g->newest ? &g->newest->newer : &g->oldest) = e;
    g->newest = e;
    g->strangers++;
}

static void strangers_remove(struct gate *g, struct socket_entry *e)
{
    if (!e->stranger)
        return;
    e->stranger = false;
    *(e->older ? &e->older->newer : &g->oldest) = e->newer;
    *(e->newer ? &e->newer->older : &g->newest) = e->older;
    g->strangers--;
}

static struct socket_entry *oldest_from(const struct gate *g,
                                        const struct source *source)
{
    struct socket_entry *e = g->oldest;
    while (e && e->source != source)
        e = e->newer;
    return e;
}

/* ---- Connections -------------------------------------------------------- */

static void forget(struct gate *g, struct socket_entry *e)
{
    strangers_remove(g, e);
    if (e->source)
        sources_leave(&g->sources, e->source);
    heap_remove(&g->timers, &e->timer);
    if (g->unread)
        unread_remove(g->unread, &e->unread);
    g->by_fd[e->fd] = NULL;
    g->count--;
    free(e);
}

void gate_free(struct gate *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->capacity; i++) {
        if (g->by_fd[i])
            forget(g, g->by_fd[i]);
    }
    sources_close(&g->sources);
    heap_close(&g->timers);
    free(g->by_fd);
    free(g);
}

void gate_reconfigure(struct gate *g, const struct gate_conf *conf)
{
    g->conf = *conf;
    g->sources.conf = sources_conf_of(conf);
}

static void make_room(struct gate *g, size_t fd)
{
    size_t capacity = g->capacity ? g->capacity : 64;
    while (capacity <= fd)
        capacity *= 2;
    if (capacity == g->capacity)
        return;
    g->by_fd = memory_resize(g->by_fd, capacity, sizeof(struct socket_entry *));
    memset(g->by_fd + g->capacity, 0,
           (capacity - g->capacity) * sizeof(struct socket_entry *));
    g->capacity = capacity;
}

/* Another thread, libzmq's, owns the descriptor: it may have been closed and
 * reused for another connection. The address shows whether it is the same one.
 */
static void shut(const struct socket_entry *e)
{
    struct address there = address_of_peer(e->fd);
    if (there.family != ADDRESS_NONE && address_equal(&there, &e->address))
        shutdown(e->fd, SHUT_RDWR);
}

static void cut(struct gate *g, struct socket_entry *e, const char *reason)
{
    if (e->is_cut)
        return;
    e->is_cut = true;
    strangers_remove(g, e);
    heap_remove(&g->timers, &e->timer);
    if (*reason)
        g->cut(g->context, &e->client, reason);
    shut(e);
}

static void cut_unread(void *owner, const char *reason)
{
    struct socket_entry *e = owner;
    cut(e->gate, e, reason);
}

/* After each new connection: at a limit the oldest stranger is cut, which may
 * be the new one. */
static void keep_address(struct gate *g, const struct source *source)
{
    if (source->count <= g->conf.per_address)
        return;
    struct socket_entry *victim = oldest_from(g, source);
    if (victim)
        cut(g, victim, "full_address");
}

static void keep_total(struct gate *g)
{
    bool full = g->count > g->conf.sockets ||
                (g->conf.strangers > 0 && g->strangers > g->conf.strangers);
    if (full && g->oldest)
        cut(g, g->oldest, "full");
}

/* ---- The kernel's filter ------------------------------------------------ */

/* False if libzmq has closed the listener, even if another socket has its
 * number now. */
static bool is_listener(int fd)
{
    int listens = 0;
    int protocol = 0;
    socklen_t size = sizeof listens;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           listens && protocol == IPPROTO_TCP;
}

static void change_filter(struct gate *g, struct instant now)
{
    struct bars bars;
    g->filter_at = now;
    g->sources.changed = false;
    sources_bars(&g->sources, &bars);
    bool wanted = bars.everyone || bars.strangers || bars.barred_count > 0;
    for (size_t i = g->listener_count; i-- > 0;) {
        if (!is_listener(g->listeners[i])) {
            g->listeners[i] = g->listeners[--g->listener_count];
            continue;
        }
        /* If the kernel takes no filter, connections beyond the rate are only
         * cut. */
        if (!wanted || !syn_filter_set(g->listeners[i], &bars))
            syn_filter_clear(g->listeners[i]);
    }
}

static void settle_filter(struct gate *g, struct instant now)
{
    struct instant at = instant_after(g->filter_at, span_ms(FILTER_MS));
    if (!g->sources.changed)
        return;
    if (instant_reached(at, now))
        change_filter(g, now);
    else
        heap_set(&g->timers, &g->filter, at);
}

void gate_listening(struct gate *g, int fd)
{
    if (g->listener_count < LISTENERS)
        g->listeners[g->listener_count++] = fd;
}

/* ---- Events ------------------------------------------------------------- */

static struct socket_entry *entry_new(struct gate *g, int fd,
                                      const struct address *address,
                                      struct instant now)
{
    struct socket_entry *e = memory_new(sizeof *e);
    e->fd = fd;
    e->address = e->client = *address;
    e->timer.owner = e;
    e->gate = g;
    e->reason = "no_hello";
    e->unread = (struct unread_conn){.cut = cut_unread, .owner = e};
    if (g->unread)
        unread_add(g->unread, &e->unread, fd, g->conf.unread_stranger, now);
    g->by_fd[fd] = e;
    g->count++;
    strangers_add(g, e);
    heap_set(&g->timers, &e->timer, instant_after(now, g->conf.hello));
    return e;
}

static void set_options(const struct gate *g, int fd)
{
    const char *congestion = g->conf.congestion;
    if (congestion)
        setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
                   (socklen_t)strlen(congestion));
    /* Packets for a slow receiver should wait in this process, where the
     * senders take turns, and not in the kernel. Bytes in flight are not
     * limited by this. */
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &g->conf.unsent,
               sizeof g->conf.unsent);
    syn_filter_clear(fd);
}

/* NULL: the connection is gone, or known. */
static struct socket_entry *add(struct gate *g, int fd, struct instant now)
{
    if (fd < 0 || fd >= FD_MAX)
        return NULL;
    make_room(g, (size_t)fd);
    struct address address = address_of_peer(fd);
    if (address.family == ADDRESS_NONE)
        return NULL; /* the connection is gone already */
    if (g->by_fd[fd]) {
        /* gate_hold has added it: the monitor's events come from another thread
         * than the packets, and may be later. */
        if (address_equal(&g->by_fd[fd]->address, &address))
            return NULL;
        forget(g, g->by_fd[fd]);
    }
    return entry_new(g, fd, &address, now);
}

/* Counts the connection for its client's address. */
static void admit(struct gate *g, struct socket_entry *e, struct instant now)
{
    e->source = sources_enter(&g->sources, &e->client, now);
    if (!sources_begin_handshake(&g->sources, e->source, now)) {
        cut(g, e, "rate");
        return;
    }
    set_options(g, e->fd);
    keep_address(g, e->source);
    keep_total(g);
}

void gate_accepted(struct gate *g, int fd, struct instant now)
{
    struct socket_entry *e = add(g, fd, now);
    if (!e)
        return;
    admit(g, e, now);
    settle_filter(g, now);
}

void gate_accepted_proxy(struct gate *g, int fd, struct instant now)
{
    struct socket_entry *e = add(g, fd, now);
    if (!e)
        return;
    /* Members come by it: bars on strangers spare its address. */
    struct source *by = sources_enter(&g->sources, &e->address, now);
    sources_prove(&g->sources, by);
    sources_leave(&g->sources, by);
    set_options(g, fd);
    keep_total(g);
    settle_filter(g, now);
}

void gate_client(struct gate *g, int fd, const struct address *client,
                 struct instant now)
{
    struct socket_entry *e = entry_of(g, fd);
    if (!e || e->is_cut || e->source)
        return;
    e->client = *client;
    admit(g, e, now);
    settle_filter(g, now);
}

void gate_accept_failed(struct gate *g, int error, struct instant now)
{
    if (error != EMFILE && error != ENFILE && error != ENOBUFS &&
        error != ENOMEM)
        return;
    if (!instant_reached(g->make_room_at, now))
        return;
    g->make_room_at = instant_after(now, span_ms(MAKE_ROOM_MS));
    if (g->oldest)
        cut(g, g->oldest, "no_descriptors");
    sources_bar_everyone(&g->sources, instant_after(now, span_ms(STARVED_MS)));
    settle_filter(g, now);
}

bool gate_hold(struct gate *g, int fd, uint64_t conn, struct instant now,
               struct address *address, uint64_t *before)
{
    if (!entry_of(g, fd))
        gate_accepted(g, fd, now);
    struct socket_entry *e = entry_of(g, fd);
    if (!e)
        return false;
    *before = e->conn;
    *address = e->client;
    e->conn = conn;
    strangers_remove(g, e);
    heap_remove(&g->timers, &e->timer);
    return true;
}

void gate_allow(struct gate *g, int fd, struct instant until)
{
    struct socket_entry *e = entry_of(g, fd);
    if (e && e->conn == 0 && !e->is_cut)
        heap_set(&g->timers, &e->timer, until);
}

void gate_prove(struct gate *g, int fd, uint64_t conn)
{
    struct socket_entry *e = entry_of(g, fd);
    if (!e || e->conn != conn)
        return;
    e->unread.limit = g->conf.unread;
    if (e->source)
        sources_prove(&g->sources, e->source);
}

void gate_drop(struct gate *g, int fd, uint64_t conn, struct instant now)
{
    struct socket_entry *e = entry_of(g, fd);
    if (!e || e->conn != conn || e->is_cut)
        return;
    e->reason = "";
    strangers_add(g, e);
    heap_set(&g->timers, &e->timer, instant_after(now, g->conf.drop));
}

uint64_t gate_closed(struct gate *g, int fd, struct address *address)
{
    struct socket_entry *e = entry_of(g, fd);
    *address = (struct address){0};
    if (!e)
        return 0;
    uint64_t conn = e->conn;
    *address = e->client;
    g->closed++;
    forget(g, e);
    return conn;
}

bool gate_is_cut(const struct gate *g, int fd)
{
    const struct socket_entry *e = entry_of(g, fd);
    return !e || e->is_cut;
}

void gate_read(struct gate *g, int fd, size_t size)
{
    struct socket_entry *e = entry_of(g, fd);
    if (e)
        unread_took(&e->unread, size);
}

struct instant gate_deadline(const struct gate *g)
{
    if (g->closed >= CLOSED_MANY)
        return (struct instant){0};
    return instant_min(heap_deadline(&g->timers),
                       sources_deadline(&g->sources));
}

void gate_due(struct gate *g, struct instant now)
{
    for (struct timer *t; (t = heap_due(&g->timers, now));) {
        struct socket_entry *e = t->owner;
        if (e)
            cut(g, e, e->reason);
    }
    if (g->closed >= CLOSED_MANY) {
        g->closed = 0;
        if (g->unread)
            unread_freed(g->unread, now);
    }
    sources_due(&g->sources, now);
    settle_filter(g, now);
}

size_t gate_count(const struct gate *g)
{
    return g->count;
}
