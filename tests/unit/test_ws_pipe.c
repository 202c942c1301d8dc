#include "kit.h"

#include "common/base/memory.h"
#include "common/core/websocket_accept.h"
#include "common/wire/websocket_client.h"
#include "edge/shell/ws_pipe.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 1024 * 1024 };

/* The pipe below, of which the test plays the other end. */
struct below {
    struct byte_pipe base;
    uint8_t *in; /* what the pipe above is to read */
    size_t in_first, in_end;
    uint8_t *out; /* what it wrote */
    size_t out_size, out_most;
    bool over, paused, closed;
};

static struct {
    uv_loop_t loop;
    uv_timer_t tick; /* so that no turn of the loop lasts long */
    struct below below;
    struct byte_pipe *pipe;
    int opened, ready, ended;
    enum link_failure why;
    char got[1000]; /* read in `ready` */
    size_t got_size;
    bool reads; /* in `ready` */
} t;

/* ---- The pipe below */

static ssize_t below_read(struct byte_pipe *base, uint8_t *room, size_t size)
{
    struct below *b = (struct below *)base;
    size_t left = b->in_end - b->in_first;

    assert_false(b->closed);
    if (b->paused)
        return 0;
    if (left == 0)
        return b->over ? -1 : 0;
    size = size < left ? size : left;
    memcpy(room, b->in + b->in_first, size);
    b->in_first += size;
    return (ssize_t)size;
}

static size_t below_write(struct byte_pipe *base, const uint8_t *data,
                          size_t size)
{
    struct below *b = (struct below *)base;
    size_t room = b->out_most - b->out_size;

    assert_false(b->closed);
    size = size < room ? size : room;
    memcpy(b->out + b->out_size, data, size);
    b->out_size += size;
    return size;
}

static void below_pause(struct byte_pipe *base, bool paused)
{
    ((struct below *)base)->paused = paused;
}

static void below_close(struct byte_pipe *base)
{
    ((struct below *)base)->closed = true;
}

static const struct byte_pipe_ops below_ops = {.read = below_read,
                                               .write = below_write,
                                               .pause = below_pause,
                                               .close = below_close};

static struct byte_pipe *make_below(void *context, uv_loop_t *loop,
                                    const struct byte_pipe_user *user)
{
    struct below *b = context;

    assert_ptr_equal(loop, &t.loop);
    b->base.ops = &below_ops;
    b->base.user = *user;
    return &b->base;
}

/* ---- The user */

static void read_all(void)
{
    ssize_t size;

    while ((size = byte_pipe_read(t.pipe, (uint8_t *)t.got + t.got_size,
                                  sizeof t.got - 1 - t.got_size)) > 0)
        t.got_size += (size_t)size;
    t.got[t.got_size] = '\0';
}

static void on_opened(void *context)
{
    (void)context;
    t.opened++;
}

static void on_ready(void *context)
{
    (void)context;
    t.ready++;
    if (t.reads)
        read_all();
}

static void on_ended(void *context, enum link_failure why)
{
    (void)context;
    t.ended++;
    t.why = why;
}

/* ---- The kit */

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static void turn(void)
{
    uv_run(&t.loop, UV_RUN_ONCE);
}

static void open_pipe(struct span answer, struct span silence, struct span pong)
{
    const struct byte_pipe_user user = {
        .opened = on_opened, .ready = on_ready, .ended = on_ended};
    const struct ws_pipe_conf conf = {.authority = "relay.example.org:8443",
                                      .host = "relay.example.org",
                                      .below = make_below,
                                      .context = &t.below,
                                      .answer = answer,
                                      .silence = silence,
                                      .pong = pong};

    memset(&t, 0, sizeof t);
    t.reads = true;
    t.below.in = memory_new(ROOM);
    t.below.out = memory_new(ROOM);
    t.below.out_most = ROOM;
    uv_loop_init(&t.loop);
    uv_timer_init(&t.loop, &t.tick);
    uv_timer_start(&t.tick, on_tick, 5, 5);
    t.pipe = ws_pipe_open(&t.loop, &conf, &user);
}

static void close_pipe(void)
{
    byte_pipe_close(t.pipe);
    uv_close((uv_handle_t *)&t.tick, NULL);
    assert_true(t.below.closed);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    free(t.below.in);
    free(t.below.out);
}

