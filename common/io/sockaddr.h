/*
 * sockaddr - addresses as the system's calls want them, and back.
 */
#ifndef COMMON_IO_SOCKADDR_H
#define COMMON_IO_SOCKADDR_H

#include "common/base/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* ADDRESS_NONE for other families; IPv4 mapped into IPv6 becomes IPv4. */
struct address address_of_sockaddr(const struct sockaddr *from);
/* The size to pass to the call; 0 for ADDRESS_NONE. */
socklen_t sockaddr_of_address(const struct address *a,
                              struct sockaddr_storage *to);
/* The other end of a connected socket; ADDRESS_NONE if it has none. */
struct address address_of_peer(int fd);

#endif
