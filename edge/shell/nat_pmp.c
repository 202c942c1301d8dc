#include "edge/shell/nat_pmp.h"

#include "common/io/clock.h"

#include <natpmp.h>
#include <poll.h>
#include <string.h>

bool nat_pmp_is_available(void)
{
    return true;
}

static uint16_t type_of(enum mapping_port port)
{
    return port == MAPPING_TCP ? NATPMP_RESPTYPE_TCPPORTMAPPING
                               : NATPMP_RESPTYPE_UDPPORTMAPPING;
}

static bool send_request(natpmp_t *n, const struct mapping_request *r)
{
    int protocol =
        r->port == MAPPING_TCP ? NATPMP_PROTOCOL_TCP : NATPMP_PROTOCOL_UDP;
    uint32_t seconds = (uint32_t)(r->lease.us / 1000000);

    switch (r->kind) {
    case MAPPING_FIND:
        return sendpublicaddressrequest(n) == 2;
    case MAPPING_MAP:
        return sendnewportmappingrequest(n, protocol, r->inside, r->outside,
                                         seconds) == 12;
    case MAPPING_UNMAP:
        return sendnewportmappingrequest(n, protocol, r->inside, 0, 0) == 12;
    }
    return false;
}

/* The library says when it wants to send the request again. */
static struct span until_retry(natpmp_t *n)
{
    struct timeval left;

    if (getnatpmprequesttimeout(n, &left) != 0)
        return span_us(0);
    return span_max(span_us(left.tv_sec * (int64_t)1000000 + left.tv_usec),
                    span_us(0));
}

static int receive(natpmp_t *n, const struct io_limit *l, natpmpresp_t *got)
{
    int result = NATPMP_TRYAGAIN;

    while (result == NATPMP_TRYAGAIN) {
        struct io_limit wait = io_limit_within(l, until_retry(n));
        if (!io_wait(&wait, n->s, POLLIN) && io_is_over(l))
            break;
        result = readnatpmpresponseorretry(n, got);
    }
    return result;
}

static enum mapping_result result_of(int code)
{
    switch (code) {
    case 0:
        return MAPPING_GRANTED;
    case NATPMP_ERR_UNSUPPORTEDVERSION:
    case NATPMP_ERR_UNSUPPORTEDOPCODE:
    case NATPMP_ERR_UNDEFINEDERROR:
    case NATPMP_ERR_NOTAUTHORIZED:
    case NATPMP_ERR_NETWORKFAILURE:
    case NATPMP_ERR_OUTOFRESOURCES:
        return MAPPING_DENIED;
    default:
        return MAPPING_SILENT;
    }
}

static void take_outside(const natpmpresp_t *got, struct mapping_answer *answer)
{
    static const uint8_t none[4];
    const struct in_addr *ip = &got->pnu.publicaddress.addr;

    if (memcmp(ip, none, sizeof none) == 0)
        return; /* The router has no address outside. */
    answer->outside.family = ADDRESS_V4;
    memcpy(answer->outside.ip, ip, sizeof none);
}

static void take(const natpmpresp_t *got, const struct mapping_request *r,
                 struct mapping_answer *answer)
{
    bool find = r->kind == MAPPING_FIND;

    if (got->type !=
        (find ? NATPMP_RESPTYPE_PUBLICADDRESS : type_of(r->port))) {
        answer->result = MAPPING_SILENT;
    } else if (find) {
        take_outside(got, answer);
    } else if (got->pnu.newportmapping.privateport != r->inside) {
        answer->result = MAPPING_SILENT;
    } else {
        answer->outside.port = got->pnu.newportmapping.mappedpublicport;
        answer->lease = span_s(got->pnu.newportmapping.lifetime);
    }
}

void nat_pmp_ask(const struct gateway *g, const struct mapping_request *r,
                 const struct io_limit *l, struct mapping_answer *answer)
{
    natpmp_t n = {.s = -1};
    natpmpresp_t got = {.type = 0};
    in_addr_t router;

    *answer = (struct mapping_answer){.result = MAPPING_SILENT};
    memcpy(&router, g->router.ip, sizeof router);
    if (initnatpmp(&n, 1, router) == 0 && send_request(&n, r)) {
        answer->result = result_of(receive(&n, l, &got));
        if (answer->result == MAPPING_GRANTED)
            take(&got, r, answer);
    }
    if (n.s >= 0) /* Also if only the first of the two failed. */
        closenatpmp(&n);
}
