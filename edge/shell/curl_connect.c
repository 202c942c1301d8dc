#include "edge/shell/curl_connect.h"

#include "common/core/digest.h"
#include "common/io/clock.h"
#include "common/io/sockaddr.h"
#include "common/io/tcp_options.h"
#include "edge/shell/link_socket.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    POLL_MS = 1000,
    HOST_SIZE = CURL_NAME_SIZE + 2, /* with brackets */
    LINE_SIZE = 2 * CURL_NAME_SIZE,
};

struct curl_connection {
    CURLM *multi; /* of this connection alone */
    CURL *easy;   /* NULL: not made yet */
    struct curl_slist *resolve, *connect_to;
    int fd;
    char detail[CURL_ERROR_SIZE];
};

/* While it connects. */
struct curl_attempt {
    struct curl_ask *ask;
    struct curl_connection *c;
};

static void init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void init_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, init);
}

/* ---- Sockets */

/* The first socket is the caller's. A proxy that closes it after it asked for a
 * password gets another one. */
static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct curl_ask *ask = context;
    int fd = ask->fd;

    (void)purpose;
    ask->fd = -1;
    if (fd < 0)
        fd = socket(address->family,
                    address->socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    address->protocol);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int set_up_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    struct address peer = address_of_peer(fd);

    (void)context;
    (void)purpose;
    tcp_options_set(fd);
    link_limit_unsent(fd);
    return peer.family != ADDRESS_NONE ? CURL_SOCKOPT_ALREADY_CONNECTED
                                       : CURL_SOCKOPT_OK;
}

/* ---- Options */

/* An address or a name, as it is in a URL. */
static const char *in_url(const char *host, char text[HOST_SIZE])
{
    bool bracket = strchr(host, ':') != NULL;

    snprintf(text, HOST_SIZE, bracket ? "[%s]" : "%s", host);
    return text;
}

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

/* Tells libcurl the address of a name, so that it does not look for it. */
static bool resolve(struct curl_connection *c, const char *host, uint16_t port,
                    const struct address *address)
{
    struct address ip = *address, ignored;
    char line[LINE_SIZE], text[ADDRESS_TEXT_SIZE];

    if (ip.family == ADDRESS_NONE || address_of_ip(host, 0, &ignored))
        return true;
    ip.scope = 0; /* It knows no scopes; the socket has it. */
    snprintf(line, sizeof line, "%s:%u:%s", host, port,
             address_format_ip(&ip, text));
    return append(&c->resolve, line);
}

static const char *name_of(const struct curl_ask *ask)
{
    return ask->name[0] != '\0' ? ask->name : ask->host;
}

static bool set_url(const struct curl_attempt *a)
{
    char url[LINE_SIZE], host[HOST_SIZE];

    snprintf(url, sizeof url, "%s://%s:%u/", a->ask->tls ? "https" : "http",
             in_url(name_of(a->ask), host), a->ask->port);
    return curl_easy_setopt(a->c->easy, CURLOPT_URL, url) == CURLE_OK;
}

/* Where the name in TLS differs, the proxy still gets the host's. */
static bool set_target(const struct curl_attempt *a)
{
    const struct curl_ask *ask = a->ask;
    struct curl_connection *c = a->c;
    char line[LINE_SIZE], host[HOST_SIZE];
    const struct address *address = ask->has_proxy ? &ask->target : &ask->first;

    if (ask->has_proxy && ask->name[0] != '\0') {
        snprintf(line, sizeof line, "::%s:%u", in_url(ask->host, host),
                 ask->port);
        if (!append(&c->connect_to, line))
            return false;
    }
    if (ask->has_proxy &&
        !resolve(c, ask->proxy.at.host, ask->proxy.at.port, &ask->first))
        return false;
    return resolve(c, ask->has_proxy ? ask->host : name_of(ask), ask->port,
                   address) &&
           curl_easy_setopt(c->easy, CURLOPT_RESOLVE, c->resolve) == CURLE_OK &&
           curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->connect_to) ==
               CURLE_OK;
}

