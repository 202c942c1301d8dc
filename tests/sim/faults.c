/*
 * Faults of networks: cuts, limits of packet size, changes of addresses.
 */
#include "tests/sim/world.h"

#include "tests/sim/udp_hosts.h"

static void disturb_both(struct world *w, int a, int b)
{
    world_disturb(w, a);
    world_disturb(w, b);
}

/* --- ways -------------------------------------------------------------- */

void network_cut(struct world *w, int a, int b)
{
    world_fault(w, "nothing passes any more to", a, b);
    disturb_both(w, a, b);
    w->cut[a][b] = true;
}

void network_narrow(struct world *w, int a, int b, size_t most)
{
    world_fault(w, "nothing large passes any more to", a, b);
    disturb_both(w, a, b);
    w->narrow[a][b] = most;
}

bool network_is_ill(const struct world *w, int a, int b)
{
    return w->cut[a][b] || w->narrow[a][b] > 0;
}

void network_heal(struct world *w, int a, int b, bool breaks)
{
    world_fault(w,
                breaks ? "everything passes again, streams break, to"
                       : "everything passes again to",
                a, b);
    disturb_both(w, a, b);
    w->cut[a][b] = false;
    w->narrow[a][b] = 0;
    if (breaks)
        pipes_break(w, a, b);
    else
        pipes_go_on(w, a);
}

void network_heal_all(struct world *w, bool breaks)
{
    for (int a = 0; a < w->host_count; a++)
        for (int b = 0; b < w->host_count; b++)
            if (network_is_ill(w, a, b))
                network_heal(w, a, b, breaks);
}

void network_reset(struct world *w, int a, int b)
{
    world_fault(w, "connections are reset to", a, b);
    disturb_both(w, a, b);
    pipes_break(w, a, b);
}

/* --- addresses --------------------------------------------------------- */

static void told(struct world *w, int host, uint64_t serial)
{
    const struct process *p = w->hosts[host].process;

    if (p == NULL || p->serial != serial)
        return;
    if (w->hosts[host].frozen)
        world_at(w, span_ms(100), told, host, serial);
    else
        host_tell_addresses(w, host);
}

/* The host's shell notices the change soon after. */
static void tell_soon(struct world *w, int host)
{
    const struct process *p = w->hosts[host].process;

    if (p != NULL)
        world_at(w, rng_span(&w->rng, span_us(0), span_ms(200)), told, host,
                 p->serial);
}

void host_unplug(struct world *w, int host, size_t interface)
{
    struct host_interface *i = &w->hosts[host].interfaces[interface];

    world_fault(w, "an interface goes down", host, -1);
    world_disturb(w, host);
    i->down = true;
    udp_hosts_plug(w, host);
    tell_soon(w, host);
}

void host_plug_in(struct world *w, int host, size_t interface)
{
    struct host_interface *i = &w->hosts[host].interfaces[interface];

    world_fault(w, "an interface comes back", host, -1);
    world_disturb(w, host);
    i->down = false;
    udp_hosts_plug(w, host);
    pipes_go_on(w, host);
    tell_soon(w, host);
}

void host_moves(struct world *w, int host, size_t interface, int segment,
                bool breaks)
{
    world_fault(w,
                segment == w->hosts[host].interfaces[interface].segment
                    ? "gets another address"
                    : "moves to another network",
                host, -1);
    world_disturb(w, host);
    w->hosts[host].leases++;
    world_readdress(w, host, interface, segment);
    udp_hosts_plug(w, host);
    if (breaks)
        pipes_end_homeless(w, host);
    tell_soon(w, host);
}

void segment_renumber(struct world *w, int segment)
{
    struct segment *s = &w->segments[segment];

    s->outside.ip[2]++;
    udp_hosts_renumber(w, segment);
    for (int i = 0; i < w->host_count; i++)
        for (size_t k = 0; k < w->hosts[i].interface_count; k++)
            if (w->hosts[i].interfaces[k].segment == segment) {
                world_fault(w, "its NAT gets another address", i, -1);
                world_disturb(w, i);
            }
}
