#include "edge/shell/gateway.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Any address of the Internet does: the kernel only looks up its route. */
static const uint8_t somewhere[4] = {1, 1, 1, 1};

struct route_request {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr to;
    uint8_t ip[4];
};

static bool ask(int fd)
{
    struct route_request r = {
        .header = {.nlmsg_len = sizeof r,
                   .nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = AF_INET, .rtm_dst_len = 32},
        .to = {.rta_len = RTA_LENGTH(sizeof r.ip), .rta_type = RTA_DST},
    };

    memcpy(r.ip, somewhere, sizeof r.ip);
    return send(fd, &r, sizeof r, 0) == (ssize_t)sizeof r;
}

static void take_ip(struct rtattr *attribute, struct address *a)
{
    if (RTA_PAYLOAD(attribute) < 4)
        return;
    *a = (struct address){.family = ADDRESS_V4};
    memcpy(a->ip, RTA_DATA(attribute), 4);
}

static void take(struct rtattr *attribute, struct gateway *g)
{
    if (attribute->rta_type == RTA_GATEWAY)
        take_ip(attribute, &g->router);
    else if (attribute->rta_type == RTA_PREFSRC)
        take_ip(attribute, &g->self);
    else if (attribute->rta_type == RTA_OIF &&
             RTA_PAYLOAD(attribute) >= sizeof g->interface)
        memcpy(&g->interface, RTA_DATA(attribute), sizeof g->interface);
}

static bool read_answer(int fd, struct gateway *g)
{
    union {
        struct nlmsghdr header;
        char bytes[4096];
    } answer;
    ssize_t size = recv(fd, &answer, sizeof answer, MSG_DONTWAIT);

    if (size < 0 || !NLMSG_OK(&answer.header, (size_t)size) ||
        answer.header.nlmsg_type != RTM_NEWROUTE)
        return false;
    struct rtmsg *route = NLMSG_DATA(&answer.header);
    if (route->rtm_type != RTN_UNICAST)
        return false;
    size_t left = RTM_PAYLOAD(&answer.header);
    for (struct rtattr *a = RTM_RTA(route); RTA_OK(a, left);
         a = RTA_NEXT(a, left))
        take(a, g);
    return true;
}

bool gateway_find(struct gateway *g)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct gateway found = {.interface = 0};
    bool is_found = fd >= 0 && ask(fd) && read_answer(fd, &found) &&
                    found.router.family == ADDRESS_V4 &&
                    found.self.family == ADDRESS_V4 &&
                    !address_is_loopback(&found.self);

    if (fd >= 0)
        close(fd);
    *g = is_found ? found : (struct gateway){.interface = 0};
    return is_found;
}

bool gateway_equal(const struct gateway *a, const struct gateway *b)
{
    return a->interface == b->interface &&
           address_equal(&a->router, &b->router) &&
           address_equal(&a->self, &b->self);
}
