/* The local API over a real socket, on an edge that the test plays. */
#include "tests/unit/fake_edge.h"
#include "edge/shell/api.h"

#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { MESSAGE_LIMIT = 64 * 1024, TURNS = 2000 };

struct world {
    uv_loop_t loop;
    char folder[64];
    char path[128];
    struct api *api;
};

static struct world w;

static void turn(void)
{
    for (int i = 0; i < 4; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
}

static struct api *open_api(const char *path, char error[API_ERROR_SIZE])
{
    static const char *const groups[] = {"lab"};
    struct api_conf conf = {.socket = path,
                            .info = bytes_of_string("{\"role\":\"camera\"}"),
                            .groups = groups,
                            .group_count = 1,
                            .message_limit = MESSAGE_LIMIT};

    return api_open(&fake, &conf, error);
}

static int setup(void **state)
{
    char error[API_ERROR_SIZE] = "";

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    strcpy(w.folder, "/tmp/test_api.XXXXXX");
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.path, sizeof(w.path), "%s/sub/alice.sock", w.folder);
    uv_loop_init(&w.loop);
    fake_open(&w.loop);
    fake_add_peer("bob", 0xbb);
    fake_add_peer("carol", 0xcc);
    w.api = open_api(w.path, error);
    assert_string_equal(error, "");
    assert_non_null(w.api);
    return 0;
}

static int teardown(void **state)
{
    char folder[96];

    (void)state;
    api_close(w.api);
    turn();
    assert_int_equal(uv_loop_close(&w.loop), 0);
    fake_forget();
    assert_int_not_equal(access(w.path, F_OK), 0);
    snprintf(folder, sizeof(folder), "%s/sub", w.folder);
    rmdir(folder);
    rmdir(w.folder);
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    turn();
    return fd;
}

/* Writes it all, while the loop turns. */
static void say_bytes(int fd, const char *data, size_t size)
{
    for (int i = 0; size > 0 && i < TURNS; i++) {
        ssize_t wrote = write(fd, data, size);
        if (wrote > 0) {
            data += wrote;
            size -= (size_t)wrote;
        }
        turn();
    }
    assert_int_equal(size, 0);
    turn();
}

static void say(int fd, const char *line)
{
    say_bytes(fd, line, strlen(line));
    say_bytes(fd, "\n", 1);
}

/* The next line, or NULL if none comes. */
static const char *hear(int fd)
{
    static char line[1 << 20];
    size_t size = 0;

    for (int i = 0; i < 20;) {
        ssize_t got = read(fd, line + size, 1);
        if (got < 0) {
            turn();
            i++;
        } else if (got == 0) {
            return NULL;
        } else if (line[size] == '\n') {
            line[size] = '\0';
            return line;
        } else {
            size++;
        }
    }
    return NULL;
}

static void expect(int fd, const char *line)
{
    const char *heard = hear(fd);

    assert_non_null(heard);
    assert_string_equal(heard, line);
}

