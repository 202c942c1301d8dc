/* The operations and events of the local API. */
#include "edge/shell/api.h"
#include "tests/unit/api_kit.h"

static const struct refused {
    const char *line;
    const char *ref; /* NULL: the line has none that can be read */
} refused[] = {
    /* Invalid JSON, before the ref or after it. */
    {"{\"ref\":7,\"data\":\"caf\xe9\",\"op\":\"send\"}", "7"},
    {"{\"op\":\"send\",\"data\":\"caf\xe9\",\"ref\":7}", "7"},
    {"{\"data\":\"\\udce9\",\"ref\":\"a\"}", "\"a\""},
    {"{\"data\":\"\\x\",\"ref\":\"a, \\\"b\\\"}\"}", "\"a, \\\"b\\\"}\""},
    {"{\"data\":\"\x01\",\"ref\" : 7 }", "7"},
    {"{\"data\":01,\"ref\":-1.5e3}", "-1.5e3"},
    {"{\"data\":,\"ref\":true}", "true"},
    {"{\"data\":[1,],\"ref\":null,\"x\":}", "null"},
    {"{\"data\":NaN,\"ref\":7}", "7"},
    {"{\"data\":'x',\"ref\":7}", "7"},
    {"{\"data\":{\"ref\":8},\"ref\":7,}", "7"},
    {"{\"ref\":7,\"data\":{\"ref\":8,}}", "7"},
    {"{\"ref\":7,\"data\":[{\"ref\":8}", "7"},
    {"{\"ref\":7} x", "7"},
    {"{\"op\":\"send\",\"ref\":7,\"data\":\"", "7"},
    {"{\xff\"ref\":7}", "7"},
    {"{\"\xff\":1,\"ref\":7}", "7"},
    {"{\"data\":\"a\"b\",\"c\":\"\",\"ref\":7}", NULL},
    /* No ref, or none that is known to be whole. */
    {"{\"data\":\"\xff\"}", NULL},
    {"{\"data\":\"\\\"ref\\\":7\xff\"}", NULL},
    {"{\"data\":\"\xff\",\"reF\":7}", NULL},
    {"{\"data\":\"\xff\",\"refs\":7}", NULL},
    {"{\"data\":\"\xff\",\"re\":7}", NULL},
    {"{\"data\":\"\xff\",\"x\":\"ref\"}", NULL},
    {"{\"data\":\"\xff\",\"ref\":7", NULL},
    {"{\"data\":\"\xff\",\"ref\":1 2}", NULL},
    {"{\"data\":\"\xff\",\"ref\":[7]}", NULL},
    {"{\"data\":\"\xff\",\"ref\":{\"ref\":7}}", NULL},
    {"{\"data\":\"\xff\",\"ref\":\"\xff\"}", NULL},
    {"[{\"ref\":7}]", NULL},
    {"\"ref\":7", NULL},
    /* Valid JSON, but a wrong request. */
    {"{\"op\":\"fly\",\"ref\":7}", "7"},
    {"{\"op\":7,\"ref\":7}", "7"},
    {"{\"ref\":7}", "7"},
    {"{\"ref\":7,\"op\":\"send\"}", "7"},
    {"{\"op\":\"send\",\"to\":7,\"type\":\"t\",\"ref\":7}", "7"},
    {"{\"op\":\"send\",\"to\":\"bob\",\"type\":[],\"ref\":7}", "7"},
    {"{\"op\":\"join\",\"group\":{},\"ref\":7}", "7"},
    {"{\"op\":\"subscribe\",\"types\":7,\"ref\":7}", "7"},
    {"{\"op\":\"join\",\"group\":\"a\",\"group\":\"b\",\"ref\":7}", "7"},
    {"{\"op\":\"join\",\"op\":\"leave\",\"ref\":7}", "7"},
    {"{\"op\":\"join\",\"group\":\"a\",\"ref\":6,\"ref\":7}", "7"},
};

