#include "common/io/gate.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sodium.h>

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/memory.h"
#include "common/io/sockaddr.h"

enum {
    /* Written to a socket and not sent yet, at most. */
    UNSENT_BYTES = 256 * 1024,
    /* From HUB_DROP to the cut: REFUSED is on its way. */
    DROP_MS = 300,
    /* More sockets than this can be in nobody's table of descriptors. */
    FD_MAX = 1 << 24,
    /* Family, address, scope. */
    SOURCE_KEY_SIZE = 1 + 16 + 4,
};

/* How many connections come from one IP address. */
struct source {
    uint8_t key[SOURCE_KEY_SIZE];
    size_t count;
};

struct socket_entry {
    int fd;
    uint64_t conn; /* its holder; 0: none yet */
    struct address address;
    struct source *source;
    struct timer timer; /* armed: when it will be cut */
    const char *reason; /* for which it will; "" if the hub told why */
    struct gate *gate;
    struct unread_conn unread;
};

struct gate {
    struct gate_conf conf;
    gate_cut_fn *cut;
    void *context;
    struct socket_entry **by_fd;
    size_t room; /* of by_fd */
    size_t count;
    struct map sources;
    struct heap timers;
    struct unread *unread;
};

struct gate *gate_new(const struct gate_conf *conf, struct unread *unread,
                      gate_cut_fn *cut, void *context)
{
    struct gate *g = memory_new(sizeof *g);
    uint8_t hash_key[16];
    *g = (struct gate){
        .conf = *conf, .cut = cut, .context = context, .unread = unread};
    randombytes_buf(hash_key, sizeof hash_key);
    map_init(&g->sources, SOURCE_KEY_SIZE, hash_key);
    return g;
}

static struct socket_entry *entry_of(const struct gate *g, int fd)
{
    return fd >= 0 && (size_t)fd < g->room ? g->by_fd[fd] : NULL;
}

static void source_key(const struct address *a, uint8_t key[SOURCE_KEY_SIZE])
{
    key[0] = (uint8_t)a->family;
    memcpy(key + 1, a->ip, sizeof a->ip);
    memcpy(key + 1 + sizeof a->ip, &a->scope, sizeof a->scope);
}

static struct source *source_take(struct gate *g, const struct address *a)
{
    uint8_t key[SOURCE_KEY_SIZE];
    source_key(a, key);
    struct source *s = map_get(&g->sources, key);
    if (!s) {
        s = memory_new(sizeof *s);
        memcpy(s->key, key, sizeof key);
        map_put(&g->sources, key, s);
    }
    s->count++;
    return s;
}

static void forget(struct gate *g, struct socket_entry *e)
{
    if (--e->source->count == 0) {
        map_remove(&g->sources, e->source->key);
        free(e->source);
    }
    heap_remove(&g->timers, &e->timer);
    unread_remove(g->unread, &e->unread);
    g->by_fd[e->fd] = NULL;
    g->count--;
    free(e);
}

void gate_free(struct gate *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->room; i++) {
        if (g->by_fd[i])
            forget(g, g->by_fd[i]);
    }
    map_close(&g->sources);
    heap_close(&g->timers);
    free(g->by_fd);
    free(g);
}

void gate_reconfigure(struct gate *g, const struct gate_conf *conf)
{
    g->conf = *conf;
}

static void make_room(struct gate *g, size_t fd)
{
    size_t room = g->room ? g->room : 64;
    while (room <= fd)
        room *= 2;
    if (room == g->room)
        return;
    g->by_fd = memory_resize(g->by_fd, room, sizeof(struct socket_entry *));
    memset(g->by_fd + g->room, 0,
           (room - g->room) * sizeof(struct socket_entry *));
    g->room = room;
}

/* The descriptor is libzmq's, on another thread: it may be closed meanwhile,
 * and another connection may have it. The address tells. */
static void shut(const struct socket_entry *e)
{
    struct address there = address_of_peer(e->fd);
    if (there.family != ADDRESS_NONE && address_equal(&there, &e->address))
        shutdown(e->fd, SHUT_RDWR);
}

static void cut(struct gate *g, struct socket_entry *e)
{
    if (*e->reason)
        g->cut(g->context, &e->address, e->reason);
    shut(e);
}

static void cut_unread(void *owner, const char *reason)
{
    struct socket_entry *e = owner;
    e->reason = reason;
    heap_remove(&e->gate->timers, &e->timer);
    cut(e->gate, e);
}

static const char *too_many(const struct gate *g, const struct socket_entry *e)
{
    if (g->count > g->conf.sockets)
        return "full";
    if (e->source->count > g->conf.per_address)
        return "full_address";
    return NULL;
}

void gate_accepted(struct gate *g, int fd, struct instant now)
{
    if (fd < 0 || fd >= FD_MAX)
        return;
    make_room(g, (size_t)fd);
    struct address address = address_of_peer(fd);
    if (address.family == ADDRESS_NONE)
        return; /* It is gone already. */
    if (g->by_fd[fd]) {
        /* Known by its first packet: libzmq tells of it from another thread
         * than the one that reads it. */
        if (address_equal(&g->by_fd[fd]->address, &address))
            return;
        forget(g, g->by_fd[fd]);
    }

    struct socket_entry *e = memory_new(sizeof *e);
    e->fd = fd;
    e->address = address;
    e->source = source_take(g, &e->address);
    e->timer.owner = e;
    e->gate = g;
    e->unread = (struct unread_conn){.cut = cut_unread, .owner = e};
    unread_add(g->unread, &e->unread, fd, g->conf.unread_stranger, now);
    g->by_fd[fd] = e;
    g->count++;
    /* Where the kernel has it; where not, nothing is lost. */
    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3);
    /* What waits for a slow edge waits where its senders take turns, and not
     * in the kernel; what is on its way is not limited. */
    int unsent = UNSENT_BYTES;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);

    const char *reason = too_many(g, e);
    e->reason = reason ? reason : "no_hello";
    heap_set(&g->timers, &e->timer,
             reason ? now : instant_after(now, g->conf.hello));
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
    *address = e->address;
    e->conn = conn;
    e->unread.limit = g->conf.unread;
    heap_remove(&g->timers, &e->timer);
    return true;
}

void gate_drop(struct gate *g, int fd, uint64_t conn, struct instant now)
{
    struct socket_entry *e = entry_of(g, fd);
    if (!e || e->conn != conn)
        return;
    e->reason = "";
    heap_set(&g->timers, &e->timer, instant_after(now, span_ms(DROP_MS)));
}

uint64_t gate_closed(struct gate *g, int fd, struct address *address)
{
    struct socket_entry *e = entry_of(g, fd);
    *address = (struct address){0};
    if (!e)
        return 0;
    uint64_t conn = e->conn;
    *address = e->address;
    forget(g, e);
    return conn;
}

void gate_read(struct gate *g, int fd, size_t size)
{
    struct socket_entry *e = entry_of(g, fd);
    if (e)
        unread_took(&e->unread, size);
}

struct instant gate_deadline(const struct gate *g)
{
    return heap_deadline(&g->timers);
}

void gate_due(struct gate *g, struct instant now)
{
    for (struct timer *t; (t = heap_due(&g->timers, now));)
        cut(g, t->owner);
}

size_t gate_count(const struct gate *g)
{
    return g->count;
}