/* An answer {"ref":1,"ok":false,"error":ERROR,"message":anything}. */
static void expect_error(int fd, const char *error)
{
    const char *heard = hear(fd);
    assert_non_null(heard);
    json_t *answer = json_loads(heard, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(answer);
    assert_true(json_is_false(json_object_get(answer, "ok")));
    assert_string_equal(json_string_value(json_object_get(answer, "error")),
                        error);
    assert_non_null(json_string_value(json_object_get(answer, "message")));
    json_decref(answer);
}

static void expect_silence(int fd)
{
    const char *heard = hear(fd);

    if (heard)
        fail_msg("heard: %s", heard);
}

static bool is_ended(int fd)
{
    char byte;

    turn();
    return read(fd, &byte, 1) == 0;
}

static void come_message(enum message_kind kind, uint64_t reference,
                         const char *type, const char *group, const char *data)
{
    struct message m = {.kind = kind,
                        .encoding = ENCODING_JSON,
                        .reference = reference,
                        .type = bytes_of_string(type),
                        .group = bytes_of_string(group),
                        .data = bytes_of_string(data)};

    fake.observer->message(fake.observer->context, &fake.peers[0], &m);
    turn();
}

static void bad_requests_are_refused_and_the_connection_lives(void **state)
{
    static const char *const bad[] = {
        "{",
        "nonsense",
        "[]",
        "42",
        "{\"op\":\"send\"} x",
        "{\"op\":}",
        "{}",
        "{\"op\":7}",
        "{\"op\":\"fly\"}",
        "{\"op\":\"status\",\"ref\":[1]}",
        "{\"op\":\"status\",\"ref\":{}}",
        "{\"op\":\"send\"}",
        "{\"op\":\"send\",\"to\":7,\"type\":\"t\"}",
        "{\"op\":\"send\",\"to\":\"bob\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"a\\u0000b\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\",\"data\":1,"
        "\"data_b64\":\"\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\",\"data_b64\":7}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\",\"data_b64\":\"***\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\","
        "\"data_b64\":\"ab\\ncd\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\",\"timeout\":\"soon\"}",
        "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\",\"timeout\":-1}",
        "{\"op\":\"publish\"}",
        "{\"op\":\"publish\",\"type\":\"t\",\"group\":"
        "\"../x\"}",
        "{\"op\":\"reply\",\"to\":\"bob\"}",
        "{\"op\":\"reply\",\"to\":\"bob\",\"request\":\"x\"}",
        "{\"op\":\"join\"}",
        "{\"op\":\"join\",\"group\":\"a b\"}",
        "{\"op\":\"join\",\"group\":\"forbidden\"}",
        "{\"op\":\"leave\",\"group\":3}",
        "{\"op\":\"subscribe\",\"events\":[\"weather\"]}",
        "{\"op\":\"subscribe\",\"types\":[1]}",
        "{\"op\":\"subscribe\",\"types\":{}}",
        "{\"op\":\"subscribe\",\"groups\":[\"a b\"]}",
        "{\"op\":\"revoke\"}",
        "{\"op\":\"revoke\",\"data_b64\":\"AAAA\"}",
        "\xff\xfe",
        "{\"op\":\"\xff\"}",
    };
    (void)state;
    int fd = connect_to(w.path);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        say(fd, bad[i]);
        expect_error(fd, "bad_request");
    }
    say(fd, "");
    say(fd, " \r");
    expect_silence(fd);
    say(fd, "{\"op\":\"peers\",\"ref\":9}");
    assert_memory_equal(hear(fd), "{\"ref\":9,\"ok\":true", 18);
    assert_int_equal(fake.event_count, 0);
    close(fd);
}

static void a_ref_of_any_scalar_comes_back(void **state)
{
    static const char *const refs[] = {
        "1",     "-1.5e3", "\"a\\\"b\"",   "true",
        "false", "null",   "\"\xc3\xa4\"", "12345678901234567890123",
    };
    (void)state;
    int fd = connect_to(w.path);

    for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text),
                 "{\"op\":\"join\",\"group\":\"lab\",\"ref\":%s}", refs[i]);
        say(fd, text);
        snprintf(text, sizeof(text), "{\"ref\":%s,\"ok\":true}", refs[i]);
        expect(fd, text);
    }
    close(fd);
}

static void a_send_is_answered_when_it_is_delivered(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"bob\",\"type\":\"t\","
            "\"data\":{\"a\":[1, 2.50]}}");
    assert_int_equal(fake.event_count, 1);
    const struct fake_event *e = &fake.events[0];
    assert_int_equal(e->kind, NODE_SUBMIT);
    assert_int_equal(e->message_kind, MESSAGE_SEND);
    assert_int_equal(e->encoding, ENCODING_JSON);
    assert_int_equal(e->to.key[0], 0xbb);
    assert_string_equal(e->type, "t");
    assert_string_equal(e->data, "{\"a\":[1, 2.50]}");
    expect_silence(fd);
    fake_report(0, OUTCOME_DELIVERED);
    expect(fd, "{\"ref\":1,\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":12.1}");

    say(fd, "{\"op\":\"send\",\"to\":\"carol\",\"type\":\"b\","
            "\"data_b64\":\"aGk\\/Pw==\"}");
    assert_int_equal(fake.events[1].encoding, ENCODING_BYTES);
    assert_string_equal(fake.events[1].data, "hi??");
    assert_int_equal(fake.events[1].to.key[0], 0xcc);
    fake_report(1, OUTCOME_PEER_RESTARTED);
    expect_error(fd, "peer_restarted");

    say(fd, "{\"op\":\"send\",\"to\":\"dave\",\"type\":\"t\"}");
    expect_error(fd, "unknown_peer");
    say(fd, "{\"op\":\"send\",\"to\":\"carol\",\"type\":\"t\"}");
    assert_string_equal(fake.events[2].data, "null");
    close(fd);
}

