#include "edge/shell/interfaces.h"

#include "common/base/memory.h"
#include "common/io/sockaddr.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted(const struct ifaddrs *entry, const char *const *names,
                      size_t name_count)
{
    if (entry->ifa_addr == NULL || !(entry->ifa_flags & IFF_UP) ||
        !(entry->ifa_flags & IFF_RUNNING))
        return false;
    for (size_t i = 0; i < name_count; i++)
        if (strcmp(entry->ifa_name, names[i]) == 0)
            return true;
    return name_count == 0;
}

void interfaces_close(struct interfaces *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->list[i].addresses);
    free(all->list);
    all->list = NULL;
    all->count = all->room = all->left_out = 0;
}

/* The interface of that index; inserts it in the order of indices if needed. */
static struct interface *place_of(struct interfaces *all, unsigned index)
{
    size_t at = 0;

    while (at < all->count && all->list[at].index < index)
        at++;
    if (at < all->count && all->list[at].index == index)
        return &all->list[at];
    if (index == 0 || all->count == INTERFACES_MOST)
        return NULL;
    all->list =
        memory_grow(all->list, all->count, &all->room, sizeof *all->list);
    memmove(&all->list[at + 1], &all->list[at],
            (all->count - at) * sizeof *all->list);
    all->count++;
    all->list[at] = (struct interface){.index = index};
    return &all->list[at];
}

void interfaces_add(struct interfaces *all, const char *name, unsigned index,
                    bool multicasts, const struct address *a)
{
    struct interface *i = place_of(all, index);

    if (i == NULL || i->count == INTERFACE_ADDRESSES_MOST) {
        all->left_out++;
        return;
    }
    i->addresses =
        memory_grow(i->addresses, i->count, &i->room, sizeof *i->addresses);
    snprintf(i->name, sizeof i->name, "%s", name);
    i->multicasts = multicasts;
    i->addresses[i->count++] = *a;
}

bool interfaces_have(const struct interfaces *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, name) == 0)
            return true;
    return false;
}

static void add(struct interfaces *all, const struct ifaddrs *entry)
{
    struct address a = address_of_sockaddr(entry->ifa_addr);

    if (a.family != ADDRESS_NONE)
        interfaces_add(all, entry->ifa_name, if_nametoindex(entry->ifa_name),
                       (entry->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)) != 0,
                       &a);
}

bool interfaces_scan(struct interfaces *all, const char *const *names,
                     size_t name_count)
{
    struct ifaddrs *entries;

    if (getifaddrs(&entries) != 0)
        return false;
    interfaces_close(all);
    for (struct ifaddrs *e = entries; e != NULL; e = e->ifa_next)
        if (is_wanted(e, names, name_count))
            add(all, e);
    freeifaddrs(entries);
    return true;
}

static bool interface_equal(const struct interface *a,
                            const struct interface *b)
{
    if (a->index != b->index || strcmp(a->name, b->name) != 0 ||
        a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!address_equal(&a->addresses[i], &b->addresses[i]))
            return false;
    return true;
}

bool interfaces_equal(const struct interfaces *a, const struct interfaces *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!interface_equal(&a->list[i], &b->list[i]))
            return false;
    return true;
}

const struct address *interface_address(const struct interface *i,
                                        enum address_family family)
{
    for (size_t at = 0; at < i->count; at++)
        if (i->addresses[at].family == family)
            return &i->addresses[at];
    return NULL;
}

/* The addresses collected so far. */
struct collection {
    struct address *list;
    size_t count;
    size_t limit;
    size_t left_out;
};

static void collect(struct collection *c, const struct address *a)
{
    if (c->count < c->limit)
        c->list[c->count++] = *a;
    else
        c->left_out++;
}

/* Number `which` of the interface's addresses of that family that other hosts
 * can reach; NULL if there are fewer. */
static const struct address *reachable(const struct interface *i,
                                       enum address_family family,
                                       bool loopback, size_t which)
{
    for (size_t at = 0; at < i->count; at++) {
        const struct address *a = &i->addresses[at];
        if (a->family == family && address_is_loopback(a) == loopback &&
            !address_is_link_local(a) && which-- == 0)
            return a;
    }
    return NULL;
}

/* Collects the first address of each interface, then the second of each, ... */
static void take(struct collection *c, const struct interfaces *all,
                 enum address_family family, bool loopback)
{
    bool more = true;

    for (size_t which = 0; more; which++) {
        more = false;
        for (size_t i = 0; i < all->count; i++) {
            const struct address *a =
                reachable(&all->list[i], family, loopback, which);
            if (a != NULL)
                collect(c, a);
            more |= a != NULL;
        }
    }
}

static void take_both(struct collection *c, const struct interfaces *all,
                      bool loopback)
{
    take(c, all, ADDRESS_V4, loopback);
    take(c, all, ADDRESS_V6, loopback);
}

size_t interfaces_candidates(const struct interfaces *all, uint16_t port,
                             struct address *list, size_t limit,
                             size_t *left_out)
{
    struct collection c = {.list = list, .limit = limit};

    take_both(&c, all, false);
    if (c.count == 0)
        take_both(&c, all, true);
    for (size_t i = 0; i < c.count; i++)
        list[i].port = port;
    if (left_out != NULL)
        *left_out = c.left_out;
    return c.count;
}
