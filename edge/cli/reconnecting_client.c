#include "edge/cli/reconnecting_client.h"

#include "common/base/memory.h"
#include "common/io/clock.h"

#include <poll.h>
#include <stdlib.h>

static const struct span try_each = {250 * 1000};

bool reconnecting_client_open(struct reconnecting_client *s,
                              const struct options *o)
{
    *s = (struct reconnecting_client){.client = client_open(o)};
    if (!s->client)
        return false;
    s->path = memory_string(client_path(s->client));
    return true;
}

void reconnecting_client_close(struct reconnecting_client *s)
{
    client_free(s->client);
    free(s->path);
    *s = (struct reconnecting_client){0};
}

static unsigned reconnect(struct reconnecting_client *s)
{
    if (!instant_reached(s->next_try, clock_now()))
        return 0;
    s->next_try = instant_after(clock_now(), try_each);
    s->client = client_reopen(s->path);
    return s->client ? RECONNECTING_BACK : 0;
}

static unsigned other_bits(short events)
{
    unsigned bits = 0;

    if (events & POLLIN)
        bits |= RECONNECTING_OTHER;
    if (events & (POLLHUP | POLLERR | POLLNVAL))
        bits |= RECONNECTING_OTHER_ENDED;
    return bits;
}

unsigned reconnecting_client_wait(struct reconnecting_client *s, int other,
                                  struct span most)
{
    struct pollfd fds[2] = {{.fd = -1}, {.fd = other, .events = POLLIN}};
    bool pushed = true;
    unsigned got;

    if (s->ended) {
        client_free(s->client);
        s->client = NULL;
        s->ended = false;
    }
    if (!s->client && (got = reconnect(s)) != 0)
        return got;
    if (s->client) {
        pushed = client_push(s->client);
        fds[0].fd = client_fd(s->client);
        fds[0].events = POLLIN;
        if (pushed && client_unsent(s->client) > 0)
            fds[0].events |= POLLOUT;
    } else {
        most = span_min(most, try_each);
    }
    if (poll(fds, 2, (int)(most.us / 1000)) <= 0)
        return 0;
    got = other_bits(fds[1].revents);
    if ((fds[0].revents & ~POLLOUT) && !client_pull(s->client)) {
        s->ended = true;
        got |= RECONNECTING_LOST;
    }
    return got;
}

bool reconnecting_client_line(struct reconnecting_client *s, struct bytes *line)
{
    return s->client && client_next(s->client, line);
}
