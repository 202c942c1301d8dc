#include "edge/shell/edge_relay.h"

#include <arpa/inet.h>
#include <string.h>

enum { HTTP_PORT = 80 };

static bool is_address(const char *host)
{
    struct in6_addr ip6;
    struct in_addr ip;

    return inet_pton(AF_INET, host, &ip) == 1 ||
           inet_pton(AF_INET6, host, &ip6) == 1;
}

void edge_relay_init(struct edge_relay *r, const struct relay_url *url,
                     bool verify)
{
    *r = (struct edge_relay){.url = *url, .verify = verify, .proxy = ""};
    strcpy(r->connect_to.host, url->host);
    if (!is_address(url->host))
        strcpy(r->server_name, url->host);
}

const char *edge_relay_of_entry(const struct relay_entry *entry, bool verify,
                                struct edge_relay *r)
{
    struct relay_url url;
    const char *wrong = relay_url_parse(entry->url, &url);

    if (wrong != NULL)
        return wrong;
    if (entry->verify[0] != '\0')
        verify = strcmp(entry->verify, "true") == 0;
    edge_relay_init(r, &url, verify);
    if (strlen(entry->server_name) >= sizeof r->server_name)
        return "wants a server_name of at most 253 letters";
    if (entry->server_name[0] != '\0')
        strcpy(r->server_name, entry->server_name);
    if (entry->connect_to[0] == '\0')
        return NULL;
    return endpoint_parse(entry->connect_to, ENDPOINT_HOST, &r->connect_to);
}

bool edge_relay_allows(const struct edge_relay *r, enum relay_form form)
{
    const char *transport = relay_form_transport(form);

    return r->url.transport == TRANSPORT_TCP ||
           strcmp(transport, relay_transport_name(r->url.transport)) == 0;
}

static bool is_ws(enum relay_form form)
{
    return form == FORM_WS || form == FORM_WS_PROXY;
}

void edge_relay_proxy(const struct edge_relay *r, enum relay_form form,
                      struct proxy_setting *found)
{
    proxy_setting_read(r->proxy, r->connect_to.host, is_ws(form), found);
}

/* A URL of tcp:// has one port for tcp and wss; ws is at port 80. */
uint16_t edge_relay_port(const struct edge_relay *r, enum relay_form form)
{
    if (r->url.transport == TRANSPORT_TCP && is_ws(form))
        return HTTP_PORT;
    return r->connect_to.port != 0 ? r->connect_to.port : r->url.port;
}
