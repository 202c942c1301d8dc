/*
 * client - a local application's connection to an edge, for the lab's load
 * programs: lines out without waiting, lines in, and what they hold.
 *
 * Whatever goes wrong ends the program with a word on stderr (exit 3): a load
 * program that goes on half blind would prove nothing.
 */
#ifndef TESTS_NET_CLIENT_H
#define TESTS_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct growing_text {
    char *bytes;
    size_t size, room;
    size_t done; /* written, or read */
};

struct api_connection {
    int fd;
    bool ended; /* the edge closed the connection, or is gone */
    struct growing_text out;
    struct growing_text in;
};

struct api_connection client_open(const char *socket);
/* Appends to what is to be written. */
void client_say(struct api_connection *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void client_add(struct api_connection *c, const char *bytes, size_t size);
size_t client_unsent(const struct api_connection *c);
/* Writes what the socket takes and reads what there is; waits at most so long
 * for either. */
void client_turn(struct api_connection *c, int wait_ms);
/* The next whole line, ended by a NUL instead; NULL: none yet. Valid until the
 * next turn. */
char *client_line(struct api_connection *c);

/* Of a line, where the member's value begins; NULL: it has none. Only for keys
 * that stand in no value, as is so in what the lab sends. */
const char *member(const char *line, const char *key);
/* The same of a number; 0 if it has none. */
uint64_t member_number(const char *line, const char *key);
/* Whether the member is this text. */
bool member_is(const char *line, const char *key, const char *value);

/* Of the wall clock, which the scripts use as well. */
uint64_t now_us(void);
void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void *grown(void *memory, size_t count, size_t size);

/* TERM and INT ask for the end; USR1 is the program's own. */
void signals_watch(void);
bool signal_end(void);
bool signal_user(void);

#endif