/* A wrong line fails one call, and the client learns which one. */
static void a_refusal_has_the_ref_of_its_line(void **state)
{
    char begin[128];
    (void)state;
    int fd = connect_to(w.path);

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const struct refused *r = &refused[i];
        snprintf(begin, sizeof(begin), "{%s%s%s\"ok\":false",
                 r->ref ? "\"ref\":" : "", r->ref ? r->ref : "",
                 r->ref ? "," : "");
        say(fd, r->line);
        const char *heard = hear(fd);
        if (!heard || strncmp(heard, begin, strlen(begin)) != 0)
            fail_msg("%s: %s", r->line, heard ? heard : "nothing");
    }
    close(fd);
}

/* However deep or long the line is, and wherever the ref stands in it. */
static void a_line_too_deep_or_too_long_keeps_its_ref(void **state)
{
    enum { DEEP = 5000, LONG = 4 * MESSAGE_LIMIT };
    static const char *const begins[] = {"{\"ref\":7,\"op\":\"send\",\"data\":",
                                         "{\"op\":\"send\",\"data\":"};
    static const char *const ends[] = {"}", ",\"ref\":7}"};
    char *data = memory_new(LONG + 1);
    char *line = memory_new(LONG + 128);
    (void)state;
    int fd = connect_to(w.path);

    for (size_t i = 0; i < 2; i++) {
        memset(data, '[', DEEP);
        memset(data + DEEP, ']', DEEP);
        data[2 * DEEP] = '\0';
        snprintf(line, LONG + 128, "%s%s%s", begins[i], data, ends[i]);
        say(fd, line);
        expect_begin(fd, "{\"ref\":7,\"ok\":false,\"error\":\"bad_request\"");
        memset(data, 'x', LONG);
        data[0] = data[LONG - 1] = '"';
        data[LONG] = '\0';
        snprintf(line, LONG + 128, "%s%s%s", begins[i], data, ends[i]);
        say(fd, line);
        expect_begin(fd, "{\"ref\":7,\"ok\":false,\"error\":\"too_large\"");
    }
    memset(data, '7', 1000);
    data[1000] = '\0';
    snprintf(line, LONG + 128, "{\"data\":\"\xff\",\"ref\":%s}", data);
    say(fd, line);
    expect_begin(fd, "{\"ok\":false");
    say(fd, "{\"op\":\"join\",\"group\":\"lab\",\"ref\":8}");
    expect(fd, "{\"ref\":8,\"ok\":true}");
    free(data);
    free(line);
    close(fd);
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
        "{\"op\":\"cancel\"}",
        "{\"op\":\"cancel\",\"request\":[1]}",
        "{\"op\":\"join\"}",
        "{\"op\":\"join\",\"group\":\"a b\"}",
        "{\"op\":\"join\",\"group\":\"forbidden\"}",
        "{\"op\":\"leave\",\"group\":3}",
        "{\"op\":\"subscribe\",\"events\":[\"weather\"]}",
        "{\"op\":\"subscribe\",\"types\":[1]}",
        "{\"op\":\"subscribe\",\"types\":{}}",
        "{\"op\":\"subscribe\",\"groups\":[\"a b\"]}",
        "{\"op\":\"subscribe\",\"member_of\":[\"a b\"]}",
        "{\"op\":\"subscribe\",\"types\":[\"a\"],\"groups\":[\"g\"],"
        "\"member_of\":5}",
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

static const struct {
    const char *op;
    const char *fields; /* beside op and ref, each with a blank after it */
    const char *whole;  /* fields with which the edge carries it out */
} operations[] = {
    {"send", "to type data data_b64 timeout wait ",
     "\"to\":\"bob\",\"type\":\"t\",\"data\":1"},
    {"publish", "group type data data_b64 timeout wait ",
     "\"type\":\"t\",\"data\":1"},
    {"request", "to type data data_b64 timeout wait ",
     "\"to\":\"bob\",\"type\":\"t\",\"data\":1"},
    {"reply", "to request type data data_b64 timeout wait ",
     "\"to\":\"bob\",\"request\":\"7\",\"data\":1"},
    {"status", "", "\"ref\":7"},
    {"peers", "", "\"ref\":7"},
    {"join", "group ", "\"group\":\"g\""},
    {"leave", "group ", "\"group\":\"lab\""},
    {"ping", "to timeout ", "\"to\":\"bob\""},
    {"subscribe", "events types groups member_of ",
     "\"groups\":\"g\",\"events\":\"event\""},
    {"unsubscribe", "", "\"ref\":7"},
    {"cancel", "request ", "\"request\":\"asked\""},
    {"revoke", "data_b64 ", "\"data_b64\":\"AAAA\""},
};
enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

static bool has_field(const char *fields, const char *name)
{
    char word[32];

    snprintf(word, sizeof(word), "%s ", name);
    const char *at = strstr(fields, word);
    while (at && at != fields && at[-1] != ' ')
        at = strstr(at + 1, word);
    return at != NULL;
}

/* Every known field, and some that no operation has. */
static void each_operation_has_its_fields_and_no_other(void **state)
{
    static const char *const names[] = {
        "to",        "type",   "data", "data_b64", "group",
        "groups",    "types",  "wait", "timeout",  "request",
        "member_of", "events", "tpye", "x",        "",
    };
    char line[128], unknown[128];
    (void)state;

    for (size_t i = 0; i < OPERATIONS; i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            snprintf(line, sizeof(line),
                     "{\"ref\":\"f\",\"%s\":[],\"op\":\"%s\"}", names[k],
                     operations[i].op);
            snprintf(unknown, sizeof(unknown),
                     "\"message\":\"unknown field `%s` in `%s`: ", names[k],
                     operations[i].op);
            int fd = connect_to(w.path);
            say(fd, line);
            const char *heard = hear(fd);
            if (!heard || (strstr(heard, unknown) == NULL) !=
                              has_field(operations[i].fields, names[k]))
                fail_msg("%s: %s", line, heard ? heard : "nothing");
            close(fd);
        }
    }
}

