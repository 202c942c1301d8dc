#include "kit.h"

#include "common/io/clock.h"
#include "edge/shell/ssdp.h"
#include "edge/shell/upnp.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { REQUESTS = 16, SSDP_PORT = 1900 };

/* A router on the loopback interface: SSDP, and one connection at a time. */
struct upnp_router {
    uv_thread_t thread;
    int ssdp, tcp, end;
    struct gateway gateway;
    uint16_t port;
    const char *location;       /* instead of the right one */
    const char *description;    /* the body */
    const char *const *replies; /* bodies for the following requests; those
                                   that begin with 7 or 6 are error codes */
    bool chunked, endless, slow;
    char asked[REQUESTS][4096];
    int count; /* of requests */
};

static struct upnp_router router;

static const char description[] =
    "<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">"
    "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1"
    "</deviceType><serviceList><service>"
    "<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1"
    "</serviceType><controlURL>/ctl/IPConn</controlURL>"
    "<eventSubURL>/evt</eventSubURL><SCPDURL>/scpd</SCPDURL>"
    "</service></serviceList></device></root>";

#define OUTSIDE(ip)                                                            \
    "<s:Envelope><s:Body><u:GetExternalIPAddressResponse>"                     \
    "<NewExternalIPAddress>" ip "</NewExternalIPAddress>"                      \
    "</u:GetExternalIPAddressResponse></s:Body></s:Envelope>"
#define DONE "<s:Envelope><s:Body></s:Body></s:Envelope>"

/* ---- The router */

static void answer_search(struct upnp_router *r)
{
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    char text[1024], place[100], ip[ADDRESS_TEXT_SIZE];

    if (recvfrom(r->ssdp, text, sizeof text, 0, (struct sockaddr *)&from,
                 &size) <= 0)
        return;
    snprintf(place, sizeof place, "http://%s:%u/desc.xml",
             address_format_ip(&r->gateway.router, ip), r->port);
    int length =
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nEXT:\r\n"
                 "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                 "LOCATION: %s\r\n\r\n",
                 r->location != NULL ? r->location : place);
    (void)sendto(r->ssdp, text, (size_t)length, 0, (struct sockaddr *)&from,
                 size);
}

static bool is_ended(const struct upnp_router *r, int ms)
{
    struct pollfd end = {r->end, POLLIN, 0};

    return poll(&end, 1, ms) > 0;
}

static void write_all(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Writes until the client closes. */
static void write_without_end(struct upnp_router *r, int fd)
{
    char many[8192];

    memset(many, 'x', sizeof many);
    while (send(fd, many, r->slow ? 1 : sizeof many, MSG_NOSIGNAL) > 0)
        if (is_ended(r, r->slow ? 5 : 0))
            return;
}

static void write_reply(struct upnp_router *r, int fd, const char *body)
{
    char text[4096];
    bool error = body[0] == '6' || body[0] == '7';

    if (error)
        snprintf(text, sizeof text,
                 "HTTP/1.1 500 Internal Server Error\r\n\r\n<s:Fault>"
                 "<errorCode>%s</errorCode></s:Fault>",
                 body);
    else if (r->chunked)
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "10\r\n%.16s\r\n%zx\r\n%s\r\n0\r\n\r\n",
                 body, strlen(body) - 16, body + 16);
    else
        snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
    write_all(fd, text);
}

/* Reads one request. The client sends it at once; it ends with its body. */
static void take_request(int fd, char *text, size_t size)
{
    size_t at = 0;

    text[0] = '\0';
    for (ssize_t more = 1; more > 0 && at + 1 < size; at += (size_t)more) {
        bool whole =
            strstr(text, "Envelope>\r\n") != NULL ||
            (strncmp(text, "GET", 3) == 0 && strstr(text, "\r\n\r\n") != NULL);
        if (whole)
            return;
        more = recv(fd, text + at, size - 1 - at, 0);
        text[more > 0 ? at + (size_t)more : at] = '\0';
        if (more <= 0)
            return;
    }
}

static void answer_connection(struct upnp_router *r)
{
    int fd = accept(r->tcp, NULL, NULL);

    if (fd < 0 || r->count == REQUESTS)
        return;
    take_request(fd, r->asked[r->count], sizeof r->asked[0]);
    r->count++;
    if (r->endless)
        write_without_end(r, fd);
    else if (r->count == 1)
        write_reply(r, fd, r->description);
    else
        write_reply(r, fd, r->replies[r->count - 2]);
    close(fd);
}

