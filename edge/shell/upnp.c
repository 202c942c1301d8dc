#include "edge/shell/upnp.h"

#include "common/base/memory.h"
#include "common/wire/http_reply.h"
#include "edge/shell/ssdp.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpreplyparse.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REPLY_SIZE = 64 * 1024,
    REQUEST_SIZE = 4 * 1024,
    SERVICE_SIZE = 128,
    OTHER_PORTS = 3, /* tried where another host has the preferred one */
};

struct upnp {
    struct router_url control;
    char service[SERVICE_SIZE]; /* its type; "": no service is known */
    char request[REQUEST_SIZE];
    uint8_t reply[REPLY_SIZE];
};

struct upnp *upnp_new(void)
{
    return memory_new(sizeof(struct upnp));
}

void upnp_free(struct upnp **self)
{
    free(*self);
    *self = NULL;
}

bool upnp_is_available(void)
{
    return true;
}

/* ---- HTTP */

static bool receive(struct upnp *u, const struct io_limit *l, int fd,
                    struct http_reply *reply)
{
    enum http_reply_part part = HTTP_REPLY_MORE;

    for (size_t size = 0; part == HTTP_REPLY_MORE && size < REPLY_SIZE;) {
        ssize_t more = io_receive(l, fd, u->reply + size, REPLY_SIZE - size);
        if (more < 0)
            return false;
        size += (size_t)more;
        part = http_reply_read(u->reply, size, more == 0, reply);
        if (more == 0)
            break;
    }
    return part == HTTP_REPLY_WHOLE;
}

/* Sends u->request; the reply is a view into u->reply. */
static bool exchange(struct upnp *u, const struct io_limit *l,
                     const struct address *to, struct http_reply *reply)
{
    int fd = io_connect(l, to);
    bool done = fd >= 0 && io_send(l, fd, bytes_of_string(u->request)) &&
                receive(u, l, fd, reply);

    if (fd >= 0)
        close(fd);
    return done;
}

static bool get(struct upnp *u, const struct io_limit *l,
                const struct router_url *url, struct http_reply *reply)
{
    char host[ADDRESS_TEXT_SIZE];

    snprintf(u->request, sizeof u->request,
             "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
             url->path, address_format(&url->address, host));
    return exchange(u, l, &url->address, reply) && reply->status == 200;
}

/* ---- SOAP */

/* What the service said to an action. */
struct soap_answer {
    bool came;
    int error;              /* 0: it was done */
    struct address outside; /* NewExternalIPAddress, if it had one */
};

static int error_of(const struct http_reply *reply, const char *code)
{
    if (reply->status == 200)
        return 0;
    int number = code != NULL ? atoi(code) : 0; /* NOLINT(cert-err34-c) */
    return number != 0 ? number : reply->status;
}

static void read_answer(const struct http_reply *reply, struct soap_answer *a)
{
    struct NameValueParserData values;
    const char *ip;

    ParseNameValue((const char *)reply->body.data, (int)reply->body.size,
                   &values);
    a->error = error_of(reply, GetValueFromNameValueList(&values, "errorCode"));
    ip = GetValueFromNameValueList(&values, "NewExternalIPAddress");
    if (ip != NULL && !address_of_ip(ip, 0, &a->outside))
        a->outside.family = ADDRESS_NONE;
    ClearNameValueList(&values);
}

/* `arguments` and what follows: a format of the elements. */
static struct soap_answer act(struct upnp *u, const struct io_limit *l,
                              const char *action, const char *arguments, ...)
    __attribute__((format(printf, 4, 5)));

static struct soap_answer act(struct upnp *u, const struct io_limit *l,
                              const char *action, const char *arguments, ...)
{
    struct soap_answer a = {.came = false};
    struct http_reply reply;
    char elements[1024], body[2048], host[ADDRESS_TEXT_SIZE];
    va_list list;

    va_start(list, arguments);
    vsnprintf(elements, sizeof elements, arguments, list);
    va_end(list);
    int size = snprintf(
        body, sizeof body,
        "<?xml version=\"1.0\"?>\r\n"
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
        "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"
        "<s:Body><u:%s xmlns:u=\"%s\">%s</u:%s></s:Body></s:Envelope>\r\n",
        action, u->service, elements, action);
    snprintf(u->request, sizeof u->request,
             "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
             "Content-Type: text/xml; charset=\"utf-8\"\r\n"
             "Content-Length: %d\r\nSOAPAction: \"%s#%s\"\r\n\r\n%s",
             u->control.path, address_format(&u->control.address, host), size,
             u->service, action, body);
    a.came = exchange(u, l, &u->control.address, &reply);
    if (a.came)
        read_answer(&reply, &a);
    return a;
}

static enum mapping_result result_of(const struct soap_answer *a)
{
    if (!a->came)
        return MAPPING_SILENT;
    return a->error == 0 ? MAPPING_GRANTED : MAPPING_DENIED;
}

