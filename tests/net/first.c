/*
 * first - how soon an edge that was just started delivers its first message.
 *
 *     first SOCKET TO SINCE_US SECONDS
 *
 * Connects to the edge as soon as it listens, and sends to TO until a message
 * is delivered. Prints the milliseconds from SINCE_US until then; fails after
 * so many seconds.
 */
#include "tests/net/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAUSE_US = 3000 };

static uint64_t until_us;

static void pause_or_fail(void)
{
    if (now_us() > until_us)
        fail("never");
    usleep(PAUSE_US);
}

/* A socket is there for a moment before it listens. */
static bool listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    bool connected = connect(fd, (void *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

/* True if the message was delivered. */
static bool send_one(struct api_connection *c, const char *to)
{
    const char *line;
    client_say(c,
               "{\"op\":\"send\",\"ref\":1,\"to\":\"%s\",\"type\":\"first\"}\n",
               to);
    while (!(line = client_line(c)) || member_number(line, "ref") != 1) {
        if (c->ended || now_us() > until_us)
            fail("not answered");
        client_run(c, 10);
    }
    const char *ok = member(line, "ok");
    return ok && strncmp(ok, "true", 4) == 0;
}

int main(int argc, char **words)
{
    if (argc != 5)
        fail("first SOCKET TO SINCE_US SECONDS");
    uint64_t since = strtoull(words[3], NULL, 10);
    until_us = now_us() + strtoull(words[4], NULL, 10) * 1000000;
    while (!listens(words[1]))
        pause_or_fail();
    struct api_connection c = client_open(words[1]);
    while (!send_one(&c, words[2]))
        pause_or_fail();
    printf("%llu\n", (unsigned long long)(now_us() - since) / 1000);
}
