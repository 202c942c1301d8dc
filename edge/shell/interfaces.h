/*
 * interfaces - this host's network interfaces as they are now.
 */
#ifndef EDGE_SHELL_INTERFACES_H
#define EDGE_SHELL_INTERFACES_H

#include "common/base/address.h"

#include <net/if.h>
#include <stddef.h>

/* Far beyond what a host has; what is more is left out and counted. */
enum { INTERFACES_MOST = 4096, INTERFACE_ADDRESSES_MOST = 1024 };

struct interface {
    char name[IF_NAMESIZE];
    unsigned index;
    bool multicasts; /* loopback does, though it does not say so */
    size_t count;
    size_t room;
    struct address *addresses; /* port 0 */
};

/* A zeroed one is empty. */
struct interfaces {
    size_t count;
    size_t room;
    struct interface *list; /* up, with an address; by index */
    size_t left_out;        /* addresses beyond the limits */
};

void interfaces_close(struct interfaces *all);
/* One more address of an interface, which may be new. */
void interfaces_add(struct interfaces *all, const char *name, unsigned index,
                    bool multicasts, const struct address *a);
bool interfaces_have(const struct interfaces *all, const char *name);

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
 * is nothing else. At most `limit` of them, of each interface one before any
 * has two; *left_out (may be NULL): so many found no room.
 */
size_t interfaces_candidates(const struct interfaces *all, uint16_t port,
                             struct address *list, size_t limit,
                             size_t *left_out);

#endif
