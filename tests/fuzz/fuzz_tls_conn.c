/*
 * A stranger, or a client that turns bad after its handshake, at the relay's
 * TLS. The input says what a real client does and how its bytes are changed on
 * the way: see enum act. Whatever happens, what one end reads is what the other
 * one wrote, or a beginning of it.
 */
#include "relay/shell/tls_conn.h"

#include "common/conf/keyfile.h"
#include "common/io/byte_queue.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4096, WAITING = 256 * 1024 };

/* One byte, and a number in the next one. */
enum act {
    DELIVER,    /* the client's bytes, all */
    SOME,       /* the first ones */
    FLIP,       /* a bit of one of them */
    INJECT,     /* bytes of the input */
    WRITE,      /* the client writes */
    ANSWER,     /* the server writes */
    UPDATE,     /* the client changes its keys */
    BYE,        /* the client ends */
    SERVER_BYE, /* the server ends */
    ACTS,
};

static struct {
    struct tls_pair *pair;
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t versions[2];
} world;

static struct {
    struct tls_conn *server;
    gnutls_session_t session;
    bool shook, dead;
    struct byte_queue to_client, to_server;
    size_t wrote, answered, read, heard;
} w;

/* ---- The client -------------------------------------------------------------
 */

static void add(struct byte_queue *q, const void *data, size_t size)
{
    if (size == 0 || byte_queue_size(q) + size > WAITING)
        return;
    memcpy(byte_queue_reserve(q, size), data, size);
    byte_queue_added(q, size);
}

static ssize_t on_pull(gnutls_transport_ptr_t context, void *to, size_t size)
{
    size_t there = byte_queue_size(&w.to_client);
    (void)context;

    if (there == 0) {
        gnutls_transport_set_errno(w.session, EAGAIN);
        return -1;
    }
    size = size < there ? size : there;
    memcpy(to, byte_queue_bytes(&w.to_client).data, size);
    byte_queue_took(&w.to_client, size);
    return (ssize_t)size;
}

static int on_wait(gnutls_transport_ptr_t context, unsigned int ms)
{
    (void)context;
    (void)ms;
    return byte_queue_size(&w.to_client) > 0;
}

static ssize_t on_push(gnutls_transport_ptr_t context, const void *data,
                       size_t size)
{
    (void)context;
    add(&w.to_server, data, size);
    return (ssize_t)size;
}

static void on_send(void *context, struct bytes bytes)
{
    (void)context;
    add(&w.to_client, bytes.data, bytes.size);
}

static void begin_client(unsigned version)
{
    if (gnutls_init(&w.session, GNUTLS_CLIENT) != 0 ||
        gnutls_priority_set(w.session, world.versions[version % 2]) != 0 ||
        gnutls_credentials_set(w.session, GNUTLS_CRD_CERTIFICATE,
                               world.credentials) != 0)
        abort();
    gnutls_transport_set_pull_function(w.session, on_pull);
    gnutls_transport_set_pull_timeout_function(w.session, on_wait);
    gnutls_transport_set_push_function(w.session, on_push);
}

static void check(const uint8_t *data, size_t size, uint8_t wanted)
{
    for (size_t i = 0; i < size; i++)
        ASSERT(data[i] == wanted);
}

/* As far as what came allows. */
static void client_goes_on(void)
{
    uint8_t room[ROOM] = {0};
    for (int i = 0; i < 100 && !w.dead; i++) {
        ssize_t n = w.shook ? gnutls_record_recv(w.session, room, sizeof room)
                            : gnutls_handshake(w.session);
        if (!w.shook) {
            w.shook = n == 0;
        } else if (n > 0) {
            check(room, (size_t)n, 'y');
            w.heard += (size_t)n;
        } else if (n == 0) {
            w.dead = true;
        }
        if (n < 0 && gnutls_error_is_fatal((int)n))
            w.dead = true;
        if (n < 0 && byte_queue_size(&w.to_client) == 0)
            return;
    }
}

/* ---- The server
 * ---------------------------------------------------------------- */

static void give(struct bytes bytes)
{
    uint8_t room[ROOM];
    size_t got = 0;
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);

    if (copy == NULL)
        abort();
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    tls_conn_lend(w.server, bytes_of(copy, bytes.size));
    enum tls_read last;
    while ((last = tls_conn_read(w.server, room, sizeof room, &got)) ==
           TLS_PLAIN) {
        ASSERT(got > 0 && got <= sizeof room);
        check(room, got, 'x');
        w.read += got;
    }
    ASSERT(got == 0);
    ASSERT((last == TLS_ERROR) == (tls_conn_state(w.server) == TLS_FAILED));
    ASSERT((last == TLS_ERROR) == (*tls_conn_reason(w.server) != '\0'));
    free(copy);
}

