/*
 * sockaddr - converts between struct address and the system's sockaddr.
 */
#ifndef COMMON_IO_SOCKADDR_H
#define COMMON_IO_SOCKADDR_H

#include "common/base/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* ADDRESS_NONE for other families than IPv4 and IPv6; IPv4 mapped into IPv6
 * becomes IPv4. */
struct address address_of_sockaddr(const struct sockaddr *from);
/* Returns the size to pass to the system call; 0 for ADDRESS_NONE. */
socklen_t sockaddr_of_address(const struct address *a,
                              struct sockaddr_storage *to);
/* The address at the other end of a connected socket; ADDRESS_NONE if it is not
 * connected. */
struct address address_of_peer(int fd);

#endif
