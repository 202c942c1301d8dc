/*
 * proxy_kit - small servers on loopback, each a thread, for tests of what goes
 * through proxies: a host that echoes, by TLS or not, and proxies that pass
 * everything on to it, whatever they are asked for.
 */
#ifndef TESTS_UNIT_PROXY_KIT_H
#define TESTS_UNIT_PROXY_KIT_H

#include "kit.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- The certificate of all servers: relay.test, localhost, 127.0.0.1 */

struct kit_certificate {
    gnutls_certificate_credentials_t credentials;
    uint8_t sha256[32];
    char file[100]; /* itself, to trust it */
};

static void kit_write_file(const char *path, const gnutls_datum_t *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
    fclose(file);
}

static void kit_name(gnutls_x509_crt_t crt)
{
    static const uint8_t ip[4] = {127, 0, 0, 1};
    unsigned flags = GNUTLS_FSAN_APPEND;

    gnutls_x509_crt_set_dn(crt, "CN=relay.test", NULL);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "relay.test",
                                         10, flags);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost",
                                         9, flags);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, ip,
                                         sizeof ip, flags);
}

static void kit_certificate_make(struct kit_certificate *c)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;
    size_t size = sizeof c->sha256;
    time_t now = time(NULL);

    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(
        key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
        0);
    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, now - 3600);
    gnutls_x509_crt_set_expiration_time(crt, now + 3600);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
    kit_name(crt);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0),
                     0);
    gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, c->sha256, &size);
    gnutls_certificate_allocate_credentials(&c->credentials);
    gnutls_certificate_set_x509_key(c->credentials, &crt, 1, key);
    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
    snprintf(c->file, sizeof c->file, "/tmp/zs-proxy-kit-%d.pem", getpid());
    kit_write_file(c->file, &pem);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void kit_certificate_free(struct kit_certificate *c)
{
    gnutls_certificate_free_credentials(c->credentials);
    unlink(c->file);
}

/* ---- One end of a connection, with or without TLS */

struct kit_stream {
    int fd;
    gnutls_session_t tls; /* NULL: none */
};

static ssize_t kit_receive(const struct kit_stream *e, void *to, size_t size)
{
    return e->tls != NULL ? gnutls_record_recv(e->tls, to, size)
                          : recv(e->fd, to, size, 0);
}