/* The field may come first, last, or in between; its value may be null. */
static void nothing_is_carried_out_with_an_unknown_field(void **state)
{
    static const struct {
        const char *first, *between, *last;
    } places[] = {
        {"\"color\":1,", "", ""},
        {"", "\"color\":{\"ref\":8},", ""},
        {"", "", ",\"color\":null"},
    };
    char line[256];
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"subscribe\",\"events\":\"message\"}");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"event\":\"synced\"}");
    come_message(MESSAGE_REQUEST, 7, "q", "", "1");
    assert_non_null(strstr(hear(fd), "\"request\":\"7\""));
    say(fd, "{\"op\":\"ping\",\"ref\":\"asked\",\"to\":\"bob\"}");
    assert_int_equal(fake.event_count, 1);
    for (size_t i = 0; i < OPERATIONS; i++) {
        for (size_t k = 0; k < sizeof(places) / sizeof(places[0]); k++) {
            snprintf(line, sizeof(line), "{%s\"op\":\"%s\",%s%s%s}",
                     places[k].first, operations[i].op, places[k].between,
                     operations[i].whole, places[k].last);
            say(fd, line);
            const char *heard = hear(fd);
            if (!heard ||
                !strstr(heard, "\"error\":\"bad_request\",\"message\":"
                               "\"unknown field `color`"))
                fail_msg("%s: %s", line, heard ? heard : "nothing");
        }
    }
    expect_silence(fd);
    assert_int_equal(fake.event_count, 1);

    /* The subscription, the ping and the request are unchanged. */
    come_message(MESSAGE_SEND, 0, "t", "", "2");
    assert_non_null(strstr(hear(fd), "\"data\":2}"));
    say(fd, "{\"op\":\"reply\",\"to\":\"bob\",\"request\":\"7\"}");
    assert_int_equal(fake.event_count, 2);
    say(fd, "{\"op\":\"cancel\",\"ref\":1,\"request\":\"asked\"}");
    expect_begin(fd, "{\"ref\":\"asked\",\"ok\":false,\"error\":\"cancelled\"");
    expect(fd, "{\"ref\":1,\"ok\":true}");
    close(fd);
}