static void a_peer_that_left_is_not_remembered(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"send\",\"to\":\"carol\",\"type\":\"t\"}");
    assert_int_equal(fake.event_count, 1);
    fake.peer_count = 1;
    fake.observer->left(fake.observer->context, &fake.peers[1], DEPARTURE_LOST);
    say(fd, "{\"op\":\"send\",\"to\":\"carol\",\"type\":\"t\"}");
    expect_error(fd, "unknown_peer");
    close(fd);
}

static void say_numbered(int fd, const char *to, int number, const char *more)
{
    char text[128];

    snprintf(text, sizeof(text),
             "{\"op\":\"send\",\"ref\":%d,\"to\":\"%s\",\"type\":\"t\","
             "\"data\":%d%s}",
             number, to, number, more);
    say(fd, text);
}

static void busy_sends_wait_and_keep_their_order(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    for (int i = 0; i < 4; i++)
        say_numbered(fd, i == 2 ? "carol" : "bob", i, "");
    for (size_t i = 0; i < 4; i++)
        fake_report(i, OUTCOME_BUSY);
    turn();

    /* This client is not read meanwhile, another one is. */
    say_numbered(fd, "bob", 4, "");
    assert_int_equal(fake.event_count, 4);
    say_numbered(other, "bob", 9, "");
    assert_int_equal(fake.event_count, 5);

    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    turn();
    assert_int_equal(fake.event_count, 8);
    assert_string_equal(fake.events[5].data, "0");
    assert_string_equal(fake.events[6].data, "1");
    assert_string_equal(fake.events[7].data, "3");
    fake_report(5, OUTCOME_DELIVERED);
    fake_report(6, OUTCOME_BUSY);
    fake_report(7, OUTCOME_BUSY);
    turn();
    assert_int_equal(fake.event_count, 8);

    fake.observer->ready(fake.observer->context, &fake.peers[1]);
    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    turn();
    assert_int_equal(fake.event_count, 12);
    assert_string_equal(fake.events[8].data, "2");
    assert_string_equal(fake.events[9].data, "1");
    assert_string_equal(fake.events[10].data, "3");
    assert_string_equal(fake.events[11].data, "4");
    expect(fd, "{\"ref\":0,\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":12.1}");
    close(fd);
    close(other);
}

static void who_does_not_wait_is_told_busy(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say_numbered(fd, "bob", 1, ",\"wait\":false");
    fake_report(0, OUTCOME_BUSY);
    expect_error(fd, "busy");
    say_numbered(fd, "bob", 2, "");
    assert_int_equal(fake.event_count, 2);
    close(fd);
}

static void what_is_blocked_fails_with_its_peer(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say_numbered(fd, "bob", 1, "");
    say_numbered(fd, "bob", 2, "");
    fake_report(0, OUTCOME_BUSY);
    fake_report(1, OUTCOME_BUSY);
    fake.observer->left(fake.observer->context, &fake.peers[0], DEPARTURE_LOST);
    expect_error(fd, "not_delivered");
    expect_error(fd, "not_delivered");
    say_numbered(fd, "carol", 3, "");
    assert_int_equal(fake.event_count, 3);
    close(fd);
}

static void a_request_ends_with_its_reply_or_in_time(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"request\",\"ref\":1,\"to\":\"bob\",\"type\":\"q\","
            "\"data\":1}");
    assert_int_equal(fake.events[0].message_kind, MESSAGE_REQUEST);
    uint64_t reference = fake.events[0].reference;
    fake_report(0, OUTCOME_DELIVERED);
    come_message(MESSAGE_REPLY, reference + 1, "reply", "", "0");
    expect_silence(fd);
    struct message forged = {.kind = MESSAGE_REPLY,
                             .encoding = ENCODING_JSON,
                             .reference = reference,
                             .type = bytes_of_string("reply"),
                             .data = bytes_of_string("0")};
    fake.observer->message(fake.observer->context, &fake.peers[1], &forged);
    expect_silence(fd);
    come_message(MESSAGE_REPLY, reference, "reply", "", "[2]");
    const char *heard = hear(fd);
    assert_non_null(strstr(heard, "{\"ref\":1,\"ok\":true,\"from\":\"bbbb"));
    assert_non_null(strstr(heard, "\"name\":\"bob\",\"type\":\"reply\","
                                  "\"data\":[2]}"));

    say(fd, "{\"op\":\"request\",\"ref\":2,\"to\":\"bob\",\"type\":\"q\","
            "\"timeout\":\"20ms\"}");
    fake_report(1, OUTCOME_DELIVERED);
    expect_silence(fd);
    fake.now.us += 20000;
    for (int i = 0; i < 100; i++) {
        usleep(1000);
        turn();
    }
    expect_error(fd, "timeout");
    come_message(MESSAGE_REPLY, fake.events[1].reference, "reply", "", "3");
    expect_silence(fd);
    close(fd);
}

