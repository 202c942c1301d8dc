#include "edge/shell/interfaces.h"

#include "common/io/sockaddr.h"

#include <ifaddrs.h>
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

/* The interface's place in the order of indices, made if need be. */
static struct interface *place_of(struct interfaces *all,
                                  const struct ifaddrs *entry)
{
    unsigned index = if_nametoindex(entry->ifa_name);
    size_t at = 0;

    while (at < all->count && all->list[at].index < index)
        at++;
    if (at < all->count && all->list[at].index == index)
        return &all->list[at];
    if (index == 0 || all->count == INTERFACES)
        return NULL;
    memmove(&all->list[at + 1], &all->list[at],
            (all->count - at) * sizeof *all->list);
    all->count++;

    struct interface *i = &all->list[at];
    memset(i, 0, sizeof *i);
    memcpy(i->name, entry->ifa_name, strnlen(entry->ifa_name, IF_NAMESIZE - 1));
    i->index = index;
    i->multicasts = (entry->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)) != 0;
    return i;
}

static void add(struct interfaces *all, const struct ifaddrs *entry)
{
    struct address a = address_of_sockaddr(entry->ifa_addr);
    struct interface *i =
        a.family == ADDRESS_NONE ? NULL : place_of(all, entry);

    if (i != NULL && i->count < INTERFACE_ADDRESSES)
        i->addresses[i->count++] = a;
}

bool interfaces_scan(struct interfaces *all, const char *const *names,
                     size_t name_count)
{
    struct ifaddrs *entries;

    if (getifaddrs(&entries) != 0)
        return false;
    all->count = 0;
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

static size_t take(const struct interfaces *all, enum address_family family,
                   bool loopback, struct address *list, size_t limit)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++)
        for (size_t at = 0; at < all->list[i].count; at++) {
            const struct address *a = &all->list[i].addresses[at];
            if (a->family == family && address_is_loopback(a) == loopback &&
                !address_is_link_local(a) && count < limit)
                list[count++] = *a;
        }
    return count;
}

static size_t take_both(const struct interfaces *all, bool loopback,
                        struct address *list, size_t limit)
{
    size_t count = take(all, ADDRESS_V4, loopback, list, limit);

    return count + take(all, ADDRESS_V6, loopback, list + count, limit - count);
}

size_t interfaces_candidates(const struct interfaces *all, uint16_t port,
                             struct address *list, size_t limit)
{
    size_t count = take_both(all, false, list, limit);

    if (count == 0)
        count = take_both(all, true, list, limit);
    for (size_t i = 0; i < count; i++)
        list[i].port = port;
    return count;
}
