/*
 * client - an application's connection to an edge's local API, for the load
 * programs of the lab.
 *
 * Sending never waits. Any error ends the program with a line on stderr and
 * exit code 3, because the result of a load program that missed something would
 * mean nothing.
 */
#ifndef TESTS_NET_CLIENT_H
#define TESTS_NET_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct growing_text {
    char *bytes;
    size_t size, room;
    size_t done; /* bytes of it that are written, or read */
};

struct api_connection {
    int fd;
    bool ended; /* the edge closed the connection, or is gone */
    struct growing_text out;
    struct growing_text in;
};

struct api_connection client_open(const char *socket);
/* Appends to the bytes to write. */
void client_say(struct api_connection *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void client_add(struct api_connection *c, const char *bytes, size_t size);
size_t client_unsent(const struct api_connection *c);
/* Writes what the socket takes and reads what has come; waits for either at
 * most `wait_ms`. */
void client_run(struct api_connection *c, int wait_ms);
/* The next whole line, with a NUL in place of its line end; NULL if there is
 * none yet. Valid until the next turn. */
char *client_line(struct api_connection *c);

/* Finds where the value of a member begins in a line; NULL if the line has no
 * such member. Works only for keys that occur in no value; the lab sends only
 * such lines. */
const char *member(const char *line, const char *key);
/* The value of a member that is a number; 0 if there is none. */
uint64_t member_number(const char *line, const char *key);
/* Tells whether the member's value is this text. */
bool member_is(const char *line, const char *key, const char *value);

/* Wall-clock time, which the scripts use too. */
uint64_t now_us(void);
void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void *grown(void *memory, size_t count, size_t size);

/* After signals_watch, TERM and INT make signal_end true, and each USR2 changes
 * signal_pause; each program uses USR1 for itself. */
void signals_watch(void);
bool signal_end(void);
bool signal_user(void);
bool signal_pause(void);

#endif