static bool set_long(CURL *easy, CURLoption option, long value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_text(CURL *easy, CURLoption option, const char *value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_proxy(CURL *easy, const struct curl_ask *ask)
{
    static const long types[PROXY_SCHEMES] = {
        [PROXY_HTTP] = CURLPROXY_HTTP,
        [PROXY_HTTPS] = CURLPROXY_HTTPS,
        [PROXY_SOCKS4] = CURLPROXY_SOCKS4,
        [PROXY_SOCKS4A] = CURLPROXY_SOCKS4A,
        [PROXY_SOCKS5] = CURLPROXY_SOCKS5,
        [PROXY_SOCKS5H] = CURLPROXY_SOCKS5_HOSTNAME,
    };
    const struct proxy_url *proxy = &ask->proxy;
    char text[PROXY_URL_SIZE];
    /* Without a password the user's Kerberos ticket may do. With one it must
     * not be asked for: a host without a Kerberos server waits for long. */
    bool ticket = !proxy->has_user;
    long ways =
        (long)(ticket ? CURLAUTH_ANY : CURLAUTH_ANY & ~CURLAUTH_NEGOTIATE);

    /* "" also keeps libcurl from reading the environment. */
    if (!set_text(easy, CURLOPT_NOPROXY, ""))
        return false;
    if (!ask->has_proxy)
        return set_text(easy, CURLOPT_PROXY, "");
    return set_text(easy, CURLOPT_PROXY, proxy_url_print(proxy, text)) &&
           set_long(easy, CURLOPT_PROXYTYPE, types[proxy->scheme]) &&
           set_long(easy, CURLOPT_HTTPPROXYTUNNEL, 1) &&
           set_long(easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC) &&
           set_long(easy, CURLOPT_PROXYAUTH, ways) &&
           ((!proxy->has_user && !proxy_scheme_is_http(proxy->scheme)) ||
            (set_text(easy, CURLOPT_PROXYUSERNAME, proxy->user) &&
             set_text(easy, CURLOPT_PROXYPASSWORD, proxy->password)));
}

static bool set_tls(CURL *easy, const struct curl_ask *ask)
{
    const char *file = ask->authorities[0] != '\0' ? ask->authorities : NULL;
    bool good =
        set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
        set_long(easy, CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
        set_long(easy, CURLOPT_SSL_SESSIONID_CACHE, 0) &&
        set_long(easy, CURLOPT_CERTINFO, 1) &&
        set_long(easy, CURLOPT_SSL_VERIFYPEER, ask->verify ? 1 : 0) &&
        set_long(easy, CURLOPT_SSL_VERIFYHOST, ask->verify ? 2 : 0);

    if (good && file != NULL)
        good = set_text(easy, CURLOPT_PROXY_CAINFO, file);
    if (good && ask->verify && file != NULL)
        good = set_text(easy, CURLOPT_CAINFO, file);
    if (good && !ask->verify) /* else they are read all the same */
        good = set_text(easy, CURLOPT_CAINFO, NULL) &&
               set_text(easy, CURLOPT_CAPATH, NULL);
    return good;
}

/* In place of writing to the standard output. */
static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static bool set_rest(const struct curl_attempt *a)
{
    CURL *easy = a->c->easy;

    return set_long(easy, CURLOPT_CONNECT_ONLY, 1) &&
           set_long(easy, CURLOPT_NOSIGNAL, 1) &&
           set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1) &&
           set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
           set_text(easy, CURLOPT_USERAGENT, "Mozilla/5.0") &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, a->c->detail) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, ignore) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, a->ask) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_up_socket) ==
               CURLE_OK;
}