static void a_reply_carries_the_token_of_its_request(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"subscribe\",\"events\":[\"message\"]}");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"event\":\"synced\"}");
    come_message(MESSAGE_REQUEST, UINT64_MAX, "q", "", "1");
    assert_non_null(strstr(hear(fd), "\"type\":\"q\",\"request\":"
                                     "\"18446744073709551615\",\"data\":1}"));
    say(fd, "{\"op\":\"reply\",\"ref\":1,\"to\":\"bob\",\"request\":"
            "\"18446744073709551615\",\"data\":\"yes\"}");
    assert_int_equal(fake.events[0].message_kind, MESSAGE_REPLY);
    assert_true(fake.events[0].reference == UINT64_MAX);
    assert_string_equal(fake.events[0].data, "\"yes\"");
    close(fd);
}

static void a_subscriber_gets_the_present_and_then_what_comes(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.peers[0].info = bytes_of_string("{\"x\":\n1}");
    fake.peers[1].info = bytes_of_string("{\"x\":1}\n{\"event\":\"leave\"}");
    say(fd, "{\"op\":\"subscribe\",\"ref\":2}");
    expect(fd, "{\"ref\":2,\"ok\":true}");
    const char *heard = hear(fd);
    assert_non_null(strstr(heard, "{\"event\":\"join\",\"id\":\"bbbb"));
    assert_non_null(strstr(heard, "\"name\":\"bob\",\"info\":{\"x\": 1},"
                                  "\"groups\":[],\"path\":\"tcp\"}"));
    assert_non_null(strstr(hear(fd), "\"name\":\"carol\",\"info\":{},"));
    expect(fd, "{\"event\":\"synced\"}");

    come_message(MESSAGE_SEND, 0, "t", "", "{\"a\":\n1}");
    heard = hear(fd);
    assert_non_null(strstr(heard, "{\"event\":\"message\",\"from\":\"bbbb"));
    assert_non_null(strstr(heard, "\"name\":\"bob\",\"type\":\"t\",\"data\":"
                                  "{\"a\": 1}}"));
    come_message(MESSAGE_EVENT, 0, "t", "lab", "1");
    assert_non_null(strstr(hear(fd), "\"group\":\"lab\",\"data\":1}"));
    come_message(MESSAGE_EVENT, 0, "t", "", "1");
    assert_non_null(strstr(hear(fd), "\"group\":null,\"data\":1}"));
    fake.observer->path(fake.observer->context, &fake.peers[0], PATH_RELAY);
    assert_non_null(strstr(hear(fd), "\"path\":\"tcp\",\"was\":\"relay\","
                                     "\"endpoint\":\"192.0.2.7:4711\"}"));
    fake.observer->left(fake.observer->context, &fake.peers[0],
                        DEPARTURE_REVOKED);
    assert_non_null(strstr(hear(fd), "\"name\":\"bob\",\"reason\":"
                                     "\"revoked\"}"));
    close(fd);
}

static void what_a_peer_calls_json_and_is_not_comes_as_bytes(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"subscribe\",\"events\":\"message\"}");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"event\":\"synced\"}");
    come_message(MESSAGE_SEND, 0, "t\n\"", "", "1}\n{\"event\":\"leave\"");
    const char *heard = hear(fd);
    assert_non_null(strstr(heard, "\"type\":\"t\\n\\\"\",\"data_b64\":\"MX0K"));
    expect_silence(fd);
    close(fd);
}