static void run_until_ended(void)
{
    while (t.ended == 0)
        turn();
}

static void below_says(struct bytes bytes)
{
    assert_true(bytes.size <= ROOM - t.below.in_end);
    memcpy(t.below.in + t.below.in_end, bytes.data, bytes.size);
    t.below.in_end += bytes.size;
    if (!t.below.paused)
        t.below.base.user.ready(t.below.base.user.context);
}

static void below_opens(void)
{
    t.below.base.user.opened(t.below.base.user.context);
}

/* The right answer to the request that the pipe wrote. */
static size_t answer(char text[300])
{
    static const char label[] = "\r\nSec-WebSocket-Key: ";
    char accept[WEBSOCKET_ACCEPT_SIZE];
    char *key = strstr((char *)t.below.out, label);

    assert_non_null(key);
    struct bytes value = bytes_of(key + sizeof label - 1, WEBSOCKET_KEY_SIZE);
    assert_true(websocket_key_valid(value));
    websocket_accept(value, accept);
    return (size_t)snprintf(text, 300,
                            "HTTP/1.1 101 Switching Protocols\r\n"
                            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Accept: %s\r\n"
                            "Sec-WebSocket-Protocol: zeroservices\r\n\r\n",
                            accept);
}

static void open_all(void)
{
    char text[300];

    open_pipe(span_ms(0), span_ms(0), span_ms(0));
    below_opens();
    size_t size = answer(text);
    below_says(bytes_of(text, size));
    assert_int_equal(t.opened, 1);
    t.below.out_size = 0;
}

/* Unmasks the frame at `*at` and moves there; its opcode. */
static int take_frame(size_t *at, struct bytes *payload)
{
    uint8_t *head = t.below.out + *at;
    size_t size = head[1] & 0x7f, extended = 0;

    assert_true(t.below.out_size - *at >= 6);
    assert_true(head[0] & 0x80);
    assert_true(head[1] & 0x80);
    if (size == 126) {
        extended = 2;
        size = (size_t)(head[2] << 8 | head[3]);
    }
    uint8_t *mask = head + 2 + extended, *data = mask + 4;
    assert_true(t.below.out_size >= (size_t)(data - t.below.out) + size);
    websocket_mask(data, data, size, mask);
    *payload = bytes_of(data, size);
    *at = (size_t)(data - t.below.out) + size;
    return head[0] & 0xf;
}

/* ---- The upgrade */

static void it_asks_as_a_browser_does(void **state)
{
    (void)state;

    open_pipe(span_ms(0), span_ms(0), span_ms(0));
    uv_run(&t.loop, UV_RUN_NOWAIT);
    assert_int_equal(t.below.out_size, 0);
    below_opens();
    const char *request = (const char *)t.below.out;
    assert_int_equal(strncmp(request, "GET / HTTP/1.1\r\n", 16), 0);
    assert_non_null(strstr(request, "\r\nHost: relay.example.org:8443\r\n"));
    assert_non_null(strstr(request, "\r\nUpgrade: websocket\r\n"));
    assert_non_null(strstr(request, "\r\nConnection: Upgrade\r\n"));
    assert_non_null(strstr(request, "\r\nSec-WebSocket-Version: 13\r\n"));
    assert_non_null(
        strstr(request, "\r\nSec-WebSocket-Protocol: zeroservices\r\n"));
    assert_string_equal(request + t.below.out_size - 4, "\r\n\r\n");
    assert_int_equal(t.opened, 0);
    assert_int_equal(byte_pipe_write(t.pipe, (const uint8_t *)"x", 1), 0);
    close_pipe();
}

static void the_answer_may_come_in_any_pieces(void **state)
{
    char text[320];
    size_t size = 10;
    (void)state;

    for (size_t split = 1; split < size; split++) {
        open_pipe(span_ms(0), span_ms(0), span_ms(0));
        below_opens();
        size = answer(text);
        memcpy(text + size, "\x82\x02hi", 4);
        size += 4;
        below_says(bytes_of(text, split));
        assert_int_equal(t.opened, split >= size - 4);
        below_says(bytes_of(text + split, size - split));
        assert_int_equal(t.opened, 1);
        assert_string_equal(t.got, "hi");
        close_pipe();
    }
}

