#include "tests/sim/udp_best.h"

#include "tests/sim/quic_model.h"
#include "tests/sim/udp_hosts_private.h"

enum { DEPTH = 8 };

/* The boxes between a host and the Internet, the host's first. */
struct chain {
    int boxes[DEPTH];
    size_t count;
};

static struct chain chain_of(const struct world *w, int realm)
{
    struct chain c = {.count = 0};

    while (realm != UDP_INTERNET) {
        ASSERT(c.count < DEPTH);
        c.boxes[c.count++] = realm;
        realm = w->udp_hosts->boxes[realm].realm;
    }
    return c;
}

struct realms {
    int list[INTERFACES];
    size_t count;
};

/* What a chain of boxes is like as one box. */
struct nature {
    bool translates;
    bool hard; /* the outside port depends on the remote */
    enum nat_behaviour filter;
    bool hairpins; /* the outermost one */
};

static struct nature nature_of(const struct world *w, const struct chain *c)
{
    struct nature n = {.filter = NAT_ENDPOINT_INDEPENDENT};

    for (size_t i = 0; i < c->count; i++) {
        const struct nat_conf *conf = &w->udp_hosts->boxes[c->boxes[i]].conf;

        n.translates |= conf->outside_count > 0;
        n.hard |= conf->outside_count > 0 &&
                  conf->mapping != NAT_ENDPOINT_INDEPENDENT &&
                  conf->ports != NAT_PORTS_PRESERVED;
        if (conf->filtering > n.filter)
            n.filter = conf->filtering;
        n.hairpins = conf->hairpins;
    }
    return n;
}

static enum udp_best of_natures(const struct nature *a, const struct nature *b)
{
    if (a->hard && b->hard)
        return a->filter == NAT_ADDRESS_AND_PORT_DEPENDENT &&
                       b->filter == NAT_ADDRESS_AND_PORT_DEPENDENT
                   ? UDP_BEST_NEVER
                   : UDP_BEST_MAYBE;
    if ((a->hard && b->filter == NAT_ADDRESS_AND_PORT_DEPENDENT) ||
        (b->hard && a->filter == NAT_ADDRESS_AND_PORT_DEPENDENT))
        return UDP_BEST_MAYBE;
    return UDP_BEST_DIRECT;
}

/* Takes the boxes that both are behind off their ends; returns how many. */
static size_t drop_common(struct chain *a, struct chain *b)
{
    size_t common = 0;

    while (a->count > 0 && b->count > 0 &&
           a->boxes[a->count - 1] == b->boxes[b->count - 1]) {
        a->count--;
        b->count--;
        common++;
    }
    return common;
}

static enum udp_best of_realms(const struct world *w, int realm_a, int realm_b)
{
    struct chain a = chain_of(w, realm_a), b = chain_of(w, realm_b);
    struct nature whole_a = nature_of(w, &a), whole_b = nature_of(w, &b);
    struct nature part_a, part_b;

    if (drop_common(&a, &b) == 0)
        return of_natures(&whole_a, &whole_b);
    part_a = nature_of(w, &a);
    part_b = nature_of(w, &b);
    /* Behind a common box they know each other's own addresses, and the one on
     * the outermost box. */
    if (!part_a.translates && !part_b.translates)
        return UDP_BEST_DIRECT;
    if (whole_a.hairpins || !part_a.translates || !part_b.translates)
        return UDP_BEST_MAYBE;
    return UDP_BEST_NEVER;
}

static bool has_udp(const struct world *w, int host)
{
    const struct udp_host *u = &w->udp_hosts->hosts[host];

    return u->has && u->place_count > 0 && !u->wire.down &&
           (u->wire.mtu == 0 || u->wire.mtu >= QUIC_MODEL_LEAST) &&
           !w->hosts[host].only_relays;
}

/* The realms where the host has an address of the family. */
static struct realms realms_of(const struct world *w, int host,
                               enum address_family family)
{
    const struct udp_host *u = &w->udp_hosts->hosts[host];
    struct realms r = {.count = 0};

    for (size_t i = 0; i < u->place_count; i++)
        if (u->places[i].address.family == family)
            r.list[r.count++] = u->places[i].realm;
    return r;
}

/* A realm has one family, and a host one place in it. */
static const struct udp_place *place_in(const struct world *w, int host,
                                        int realm)
{
    const struct udp_host *u = &w->udp_hosts->hosts[host];

    for (size_t i = 0; i < u->place_count; i++)
        if (u->places[i].realm == realm)
            return &u->places[i];
    return NULL;
}

/* The host has the address in another realm as well, as its own or a
 * neighbour's: private addresses are not unique. Then what it sends there may
 * not get to this realm. */
static bool is_ambiguous(const struct world *w, int host, int realm,
                         const struct address *address)
{
    for (int i = 0; i < w->host_count; i++) {
        const struct udp_host *u = &w->udp_hosts->hosts[i];

        for (size_t k = 0; k < u->place_count; k++)
            if (u->places[k].realm != realm &&
                address_same_ip(&u->places[k].address, address) &&
                place_in(w, host, u->places[k].realm) != NULL)
                return true;
    }
    return false;
}

static bool reach_each_other(const struct world *w, int a, int b, int realm)
{
    return !is_ambiguous(w, a, realm, &place_in(w, b, realm)->address) &&
           !is_ambiguous(w, b, realm, &place_in(w, a, realm)->address);
}

static enum udp_best of_family(const struct world *w, int a, int b,
                               enum address_family family)
{
    struct realms first = realms_of(w, a, family);
    struct realms second = realms_of(w, b, family);

    if (first.count == 0 || second.count == 0)
        return UDP_BEST_NEVER;
    if (first.count == 1 && second.count == 1)
        return of_realms(w, first.list[0], second.list[0]);
    for (size_t i = 0; i < first.count; i++)
        for (size_t k = 0; k < second.count; k++)
            if (first.list[i] == second.list[k] &&
                reach_each_other(w, a, b, first.list[i]))
                return UDP_BEST_DIRECT;
    return UDP_BEST_MAYBE; /* Which interface is taken decides. */
}

enum udp_best udp_best_of(const struct world *w, int a, int b)
{
    enum udp_best v4, v6;

    if (w->udp_hosts == NULL || !has_udp(w, a) || !has_udp(w, b))
        return UDP_BEST_NEVER;
    v4 = of_family(w, a, b, ADDRESS_V4);
    v6 = of_family(w, a, b, ADDRESS_V6);
    return v4 > v6 ? v4 : v6;
}
