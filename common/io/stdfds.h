/*
 * stdfds - the standard descriptors of a program that was started without.
 */
#ifndef COMMON_IO_STDFDS_H
#define COMMON_IO_STDFDS_H

/* To be called first in main: else the number of a standard descriptor that is
 * closed goes to a socket, and what is printed goes there. What is written to
 * a closed one still fails. */
void stdfds_hold(void);

#endif
