/*
 * link_zmq - the load generator on bare libzmq with CURVE.
 *
 *     direct   DEALER, which connects, and ROUTER, which binds
 *     relay    DEALER - ROUTER (role forwarder) - DEALER; a message is one
 *              frame that begins with 3 bytes of address, as CURVE seals each
 *              frame by itself
 *
 * The server accepts any client's key, as libzmq's own benchmarks do.
 */
#include "tests/bench/load/load.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { ADDRESS_SIZE = 3, AT_ONCE = 256 };

/* Public keys and secret keys in the source: only for measuring on one
 * machine. */
static const char *const server_public =
    "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
static const char *const server_secret =
    "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
static const char *const client_public =
    "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
static const char *const client_secret =
    "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

static void *context;
static void *used;
static load_message *took;

static void set_int(void *s, int option, int value)
{
    if (zmq_setsockopt(s, option, &value, sizeof value) != 0)
        load_die("option %d: %s", option, zmq_strerror(errno));
}

static void set_text(void *s, int option, const char *value)
{
    if (zmq_setsockopt(s, option, value, strlen(value)) != 0)
        load_die("option %d: %s", option, zmq_strerror(errno));
}

static void *open_socket(int type, bool server)
{
    void *s = zmq_socket(context, type);
    set_int(s, ZMQ_SNDHWM, 0);
    set_int(s, ZMQ_RCVHWM, 0);
    set_int(s, ZMQ_LINGER, 0);
    if (server) {
        set_int(s, ZMQ_CURVE_SERVER, 1);
        set_text(s, ZMQ_CURVE_SECRETKEY, server_secret);
    } else {
        set_text(s, ZMQ_CURVE_SERVERKEY, server_public);
        set_text(s, ZMQ_CURVE_PUBLICKEY, client_public);
        set_text(s, ZMQ_CURVE_SECRETKEY, client_secret);
    }
    return s;
}

static void bind_to(void *s)
{
    if (zmq_bind(s, load.url) != 0)
        load_die("bind %s: %s", load.url, zmq_strerror(errno));
}

static const char *self(void)
{
    return load_is_left() ? "src" : "dst";
}

static const char *other(void)
{
    return load_is_left() ? "dst" : "src";
}

void link_open(load_message *on_message)
{
    bool binds = load_is("direct") && !load_is_left();
    took = on_message;
    context = zmq_ctx_new();
    used = open_socket(binds ? ZMQ_ROUTER : ZMQ_DEALER, binds);
    if (binds) {
        bind_to(used);
        return;
    }
    set_text(used, ZMQ_ROUTING_ID, self());
    if (zmq_connect(used, load.url) != 0)
        load_die("connect %s: %s", load.url, zmq_strerror(errno));
}

void link_send(const void *data, size_t size)
{
    size_t head = load_is("relay") ? ADDRESS_SIZE : 0;
    if (load_is("direct") && !load_is_left())
        zmq_send(used, other(), ADDRESS_SIZE, ZMQ_SNDMORE);
    zmq_msg_t m;
    zmq_msg_init_size(&m, head + size);
    char *at = zmq_msg_data(&m);
    memcpy(at, other(), head);
    memcpy(at + head, data, size);
    if (zmq_msg_send(&m, used, 0) < 0)
        load_die("send: %s", zmq_strerror(errno));
}

static bool take_one(zmq_msg_t *m)
{
    size_t head = load_is("relay") ? ADDRESS_SIZE : 0;
    if (zmq_msg_recv(m, used, ZMQ_DONTWAIT) < 0)
        return false;
    if (zmq_msg_more(m)) /* the first frame is a ROUTER's address */
        zmq_msg_recv(m, used, 0);
    if (zmq_msg_size(m) < head)
        load_die("a frame of %zu bytes", zmq_msg_size(m));
    took(0, (char *)zmq_msg_data(m) + head, zmq_msg_size(m) - head);
    return true;
}

void link_poll(int timeout_ms)
{
    zmq_msg_t m;
    int got = 0;
    zmq_msg_init(&m);
    while (got < AT_ONCE && take_one(&m))
        got++;
    if (got == 0 && timeout_ms > 0) {
        zmq_pollitem_t item = {.socket = used, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, timeout_ms) > 0)
            while (got < AT_ONCE && take_one(&m))
                got++;
    }
    zmq_msg_close(&m);
}

void link_close(void)
{
    zmq_close(used);
    zmq_ctx_term(context);
}

/* ---- The simplest forwarder */

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
    (void)signal;
    stop = 1;
}

static void forward(void)
{
    zmq_msg_t from, body;
    zmq_msg_init(&from);
    zmq_msg_init(&body);
    if (zmq_msg_recv(&from, used, 0) == ADDRESS_SIZE && zmq_msg_more(&from) &&
        zmq_msg_recv(&body, used, 0) >= ADDRESS_SIZE) {
        char to[ADDRESS_SIZE], *head = zmq_msg_data(&body);
        memcpy(to, head, sizeof to);
        memcpy(head, zmq_msg_data(&from), sizeof to);
        zmq_send(used, to, sizeof to, ZMQ_SNDMORE);
        zmq_msg_send(&body, used, 0);
    }
    zmq_msg_close(&from);
    zmq_msg_close(&body);
}

bool link_role(void)
{
    if (strcmp(load.role, "forwarder") != 0)
        return false;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL); /* interrupts what waits */
    context = zmq_ctx_new();
    used = open_socket(ZMQ_ROUTER, true);
    bind_to(used);
    load_say("READY");
    while (!stop)
        forward();
    return true;
}