/* False: the other end is gone. */
static bool kit_send(const struct kit_stream *e, const void *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *from = (const char *)data + at;
        ssize_t sent = e->tls != NULL
                           ? gnutls_record_send(e->tls, from, size - at)
                           : send(e->fd, from, size - at, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

static bool kit_say(const struct kit_stream *e, const char *text)
{
    return kit_send(e, text, strlen(text));
}

static void kit_end_close(struct kit_stream *e)
{
    if (e->tls != NULL)
        gnutls_deinit(e->tls);
    close(e->fd);
}

/* ---- Servers */

enum kit_kind {
    KIT_ECHO,
    KIT_CONNECT, /* HTTP */
    KIT_SOCKS,   /* 4 and 5, by the first byte */
};

struct kit_server {
    enum kit_kind kind;
    const struct kit_certificate *tls; /* NULL: none */
    const char *priority;              /* of GnuTLS; NULL: its default */
    uint16_t behind;                   /* the port that a proxy passes on to */
    const char *answer; /* KIT_CONNECT: in place of passing on; "": it closes */
    const char *basic;  /* KIT_CONNECT: what Basic must have; else 407 */
    bool closes;        /* after a 407 */
    const char *user;   /* KIT_SOCKS 5: NULL: none is wanted */
    uint8_t refusal;    /* KIT_SOCKS 5: the reply, unless 0 */
    /* What it saw last; valid once the client is served. */
    char asked[300]; /* the line of CONNECT; or SOCKS's "name:port" */
    char sni[100];
    char alpn[20];
    uint16_t port;
    int fd;
    pthread_t thread;
};

static int kit_dial(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool kit_pass(const struct kit_stream *from, const struct kit_stream *to)
{
    char room[16384];
    ssize_t size = kit_receive(from, room, sizeof room);

    return size > 0 && kit_send(to, room, (size_t)size);
}

/* Passes bytes between the two until one ends. */
static void kit_shuttle(const struct kit_stream *a, const struct kit_stream *b)
{
    bool going = true;

    while (going) {
        struct pollfd both[2] = {{.fd = a->fd, .events = POLLIN},
                                 {.fd = b->fd, .events = POLLIN}};
        bool waits = a->tls != NULL && gnutls_record_check_pending(a->tls) > 0;
        if (!waits && poll(both, 2, -1) < 0)
            return;
        if (waits || both[0].revents != 0)
            going = kit_pass(a, b);
        if (going && both[1].revents != 0)
            going = kit_pass(b, a);
    }
}

static void kit_connect_through(const struct kit_server *s,
                                const struct kit_stream *client,
                                const char *yes, size_t size)
{
    struct kit_stream host = {.fd = kit_dial(s->behind)};

    if (host.fd >= 0 && kit_send(client, yes, size))
        kit_shuttle(client, &host);
    if (host.fd >= 0)
        close(host.fd);
}

/* Reads up to the empty line; false: the client ended. */
static bool kit_read_head(const struct kit_stream *client, char head[2000])
{
    size_t size = 0;

    memset(head, 0, 2000);
    while (strstr(head, "\r\n\r\n") == NULL && size < 1999) {
        if (kit_receive(client, head + size, 1) != 1)
            return false;
        size++;
    }
    return true;
}

static void kit_serve_connect(struct kit_server *s,
                              const struct kit_stream *client)
{
    static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    char head[2000], wanted[200] = "";

    if (s->basic != NULL)
        snprintf(wanted, sizeof wanted, "\r\nProxy-Authorization: Basic %s\r\n",
                 s->basic);
    while (kit_read_head(client, head)) {
        snprintf(s->asked, sizeof s->asked, "%.*s", (int)strcspn(head, "\r"),
                 head);
        if (s->answer != NULL) {
            (void)kit_say(client, s->answer);
            return;
        }
        if (strstr(head, wanted) != NULL) {
            kit_connect_through(s, client, yes, sizeof yes - 1);
            return;
        }
        if (!kit_say(client, "HTTP/1.1 407 Authenticate\r\n"
                             "Proxy-Authenticate: Basic realm=\"test\"\r\n"
                             "Content-Length: 0\r\n") ||
            !kit_say(client,
                     s->closes ? "Proxy-Connection: close\r\n\r\n" : "\r\n") ||
            s->closes)
            return;
    }
}

static bool kit_take(const struct kit_stream *client, void *to, size_t size)
{
    for (size_t at = 0; at < size; at++)
        if (kit_receive(client, (char *)to + at, 1) != 1)
            return false;
    return true;
}

/* Up to the NUL. */
static bool kit_take_text(const struct kit_stream *client, char text[256])
{
    for (size_t i = 0; i < 256; i++) {
        if (!kit_take(client, text + i, 1))
            return false;
        if (text[i] == '\0')
            return true;
    }
    return false;
}

static void kit_serve_socks4(struct kit_server *s,
                             const struct kit_stream *client)
{
    uint8_t start[7];
    char user[256], name[256];

    if (!kit_take(client, start, sizeof start) || !kit_take_text(client, user))
        return;
    unsigned port = start[1] * 256u + start[2];
    if (start[3] == 0 && start[4] == 0 && start[5] == 0) {
        if (!kit_take_text(client, name))
            return;
    } else {
        snprintf(name, sizeof name, "%u.%u.%u.%u", start[3], start[4], start[5],
                 start[6]);
    }
    snprintf(s->asked, sizeof s->asked, "%s:%u", name, port);
    kit_connect_through(s, client, "\0\x5a\0\0\0\0\0", 8);
}

/* The name and password of RFC 1929. */
static bool kit_login(const struct kit_server *s,
                      const struct kit_stream *client)
{
    uint8_t byte;
    char text[512] = "";
    size_t used = 0;

    if (!kit_say(client, "\x05\x02") || !kit_take(client, &byte, 1))
        return false;
    for (int i = 0; i < 2; i++) {
        if (!kit_take(client, &byte, 1) || !kit_take(client, text + used, byte))
            return false;
        used += byte;
        text[used++] = i == 0 ? ':' : '\0';
    }
    bool good = strcmp(text, s->user) == 0;
    return kit_send(client, good ? "\1\0" : "\1\1", 2) && good;
}

static void kit_serve_socks5(struct kit_server *s,
                             const struct kit_stream *client)
{
    uint8_t count, methods[255], start[4], size = 4, port[2];
    char name[256] = "";

    if (!kit_take(client, &count, 1) || !kit_take(client, methods, count))
        return;
    if (s->user == NULL ? !kit_send(client, "\5\0", 2) : !kit_login(s, client))
        return;
    if (!kit_take(client, start, 4) ||
        (start[3] == 3 && !kit_take(client, &size, 1)))
        return;
    if (!kit_take(client, name, size) || !kit_take(client, port, 2))
        return;
    char text[INET_ADDRSTRLEN];
    if (start[3] == 1)
        inet_ntop(AF_INET, name, text, sizeof text);
    snprintf(s->asked, sizeof s->asked, "%s:%u", start[3] == 1 ? text : name,
             port[0] * 256u + port[1]);
    char reply[10] = {5, (char)s->refusal, 0, 1};
    if (s->refusal != 0)
        (void)kit_send(client, reply, sizeof reply);
    else
        kit_connect_through(s, client, reply, sizeof reply);
}

static void kit_echo(const struct kit_stream *client)
{
    while (kit_pass(client, client))
        ;
}

static void kit_note_tls(struct kit_server *s, const struct kit_stream *client)
{
    size_t size = sizeof s->sni - 1;
    unsigned type;
    gnutls_datum_t alpn;

    memset(s->sni, 0, sizeof s->sni);
    memset(s->alpn, 0, sizeof s->alpn);
    if (gnutls_server_name_get(client->tls, s->sni, &size, &type, 0) != 0)
        s->sni[0] = '\0';
    if (gnutls_alpn_get_selected_protocol(client->tls, &alpn) == 0)
        snprintf(s->alpn, sizeof s->alpn, "%.*s", (int)alpn.size, alpn.data);
}

static bool kit_shake_hands(struct kit_server *s, struct kit_stream *client)
{
    static const char name[] = "http/1.1";
    gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)name, 8};
    int status;

    if (s->tls == NULL)
        return true;
    gnutls_init(&client->tls, GNUTLS_SERVER);
    if (s->priority == NULL)
        gnutls_set_default_priority(client->tls);
    else
        gnutls_priority_set_direct(client->tls, s->priority, NULL);
    gnutls_credentials_set(client->tls, GNUTLS_CRD_CERTIFICATE,
                           s->tls->credentials);
    gnutls_alpn_set_protocols(client->tls, &protocol, 1, 0);
    gnutls_transport_set_int(client->tls, client->fd);
    do
        status = gnutls_handshake(client->tls);
    while (status < 0 && !gnutls_error_is_fatal(status));
    if (status == 0)
        kit_note_tls(s, client);
    return status == 0;
}

static void kit_serve(struct kit_server *s, int fd)
{
    struct kit_stream client = {.fd = fd};
    uint8_t version;

    if (kit_shake_hands(s, &client)) {
        if (s->kind == KIT_ECHO)
            kit_echo(&client);
        else if (s->kind == KIT_CONNECT)
            kit_serve_connect(s, &client);
        else if (kit_take(&client, &version, 1))
            (version == 4 ? kit_serve_socks4 : kit_serve_socks5)(s, &client);
    }
    kit_end_close(&client);
}

static void *kit_run(void *context)
{
    struct kit_server *s = context;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) >= 0)
        kit_serve(s, fd);
    return NULL;
}

/* One client after the other. */
static void kit_start(struct kit_server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    signal(SIGPIPE, SIG_IGN); /* gnutls_record_send writes. */
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 16), 0);
    getsockname(s->fd, (struct sockaddr *)&at, &size);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, kit_run, s), 0);
}

/* After its clients are gone. */
static void kit_stop(struct kit_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

#endif