static const struct {
    const char *line;
    const char *message;
} misspelled[] = {
    {"{\"op\":\"send\",\"ref\":7,\"to\":\"bob\",\"tpye\":\"t\"}",
     "unknown field `tpye` in `send`: did you mean `type`?"},
    {"{\"op\":\"subscribe\",\"type\":\"t\",\"ref\":7}",
     "unknown field `type` in `subscribe`: did you mean `types`?"},
    {"{\"op\":\"publish\",\"groups\":\"g\",\"type\":\"t\",\"ref\":7}",
     "unknown field `groups` in `publish`: did you mean `group`?"},
    {"{\"op\":\"ping\",\"to\":\"bob\",\"timout\":5,\"ref\":7}",
     "unknown field `timout` in `ping`: did you mean `timeout`?"},
    {"{\"op\":\"ping\",\"to\":\"bob\",\"data\":5,\"ref\":7}",
     "unknown field `data` in `ping`: its fields are op ref to timeout"},
    {"{\"op\":\"status\",\"refs\":1,\"ref\":7}",
     "unknown field `refs` in `status`: did you mean `ref`?"},
    {"{\"op\":\"peers\",\"REF\":1,\"\":2,\"ref\":7}",
     "unknown field `REF` in `peers`: its fields are op ref"},
    {"{\"op\":\"join\",\"gr\\u006fups\":1,\"ref\":7}",
     "unknown field `groups` in `join`: did you mean `group`?"},
    {"{\"op\":\"join\",\"group\\u0000\":1,\"ref\":7}",
     "unknown field `group\\\\u0000` in `join`: its fields are op ref group"},
    {"{\"op\":\"join\",\"gr\xc3\xb6up\":1,\"ref\":7}",
     "unknown field `gr\\\\xc3\\\\xb6up` in `join`: did you mean `group`?"},
    {"{\"opp\":\"join\",\"group\":\"g\",\"ref\":7}",
     "unknown field `opp`: did you mean `op`?"},
    {"{\"color\":1,\"ref\":7}", "unknown field `color`"},
    {"{\"op\":\"sned\",\"color\":1,\"ref\":7}",
     "unknown operation `sned`: did you mean `send`?"},
};

static void the_nearest_field_is_named(void **state)
{
    char line[256];
    (void)state;
    int fd = connect_to(w.path);

    for (size_t i = 0; i < sizeof(misspelled) / sizeof(misspelled[0]); i++) {
        snprintf(line, sizeof(line),
                 "{\"ref\":7,\"ok\":false,\"error\":\"bad_request\","
                 "\"message\":\"%s\"}",
                 misspelled[i].message);
        say(fd, misspelled[i].line);
        expect(fd, line);
    }
    assert_int_equal(fake.event_count, 0);
    close(fd);
}

static void a_key_may_be_long_or_escaped(void **state)
{
    enum { LONG = 20000 };
    static const char begin[] = "{\"op\":\"peers\",\"ref\":7,\"";
    char *line = memory_new(LONG + 128);
    (void)state;
    int fd = connect_to(w.path);

    strcpy(line, begin);
    memset(line + sizeof(begin) - 1, 'x', LONG);
    strcpy(line + sizeof(begin) - 1 + LONG, "\":1}");
    say(fd, line);
    const char *heard = hear(fd);
    assert_non_null(heard);
    assert_true(strlen(heard) < 256);
    assert_non_null(strstr(heard, "xxx...` in `peers`: its fields are op ref"));
    free(line);

    say(fd, "{\"\\u006fp\":\"send\",\"r\\u0065f\":7,\"to\":\"bob\","
            "\"typ\\u0065\":\"t\",\"data\\u005fb64\":\"aGk=\"}");
    assert_int_equal(fake.event_count, 1);
    assert_string_equal(fake.events[0].data, "hi");
    say(fd, "{\"op\":\"join\",\"\\u006fp\":\"leave\",\"group\":\"g\"}");
    expect_error(fd, "bad_request");
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
    assert_int_equal(e->kind, FAKE_SEND);
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
                                  "\"groups\":[],\"reachable\":true,"
                                  "\"path\":\"tcp\"}"));
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

static void data_that_a_peer_falsely_calls_json_comes_as_bytes(void **state)
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
    assert_int_equal(fake.events[0].event_kind, NODE_SET_GROUPS);
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

    /* The node leaves the group when the connection ends. */
    close(fd);
    turn();
    assert_int_equal(fake.event_count, 2);
    assert_string_equal(fake.events[1].groups, "lab ");
}

