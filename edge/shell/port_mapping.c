#include "edge/shell/port_mapping.h"

#include "common/base/memory.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "edge/shell/nat_pmp.h"
#include "edge/shell/upnp.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct span request_most = {4 * (int64_t)1000000};
static const struct span nat_pmp_most = {2 * (int64_t)1000000};
static const struct span close_most = {800 * (int64_t)1000};

struct port_mapping {
    uv_loop_t *loop;
    struct port_mapping_conf conf;
    port_mapping_changed *changed;
    void *context;
    struct mapping_plan plan;
    struct gateway gateway;
    uv_timer_t timer; /* the plan's deadline; when closing, the end */
    bool closing;
    struct instant close_by;
    /* While `working`, the worker thread has the following; the loop's thread
     * may only cancel. */
    bool working;
    uv_work_t work;
    struct gateway asked;
    struct mapping_request request;
    struct mapping_answer answer;
    struct io_limit limit;
    struct upnp *upnp;
};

/* ---- The worker thread */

static void carry_out(uv_work_t *work)
{
    struct port_mapping *p = work->data;

    switch (p->request.protocol) {
    case MAPPING_NAT_PMP:
        nat_pmp_ask(&p->asked, &p->request, &p->limit, &p->answer);
        break;
    case MAPPING_UPNP:
        upnp_ask(p->upnp, &p->asked, &p->request, &p->limit, &p->answer);
        break;
    }
}

/* ---- The loop's thread */

static void cancel(struct port_mapping *p)
{
    if (p->working)
        (void)eventfd_write(p->limit.cancel, 1);
}

static void pump(struct port_mapping *p);

static void on_carried_out(uv_work_t *work, int status)
{
    struct port_mapping *p = work->data;
    eventfd_t ignored;

    if (status != 0)
        p->answer = (struct mapping_answer){.result = MAPPING_SILENT};
    p->working = false;
    (void)eventfd_read(p->limit.cancel, &ignored);
    mapping_plan_answer(&p->plan, clock_now(), &p->answer);
    pump(p);
}

static bool is_used(const struct port_mapping *p, unsigned interface)
{
    const struct interfaces *all = network_now(p->conf.network);

    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].index == interface)
            return true;
    return false;
}

/* True if the router, or the way to it, is another one than before. */
static bool look_for_gateway(struct port_mapping *p)
{
    struct gateway before = p->gateway;

    if (gateway_find(&p->gateway) && !is_used(p, p->gateway.interface))
        p->gateway = (struct gateway){.interface = 0};
    return !gateway_equal(&before, &p->gateway);
}

/* Without a router the answer is known. */
static bool answer_at_once(struct port_mapping *p, struct instant now)
{
    if (p->request.kind == MAPPING_FIND && look_for_gateway(p))
        mapping_plan_network_changed(&p->plan, now, true);
    else if (p->gateway.router.family != ADDRESS_NONE)
        return false;
    p->answer = (struct mapping_answer){.result = MAPPING_SILENT};
    mapping_plan_answer(&p->plan, now, &p->answer);
    return true;
}

static void start_work(struct port_mapping *p, struct instant now)
{
    bool nat_pmp = p->request.protocol == MAPPING_NAT_PMP;

    p->limit.until = instant_after(now, nat_pmp ? nat_pmp_most : request_most);
    if (p->closing)
        p->limit.until = instant_min(p->limit.until, p->close_by);
    p->asked = p->gateway;
    p->work.data = p;
    p->working = true;
    if (uv_queue_work(p->loop, &p->work, carry_out, on_carried_out) != 0)
        ASSERT(false); /* Fails only without a callback. */
}

static void on_closed(uv_handle_t *handle)
{
    struct port_mapping *p = handle->data;

    close(p->limit.cancel);
    upnp_free(&p->upnp);
    free(p);
}

static void on_timer(uv_timer_t *timer)
{
    struct port_mapping *p = timer->data;

    if (p->closing && p->working) {
        cancel(p);
        (void)uv_cancel((uv_req_t *)&p->work); /* It may wait for a thread. */
        return;
    }
    pump(p);
}

static void arm(struct port_mapping *p, struct instant at)
{
    int64_t left = instant_between(clock_now(), at).us;

    uv_update_time(p->loop);
    if (instant_is_never(at))
        uv_timer_stop(&p->timer);
    else
        uv_timer_start(&p->timer, on_timer,
                       left <= 0 ? 0 : (uint64_t)(left + 999) / 1000, 0);
}

static bool is_over(const struct port_mapping *p, struct instant now)
{
    return p->closing && !p->working &&
           (mapping_plan_is_done(&p->plan) ||
            instant_reached(p->close_by, now));
}

static void pump(struct port_mapping *p)
{
    struct instant now = clock_now();

    if (is_over(p, now)) {
        uv_close((uv_handle_t *)&p->timer, on_closed);
        return;
    }
    while (!p->working && mapping_plan_next(&p->plan, now, &p->request))
        if (!answer_at_once(p, now))
            start_work(p, now);
    if (p->closing) {
        arm(p, mapping_plan_is_done(&p->plan) ? now : p->close_by);
        return;
    }
    arm(p, mapping_plan_deadline(&p->plan));
    if (mapping_plan_changed(&p->plan))
        p->changed(p->context, &p->plan.state);
}

struct port_mapping *port_mapping_open(uv_loop_t *loop,
                                       const struct port_mapping_conf *conf,
                                       port_mapping_changed *changed,
                                       void *context)
{
    struct mapping_conf plan = {
        .ports =
            {[MAPPING_TCP] = conf->tcp_port, [MAPPING_UDP] = conf->udp_port},
        .served = {[MAPPING_NAT_PMP] = nat_pmp_is_available(),
                   [MAPPING_UPNP] = upnp_is_available()},
    };
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (fd < 0)
        return NULL;
    struct port_mapping *p = memory_new(sizeof *p);
    *p = (struct port_mapping){.loop = loop,
                               .conf = *conf,
                               .changed = changed,
                               .context = context,
                               .limit = {.cancel = fd},
                               .upnp = upnp_new()};
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
    (void)look_for_gateway(p);
    mapping_plan_init(&p->plan, &plan, clock_now());
    arm(p, clock_now()); /* The caller has not stored `p` yet. */
    return p;
}

const struct mapping_state *port_mapping_state(const struct port_mapping *p)
{
    return &p->plan.state;
}

void port_mapping_again(struct port_mapping *p)
{
    mapping_plan_network_changed(&p->plan, clock_now(), look_for_gateway(p));
    cancel(p);
    pump(p);
}

void port_mapping_moved(struct port_mapping *p, enum mapping_port port,
                        uint16_t inside)
{
    mapping_plan_port_moved(&p->plan, clock_now(), port, inside);
    pump(p);
}

void port_mapping_close(struct port_mapping **self)
{
    struct port_mapping *p = *self;

    if (p == NULL)
        return;
    *self = NULL;
    p->closing = true;
    p->close_by = instant_after(clock_now(), close_most);
    mapping_plan_stop(&p->plan);
    cancel(p);
    pump(p);
}