static void wrong_answers_end_it(void **state)
{
    static const struct {
        const char *text;
        enum link_failure why;
    } rows[] = {
        {"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n",
         LINK_CAPTIVE_PORTAL},
        {"HTTP/1.1 511 x\r\n\r\n", LINK_CAPTIVE_PORTAL},
        {"HTTP/1.1 404 Not Found\r\n\r\n", LINK_NOT_A_RELAY},
        {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Protocol: zeroservices\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
         LINK_NOT_A_RELAY},
        {"\xff\x01", LINK_NOT_A_RELAY},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        open_pipe(span_ms(0), span_ms(0), span_ms(0));
        below_opens();
        below_says(bytes_of_string(rows[i].text));
        run_until_ended();
        assert_int_equal(t.why, rows[i].why);
        assert_int_equal(t.opened, 0);
        uint8_t room[10];
        assert_int_equal(byte_pipe_read(t.pipe, room, sizeof room), -1);
        close_pipe();
    }
}

static void no_answer_is_a_timeout(void **state)
{
    (void)state;

    open_pipe(span_ms(20), span_ms(0), span_ms(0));
    below_opens();
    run_until_ended();
    assert_int_equal(t.why, LINK_TIMEOUT);
    close_pipe();
}

static void an_end_below_is_told(void **state)
{
    (void)state;

    open_pipe(span_ms(0), span_ms(0), span_ms(0));
    t.below.base.user.ended(t.below.base.user.context, LINK_PROXY_AUTH);
    run_until_ended();
    assert_int_equal(t.why, LINK_PROXY_AUTH);
    close_pipe();

    open_pipe(span_ms(0), span_ms(0), span_ms(0));
    below_opens();
    t.below.over = true;
    t.below.base.user.ended(t.below.base.user.context, LINK_BROKEN);
    run_until_ended();
    assert_int_equal(t.why, LINK_NOT_A_RELAY);
    close_pipe();
}

/* ---- Bytes */

static void messages_come_in_any_pieces(void **state)
{
    static const char frames[] =
        "\x02\x02He\x89\x02yo\x80\x03llo\x82\x7e\0\x7e"
        "..............................................................."
        "...............................................................";
    const size_t size = sizeof frames - 1;
    (void)state;

    for (size_t split = 1; split < size; split++) {
        size_t at = 0;
        struct bytes pong;
        open_all();
        below_says(bytes_of(frames, split));
        below_says(bytes_of(frames + split, size - split));
        assert_int_equal(t.got_size, 5 + 126);
        assert_memory_equal(t.got, "Hello..", 7);
        assert_int_equal(take_frame(&at, &pong), WEBSOCKET_PONG);
        assert_true(bytes_equal(pong, bytes_of_string("yo")));
        close_pipe();
    }
}

static void each_frame_has_a_mask_of_its_own(void **state)
{
    size_t at = 0;
    struct bytes payload;
    (void)state;

    open_all();
    assert_int_equal(byte_pipe_write(t.pipe, (const uint8_t *)"aaaa", 4), 4);
    assert_int_equal(byte_pipe_write(t.pipe, (const uint8_t *)"aaaa", 4), 4);
    assert_int_equal(t.below.out_size, 20);
    assert_memory_not_equal(t.below.out + 2, t.below.out + 12, 4);
    assert_int_equal(take_frame(&at, &payload), WEBSOCKET_BINARY);
    assert_true(bytes_equal(payload, bytes_of_string("aaaa")));
    assert_int_equal(take_frame(&at, &payload), WEBSOCKET_BINARY);
    assert_true(bytes_equal(payload, bytes_of_string("aaaa")));
    close_pipe();
}

