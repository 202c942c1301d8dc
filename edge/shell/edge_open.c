#include "edge/shell/edge_private.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLOCK_MS = 1000,
    /* Incoming links that are accepted beyond twice `limits.links`. */
    LINKS_SPARE = 64,
    STRANGERS = 256,
    HELLO_S = 5, /* [P-5.3] */
    /* Attempts to find a port number that is free for TCP and for UDP. */
    PORT_TRIES = 8,
};

static bool failed(char error[EDGE_ERROR_SIZE], const char *text, ...)
    __attribute__((format(printf, 2, 3)));

static bool failed(char error[EDGE_ERROR_SIZE], const char *text, ...)
{
    va_list arguments;

    va_start(arguments, text);
    vsnprintf(error, EDGE_ERROR_SIZE, text, arguments);
    va_end(arguments);
    return false;
}

static void divide_files(struct edge *e)
{
    size_t links = e->conf->limits.links;
    struct open_files_share wanted = {.links = links,
                                      .sockets =
                                          2 * links + LINKS_SPARE + STRANGERS,
                                      .strangers = STRANGERS,
                                      .clients = e->options.clients,
                                      .pages = e->options.pages};
    size_t files = open_files_limit();

    size_t taken = open_files_count() + edge_udp_files(e);
    bool all = open_files_divide(files, taken, edge_relay_links(e), &wanted,
                                 &e->share);

    /* A program with the library usually may open 1024 files, which is enough
     * for it: no warning. */
    if (!all)
        log_write(
            e->options.clients > 0 ? LOG_WARN : LOG_INFO, "few_open_files",
            "files=%zu links=%zu connections=%zu clients=%zu pages=%zu", files,
            e->share.links, e->share.sockets, e->share.clients, e->share.pages);
}

/* ---- The node */

/* `more`: it is more than a URL, and replaces what was known of the relay. */
static void add_relay(struct edge *e, const struct edge_relay *r, bool more)
{
    for (size_t i = 0; i < e->relay_count; i++)
        if (relay_url_equal(&e->relays[i].url, &r->url)) {
            if (more) {
                e->relays[i] = *r;
                e->relays[i].proxy = e->proxy;
            }
            return;
        }
    if (e->relay_count == NODE_RELAYS) {
        log_warn("relay_left_out", "limit=%d", NODE_RELAYS);
        return;
    }
    relay_url_print(&r->url, e->relay_texts[e->relay_count]);
    e->relays[e->relay_count] = *r;
    e->relays[e->relay_count++].proxy = e->proxy;
}

/* The relays of the identity, then those of the configuration file. */
static bool add_relays(struct edge *e, char error[EDGE_ERROR_SIZE])
{
    const struct edge_identity *identity = e->options.identity;
    bool verify = e->conf->tls.verify;
    struct edge_relay relay;

    for (size_t i = 0; i < identity->relay_count; i++) {
        edge_relay_init(&relay, &identity->relays[i], verify);
        add_relay(e, &relay, false);
    }
    for (size_t i = 0; i < e->conf->relays.count; i++) {
        const struct relay_entry *entry = edge_conf_relay(e->conf, i);
        const char *wrong = edge_relay_of_entry(entry, verify, &relay);
        if (wrong != NULL)
            return failed(error, "the relay %s %s", entry->url, wrong);
        add_relay(e, &relay, !relay_entry_is_plain(entry));
    }
    return true;
}

/* The file's was checked; the environment's is of nobody's making here. */
static void tell_wrong_proxy(const struct edge *e)
{
    struct proxy_setting proxy;

    if (e->relay_count == 0)
        return;
    edge_relay_proxy(&e->relays[0], FORM_WSS, &proxy);
    if (proxy.wrong != NULL)
        log_warn("proxy_ignored", "variable=%s why=\"%s\"", proxy.variable,
                 proxy.wrong);
    sodium_memzero(&proxy, sizeof proxy);
}

