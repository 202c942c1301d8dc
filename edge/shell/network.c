#include "edge/shell/network.h"

#include "common/base/memory.h"
#include "common/io/log.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One scan, SETTLE_MS after the first, covers many changes in a row. */
enum { SETTLE_MS = 20, RESCAN_MS = 5000 };

struct network {
    const char *const *names;
    size_t name_count;
    network_changed *changed;
    void *context;
    int fd; /* netlink; -1: without */
    uv_poll_t poll;
    uv_timer_t timer;
    bool settling; /* netlink reported a change; a scan is due soon */
    int open_handles;
    struct interfaces now;
    struct interfaces next;
};

static void rescan(struct network *n)
{
    if (!interfaces_scan(&n->next, n->names, n->name_count))
        return;
    if (interfaces_equal(&n->now, &n->next))
        return;
    struct interfaces before = n->now;
    n->now = n->next;
    n->next = before;
    log_debug("interfaces_changed", "count=%zu", n->now.count);
    n->changed(n->context, &n->now);
}

static void on_timer(uv_timer_t *timer)
{
    struct network *n = timer->data;

    n->settling = false;
    rescan(n);
    uv_timer_set_repeat(timer, RESCAN_MS);
    uv_timer_again(timer);
}

static void on_netlink(uv_poll_t *poll, int status, int events)
{
    struct network *n = poll->data;
    char ignored[8192];

    (void)status;
    (void)events;
    while (recv(n->fd, ignored, sizeof ignored, MSG_DONTWAIT) >= 0 ||
           errno == ENOBUFS)
        ;
    if (n->settling)
        return; /* Otherwise endless changes would postpone the scan. */
    n->settling = true;
    uv_timer_start(&n->timer, on_timer, SETTLE_MS, RESCAN_MS);
}

static int netlink_open(void)
{
    struct sockaddr_nl here = {.nl_family = AF_NETLINK,
                               .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                            RTMGRP_IPV6_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof here) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct network *network_open(uv_loop_t *loop, const char *const *names,
                             size_t name_count, network_changed *changed,
                             void *context)
{
    struct network *n = memory_new(sizeof *n);

    n->names = names;
    n->name_count = name_count;
    n->changed = changed;
    n->context = context;
    uv_timer_init(loop, &n->timer);
    n->timer.data = n;
    n->open_handles = 1;
    uv_timer_start(&n->timer, on_timer, RESCAN_MS, RESCAN_MS);

    n->fd = netlink_open();
    if (n->fd >= 0 && uv_poll_init(loop, &n->poll, n->fd) == 0) {
        n->poll.data = n;
        n->open_handles++;
        uv_poll_start(&n->poll, UV_READABLE, on_netlink);
    }
    if (!interfaces_scan(&n->now, names, name_count))
        log_warn("interfaces_unknown", "error=%s", strerror(errno));
    return n;
}

const struct interfaces *network_now(const struct network *n)
{
    return &n->now;
}

static void on_closed(uv_handle_t *handle)
{
    struct network *n = handle->data;

    if (--n->open_handles > 0)
        return;
    interfaces_close(&n->now);
    interfaces_close(&n->next);
    free(n);
}

void network_close(struct network **self)
{
    struct network *n = *self;

    if (n == NULL)
        return;
    *self = NULL;
    bool polled = n->open_handles == 2;
    uv_close((uv_handle_t *)&n->timer, on_closed);
    if (polled)
        uv_close((uv_handle_t *)&n->poll, on_closed);
    if (n->fd >= 0)
        close(n->fd);
}
