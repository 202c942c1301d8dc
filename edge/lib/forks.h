/*
 * forks - tells whether this process is a child, by fork(), of the one that
 * made a thing: its threads are not here, its locks may be held for ever, and
 * its sockets are the parent's.
 */
#ifndef EDGE_LIB_FORKS_H
#define EDGE_LIB_FORKS_H

/* From the first call on forks are counted. What it returns is to be kept: it
 * is another number in every child. */
unsigned forks_now(void);

#endif
