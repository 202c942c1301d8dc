#include "kit.h"

#include "common/wire/http_upgrade.h"

#include <stdlib.h>

static const struct http_upgrade_asked asked = {
    .host = "relay.example.org",
    .accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    .protocol = "zeroservices"};

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define WEBSOCKET "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: zeroservices\r\n"

static void answers_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum http_upgrade verdict;
        int status;
    } rows[] = {
        {SWITCH WEBSOCKET ACCEPT PROTOCOL "\r\n", HTTP_UPGRADE_YES, 101},
        {"HTTP/1.1 101\r\nServer: x\r\n" PROTOCOL ACCEPT
         "upgrade:WebSocket \r\nCONNECTION: keep-alive, upgrade\r\n\r\n",
         HTTP_UPGRADE_YES, 101},
        /* A part is missing, doubled or wrong. */
        {SWITCH WEBSOCKET ACCEPT "\r\n", HTTP_UPGRADE_NO, 101},
        {SWITCH WEBSOCKET PROTOCOL "\r\n", HTTP_UPGRADE_NO, 101},
        {SWITCH ACCEPT PROTOCOL "\r\n", HTTP_UPGRADE_NO, 101},
        {SWITCH WEBSOCKET ACCEPT ACCEPT PROTOCOL "\r\n", HTTP_UPGRADE_NO, 101},
        {SWITCH WEBSOCKET ACCEPT PROTOCOL PROTOCOL "\r\n", HTTP_UPGRADE_NO,
         101},
        {SWITCH WEBSOCKET ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n",
         HTTP_UPGRADE_NO, 101},
        {SWITCH WEBSOCKET PROTOCOL
         "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n\r\n",
         HTTP_UPGRADE_NO, 101},
        {SWITCH WEBSOCKET ACCEPT PROTOCOL
         "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
         HTTP_UPGRADE_NO, 101},
        {SWITCH "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT PROTOCOL
                "\r\n",
         HTTP_UPGRADE_NO, 101},
        {SWITCH "Upgrade: websocket\r\nConnection: close\r\n" ACCEPT PROTOCOL
                "\r\n",
         HTTP_UPGRADE_NO, 101},
        {"HTTP/1.1 200 OK\r\n" WEBSOCKET ACCEPT PROTOCOL "\r\n",
         HTTP_UPGRADE_NO, 200},
        /* Portals. */
        {"HTTP/1.1 302 Found\r\nLocation: http://login.example.net/\r\n\r\n",
         HTTP_UPGRADE_PORTAL, 302},
        {"HTTP/1.0 307 x\r\nLocation: //192.0.2.1/?u=relay.example.org\r\n\r\n",
         HTTP_UPGRADE_PORTAL, 307},
        {"HTTP/1.1 302 Found\r\n"
         "Location: https://relay.example.org.evil/\r\n\r\n",
         HTTP_UPGRADE_PORTAL, 302},
        {"HTTP/1.1 511 Network Authentication Required\r\n\r\n",
         HTTP_UPGRADE_PORTAL, 511},
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
         "<html>",
         HTTP_UPGRADE_PORTAL, 200},
        /* Web servers. */
        {"HTTP/1.1 301 Moved\r\nLocation: https://RELAY.example.org/\r\n\r\n",
         HTTP_UPGRADE_NO, 301},
        {"HTTP/1.1 301 Moved\r\nLocation: https://relay.example.org\r\n\r\n",
         HTTP_UPGRADE_NO, 301},
        {"HTTP/1.1 301 Moved\r\n"
         "Location: http://relay.example.org:8080/\r\n\r\n",
         HTTP_UPGRADE_NO, 301},
        {"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n", HTTP_UPGRADE_NO,
         302},
        {"HTTP/1.1 302 Found\r\n\r\n", HTTP_UPGRADE_NO, 302},
        {"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n",
         HTTP_UPGRADE_NO, 404},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
         HTTP_UPGRADE_NO, 200},
        {"HTTP/1.1 426 Upgrade Required\r\n\r\n", HTTP_UPGRADE_NO, 426},
        /* Something else. */
        {"SSH-2.0-OpenSSH_9.2\r\n", HTTP_UPGRADE_NO, 0},
        {"\xff", HTTP_UPGRADE_NO, 0},
        {"HTTP/1.1 1O1 Switching\r\n", HTTP_UPGRADE_NO, 0},
        {"HTTP/2 200\r\n", HTTP_UPGRADE_NO, 0},
        /* Not there yet. */
        {"", HTTP_UPGRADE_MORE, 0},
        {"HTTP/1.1 101 Switching Protocols\r", HTTP_UPGRADE_MORE, 0},
        {SWITCH WEBSOCKET ACCEPT PROTOCOL, HTTP_UPGRADE_MORE, 0},
        {"HTTP/1.1 101 Switching\n\n", HTTP_UPGRADE_MORE, 0},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t size = 0;
        int status = -1;
        enum http_upgrade verdict = http_upgrade_read(
            bytes_of_string(rows[i].text), &asked, &size, &status);
        if (verdict != rows[i].verdict || status != rows[i].status)
            fail_msg("row %zu: %d, status %d", i, (int)verdict, status);
    }
}

static void the_head_ends_where_frames_begin(void **state)
{
    static const char text[] = SWITCH WEBSOCKET ACCEPT PROTOCOL "\r\n\x82";
    const size_t head = sizeof text - 2;
    size_t size;
    int status;
    (void)state;

    for (size_t i = 0; i < sizeof text; i++) {
        enum http_upgrade verdict =
            http_upgrade_read(bytes_of(text, i), &asked, &size, &status);
        assert_int_equal(verdict,
                         i < head ? HTTP_UPGRADE_MORE : HTTP_UPGRADE_YES);
        if (i >= head)
            assert_int_equal(size, head);
    }
}

static void a_head_without_end_is_refused(void **state)
{
    static char text[HTTP_UPGRADE_SIZE + 100];
    static const char start[] = SWITCH WEBSOCKET ACCEPT PROTOCOL "X: ";
    static const char end[] = "\r\n\r\n";
    size_t size;
    int status;
    (void)state;

    memset(text, 'x', sizeof text);
    memcpy(text, start, sizeof start - 1);
    assert_int_equal(http_upgrade_read(bytes_of(text, HTTP_UPGRADE_SIZE - 1),
                                       &asked, &size, &status),
                     HTTP_UPGRADE_MORE);
    assert_int_equal(http_upgrade_read(bytes_of(text, HTTP_UPGRADE_SIZE),
                                       &asked, &size, &status),
                     HTTP_UPGRADE_NO);
    memcpy(text + HTTP_UPGRADE_SIZE - 4, end, 4);
    assert_int_equal(
        http_upgrade_read(bytes_of(text, sizeof text), &asked, &size, &status),
        HTTP_UPGRADE_YES);
    memset(text + HTTP_UPGRADE_SIZE - 4, 'x', 4);
    memcpy(text + HTTP_UPGRADE_SIZE - 3, end, 4);
    assert_int_equal(
        http_upgrade_read(bytes_of(text, sizeof text), &asked, &size, &status),
        HTTP_UPGRADE_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test(the_head_ends_where_frames_begin),
        cmocka_unit_test(a_head_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