static void deliver(size_t size)
{
    struct bytes all = byte_queue_bytes(&w.to_server);
    size = size < all.size ? size : all.size;
    give(bytes_of(all.data, size));
    byte_queue_took(&w.to_server, size);
}

/* ---- The input
 * ------------------------------------------------------------------- */

static void client_does(enum act act, uint8_t number)
{
    static uint8_t plain[256 * 64];
    size_t size = (size_t)number * 64 + 1;

    if (!w.shook || w.dead)
        return;
    memset(plain, 'x', size);
    if (act == WRITE && gnutls_record_send(w.session, plain, size) > 0)
        w.wrote += size;
    else if (act == UPDATE)
        (void)gnutls_session_key_update(w.session, number & 1);
    else if (act == BYE)
        (void)gnutls_bye(w.session, GNUTLS_SHUT_WR);
}

static void server_writes(uint8_t number)
{
    static uint8_t plain[256 * 64];
    size_t size = (size_t)number * 64 + 1;

    memset(plain, 'y', size);
    if (tls_conn_write(w.server, bytes_of(plain, size)))
        w.answered += size;
}

static void act(enum act act, uint8_t number, struct reader *r)
{
    size_t waiting = byte_queue_size(&w.to_server);

    switch (act) {
    case DELIVER:
        deliver(SIZE_MAX);
        break;
    case SOME:
        deliver(number);
        break;
    case FLIP:
        if (waiting > 0)
            w.to_server.data[w.to_server.first + number % waiting] ^=
                (uint8_t)(1 << number % 8);
        break;
    case INJECT:
        if (number > reader_left(r))
            number = (uint8_t)reader_left(r);
        give(bytes_of(r->at, number));
        read_bytes(r, number);
        break;
    case ANSWER:
        server_writes(number);
        break;
    case SERVER_BYE:
        tls_conn_bye(w.server);
        break;
    case WRITE:
    case UPDATE:
    case BYE:
    case ACTS:
        client_does(act, number);
        break;
    }
}

static void make_world(void)
{
    static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                             "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    size_t size = 0;
    if (world.pair != NULL)
        return;
    char *text = tls_pair_make("relay-1", &size);
    if (text == NULL)
        abort();
    struct bytes pem = bytes_of(text, size);
    world.pair = tls_pair_parse(pem, "certificate", pem, "key", stderr);
    keyfile_wipe(text, size);
    gnutls_certificate_allocate_credentials(&world.credentials);
    for (int i = 0; i < 2; i++)
        gnutls_priority_init(&world.versions[i], priorities[i], NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct tls_user user = {.send = on_send};
    struct reader r = reader_of(bytes_of(data, size));

    make_world();
    memset(&w, 0, sizeof w);
    w.server = tls_conn_new(world.pair, &user);
    if (w.server == NULL)
        abort();
    uint8_t version = read_u8(&r);
    if (version % 4 < 2) /* else a stranger that only sends garbage */
        begin_client(version);
    for (int i = 0; i < 300 && reader_left(&r) >= 2; i++) {
        enum act what = (enum act)(read_u8(&r) % ACTS);
        if (w.session != NULL)
            client_goes_on();
        act(w.session != NULL ? what : INJECT, read_u8(&r), &r);
    }
    ASSERT(w.read <= w.wrote && w.heard <= w.answered);
    tls_conn_free(&w.server);
    if (w.session != NULL)
        gnutls_deinit(w.session);
    byte_queue_free(&w.to_client);
    byte_queue_free(&w.to_server);
    return 0;
}

/* A whole handshake, bytes both ways, new keys, and both goodbyes. */
size_t fuzz_sample(uint8_t *room, size_t size)
{
    static const uint8_t acts[] = {
        0,   SOME,   40,  DELIVER, 0,       DELIVER, 0,          DELIVER,
        0,   WRITE,  3,   DELIVER, 0,       ANSWER,  9,          UPDATE,
        1,   WRITE,  200, SOME,    99,      DELIVER, 0,          ANSWER,
        255, FLIP,   7,   WRITE,   1,       FLIP,    30,         DELIVER,
        0,   INJECT, 7,   0x16,    3,       1,       0,          2,
        1,   0,      BYE, 0,       DELIVER, 0,       SERVER_BYE, 0,
    };
    ASSERT(size >= sizeof acts);
    memcpy(room, acts, sizeof acts);
    return sizeof acts;
}