static void serve(void *context)
{
    struct upnp_router *r = context;
    struct pollfd all[3] = {
        {r->end, POLLIN, 0}, {r->ssdp, POLLIN, 0}, {r->tcp, POLLIN, 0}};

    while (poll(all, 3, -1) > 0 && all[0].revents == 0) {
        if (all[1].revents != 0)
            answer_search(r);
        if (all[2].revents != 0)
            answer_connection(r);
    }
}

/* ---- The tests' side */

/* Each process has a loopback address of its own, so that tests can run at the
 * same time. */
static int open_router(void **state)
{
    (void)state;
    pid_t id = getpid();
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    router.gateway = (struct gateway){
        .router = {.family = ADDRESS_V4,
                   .ip = {127, 79, (uint8_t)(id >> 8), (uint8_t)id}},
        .self = {.family = ADDRESS_V4, .ip = {127, 0, 0, 1}},
        .interface = if_nametoindex("lo")};
    memcpy(&at.sin_addr, router.gateway.router.ip, 4);
    router.tcp = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(router.tcp, (struct sockaddr *)&at, size) != 0 ||
        listen(router.tcp, 8) != 0 ||
        getsockname(router.tcp, (struct sockaddr *)&at, &size) != 0)
        return -1;
    router.port = ntohs(at.sin_port);
    at.sin_port = htons(SSDP_PORT);
    router.ssdp = socket(AF_INET, SOCK_DGRAM, 0);
    return bind(router.ssdp, (struct sockaddr *)&at, size);
}

static int close_router(void **state)
{
    (void)state;
    close(router.tcp);
    return close(router.ssdp);
}

static void begin(const char *text, const char *const *replies)
{
    router.location = NULL;
    router.description = text;
    router.replies = replies;
    router.count = 0;
    router.chunked = router.endless = router.slow = false;
}

static const struct mapping_request find = {.kind = MAPPING_FIND},
                                    map = {.kind = MAPPING_MAP,
                                           .port = MAPPING_TCP,
                                           .inside = 4000,
                                           .outside = 4001,
                                           .lease = {600 * 1000000}};

/* Makes the requests one after the other, and returns the last answer. */
static struct mapping_answer ask(struct upnp *u,
                                 const struct mapping_request *requests,
                                 size_t count, struct span most)
{
    struct mapping_answer answer = {.result = MAPPING_SILENT};
    router.end = eventfd(0, 0);
    assert_int_equal(uv_thread_create(&router.thread, serve, &router), 0);
    for (size_t i = 0; i < count; i++) {
        struct io_limit limit = {instant_after(clock_now(), most), -1};
        upnp_ask(u, &router.gateway, &requests[i], &limit, &answer);
    }
    eventfd_write(router.end, 1);
    uv_thread_join(&router.thread);
    close(router.end);
    return answer;
}

static struct mapping_answer find_and(const struct mapping_request *then)
{
    struct upnp *u = upnp_new();
    struct mapping_request requests[2] = {find};
    if (then != NULL)
        requests[1] = *then;
    struct mapping_answer a =
        ask(u, requests, then != NULL ? 2 : 1, span_s(20));
    upnp_free(&u);
    return a;
}

static void has(int request, const char *text)
{
    if (strstr(router.asked[request], text) == NULL)
        fail_msg("no %s in %s", text, router.asked[request]);
}

static void the_outside_address_is_found(void **state)
{
    (void)state;
    static const char *const replies[] = {OUTSIDE("5.5.5.1")};
    char text[ADDRESS_TEXT_SIZE];
    for (int chunked = 0; chunked < 2; chunked++) {
        begin(description, replies);
        router.chunked = chunked != 0;
        struct mapping_answer a = find_and(NULL);
        assert_int_equal(a.result, MAPPING_GRANTED);
        assert_string_equal(address_format_ip(&a.outside, text), "5.5.5.1");
        has(0, "GET /desc.xml HTTP/1.1\r\n");
        has(1, "POST /ctl/IPConn HTTP/1.1\r\n");
        has(1, "SOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1#"
               "GetExternalIPAddress\"\r\n");
    }
}