/* The pipe below takes `step` bytes more each time. */
static void all_arrives_however_little_is_taken(void **state)
{
    enum { SIZE = 300 * 1000 };
    uint8_t *sent = memory_new(SIZE), *got = memory_new(SIZE);
    (void)state;

    for (size_t i = 0; i < SIZE; i++)
        sent[i] = (uint8_t)(i % 251);
    for (size_t step = 1009; step < SIZE; step *= 7) {
        size_t written = 0, at = 0, size = 0;
        open_all();
        t.below.out_most = 0;
        while (written < SIZE || t.below.out_size == t.below.out_most) {
            int before = t.ready;
            written += byte_pipe_write(t.pipe, sent + written, SIZE - written);
            assert_true(written - t.below.out_size <= 64 * 1024 ||
                        written < t.below.out_size);
            t.below.out_most += step;
            t.below.base.user.ready(t.below.base.user.context);
            if (written < SIZE)
                assert_int_equal(t.ready, before + 1);
        }
        while (at < t.below.out_size) {
            struct bytes payload;
            assert_int_equal(take_frame(&at, &payload), WEBSOCKET_BINARY);
            assert_true(size + payload.size <= SIZE);
            memcpy(got + size, payload.data, payload.size);
            size += payload.size;
        }
        assert_int_equal(size, SIZE);
        assert_memory_equal(got, sent, SIZE);
        close_pipe();
    }
    free(sent);
    free(got);
}

static void a_pause_keeps_what_was_read(void **state)
{
    uint8_t one;
    (void)state;

    open_all();
    t.reads = false;
    below_says(bytes_of("\x82\x03"
                        "abc",
                        5));
    assert_int_equal(t.ready, 2); /* The first one was for the answer. */
    assert_int_equal(byte_pipe_read(t.pipe, &one, 1), 1);
    byte_pipe_pause(t.pipe, true);
    assert_true(t.below.paused);
    assert_int_equal(byte_pipe_read(t.pipe, &one, 1), 0);
    t.reads = true;
    byte_pipe_pause(t.pipe, false);
    while (t.got_size == 0)
        turn();
    assert_string_equal(t.got, "bc");
    close_pipe();
}

static void what_breaks_the_rules_ends_it(void **state)
{
    static const struct {
        const char *frame;
        size_t size;
        int code;
    } rows[] = {
        {"\x81\x01x", 3, 1003},
        {"\x82\x81\0\0\0\0x", 7, 1002},
        {"\x88\0", 2, 1000},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t at = 0;
        struct bytes payload;
        open_all();
        below_says(bytes_of("\x82\x01y", 3));
        below_says(bytes_of(rows[i].frame, rows[i].size));
        run_until_ended();
        assert_int_equal(t.why, LINK_BROKEN);
        assert_string_equal(t.got, "y");
        assert_int_equal(take_frame(&at, &payload), WEBSOCKET_CLOSE);
        assert_int_equal(payload.data[0] << 8 | payload.data[1], rows[i].code);
        close_pipe();
    }
}

/* ---- Silence */

static void open_with(struct span silence, struct span pong)
{
    char text[300];

    open_pipe(span_ms(0), silence, pong);
    below_opens();
    size_t size = answer(text);
    below_says(bytes_of(text, size));
    t.below.out_size = 0;
}

static void it_asks_after_silence_and_lives_by_answers(void **state)
{
    (void)state;

    open_with(span_ms(5), span_ms(5));
    for (size_t at = 0, asked = 0; asked < 5; asked++) {
        struct bytes payload;
        while (t.below.out_size == at)
            turn();
        assert_int_equal(take_frame(&at, &payload), WEBSOCKET_PING);
        assert_int_equal(t.below.out_size, at); /* No second one before. */
        below_says(bytes_of("\x8a\0", 2));
    }
    assert_int_equal(t.ended, 0);
    close_pipe();
}

static void it_ends_when_nothing_comes(void **state)
{
    size_t at = 0;
    struct bytes payload;
    (void)state;

    open_with(span_ms(5), span_ms(5));
    run_until_ended();
    assert_int_equal(t.why, LINK_BROKEN);
    assert_int_equal(take_frame(&at, &payload), WEBSOCKET_PING);
    close_pipe();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_asks_as_a_browser_does),
        cmocka_unit_test(the_answer_may_come_in_any_pieces),
        cmocka_unit_test(wrong_answers_end_it),
        cmocka_unit_test(no_answer_is_a_timeout),
        cmocka_unit_test(an_end_below_is_told),
        cmocka_unit_test(messages_come_in_any_pieces),
        cmocka_unit_test(each_frame_has_a_mask_of_its_own),
        cmocka_unit_test(all_arrives_however_little_is_taken),
        cmocka_unit_test(a_pause_keeps_what_was_read),
        cmocka_unit_test(what_breaks_the_rules_ends_it),
        cmocka_unit_test(it_asks_after_silence_and_lives_by_answers),
        cmocka_unit_test(it_ends_when_nothing_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