static void filters_choose_types_events_and_groups(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"subscribe\",\"types\":[\"a\",\"b\"],\"groups\":[\"g\"],"
            "\"events\":[\"message\",\"event\"]}");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"event\":\"synced\"}");
    assert_int_equal(fake.events[0].kind, NODE_SET_GROUPS);
    assert_string_equal(fake.events[0].groups, "lab g ");
    come_message(MESSAGE_SEND, 0, "c", "", "1");
    come_message(MESSAGE_EVENT, 0, "a", "h", "2");
    come_message(MESSAGE_EVENT, 0, "a", "", "3");
    fake.observer->joined(fake.observer->context, &fake.peers[0]);
    expect_silence(fd);
    come_message(MESSAGE_SEND, 0, "a", "", "4");
    come_message(MESSAGE_EVENT, 0, "b", "g", "5");
    assert_non_null(strstr(hear(fd), "\"data\":4}"));
    assert_non_null(strstr(hear(fd), "\"data\":5}"));

    /* The group is left with the connection. */
    close(fd);
    turn();
    assert_int_equal(fake.event_count, 2);
    assert_string_equal(fake.events[1].groups, "lab ");
}

static void groups_are_joined_and_left(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"join\",\"group\":\"g\"}");
    say(fd, "{\"op\":\"leave\",\"group\":\"lab\"}");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"ok\":true}");
    close(fd);
    turn();
    assert_int_equal(fake.event_count, 2);
    assert_string_equal(fake.events[0].groups, "lab g ");
    assert_string_equal(fake.events[1].groups, "g ");
}

static void publishing_tells_to_how_many_it_goes(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"publish\",\"ref\":1,\"type\":\"t\",\"group\":\"g\","
            "\"data\":1}");
    assert_int_equal(fake.events[0].kind, NODE_PUBLISH);
    assert_int_equal(fake.events[0].message_kind, MESSAGE_EVENT);
    assert_string_equal(fake.events[0].group, "g");
    fake_report(0, OUTCOME_DELIVERED);
    expect(fd, "{\"ref\":1,\"ok\":true,\"peers\":3}");
    close(fd);
}

/* They wait for the READY that has no peer, and go before what comes later. */
static void busy_publications_wait_for_room(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    const struct node_peer publications = {0};

    say(fd, "{\"op\":\"publish\",\"ref\":1,\"type\":\"t\",\"data\":1}\n"
            "{\"op\":\"publish\",\"ref\":2,\"type\":\"t\",\"data\":2}");
    fake_report(0, OUTCOME_BUSY);
    fake_report(1, OUTCOME_BUSY);
    fake.observer->ready(fake.observer->context, &publications);
    turn();
    assert_int_equal(fake.event_count, 4);
    assert_string_equal(fake.events[2].data, "1");
    assert_string_equal(fake.events[3].data, "2");
    fake_report(2, OUTCOME_DELIVERED);
    expect(fd, "{\"ref\":1,\"ok\":true,\"peers\":3}");

    say(fd, "{\"op\":\"publish\",\"ref\":3,\"type\":\"t\",\"wait\":false}");
    fake_report(4, OUTCOME_BUSY);
    expect_error(fd, "busy");

    /* Whoever goes takes along what waits. */
    fake_report(3, OUTCOME_BUSY);
    close(fd);
    turn();
    fake.observer->ready(fake.observer->context, &publications);
    assert_int_equal(fake.event_count, 5);
}

static void a_gap_tells_how_many_are_missing(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    say(fd, "{\"op\":\"subscribe\",\"types\":[\"t\"]}");
    hear(fd);
    while (strcmp(hear(fd), "{\"event\":\"synced\"}") != 0)
        ;
    say(other, "{\"op\":\"subscribe\",\"events\":[\"event\"]}");
    expect(other, "{\"ok\":true}");
    expect(other, "{\"event\":\"synced\"}");
    fake.observer->gap(fake.observer->context, &fake.peers[0],
                       UINT64_C(12345678901));
    const char *heard = hear(fd);
    assert_non_null(strstr(heard, "{\"event\":\"gap\",\"from\":\"bbbb"));
    assert_non_null(strstr(heard, "\"name\":\"bob\",\"missed\":12345678901}"));
    expect_silence(other);
    close(fd);
    close(other);
}