static void member_of_joins_without_a_filter(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"subscribe\",\"member_of\":[\"g\"],"
            "\"events\":[\"event\"]}");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"event\":\"synced\"}");
    assert_string_equal(fake.events[0].groups, "lab g ");
    come_message(MESSAGE_EVENT, 0, "a", "h", "1");
    come_message(MESSAGE_EVENT, 0, "a", "", "2");
    assert_non_null(strstr(hear(fd), "\"data\":1}"));
    assert_non_null(strstr(hear(fd), "\"data\":2}"));

    say(fd, "{\"op\":\"unsubscribe\"}");
    expect(fd, "{\"ok\":true}");
    assert_int_equal(fake.event_count, 2);
    assert_string_equal(fake.events[1].groups, "lab ");
    come_message(MESSAGE_EVENT, 0, "a", "h", "3");
    expect_silence(fd);
    say(fd, "{\"op\":\"unsubscribe\"}");
    expect(fd, "{\"ok\":true}");
    close(fd);
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

static void publishing_reports_the_number_of_receivers(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"publish\",\"ref\":1,\"type\":\"t\",\"group\":\"g\","
            "\"data\":1}");
    assert_int_equal(fake.events[0].kind, FAKE_PUBLISH);
    assert_int_equal(fake.events[0].message_kind, MESSAGE_EVENT);
    assert_string_equal(fake.events[0].group, "g");
    expect(fd, "{\"ref\":1,\"ok\":true,\"peers\":3}");
    close(fd);
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
    assert_int_equal(fake.events[0].event_kind, NODE_PING);
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

/* One look at the network answers both clients. */
static void a_netcheck_is_answered(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    say(fd, "{\"op\":\"netcheck\",\"to\":\"bob\"}");
    expect_error(fd, "bad_request");
    say(fd, "{\"op\":\"netcheck\",\"ref\":1}");
    say(other, "{\"op\":\"netcheck\",\"ref\":2}");
    json_t *s = json_loads(hear(fd), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(s);
    const char *mapping, *id;
    int version, ref, reachable;
    assert_int_equal(json_unpack(s, "{s:i,s:i,s:b,s:{s:s},s:[{s:s}]}", "ref",
                                 &ref, "version", &version, "reachable",
                                 &reachable, "nat", "mapping", &mapping,
                                 "findings", "id", &id),
                     0);
    assert_int_equal(ref, 1);
    assert_int_equal(version, 1);
    assert_true(reachable); /* bob is a peer. */
    assert_string_equal(mapping, "unknown");
    assert_string_equal(id, "no_relay");
    json_decref(s);
    assert_non_null(strstr(hear(other), "{\"ref\":2,\"ok\":true,"));
    close(fd);
    close(other);
}

/* The client closes before the answer is there. */
static void a_netcheck_that_nobody_waits_for_is_dropped(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"netcheck\",\"ref\":1}");
    turn();
    close(fd);
    turn();
    turn();
    turn();
}

static void answers(int fd, enum node_outcome outcome, const char *text)
{
    fake_forget();
    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"bob\",\"type\":\"t\"}");
    turn();
    assert_int_equal(fake.event_count, 1);
    fake_report(0, outcome);
    const char *heard = hear(fd);
    assert_non_null(strstr(heard, "\"error\":\"not_delivered\""));
    assert_non_null(strstr(heard, text));
}

/* The message does not claim that the peer left while the peer is still listed.
 */
static void not_delivered_gives_the_true_reason(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.peers[0].path = PATH_NONE;
    answers(fd, OUTCOME_NOT_DELIVERED, "is present, but no path to it");
    fake.peers[0].path = PATH_TCP;
    answers(fd, OUTCOME_NOT_DELIVERED, "is present, but nobody can say");
    fake.refusals[0] = (struct node_refusal){.id = fake.peers[0].id,
                                             .name = "bob",
                                             .by_peer = true,
                                             .reason = REFUSAL_FULL};
    fake.refusal_count = 1;
    answers(fd, OUTCOME_NOT_DELIVERED, "the peer refuses this node");
    fake.refusals[0].by_peer = false;
    answers(fd, OUTCOME_NOT_DELIVERED, "this node refuses the peer");
    fake.refusal_count = 0;
    fake_forget();
    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"bob\",\"type\":\"t\"}");
    turn();
    fake.peer_count = 0;
    fake_report(0, OUTCOME_NOT_DELIVERED);
    assert_non_null(strstr(hear(fd), "the peer left before"));
    close(fd);
}