static bool begin(struct curl_attempt *a)
{
    struct curl_connection *c = a->c;

    c->multi = curl_multi_init();
    c->easy = curl_easy_init();
    return c->multi != NULL && c->easy != NULL && set_url(a) && set_target(a) &&
           set_proxy(c->easy, a->ask) && set_tls(c->easy, a->ask) &&
           set_rest(a) && curl_multi_add_handle(c->multi, c->easy) == CURLM_OK;
}

/* ---- What failed */

static enum link_failure failure_of_errno(long error)
{
    if (error == ECONNREFUSED)
        return LINK_REFUSED;
    return error == ETIMEDOUT ? LINK_TIMEOUT : LINK_UNREACHABLE;
}

/* The proxy's answer to CONNECT. */
static enum link_failure failure_of_status(long status)
{
    if (status == 407 || status == 401) /* 401: tinyproxy, wrong password */
        return LINK_PROXY_AUTH;
    return status == 511 || status / 100 == 3 ? LINK_CAPTIVE_PORTAL
                                              : LINK_PROXY_REFUSED;
}

static enum link_failure failure_of_socks(long reply)
{
    switch (reply) {
    case CURLPX_NO_AUTH:
    case CURLPX_USER_REJECTED:
    case CURLPX_IDENTD:
    case CURLPX_IDENTD_DIFFER:
    case CURLPX_GSSAPI:
    case CURLPX_GSSAPI_PERMSG:
    case CURLPX_GSSAPI_PROTECTION:
        return LINK_PROXY_AUTH;
    case CURLPX_RESOLVE_HOST:
        return LINK_NAMELESS;
    default:
        return LINK_PROXY_REFUSED;
    }
}

static enum link_failure failure_of(const struct curl_attempt *a, CURLcode code)
{
    long status = 0, reply = 0, error = 0;
    CURL *easy = a->c->easy;

    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
    curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &reply);
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
    if (status != 0 && status / 100 != 2)
        return failure_of_status(status);
    /* The enum has a hundred members. */
    if (code == CURLE_OPERATION_TIMEDOUT)
        return LINK_TIMEOUT;
    if (code == CURLE_COULDNT_RESOLVE_HOST ||
        code == CURLE_COULDNT_RESOLVE_PROXY)
        return LINK_NAMELESS;
    if (code == CURLE_PROXY)
        return failure_of_socks(reply);
    if (code == CURLE_COULDNT_CONNECT)
        return failure_of_errno(error);
    if (code == CURLE_SSL_CONNECT_ERROR ||
        code == CURLE_PEER_FAILED_VERIFICATION ||
        code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM)
        return LINK_TLS;
    return a->ask->has_proxy && status == 0 ? LINK_PROXY_REFUSED
                                            : LINK_UNREACHABLE;
}

/* ---- The host's certificate */

/* The SHA-256 of what is between the lines of the PEM text. */
static bool digest_of_pem(const char *pem, uint8_t digest[32])
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    const char *from = strstr(pem, begin);
    const char *to = from != NULL ? strstr(from, "-----END") : NULL;
    size_t size = 0;

    if (to == NULL)
        return false;
    from += sizeof begin - 1;
    uint8_t *bytes = malloc((size_t)(to - from) + 1);
    bool good = bytes != NULL &&
                sodium_base642bin(bytes, (size_t)(to - from) + 1, from,
                                  (size_t)(to - from), "\r\n", &size, NULL,
                                  sodium_base64_VARIANT_ORIGINAL) == 0;
    if (good)
        digest_of(bytes_of(bytes, size), digest);
    free(bytes);
    return good;
}

static void read_certificate(const struct curl_attempt *a,
                             struct curl_result *r)
{
    static const char label[] = "Cert:";
    struct curl_certinfo *all = NULL;