static struct node_conf node_conf_of(const struct edge *e)
{
    const struct edge_identity *identity = e->options.identity;
    const struct edge_conf *conf = e->conf;
    struct node_conf n = {
        .certificate =
            bytes_of(identity->certificate, identity->certificate_size),
        .mesh_secret = identity->mesh_secret,
        .revocations = e->options.revocations,
        .epoch = {clock_unix_us()},
        .info = bytes_of_string(conf->node.info),
        .groups = (const char *const *)conf->node.groups.items,
        .group_count = conf->node.groups.count,
        .multicast = conf->discovery.multicast,
        .tcp = conf->paths.tcp,
        .udp = edge_has_udp(e),
        .udp_easy_only = edge_is_udp_easy(e),
        .share_addresses = conf->discovery.share_addresses,
        .relay = conf->paths.relay,
        .aes = crypto_aead_aes256gcm_is_available() != 0,
        .relay_count = e->relay_count,
        .beacon_interval = conf->discovery.interval,
        .probe = conf->presence.probe,
        .lost_after = conf->presence.lost_after,
        .limits = {.message = conf->limits.message,
                   .window = conf->limits.window,
                   .stored = conf->limits.window * (1 + e->options.windows),
                   .peers = conf->limits.peers,
                   .links = e->share.links},
    };

    memcpy(n.secret_key, identity->secret_key, sizeof n.secret_key);
    randombytes_buf(n.seed, sizeof n.seed);
    for (size_t i = 0; i < e->relay_count; i++) {
        n.relay_keys[i] = e->relays[i].url.key;
        n.relay_forms[i] = edge_relay_forms(&e->relays[i]);
    }
    return n;
}

