#include "edge/shell/edge_private.h"

#include "common/io/log.h"

#include <stdlib.h>
#include <string.h>

static void tell_lost(enum mapping_port port, const struct mapping_lease *lease)
{
    char outside[ADDRESS_TEXT_SIZE];

    log_info("port_mapping_lost", "port=%s protocol=%s outside=%s",
             mapping_port_name(port), mapping_protocol_name(lease->protocol),
             address_format(&lease->outside, outside));
}

static void tell_mapped(enum mapping_port port,
                        const struct mapping_lease *lease)
{
    char outside[ADDRESS_TEXT_SIZE];

    log_info("port_mapped",
             "port=%s protocol=%s outside=%s inside=%u public=%s",
             mapping_port_name(port), mapping_protocol_name(lease->protocol),
             address_format(&lease->outside, outside), lease->inside,
             mapping_lease_is_public(lease) ? "true" : "false");
}

static void tell_lease(enum mapping_port port,
                       const struct mapping_lease *before,
                       const struct mapping_lease *now)
{
    if (before->protocol == now->protocol &&
        address_equal(&before->outside, &now->outside))
        return;
    if (now->outside.port != 0)
        tell_mapped(port, now);
    else if (before->outside.port != 0)
        tell_lost(port, before);
}

/* A candidate only if hosts outside may reach it. */
static struct address candidate(const struct mapping_lease *lease)
{
    return mapping_lease_is_public(lease)
               ? lease->outside
               : (struct address){.family = ADDRESS_NONE};
}

static void tell_node(struct edge *e)
{
    const struct mapping_lease *leases = e->mapped.leases;

    event_queue_add(&e->events,
                    &(struct node_event){
                        .kind = NODE_PORT_MAPPED,
                        .mapped = {.tcp = candidate(&leases[MAPPING_TCP]),
                                   .udp = candidate(&leases[MAPPING_UDP])}});
}

static void on_changed(void *context, const struct mapping_state *state)
{
    struct edge *e = context;

    for (int i = 0; i < MAPPING_PORTS; i++)
        tell_lease((enum mapping_port)i, &e->mapped.leases[i],
                   &state->leases[i]);
    log_debug("port_mapping", "nat_pmp=%s upnp=%s",
              mapping_finding_name(state->findings[MAPPING_NAT_PMP]),
              mapping_finding_name(state->findings[MAPPING_UPNP]));
    e->mapped = *state;
    tell_node(e);
}

/* With fewer open files none are left for requests to the router. */
enum { FILES_LEAST = 128 };

/* For a host whose router must not be asked, whatever its edges' files say. */
static bool is_off_here(void)
{
    const char *word = getenv("ZS_PORT_MAPPING");

    return word != NULL && strcmp(word, "off") == 0;
}

void edge_map_ports(struct edge *e)
{
    struct port_mapping_conf conf = {
        .tcp_port = e->incoming != NULL ? discovery_own_port(e->discovery) : 0,
        .udp_port = e->udp != NULL ? udp_path_port_v4(e->udp) : 0,
        .network = e->network,
    };

    if (!e->conf->discovery.port_mapping || is_off_here() ||
        open_files_limit() < FILES_LEAST ||
        (conf.tcp_port == 0 && conf.udp_port == 0))
        return;
    e->port_mapping = port_mapping_open(e->loop, &conf, on_changed, e);
    if (e->port_mapping != NULL)
        e->mapped = *port_mapping_state(e->port_mapping);
}

void edge_udp_port_moved(struct edge *e)
{
    if (e->port_mapping != NULL)
        port_mapping_moved(e->port_mapping, MAPPING_UDP,
                           udp_path_port_v4(e->udp));
}

const struct mapping_state *edge_port_mapping(const struct edge *e)
{
    return &e->mapped;
}