static void a_port_is_mapped_and_given_back(void **state)
{
    (void)state;
    static const char *const replies[] = {OUTSIDE("5.5.5.1"), DONE};
    begin(description, replies);
    struct mapping_answer a = find_and(&map);
    assert_int_equal(a.result, MAPPING_GRANTED);
    assert_int_equal(a.outside.port, 4001);
    assert_int_equal(a.lease.us, map.lease.us);
    has(2, "#AddPortMapping\"");
    has(2, "<NewExternalPort>4001</NewExternalPort>"
           "<NewProtocol>TCP</NewProtocol>"
           "<NewInternalPort>4000</NewInternalPort>"
           "<NewInternalClient>127.0.0.1</NewInternalClient>");
    has(2, "<NewLeaseDuration>600</NewLeaseDuration>");

    begin(description, replies);
    struct mapping_request back = map;
    back.kind = MAPPING_UNMAP;
    back.port = MAPPING_UDP;
    assert_int_equal(find_and(&back).result, MAPPING_GRANTED);
    has(2, "#DeletePortMapping\"");
    has(2, "<NewExternalPort>4001</NewExternalPort>"
           "<NewProtocol>UDP</NewProtocol>");
}

static void refusals_and_their_ways_round(void **state)
{
    (void)state;
    static const char *const refused[] = {OUTSIDE("5.5.5.1"), "606"};
    begin(description, refused);
    assert_int_equal(find_and(&map).result, MAPPING_DENIED);
    assert_int_equal(router.count, 3);

    static const char *const taken[] = {OUTSIDE("5.5.5.1"), "718", "718", DONE};
    begin(description, taken);
    struct mapping_answer a = find_and(&map);
    assert_int_equal(a.result, MAPPING_GRANTED);
    assert_in_range(a.outside.port, 20000, 59999);

    static const char *const all[] = {OUTSIDE("5.5.5.1"), "718", "718", "718",
                                      "718"};
    begin(description, all);
    assert_int_equal(find_and(&map).result, MAPPING_DENIED);
    assert_int_equal(router.count, 6);

    static const char *const permanent[] = {OUTSIDE("5.5.5.1"), "725", DONE};
    begin(description, permanent);
    a = find_and(&map);
    assert_int_equal(a.result, MAPPING_GRANTED);
    assert_int_equal(a.lease.us, map.lease.us);
    has(3, "<NewLeaseDuration>0</NewLeaseDuration>");
}

static void an_address_that_makes_no_sense_is_none(void **state)
{
    (void)state;
    static const char *const texts[][1] = {
        {OUTSIDE("")},
        {OUTSIDE("5.5.5")},
        {OUTSIDE("router.example")},
        {DONE},
        {"not xml at all, but long enough to be cut"}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        begin(description, texts[i]);
        struct mapping_answer a = find_and(NULL);
        assert_int_equal(a.outside.family, ADDRESS_NONE);
    }
}

/* Only the second connection has an address. */
static void both_connections_are_tried(void **state)
{
    (void)state;
    static const char two[] =
        "<root><service><serviceType>urn:schemas-upnp-org:service:"
        "WANPPPConnection:1</serviceType><controlURL>/ppp</controlURL>"
        "</service><service><serviceType>urn:schemas-upnp-org:service:"
        "WANIPConnection:1</serviceType><controlURL>ip</controlURL>"
        "</service></root>";
    static const char *const replies[] = {OUTSIDE(""), OUTSIDE("5.5.5.1"),
                                          DONE};
    begin(two, replies);
    assert_int_equal(find_and(&map).result, MAPPING_GRANTED);
    has(1, "POST /ppp ");
    has(2, "POST /ip ");
    has(3, "POST /ip ");
}

