/*
 * link_nng - the load generator on nng: two sockets of kind pair, with TLS. The
 * sink or pong listens.
 */
#include "tests/bench/load/load.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <string.h>

enum {
    AT_ONCE = 256,
    DEEPEST = 8192, /* that nng allows */
    WAIT = NNG_FLAG_ALLOC,
    NO_WAIT = NNG_FLAG_ALLOC | NNG_FLAG_NONBLOCK,
};

static nng_socket used;
static load_message *took;

static void ok(int result, const char *what)
{
    if (result != 0)
        load_die("%s: %s", what, nng_strerror(result));
}

static nng_tls_config *tls(void)
{
    nng_tls_config *c;
    bool left = load_is_left();
    ok(nng_tls_register(), "TLS");
    ok(nng_tls_config_alloc(&c,
                            left ? NNG_TLS_MODE_CLIENT : NNG_TLS_MODE_SERVER),
       "TLS");
    if (left) {
        ok(nng_tls_config_ca_file(c, load.ca), "certificates");
        nng_tls_config_server_name(c, "localhost");
        nng_tls_config_auth_mode(c, NNG_TLS_AUTH_MODE_REQUIRED);
    } else {
        ok(nng_tls_config_cert_key_file(c, load.key, NULL), "key");
        nng_tls_config_auth_mode(c, NNG_TLS_AUTH_MODE_NONE);
    }
    return c;
}

static void dial(void)
{
    nng_dialer d;
    ok(nng_dialer_create(&d, used, load.url), "dialer");
    ok(nng_dialer_set_ptr(d, NNG_OPT_TLS_CONFIG, tls()), "TLS");
    ok(nng_dialer_start(d, 0), "dial");
}

static void listen(void)
{
    nng_listener l;
    ok(nng_listener_create(&l, used, load.url), "listener");
    ok(nng_listener_set_ptr(l, NNG_OPT_TLS_CONFIG, tls()), "TLS");
    ok(nng_listener_start(l, 0), "listen");
}

void link_open(load_message *on_message)
{
    int depth = load.window > DEEPEST ? DEEPEST : (int)load.window;
    took = on_message;
    ok(nng_pair0_open(&used), "open");
    ok(nng_socket_set_int(used, NNG_OPT_SENDBUF, depth), "buffer");
    ok(nng_socket_set_int(used, NNG_OPT_RECVBUF, depth), "buffer");
    ok(nng_socket_set_size(used, NNG_OPT_RECVMAXSZ, 0), "size");
    if (load_is_left())
        dial();
    else
        listen();
}

void link_send(const void *data, size_t size)
{
    void *copy = nng_alloc(size);
    if (copy == NULL)
        load_die("no memory");
    memcpy(copy, data, size);
    ok(nng_send(used, copy, size, NNG_FLAG_ALLOC), "send");
}

void link_poll(int timeout_ms)
{
    void *data;
    size_t size;
    ok(nng_socket_set_ms(used, NNG_OPT_RECVTIMEO, timeout_ms), "timeout");
    for (int got = 0; got < AT_ONCE; got++) {
        bool now = got > 0 || timeout_ms == 0;
        int result = nng_recv(used, &data, &size, now ? NO_WAIT : WAIT);
        if (result == NNG_EAGAIN || result == NNG_ETIMEDOUT)
            return;
        ok(result, "receive");
        took(0, data, size);
        nng_free(data, size);
    }
}

void link_close(void)
{
    nng_close(used);
}

bool link_role(void)
{
    return false;
}
