#include "edge/shell/netcheck.h"

#include "common/base/memory.h"
#include "common/conf/edge_conf.h"
#include "edge/shell/edge_relay.h"
#include "edge/shell/interfaces.h"
#include "edge/shell/stun_servers.h"

#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

enum {
    STUN_NAMES = 16, /* of discovery.stun */
    NAMES_MS = 2000,
    HOSTS = 64,
};

struct stun_name {
    struct netcheck *netcheck;
    struct host_lookup *lookup;
    struct address addresses[HOST_LOOKUP_ADDRESSES];
    size_t count;
};

struct netcheck {
    uv_loop_t *loop;
    uv_timer_t names_end;
    uint16_t relay_ports[NODE_RELAYS];
    struct relay_probe *probes[NODE_RELAYS];
    struct host_lookup *wpad;
    bool wpad_done;
    struct stun_name names[STUN_NAMES];
    size_t name_count;
    struct address hosts[HOSTS];
    size_t host_count;
    size_t unresolved; /* names of both kinds */
    size_t unfinished; /* probes of relays */
    bool opened, stun_done, told;
    struct stun_probe *stun;
    struct netcheck_report report;
    netcheck_done *done;
    void *context;
};

/* ---- The end of each part */

static void end_if_all(struct netcheck *n)
{
    if (!n->opened || n->told || n->unfinished > 0 || !n->stun_done ||
        !n->wpad_done)
        return;
    n->told = true;
    n->done(n->context, &n->report);
}

static void on_stun(void *context, const struct stun_probe_result *r)
{
    struct netcheck *n = context;

    n->report.stun = *r;
    n->stun_done = true;
    end_if_all(n);
}

/* Of the addresses of a name, the first of each family, at the port. */
static size_t add_server(struct address list[OUTSIDE_SERVERS], size_t count,
                         const struct address *addresses, size_t address_count,
                         uint16_t port)
{
    bool has_v4 = false, has_v6 = false;

    for (size_t i = 0; i < address_count && count < OUTSIDE_SERVERS; i++) {
        bool *has = addresses[i].family == ADDRESS_V4 ? &has_v4 : &has_v6;
        if (*has)
            continue;
        *has = true;
        list[count] = addresses[i];
        list[count++].port = port;
    }
    return count;
}

static size_t list_servers(const struct netcheck *n,
                           struct address list[OUTSIDE_SERVERS])
{
    size_t count = 0;

    /* Each host once before the other ports of any. */
    for (int turn = 0; turn < FACT_PORTS; turn++) {
        for (size_t i = 0; i < n->report.relay_count; i++) {
            const struct relay_probe_result *r = &n->report.relays[i];
            uint16_t ports[FACT_PORTS];
            if (turn < netcheck_stun_ports(n->relay_ports[i], ports))
                count = add_server(list, count, r->addresses, r->count,
                                   ports[turn]);
        }
        for (size_t i = 0; i < n->name_count && turn == 0; i++)
            count =
                add_server(list, count, n->names[i].addresses,
                           n->names[i].count, n->names[i].addresses[0].port);
    }
    return count;
}

static void stun_if_resolved(struct netcheck *n)
{
    struct address servers[OUTSIDE_SERVERS];

    if (!n->opened || n->unresolved > 0 || n->stun != NULL)
        return;
    size_t count = list_servers(n, servers);
    n->stun = stun_probe_open(n->loop, servers, count, n->hosts, n->host_count,
                              on_stun, n);
}

static void on_relay(void *context, enum relay_probe_step step)
{
    struct netcheck *n = context;

    if (step == RELAY_PROBE_RESOLVED)
        n->unresolved--;
    else
        n->unfinished--;
    stun_if_resolved(n);
    end_if_all(n);
}

static void on_name(void *context, const struct address *list, size_t count,
                    const char *error)
{
    struct stun_name *name = context;

    (void)error;
    if (count > 0)
        memcpy(name->addresses, list, count * sizeof *list);
    name->count = count;
    name->netcheck->unresolved--;
    stun_if_resolved(name->netcheck);
}

/* Without a domain to search in, the name is nobody's, and asking for it may
 * take long. */
static bool has_search_domain(void)
{
    struct __res_state state = {0};

    if (res_ninit(&state) != 0)
        return false;
    bool has = state.dnsrch[0] != NULL && state.dnsrch[0][0] != '\0';
    res_nclose(&state);
    return has;
}

