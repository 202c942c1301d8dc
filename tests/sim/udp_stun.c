#include "tests/sim/udp_stun.h"

#include "common/wire/stun.h"
#include "tests/sim/udp_hosts_private.h"

enum { SERVER_FIRST = HOSTS, SERVERS = 2, SERVERS_V6 = 2 };

static const char *const server_ips[SERVERS + SERVERS_V6] = {
    "192.0.2.1", "192.0.2.2", "2001:db8:ffff::1", "2001:db8:ffff::2"};
static const uint16_t ports[] = {443, 3478};

static void open_ports(struct world *w, int host)
{
    const struct udp_link link = {.delay = span_ms(5), .jitter = span_ms(1)};

    udp_set_links(w, udp_plug_of_host(w, host, UDP_INTERNET), &link);
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        bool is_open = udp_open(w, host, ports[i]) == ports[i];

        ASSERT(is_open);
    }
}

static void add_servers(struct world *w, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        udp_plug(w, SERVER_FIRST + i, UDP_INTERNET, server_ips[i]);
        open_ports(w, SERVER_FIRST + i);
    }
}

void udp_stun_begin_v6(struct world *w)
{
    add_servers(w, SERVERS, SERVERS_V6);
}

void udp_stun_begin(struct world *w)
{
    char ip[ADDRESS_TEXT_SIZE];

    add_servers(w, 0, SERVERS);
    for (int i = 0; i < w->host_count; i++)
        if (w->hosts[i].is_relay) {
            udp_plug(w, i, UDP_INTERNET,
                     address_format_ip(&w->hosts[i].interfaces[0].address, ip));
            open_ports(w, i);
        }
}

size_t udp_stun_list(const struct world *w, int host,
                     struct address list[STUN_ADDRESSES])
{
    const struct host *h = &w->hosts[host];
    size_t count = 0;

    for (size_t i = 0; i < h->relay_count; i++)
        for (size_t k = 0; k < sizeof(ports) / sizeof(ports[0]); k++) {
            list[count] = w->hosts[h->relays[i]].interfaces[0].address;
            list[count++].port = ports[k];
        }
    for (int i = 0; i < SERVERS + (w->udp_hosts->v6 ? SERVERS_V6 : 0); i++) {
        list[count] = udp_address(server_ips[i]);
        list[count++].port = 3478;
    }
    ASSERT(count <= STUN_ADDRESSES);
    return count;
}

static bool answers(const struct world *w, int host)
{
    return host >= SERVER_FIRST || host_runs(w, host);
}

bool udp_stun_take(struct world *w, const struct udp_delivery *d)
{
    uint8_t room[STUN_RESPONSE_SIZE];
    struct stun_id id;

    if (d->host < SERVER_FIRST && !w->hosts[d->host].is_relay)
        return false;
    if (answers(w, d->host) && stun_read_request(d->bytes, &id))
        udp_send(w, d->host, d->to.port, &d->from,
                 stun_write_response(&id, &d->from, room), 0);
    return true;
}
