/*
 * interfaces - a list of this host's network interfaces and their addresses.
 */
#ifndef EDGE_SHELL_INTERFACES_H
#define EDGE_SHELL_INTERFACES_H

#include "common/base/address.h"

#include <net/if.h>
#include <stddef.h>

/* Far more than a host has; addresses beyond are left out and counted. */
enum { INTERFACES_MOST = 4096, INTERFACE_ADDRESSES_MOST = 1024 };

struct interface {
    char name[IF_NAMESIZE];
    unsigned index;
    bool multicasts; /* always for loopback, which lacks IFF_MULTICAST */
    size_t count;
    size_t room;
    struct address *addresses; /* port 0 */
};

/* A zeroed one is empty. */
struct interfaces {
    size_t count;
    size_t room;
    struct interface *list; /* those up and with an address, by index */
    size_t left_out;        /* addresses beyond the limits */
};

void interfaces_close(struct interfaces *all);
/* Adds an address, and its interface if the list does not have that yet. */
void interfaces_add(struct interfaces *all, const char *name, unsigned index,
                    bool multicasts, const struct address *a);
bool interfaces_have(const struct interfaces *all, const char *name);

/* Replaces the list by the system's interfaces with these names, or all of them
 * if the count is 0. False with errno: unknown, and the list is unchanged. */
bool interfaces_scan(struct interfaces *all, const char *const *names,
                     size_t name_count) MUST_USE;
bool interfaces_equal(const struct interfaces *a, const struct interfaces *b);
/* The interface's first address of the family, or NULL. */
const struct address *interface_address(const struct interface *i,
                                        enum address_family family);

/*
 * The addresses at which other hosts may reach this one, IPv4 first. Leaves out
 * link-local addresses, and loopback unless there is nothing else. Of at most
 * `limit` addresses each interface gets one before any gets two. *left_out (may
 * be NULL) is the number of those for which there was no room.
 */
size_t interfaces_candidates(const struct interfaces *all, uint16_t port,
                             struct address *list, size_t limit,
                             size_t *left_out);

#endif