/* The resolver appends the search domains. A browser would fetch the file from
 * that host; here it is enough to know that there is one. */
static void on_wpad(void *context, const struct address *list, size_t count,
                    const char *error)
{
    struct netcheck *n = context;

    (void)list;
    (void)error;
    n->report.wpad = count > 0;
    n->wpad_done = true;
    end_if_all(n);
}

static void on_names_end(uv_timer_t *timer)
{
    struct netcheck *n = timer->data;

    if (!n->wpad_done) {
        host_lookup_cancel(&n->wpad);
        on_wpad(n, NULL, 0, "");
    }
    for (size_t i = 0; i < n->name_count; i++)
        if (n->names[i].lookup != NULL) {
            host_lookup_cancel(&n->names[i].lookup);
            on_name(&n->names[i], NULL, 0, "");
        }
}

/* ---- The begin */

int netcheck_stun_ports(uint16_t relay_port, uint16_t ports[static FACT_PORTS])
{
    int count = 0;

    ports[count++] = STUN_HTTPS_PORT;
    ports[count++] = STUN_PORT;
    if (relay_port != STUN_HTTPS_PORT && relay_port != STUN_PORT)
        ports[count++] = relay_port;
    return count;
}

static void list_hosts(struct netcheck *n, const struct interfaces *all)
{
    for (size_t i = 0; all != NULL && i < all->count; i++)
        for (size_t k = 0; k < all->list[i].count; k++)
            if (n->host_count < HOSTS)
                n->hosts[n->host_count++] = all->list[i].addresses[k];
}

static void open_relay(struct netcheck *n, const struct edge *e,
                       const struct edge_relay *to, size_t index)
{
    struct node_relay relay;

    node_relay_get(edge_node(e), index, &relay);
    n->relay_ports[index] = edge_relay_port(to, FORM_TCP);
    n->unresolved++;
    n->unfinished++;
    n->probes[index] =
        relay_probe_open(n->loop, relay_pipe_open, to, relay.forms,
                         &n->report.relays[index], on_relay, n);
}

static void open_name(struct netcheck *n, const char *text)
{
    struct stun_name *name = &n->names[n->name_count];
    struct endpoint endpoint;

    if (n->name_count == STUN_NAMES ||
        endpoint_parse(text, ENDPOINT_CONNECT, &endpoint) != NULL)
        return;
    n->name_count++;
    n->unresolved++;
    name->netcheck = n;
    host_lookup_start(&name->lookup, n->loop, endpoint.host, endpoint.port,
                      on_name, name);
}

struct netcheck *netcheck_open(const struct edge *e, netcheck_done *done,
                               void *context)
{
    struct netcheck *n = memory_new(sizeof *n);
    struct edge_netinfo info;

    edge_netinfo(e, &info);
    n->loop = edge_loop(e);
    n->done = done;
    n->context = context;
    uv_timer_init(n->loop, &n->names_end);
    n->names_end.data = n;
    uv_timer_start(&n->names_end, on_names_end, NAMES_MS, 0);
    list_hosts(n, info.interfaces);
    n->report.relay_count = info.relay_count;
    for (size_t i = 0; i < info.relay_count; i++)
        open_relay(n, e, &info.relays[i], i);
    for (size_t i = 0; i < info.conf->discovery.stun.count; i++)
        open_name(n, info.conf->discovery.stun.items[i]);
    n->wpad_done = info.relay_count == 0 || !has_search_domain();
    if (!n->wpad_done)
        host_lookup_start(&n->wpad, n->loop, "wpad", 0, on_wpad, n);
    n->opened = true;
    stun_if_resolved(n);
    return n;
}

static void on_closed(uv_handle_t *timer)
{
    free(timer->data);
}

void netcheck_close(struct netcheck **self)
{
    struct netcheck *n = *self;

    if (n == NULL)
        return;
    *self = NULL;
    n->told = true;
    for (size_t i = 0; i < n->report.relay_count; i++)
        relay_probe_close(&n->probes[i]);
    for (size_t i = 0; i < n->name_count; i++)
        host_lookup_cancel(&n->names[i].lookup);
    host_lookup_cancel(&n->wpad);
    stun_probe_close(&n->stun);
    uv_close((uv_handle_t *)&n->names_end, on_closed);
}