static void a_ping_tells_path_and_endpoint(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"ping\",\"ref\":1,\"to\":\"bob\"}");
    assert_int_equal(fake.events[0].kind, NODE_PING);
    fake_report(0, OUTCOME_DELIVERED);
    const char *heard = hear(fd);
    assert_non_null(
        strstr(heard, "\"path\":\"tcp\",\"rtt_ms\":12.1,\"from\":"));
    assert_non_null(strstr(heard, "\"endpoint\":\"192.0.2.7:4711\"}"));
    close(fd);
}

static void status_is_one_json_object(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"status\",\"ref\":\"s\"}");
    json_t *s = json_loads(hear(fd), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(s);
    assert_int_equal(json_integer_value(json_object_get(s, "version")), 1);
    const char *name, *role, *state_name, *error, *code;
    json_int_t sent;
    assert_int_equal(
        json_unpack(s, "{s:{s:s,s:{s:s}},s:[{s:s,s:s}],s:{s:I},s:[{s:s}]}",
                    "node", "name", &name, "info", "role", &role, "relays",
                    "state", &state_name, "error", &error, "counters", "sent",
                    &sent, "health", "code", &code),
        0);
    assert_string_equal(name, "alice");
    assert_string_equal(role, "camera");
    assert_string_equal(state_name, "down");
    assert_string_equal(error, "unreachable");
    assert_string_equal(code, "relay_down");
    assert_int_equal(sent, 7);
    assert_int_equal(json_array_size(json_object_get(s, "peers")), 2);
    json_decref(s);
    close(fd);
}

static void lines_in_any_pieces_are_one_line(void **state)
{
    static const char text[] = "{\"op\":\"join\",\"group\":\"lab\"}\r\n";
    (void)state;
    int fd = connect_to(w.path);

    for (size_t i = 0; i < sizeof(text) - 1; i++)
        say_bytes(fd, text + i, 1);
    expect(fd, "{\"ok\":true}");
    for (size_t cut = 1; cut < sizeof(text) - 1; cut += 7) {
        say_bytes(fd, text, cut);
        say_bytes(fd, text + cut, sizeof(text) - 1 - cut);
        expect(fd, "{\"ok\":true}");
    }
    close(fd);
}

static void a_last_line_without_its_end_is_answered(void **state)
{
    static const char text[] = "{\"op\":\"send\",\"to\":\"bob\","
                               "\"type\":\"t\"}";
    (void)state;
    int fd = connect_to(w.path);

    say_bytes(fd, text, strlen(text));
    shutdown(fd, SHUT_WR);
    turn();
    assert_int_equal(fake.event_count, 1);
    expect_silence(fd);
    fake_report(0, OUTCOME_DELIVERED);
    expect(fd, "{\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":12.1}");
    assert_true(is_ended(fd));
    close(fd);
}

static void too_long_lines_are_skipped(void **state)
{
    size_t size = 4 * MESSAGE_LIMIT;
    char *text = memory_new(size);
    (void)state;
    int fd = connect_to(w.path);

    memset(text, 'x', size);
    say_bytes(fd, text, size);
    say_bytes(fd, "\n", 1);
    expect_error(fd, "too_large");
    expect_silence(fd);
    say(fd, "{\"op\":\"join\",\"group\":\"lab\"}");
    expect(fd, "{\"ok\":true}");

    /* A line within the limit whose data is over it. */
    size = MESSAGE_LIMIT + 128;
    int begin = snprintf(text, size,
                         "{\"op\":\"send\",\"to\":\"bob\","
                         "\"type\":\"t\",\"data\":\"");
    memset(text + begin, 'x', size - (size_t)begin);
    memcpy(text + size - 3, "\"}\n", 3);
    say_bytes(fd, text, size);
    expect_error(fd, "too_large");
    free(text);
    close(fd);
}

static void who_does_not_read_its_events_is_cut_off(void **state)
{
    char *data = memory_new(60000);
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    memset(data, '7', 59999);
    say(fd, "{\"op\":\"subscribe\",\"events\":[\"message\"]}");
    for (int i = 0; i < 500; i++)
        come_message(MESSAGE_SEND, 0, "t", "", data);
    say(other, "{\"op\":\"join\",\"group\":\"lab\"}");
    expect(other, "{\"ok\":true}");

    /* 30 MB are kept; much more are not, and the end of the connection tells
     * so. */
    for (int i = 0; i < 200; i++)
        come_message(MESSAGE_SEND, 0, "t", "", data);
    say(other, "{\"op\":\"join\",\"group\":\"lab\"}");
    expect(other, "{\"ok\":true}");
    size_t lines = 0;
    while (hear(fd))
        lines++;
    assert_true(is_ended(fd));
    assert_true(lines < 700);
    free(data);
    close(fd);
    close(other);
}

