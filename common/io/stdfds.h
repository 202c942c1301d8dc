/*
 * stdfds - opens the standard descriptors of a program that was started without
 * them.
 */
#ifndef COMMON_IO_STDFDS_H
#define COMMON_IO_STDFDS_H

/* Call it first in main. Without it, a socket could get the number of a closed
 * standard descriptor, and printed text would go into that socket. Writing to a
 * descriptor that was closed still fails. */
void stdfds_hold(void);

#endif