static bool open_node(struct edge *e, char error[EDGE_ERROR_SIZE])
{
    e->proxy = memory_string(e->conf->proxy);
    if (!add_relays(e, error))
        return false;
    divide_files(e);
    /* OpenSSL would read its configuration file when the core first uses it;
     * but the core does no I/O. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    tell_wrong_proxy(e);
    struct node_conf conf = node_conf_of(e);
    e->node = node_new(&conf, clock_now());
    sodium_memzero(&conf, sizeof conf);
    if (e->node == NULL)
        return failed(error, "the identity does not fit together");
    return true;
}

/* ---- Sockets */

/* The number of names in listen.interfaces; 0: all interfaces. */
static size_t interface_names(const struct edge_conf *conf)
{
    const struct conf_list *names = &conf->listen.interfaces;

    if (names->count == 1 && strcmp(names->items[0], "all") == 0)
        return 0;
    return names->count;
}

static void listen_again(struct edge *e)
{
    if (!incoming_listen(e->incoming, discovery_own_port(e->discovery),
                         network_now(e->network)) &&
        event_queue_may_log(&e->events, LOG_BY_MEMBERS, "not_listening",
                            zmq_strerror(errno)))
        log_warn("not_listening", "port=%u error=\"%s\"",
                 discovery_own_port(e->discovery), zmq_strerror(errno));
}

static void on_network(void *context, const struct interfaces *all)
{
    struct edge *e = context;

    log_info("network_changed", "interfaces=%zu", all->count);
    discovery_interfaces(e->discovery, all);
    if (e->incoming != NULL && interface_names(e->conf) > 0)
        listen_again(e);
    edge_tell_routes(e);
    edge_tell_addresses(e);
    stun_servers_again(e->stun_servers);
    if (e->port_mapping != NULL)
        port_mapping_again(e->port_mapping);
}

void edge_tell_addresses(struct edge *e)
{
    struct address *list = arena_take(event_queue_arena(&e->events),
                                      NODE_ADDRESSES * sizeof(struct address));
    size_t count = interfaces_candidates(
        network_now(e->network), discovery_own_port(e->discovery), list,
        NODE_ADDRESSES, &e->addresses_left_out);

    event_queue_add(
        &e->events,
        &(struct node_event){.kind = NODE_ADDRESSES_ARE,
                             .addresses = {.list = list, .count = count}});
}

/* The interfaces to listen on; NULL: all. */
static const struct interfaces *listen_where(const struct edge *e)
{
    return interface_names(e->conf) > 0 ? network_now(e->network) : NULL;
}

static bool open_incoming(struct edge *e)
{
    struct incoming_conf conf = {
        .zmq_context = e->zmq_context,
        .keys = node_link_keys(e->node),
        .links = &e->links,
        /* Beyond its own limit the node evicts the least used link. */
        .limit = 2 * e->share.links + LINKS_SPARE,
        .sockets = e->share.sockets,
        .strangers = e->share.strangers,
        .hello = span_s(HELLO_S),
        .limits = &e->receive_limits,
    };

    e->incoming = incoming_open(&conf);
    return e->incoming != NULL &&
           incoming_listen(e->incoming, e->conf->listen.port, listen_where(e));
}

/* Opens TCP and UDP on the same port number. */
static bool open_ports(struct edge *e, struct discovery_conf *conf)
{
    int error;

    if (e->conf->paths.tcp && !open_incoming(e))
        goto fail;
    conf->own_port =
        e->incoming != NULL ? incoming_port(e->incoming) : e->conf->listen.port;
    e->discovery = discovery_open(e->loop, &e->events, conf);
    if (e->discovery == NULL)
        goto fail;
    if (e->incoming != NULL && incoming_port(e->incoming) == 0)
        listen_again(e); /* No interface was up; UDP has chosen the port. */
    return true;

fail:
    error = errno;
    incoming_close(&e->incoming);
    errno = error;
    return false;
}

static bool open_sockets(struct edge *e, char error[EDGE_ERROR_SIZE])
{
    const struct edge_conf *c = e->conf;
    struct discovery_conf conf = {.multicast = c->discovery.multicast};
    bool open = false;

    if (!address_of_ip(c->discovery.group, c->discovery.port, &conf.group) ||
        !address_of_ip(c->discovery.group6, c->discovery.port, &conf.group6))
        return failed(error, "discovery.group is not an address");
    for (int i = 0; i < PORT_TRIES && !open; i++) {
        open = open_ports(e, &conf);
        if (!open && (errno != EADDRINUSE || c->listen.port != 0))
            break;
    }
    if (!open)
        return failed(error, "cannot listen on port %u: %s", c->listen.port,
                      zmq_strerror(errno));
    if (!edge_open_udp(e))
        return failed(error, "cannot open a port for UDP paths: %s",
                      strerror(errno));
    discovery_interfaces(e->discovery, network_now(e->network));
    return true;
}

static int socket_limit(const struct edge_conf *conf)
{
    /* Each link that is dialled has three: a DEALER, and its monitor's two
     * ends. */
    size_t sockets = 64 + 3 * conf->limits.links * 2;

    return sockets > 65535 ? 65535 : (int)sockets;
}

static bool open_zmq(struct edge *e, char error[EDGE_ERROR_SIZE])
{
    e->zmq_context = zcontext_open(socket_limit(e->conf));
    if (e->zmq_context == NULL)
        return failed(error, "cannot start libzmq: %s", zmq_strerror(errno));
    e->zap = zap_open(&e->zloop, e->zmq_context, NULL, NULL);
    if (e->zap == NULL)
        return failed(error, "cannot start ZAP: %s", zmq_strerror(errno));
    if (!link_table_open(&e->links, &e->events))
        return failed(error, "no descriptor is left");
    e->outgoing = outgoing_open(&e->links, e->zmq_context, &e->receive_limits);
    e->relay_links = relay_links_open(&e->links, relay_pipe_open);
    return true;
}

/* ---- Start and stop */

static void on_clock(uv_timer_t *timer)
{
    struct edge *e = timer->data;

    event_queue_add(&e->events,
                    &(struct node_event){.kind = NODE_CLOCK,
                                         .unix_seconds = clock_unix_seconds()});
    log_limit_tell(&e->events.log, clock_now());
    /* A new IPv6 address cannot be bound in its first second, so try again. */
    if (e->incoming != NULL && interface_names(e->conf) > 0)
        listen_again(e);
}

static void on_woke(void *context, struct span slept)
{
    struct edge *e = context;

    log_info("woke", "slept_s=%lld", (long long)(slept.us / 1000000));
    event_queue_add(&e->events, &(struct node_event){.kind = NODE_WOKE});
    if (e->port_mapping != NULL)
        port_mapping_again(e->port_mapping);
}

static void on_turn(void *context)
{
    struct edge *e = context;

    if (!e->stopped)
        edge_turn(e);
}

static void open_loop(struct edge *e)
{
    zloop_open(&e->zloop, e->loop, on_turn, e);
    event_queue_init(&e->events, &e->zloop);
    receive_limits_open(&e->receive_limits, e->loop, e->conf->limits.memory);
    todo_init(&e->todo);
    uv_timer_init(e->loop, &e->deadline);
    uv_timer_init(e->loop, &e->clock);
    e->deadline.data = e;
    e->clock.data = e;
    e->armed = INSTANT_NEVER;
    e->handed_at = INSTANT_NEVER;
}

static void open_stun_servers(struct edge *e, const struct edge_conf *conf)
{
    const struct conf_list *stun = &conf->discovery.stun;

    if (e->udp != NULL)
        e->stun_servers =
            stun_servers_open(e->loop, &e->events, e->relays, e->relay_count,
                              (const char *const *)stun->items, stun->count);
}

void edge_start(struct edge *e)
{
    const struct conf_list *peers = &e->conf->discovery.peers;

    uv_timer_start(&e->clock, on_clock, CLOCK_MS, CLOCK_MS);
    on_clock(&e->clock);
    edge_tell_routes(e);
    edge_tell_addresses(e);
    if (e->udp != NULL)
        udp_path_tell(e->udp);
    edge_tell_missing(e);
    e->resume = resume_open(e->loop, on_woke, e);
    e->static_peers = static_peers_open(
        e->loop, &e->events, (const char *const *)peers->items, peers->count);
    open_stun_servers(e, e->conf);
    edge_map_ports(e);
    e->started = true;
    edge_turn(e); /* The first beacon leaves now. */
}

static void close_all(struct edge *e);

struct edge *edge_open(uv_loop_t *loop, const struct edge_options *options,
                       char error[EDGE_ERROR_SIZE])
{
    struct edge *e = memory_new(sizeof *e);

    e->loop = loop;
    e->options = *options;
    e->conf = options->conf;
    open_loop(e);
    if (!open_zmq(e, error) || !open_node(e, error))
        goto fail;
    e->network = network_open(
        loop, (const char *const *)e->conf->listen.interfaces.items,
        interface_names(e->conf), on_network, e);
    if (!open_sockets(e, error))
        goto fail;
    e->options.identity = NULL;
    edge_routes_open(e);
    if (memory_is_sound())
        return e;
    (void)failed(error, "no memory");

fail:
    e->stopping = true;
    close_all(e);
    uv_run(loop, UV_RUN_NOWAIT);
    edge_free(&e);
    return NULL;
}

static void close_all(struct edge *e)
{
    e->stopped = true;
    if (e->tell_stopped != NULL)
        e->tell_stopped(e->stopped_context);
    stun_servers_close(&e->stun_servers);
    static_peers_close(&e->static_peers);
    file_writer_close(&e->routes_writer);
    port_mapping_close(&e->port_mapping);
    network_close(&e->network);
    resume_close(&e->resume);
    discovery_close(&e->discovery);
    incoming_close(&e->incoming);
    outgoing_close(&e->outgoing);
    relay_links_close(&e->relay_links);
    udp_path_close(&e->udp);
    link_table_close(&e->links);
    zap_close(&e->zap);
    receive_limits_close(&e->receive_limits);
    uv_close((uv_handle_t *)&e->deadline, NULL);
    uv_close((uv_handle_t *)&e->clock, NULL);
    zloop_close(&e->zloop);
}

static void on_left(uv_timer_t *timer)
{
    close_all(timer->data);
}

void edge_left(struct edge *e)
{
    /* Not from within a turn, which uses the sockets. */
    uv_timer_start(&e->clock, on_left, 0, 0);
}

void edge_stop(struct edge *e, void (*stopped)(void *context), void *context)
{
    if (e->stopping)
        return;
    e->stopping = true;
    e->tell_stopped = stopped;
    e->stopped_context = context;
    if (!e->started) { /* Nothing was sent, so no goodbye is needed. */
        close_all(e);
        return;
    }
    port_mapping_close(&e->port_mapping); /* Meanwhile the node leaves. */
    event_queue_add(&e->events, &(struct node_event){.kind = NODE_LEAVE});
    edge_turn(e);
}

void edge_abandon(struct edge *e, void (*stopped)(void *context), void *context)
{
    if (e->stopped)
        return;
    e->stopping = true;
    e->tell_stopped = stopped;
    e->stopped_context = context;
    edge_left(e);
}

void edge_stop_now(struct edge *e)
{
    if (e->stopping && !e->stopped)
        edge_left(e);
}

void edge_free(struct edge **self)
{
    struct edge *e = *self;

    if (e == NULL)
        return;
    *self = NULL;
    zcontext_close(&e->zmq_context);
    node_free(e->node);
    todo_close(&e->todo);
    event_queue_close(&e->events);
    if (e->proxy != NULL)
        sodium_memzero(e->proxy, strlen(e->proxy));
    free(e->proxy);
    sodium_memzero(e, sizeof *e);
    free(e);
}

void edge_reload(struct edge *e, const struct edge_conf *conf)
{
    const struct conf_list *peers = &conf->discovery.peers;

    unread_set_memory(&e->receive_limits.unread, conf->limits.memory);
    stun_servers_close(&e->stun_servers);
    open_stun_servers(e, conf);
    static_peers_close(&e->static_peers);
    e->static_peers = static_peers_open(
        e->loop, &e->events, (const char *const *)peers->items, peers->count);
}