    /* Without TLS to the host they may be a proxy's. */
    if (!a->ask->tls ||
        curl_easy_getinfo(a->c->easy, CURLINFO_CERTINFO, &all) != CURLE_OK ||
        all == NULL || all->num_of_certs < 1)
        return;
    for (struct curl_slist *i = all->certinfo[0]; i != NULL; i = i->next)
        if (strncmp(i->data, label, sizeof label - 1) == 0)
            r->has_certificate = digest_of_pem(i->data, r->certificate);
}

/* ---- Connecting */

static bool is_done(const struct curl_attempt *a, CURLcode *code)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(a->c->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            return true;
        }
    return false;
}

static CURLcode run(const struct curl_attempt *a)
{
    struct curl_waitfd cancel = {.fd = a->ask->limit.cancel,
                                 .events = CURL_WAIT_POLLIN};
    CURLcode code;
    int running;

    for (;;) {
        if (curl_multi_perform(a->c->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (is_done(a, &code))
            return code;
        if (io_is_over(&a->ask->limit))
            return CURLE_OPERATION_TIMEDOUT;
        struct span left =
            span_min(instant_between(clock_now(), a->ask->limit.until),
                     span_ms(POLL_MS));
        (void)curl_multi_poll(a->c->multi, &cancel, 1,
                              (int)(left.us / 1000) + 1, NULL);
    }
}

static bool find_fd(struct curl_connection *c)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    (void)curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
    c->fd = fd;
    return fd != CURL_SOCKET_BAD;
}

static bool connect_by(struct curl_attempt *a, struct curl_result *result)
{
    result->why = LINK_UNREACHABLE;
    if (!begin(a))
        return false;
    CURLcode code = run(a);
    if (code != CURLE_OK) {
        result->why = failure_of(a, code);
        snprintf(result->detail, sizeof result->detail, "%s",
                 a->c->detail[0] != '\0' ? a->c->detail
                                         : curl_easy_strerror(code));
        return false;
    }
    read_certificate(a, result);
    return find_fd(a->c);
}

void curl_connect(struct curl_ask *ask, struct curl_result *result)
{
    struct curl_connection *c = calloc(1, sizeof *c);
    struct curl_attempt a = {ask, c};

    init_once();
    *result = (struct curl_result){.why = LINK_UNREACHABLE};
    if (c != NULL && connect_by(&a, result)) {
        result->connection = c;
        /* They point to what the caller owns. */
        curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETFUNCTION, NULL);
        curl_easy_setopt(c->easy, CURLOPT_OPENSOCKETDATA, NULL);
    } else {
        curl_connection_close(&c);
    }
    if (ask->fd >= 0)
        close(ask->fd);
    ask->fd = -1;
    sodium_memzero(&ask->proxy, sizeof ask->proxy);
}

/* ---- The connection */

int curl_connection_fd(const struct curl_connection *c)
{
    return c->fd;
}

ssize_t curl_connection_read(struct curl_connection *c, uint8_t *room,
                             size_t size)
{
    size_t count = 0;

    if (size == 0)
        return 0;
    CURLcode code = curl_easy_recv(c->easy, room, size, &count);
    if (code == CURLE_AGAIN)
        return 0;
    return code == CURLE_OK && count > 0 ? (ssize_t)count : -1;
}

ssize_t curl_connection_write(struct curl_connection *c, const uint8_t *data,
                              size_t size)
{
    size_t count = 0;
    CURLcode code = curl_easy_send(c->easy, data, size, &count);

    if (code == CURLE_AGAIN)
        return 0;
    return code == CURLE_OK ? (ssize_t)count : -1;
}

void curl_connection_close(struct curl_connection **self)
{
    struct curl_connection *c = *self;

    if (c == NULL)
        return;
    *self = NULL;
    if (c->multi != NULL && c->easy != NULL)
        curl_multi_remove_handle(c->multi, c->easy);
    curl_easy_cleanup(c->easy);
    if (c->multi != NULL)
        curl_multi_cleanup(c->multi);
    curl_slist_free_all(c->resolve);
    curl_slist_free_all(c->connect_to);
    free(c);
}