static void nobody_is_asked_but_the_router(void **state)
{
    (void)state;
    static const char *const places[] = {"http://127.0.0.1:1/",
                                         "http://localhost:1/",
                                         "https://127.0.0.1/",
                                         "file:///etc/passwd",
                                         "",
                                         "http://"};
    struct upnp *u = upnp_new();
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        begin(description, NULL);
        router.location = places[i];
        assert_int_equal(ask(u, &find, 1, span_ms(50)).result, MAPPING_SILENT);
        assert_int_equal(router.count, 0);
    }
    upnp_free(&u);

    static const char *const elsewhere[] = {
        "<root><URLBase>http://127.0.0.1:1/</URLBase><service><serviceType>"
        "urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>"
        "<controlURL>/c</controlURL></service></root>",
        "<root><service><serviceType>urn:schemas-upnp-org:service:"
        "WANIPConnection:1</serviceType><controlURL>http://other/c"
        "</controlURL></service></root>",
        "<root><service><serviceType>urn:schemas-upnp-org:service:"
        "WANIPConnection:\r\nX: y</serviceType><controlURL>/c</controlURL>"
        "</service></root>",
        "<root></root>", ""};
    for (size_t i = 0; i < COUNT_OF(elsewhere); i++) {
        begin(elsewhere[i], NULL);
        assert_int_equal(find_and(&map).result, MAPPING_SILENT);
        assert_int_equal(router.count, 1);
    }
}

static void a_router_that_writes_without_end_is_left(void **state)
{
    (void)state;
    struct upnp *u = upnp_new();
    begin(description, NULL);
    router.endless = true;
    assert_int_equal(ask(u, &find, 1, span_s(60)).result, MAPPING_SILENT);
    begin(description, NULL);
    router.endless = router.slow = true;
    assert_int_equal(ask(u, &find, 1, span_ms(300)).result, MAPPING_SILENT);
    upnp_free(&u);
}

static void the_owner_can_cancel(void **state)
{
    (void)state;
    struct upnp *u = upnp_new();
    struct mapping_answer a;
    struct io_limit limit = {INSTANT_NEVER, eventfd(1, 0)};
    upnp_ask(u, &router.gateway, &find, &limit, &a);
    assert_int_equal(a.result, MAPPING_SILENT);
    upnp_ask(u, &router.gateway, &map, &limit, &a);
    assert_int_equal(a.result, MAPPING_SILENT);
    close(limit.cancel);
    upnp_free(&u);
}

static void only_plain_urls_of_the_router_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"http://192.168.1.1:5000/a/b.xml", "http://192.168.1.1:5000/a/b.xml"},
        {"HTTP://192.168.1.1", "http://192.168.1.1:80/"},
        {"http://192.168.1.1/?x=1", "http://192.168.1.1:80/?x=1"},
        {"http://192.168.1.2/", NULL},
        {"http://192.168.1.1:0/", NULL},
        {"http://192.168.1.1:65536/", NULL},
        {"http://192.168.1.1:/", NULL},
        {"http://192.168.1.1a/", NULL},
        {"http://192.168.1.1:80x", NULL},
        {"http://192.168.1.1@10.0.0.1/", NULL},
        {"http://192.168.1/", NULL},
        {"http://192.168.1.256/", NULL},
        {"http://192.168.1.1/a b", NULL},
        {"http://192.168.1.1/\r\nX: y", NULL},
        {"http://192.168.1.1/\xc3\xa9", NULL},
        {"https://192.168.1.1/", NULL},
    };
    struct address at = {.family = ADDRESS_V4, .ip = {192, 168, 1, 1}};
    char text[ROUTER_URL_SIZE], path[300];
    struct router_url url;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool good = router_url_parse(bytes_of_string(cases[i].text), &at, &url);
        assert_int_equal(good, cases[i].printed != NULL);
        if (good)
            assert_string_equal(router_url_print(&url, text), cases[i].printed);
    }
    snprintf(path, sizeof path, "http://192.168.1.1/%0250d", 1);
    assert_false(router_url_parse(bytes_of_string(path), &at, &url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_plain_urls_of_the_router_are_read),
        cmocka_unit_test(the_outside_address_is_found),
        cmocka_unit_test(a_port_is_mapped_and_given_back),
        cmocka_unit_test(refusals_and_their_ways_round),
        cmocka_unit_test(an_address_that_makes_no_sense_is_none),
        cmocka_unit_test(both_connections_are_tried),
        cmocka_unit_test(nobody_is_asked_but_the_router),
        cmocka_unit_test(a_router_that_writes_without_end_is_left),
        cmocka_unit_test(the_owner_can_cancel),
    };
    if (!upnp_is_available())
        return 0;
    return cmocka_run_group_tests(tests, open_router, close_router);
}
