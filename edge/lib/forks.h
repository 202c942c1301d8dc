/*
 * forks - tells whether this process is a child, by fork(), of the process that
 * made an object. The child has none of the object's threads, a lock may be
 * held for ever, and the sockets belong to the parent.
 */
#ifndef EDGE_LIB_FORKS_H
#define EDGE_LIB_FORKS_H

/* The number of forks since the first call, which differs in each child. The
 * caller keeps it in the object. */
unsigned forks_now(void);

#endif