/* ---- FIND */

/* The type becomes part of requests and of XML. */
static bool is_service_type(const char *type)
{
    return type[0] != '\0' &&
           type[strspn(type, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
                             "uvwxyz0123456789:-_.")] == '\0';
}

/* Takes the service into use that is data->first. */
static bool use_service(struct upnp *u, const struct gateway *g,
                        const struct router_url *description,
                        struct IGDdatas *data)
{
    char text[ROUTER_URL_SIZE];
    struct UPNPUrls urls = {.controlURL = NULL};
    bool good = false;

    if (!is_service_type(data->first.servicetype))
        return false;
    GetUPNPUrls(&urls, data, router_url_print(description, text), 0);
    if (urls.controlURL != NULL)
        good = router_url_parse(bytes_of_string(urls.controlURL), &g->router,
                                &u->control);
    FreeUPNPUrls(&urls);
    if (good)
        snprintf(u->service, sizeof u->service, "%s", data->first.servicetype);
    return good;
}

/* Some routers describe two connections, of which one has an address. */
static void find(struct upnp *u, const struct gateway *g,
                 const struct io_limit *l, struct mapping_answer *answer)
{
    struct router_url description;
    struct http_reply reply;
    struct IGDdatas data = {.level = 0};

    u->service[0] = '\0';
    if (!ssdp_find(g, l, &description) || !get(u, l, &description, &reply))
        return;
    parserootdesc((const char *)reply.body.data, (int)reply.body.size, &data);
    for (int i = 0; i < 2 && answer->outside.family == ADDRESS_NONE; i++) {
        if (use_service(u, g, &description, &data)) {
            struct soap_answer a = act(u, l, "GetExternalIPAddress", "%s", "");
            answer->result = result_of(&a);
            answer->outside = a.outside;
        }
        data.first = data.second;
    }
}

/* ---- MAP, UNMAP */

static const char *protocol_of(const struct mapping_request *r)
{
    return r->port == MAPPING_TCP ? "TCP" : "UDP";
}

static struct soap_answer add(struct upnp *u, const struct gateway *g,
                              const struct mapping_request *r,
                              const struct io_limit *l, unsigned outside,
                              unsigned seconds)
{
    char self[ADDRESS_TEXT_SIZE];

    return act(u, l, "AddPortMapping",
               "<NewRemoteHost></NewRemoteHost>"
               "<NewExternalPort>%u</NewExternalPort>"
               "<NewProtocol>%s</NewProtocol>"
               "<NewInternalPort>%u</NewInternalPort>"
               "<NewInternalClient>%s</NewInternalClient>"
               "<NewEnabled>1</NewEnabled>"
               "<NewPortMappingDescription>zeroservices"
               "</NewPortMappingDescription>"
               "<NewLeaseDuration>%u</NewLeaseDuration>",
               outside, protocol_of(r), r->inside,
               address_format_ip(&g->self, self), seconds);
}

static unsigned other_port(void)
{
    return 20000 + randombytes_uniform(40000);
}

static void map(struct upnp *u, const struct gateway *g,
                const struct mapping_request *r, const struct io_limit *l,
                struct mapping_answer *answer)
{
    enum { TAKEN = 718, ONLY_PERMANENT = 725, OTHER_MECHANISM = 729 };
    unsigned outside = r->outside;
    unsigned seconds = (unsigned)(r->lease.us / 1000000);
    struct soap_answer a = add(u, g, r, l, outside, seconds);

    if (a.error == ONLY_PERMANENT) {
        seconds = 0;
        a = add(u, g, r, l, outside, seconds);
    }
    for (int i = 0;
         i < OTHER_PORTS && (a.error == TAKEN || a.error == OTHER_MECHANISM);
         i++) {
        outside = other_port();
        a = add(u, g, r, l, outside, seconds);
    }
    answer->result = result_of(&a);
    answer->outside.port = (uint16_t)outside;
    answer->lease = r->lease; /* A permanent one is renewed just the same. */
}

static void unmap(struct upnp *u, const struct mapping_request *r,
                  const struct io_limit *l, struct mapping_answer *answer)
{
    struct soap_answer a = act(u, l, "DeletePortMapping",
                               "<NewRemoteHost></NewRemoteHost>"
                               "<NewExternalPort>%u</NewExternalPort>"
                               "<NewProtocol>%s</NewProtocol>",
                               r->outside, protocol_of(r));

    answer->result = result_of(&a);
}

void upnp_ask(struct upnp *u, const struct gateway *g,
              const struct mapping_request *r, const struct io_limit *l,
              struct mapping_answer *answer)
{
    *answer = (struct mapping_answer){.result = MAPPING_SILENT};
    if (r->kind == MAPPING_FIND)
        find(u, g, l, answer);
    else if (u->service[0] == '\0')
        return;
    else if (r->kind == MAPPING_MAP)
        map(u, g, r, l, answer);
    else
        unmap(u, r, l, answer);
}
