/*
 * interfaces - this host's network interfaces as they are now.
 */
#ifndef EDGE_SHELL_INTERFACES_H
#define EDGE_SHELL_INTERFACES_H

#include "common/base/address.h"

#include <net/if.h>
#include <stddef.h>

enum { INTERFACES = 64, INTERFACE_ADDRESSES = 16 };

struct interface {
    char name[IF_NAMESIZE];
    unsigned index;
    bool multicasts; /* loopback does, though it does not say so */
    size_t count;
    struct address addresses[INTERFACE_ADDRESSES]; /* port 0 */
};

struct interfaces {
    size_t count;
    struct interface list[INTERFACES]; /* up, with an address; by index */
};

/* Those of these names, or all for a count of 0. False if the system does not
 * tell; then nothing is changed. */
bool interfaces_scan(struct interfaces *all, const char *const *names,
                     size_t name_count) MUST_USE;
bool interfaces_equal(const struct interfaces *a, const struct interfaces *b);
/* The interface's first address of the family, or NULL. */
const struct address *interface_address(const struct interface *i,
                                        enum address_family family);

/*
 * The addresses where other hosts may reach this one, IPv4 first. Link-local
 * ones mean nothing elsewhere and are left out, and loopback too unless there
 * is nothing else.
 */
size_t interfaces_candidates(const struct interfaces *all, uint16_t port,
                             struct address *list, size_t limit);

#endif