static void a_peer_without_a_path_is_not_reachable(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.peers[0].path = PATH_NONE;
    say(fd, "{\"op\":\"subscribe\",\"ref\":1}");
    expect(fd, "{\"ref\":1,\"ok\":true}");
    assert_non_null(strstr(hear(fd), "\"reachable\":false,\"path\":\"none\"}"));
    (void)hear(fd);
    expect(fd, "{\"event\":\"synced\"}");
    fake.observer->path(fake.observer->context, &fake.peers[0], PATH_TCP);
    assert_non_null(strstr(hear(fd), "\"reachable\":false,\"path\":\"none\""));
    close(fd);
}

static void health_has(int fd, const char *code, const char *text)
{
    say(fd, "{\"op\":\"status\",\"ref\":1}");
    json_t *s = json_loads(hear(fd), JSON_REJECT_DUPLICATES, NULL), *line;
    assert_non_null(s);
    size_t i;
    bool found = false;
    json_array_foreach(json_object_get(s, "health"), i, line)
    {
        bool same =
            strcmp(json_string_value(json_object_get(line, "code")), code) == 0;
        const char *said = json_string_value(json_object_get(line, "text"));
        found |= same && strcmp(said, text) == 0;
    }
    assert_true(found);
    json_decref(s);
}

static void health_tells_who_refuses_whom(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    struct node_refusal *r = fake.refusals;

    fake.refusal_count = 1;
    r[0] = (struct node_refusal){
        .name = "erin", .by_peer = true, .reason = REFUSAL_FULL};
    health_has(fd, "refused_by_peer", "erin refuses this node: full.");
    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"erin\",\"type\":\"t\"}");
    assert_non_null(strstr(hear(fd), "erin refuses this node: full."));
    r[0].by_peer = false;
    health_has(fd, "peer_refused", "This node refuses erin: full.");
    r[0] = (struct node_refusal){.name = "erin",
                                 .by_peer = true,
                                 .reason = REFUSAL_NOT_YET,
                                 .skew_known = true,
                                 .skew_s = -2 * 365 * 86400};
    health_has(fd, "refused_by_peer",
               "erin refuses this node: not_yet. "
               "Its clock is 730 days behind this one's.");
    r[0].skew_s = 90;
    health_has(fd, "refused_by_peer",
               "erin refuses this node: not_yet. "
               "Its clock is 90 seconds ahead of this one's.");
    fake.replaced = true;
    health_has(fd, "replaced",
               "This node was replaced: a process with the same identity "
               "was started elsewhere later.");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_requests_are_refused_and_the_connection_lives),
        TEST(a_refusal_has_the_ref_of_its_line),
        TEST(a_line_too_deep_or_too_long_keeps_its_ref),
        TEST(each_operation_has_its_fields_and_no_other),
        TEST(nothing_is_carried_out_with_an_unknown_field),
        TEST(the_nearest_field_is_named),
        TEST(a_key_may_be_long_or_escaped),
        TEST(a_ref_of_any_scalar_comes_back),
        TEST(a_send_is_answered_when_it_is_delivered),
        TEST(a_peer_that_left_is_not_remembered),
        TEST(a_subscriber_gets_the_present_and_then_what_comes),
        TEST(data_that_a_peer_falsely_calls_json_comes_as_bytes),
        TEST(filters_choose_types_events_and_groups),
        TEST(member_of_joins_without_a_filter),
        TEST(groups_are_joined_and_left),
        TEST(publishing_reports_the_number_of_receivers),
        TEST(a_gap_tells_how_many_are_missing),
        TEST(a_ping_tells_path_and_endpoint),
        TEST(a_netcheck_is_answered),
        TEST(a_netcheck_that_nobody_waits_for_is_dropped),
        TEST(status_is_one_json_object),
        TEST(not_delivered_gives_the_true_reason),
        TEST(a_peer_without_a_path_is_not_reachable),
        TEST(health_tells_who_refuses_whom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
