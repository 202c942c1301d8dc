/*
 * route_memory - which form of a relay's address worked on which network, so
 * that an edge that comes back to a network finds its way at once [P-14.7].
 *
 * A network is named by its router: the IPv4 address and, as many routers have
 * the same one, the hardware address. The memory is a file beside the identity,
 * ROUTE_MEMORY_MAX lines of which the newest come first. It holds no secret,
 * but tells where the host has been.
 */
#ifndef EDGE_SHELL_ROUTE_MEMORY_H
#define EDGE_SHELL_ROUTE_MEMORY_H

#include "common/base/address.h"
#include "common/base/bytes.h"
#include "common/wire/ids.h"
#include "common/wire/relay_form.h"

#include <stdio.h>

enum { ROUTE_MEMORY_MAX = 64, HARDWARE_SIZE = 6, ROUTE_MEMORY_PATH = 4096 };

/* The network that the host is in. */
struct route_network {
    struct address router;           /* ADDRESS_NONE: there is none */
    uint8_t hardware[HARDWARE_SIZE]; /* zeros: not known yet */
};

struct route_memory {
    size_t count;
    struct route_memory_line {
        struct route_network network;
        struct curve_key relay;
        enum relay_form form;
    } lines[ROUTE_MEMORY_MAX];
};

/* Asks the kernel; does not wait. */
struct route_network route_network_now(void);
/* Finds the router's hardware address in a text like /proc/net/arp. False: it
 * is not there, or not complete. */
bool route_network_hardware(const char *arp, const struct address *router,
                            uint8_t hardware[HARDWARE_SIZE]);

/* The form that worked there last; -1: none is known. As long as the router's
 * hardware address is not known, its address alone counts. */
int route_memory_form(const struct route_memory *m,
                      const struct route_network *network,
                      const struct curve_key *relay);
/* The form works there. True if that was not known, and the network is. The
 * oldest line makes room. */
bool route_memory_learn(struct route_memory *m,
                        const struct route_network *network,
                        const struct curve_key *relay, enum relay_form form);

/* NAME.routes for an identity NAME.zs; "" for no identity. */
void route_memory_place(const char *identity, char path[ROUTE_MEMORY_PATH]);
/* Reads the file. If that is not possible, or a line is wrong, returns false
 * with lines on `errors`, and the memory is empty. A file that is missing is
 * empty. */
bool route_memory_load(struct route_memory *m, const char *path, FILE *errors);
/* Writes the file, mode 0600, completely or not at all; a file_writer_calls
 * `write`, whose content is the struct. */
bool route_memory_save(const char *path, struct bytes memory, FILE *errors);

#endif