static void who_does_not_read_its_answers_is_not_read(void **state)
{
    static const char text[] = "{\"op\":\"status\"}\n";
    (void)state;
    int fd = connect_to(w.path);
    size_t wrote = 0;

    for (int i = 0; i < 200000; i++) {
        ssize_t got = write(fd, text, sizeof(text) - 1);
        if (got < 0) {
            turn();
            got = write(fd, text, sizeof(text) - 1);
        }
        if (got < 0)
            break;
        wrote += (size_t)got;
    }
    assert_true(wrote < 200000 * (sizeof(text) - 1));
    assert_non_null(hear(fd));
    close(fd);
}

static void a_client_that_goes_leaves_nothing(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say_numbered(fd, "bob", 1, "");
    say_numbered(fd, "bob", 2, "");
    say(fd, "{\"op\":\"request\",\"to\":\"bob\",\"type\":\"q\"}");
    shutdown(fd, SHUT_RDWR);
    close(fd);
    turn();
    fake_report(0, OUTCOME_DELIVERED);
    fake_report(1, OUTCOME_BUSY);
    turn();
    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    come_message(MESSAGE_REPLY, fake.events[2].reference, "reply", "", "0");
    turn();
}

static void the_socket_is_private(void **state)
{
    struct stat st;
    char folder[96];
    (void)state;

    assert_int_equal(stat(w.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(folder, sizeof(folder), "%s/sub", w.folder);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_living_socket_is_refused_and_a_stale_one_replaced(void **state)
{
    char error[API_ERROR_SIZE] = "";
    char path[128];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)state;

    assert_null(open_api(w.path, error));
    assert_non_null(strstr(error, "another process listens there"));
    int fd = connect_to(w.path);
    say(fd, "{\"op\":\"join\",\"group\":\"lab\"}");
    expect(fd, "{\"ok\":true}");
    close(fd);

    snprintf(path, sizeof(path), "%s/stale.sock", w.folder);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, path);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)),
                     0);
    close(stale);
    struct api *second = open_api(path, error);
    assert_non_null(second);
    api_close(second);
    turn();
    edge_observe(&fake, NULL);

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_null(open_api(path, error));
    assert_non_null(strstr(error, "no socket"));
    unlink(path);

    char longer[200];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    assert_null(open_api(longer, error));
    assert_non_null(strstr(error, "too long"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_requests_are_refused_and_the_connection_lives),
        TEST(a_ref_of_any_scalar_comes_back),
        TEST(a_send_is_answered_when_it_is_delivered),
        TEST(a_peer_that_left_is_not_remembered),
        TEST(busy_sends_wait_and_keep_their_order),
        TEST(who_does_not_wait_is_told_busy),
        TEST(what_is_blocked_fails_with_its_peer),
        TEST(a_request_ends_with_its_reply_or_in_time),
        TEST(a_reply_carries_the_token_of_its_request),
        TEST(a_subscriber_gets_the_present_and_then_what_comes),
        TEST(what_a_peer_calls_json_and_is_not_comes_as_bytes),
        TEST(filters_choose_types_events_and_groups),
        TEST(groups_are_joined_and_left),
        TEST(publishing_tells_to_how_many_it_goes),
        TEST(busy_publications_wait_for_room),
        TEST(a_gap_tells_how_many_are_missing),
        TEST(a_ping_tells_path_and_endpoint),
        TEST(status_is_one_json_object),
        TEST(lines_in_any_pieces_are_one_line),
        TEST(a_last_line_without_its_end_is_answered),
        TEST(too_long_lines_are_skipped),
        TEST(who_does_not_read_its_events_is_cut_off),
        TEST(who_does_not_read_its_answers_is_not_read),
        TEST(a_client_that_goes_leaves_nothing),
        TEST(the_socket_is_private),
        TEST(a_living_socket_is_refused_and_a_stale_one_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
