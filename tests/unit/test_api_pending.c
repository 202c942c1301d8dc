/* What clients of the local API asked for and what is not done yet: busy peers,
 * requests and their replies, cancelling. */
#include "edge/shell/api.h"
#include "tests/unit/api_kit.h"
#include "tests/unit/patience.h"

/* The submitted messages from `from` on have these data. */
static void expect_events(size_t from, const char *const *data, size_t count)
{
    assert_int_equal(fake.event_count, from + count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(fake.events[from + i].data, data[i]);
}

static void say_ready(const struct node_peer *peer)
{
    fake.observer->ready(fake.observer->context, peer);
    turn();
}

static void busy_sends_wait_and_keep_their_order(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    fake.takes = 0;
    for (int i = 0; i < 4; i++)
        say_numbered(fd, i == 2 ? "carol" : "bob", i, "");
    assert_int_equal(fake.event_count, 0);

    /* Later messages for the same peer wait behind it; all others do not wait.
     */
    fake.takes = 1;
    say_numbered(fd, "bob", 4, "");
    assert_int_equal(fake.event_count, 0);
    say_numbered(other, "bob", 9, "");
    expect_events(0, (const char *[]){"9"}, 1);

    fake.takes = 1;
    say_ready(&fake.peers[0]);
    expect_events(1, (const char *[]){"0"}, 1);
    fake_report(1, OUTCOME_DELIVERED);
    turn();
    assert_int_equal(fake.event_count, 2);

    fake.takes = SIZE_MAX;
    fake.observer->ready(fake.observer->context, &fake.peers[1]);
    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    turn();
    expect_events(2, (const char *[]){"2", "1", "3", "4"}, 4);
    expect(fd, "{\"ref\":0,\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":12.1}");
    close(fd);
    close(other);
}

/* The client's line is gone when the node accepts the message. */
static void a_waiting_message_is_copied(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.takes = 0;
    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"bob\",\"type\":\"first\","
            "\"data\":[1,2]}");
    say(fd, "{\"op\":\"publish\",\"ref\":2,\"type\":\"other\","
            "\"group\":\"g\",\"data_b64\":\"aGk/Pw==\"}");
    say(fd, "{\"op\":\"peers\",\"ref\":3}");
    assert_non_null(hear(fd));
    fake.takes = SIZE_MAX;
    say_ready(&fake.peers[0]);
    expect_events(0, (const char *[]){"[1,2]", "hi??"}, 2);
    assert_string_equal(fake.events[0].type, "first");
    assert_string_equal(fake.events[1].type, "other");
    assert_string_equal(fake.events[1].group, "g");
    assert_int_equal(fake.events[1].encoding, ENCODING_BYTES);
    close(fd);
}

/* If all were offered, the node would copy and refuse most of them each time.
 */
static void a_ready_peer_gets_messages_up_to_the_first_refusal(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.takes = 0;
    for (int i = 0; i < 6; i++)
        say_numbered(fd, i == 1 ? "carol" : "bob", i, "");
    assert_int_equal(fake.asked, 2);
    fake.asked = 0;
    fake.takes = 2;
    say_ready(&fake.peers[0]);
    expect_events(0, (const char *[]){"0", "2"}, 2);
    assert_int_equal(fake.asked, 3);
    say_numbered(fd, "bob", 6, "");
    assert_int_equal(fake.event_count, 2);
    fake.takes = SIZE_MAX;
    say_ready(&fake.peers[0]);
    expect_events(2, (const char *[]){"3", "4", "5", "6"}, 4);
    say_ready(&fake.peers[1]);
    expect_events(6, (const char *[]){"1"}, 1);
    assert_int_equal(fake.asked, 3 + 4 + 1);
    say_ready(&fake.peers[0]);
    assert_int_equal(fake.asked, 8);
    close(fd);
}

/* While bob is busy, carol's messages pass; but the number of waiting messages
 * is bounded. */
static void a_client_with_many_waiting_messages_is_not_read(void **state)
{
    char line[1024 + 128];
    char data[1024];
    (void)state;
    int fd = connect_to(w.path);

    memset(data, '7', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    fake.takes = 0;
    say_numbered(fd, "bob", 0, "");
    fake.takes = SIZE_MAX;
    say_numbered(fd, "carol", 1, "");
    expect_events(0, (const char *[]){"1"}, 1);

    snprintf(line, sizeof(line),
             "{\"op\":\"send\",\"to\":\"bob\",\"type\":\"t\",\"data\":%s}\n",
             data);
    for (int i = 0; i < 256; i++)
        say_bytes(fd, line, strlen(line));
    say_numbered(fd, "carol", 2, "");
    assert_int_equal(fake.event_count, 1);
    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    turn();
    assert_int_equal(fake.event_count, 1 + 1 + 256 + 1);
    assert_string_equal(fake.events[fake.event_count - 1].data, "2");
    close(fd);
}

static void a_client_that_does_not_wait_gets_busy(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.takes = 0;
    say_numbered(fd, "bob", 1, ",\"wait\":false");
    expect_error(fd, "busy");
    fake.takes = 1;
    say_numbered(fd, "bob", 2, "");
    expect_events(0, (const char *[]){"2"}, 1);
    close(fd);
}

static void waiting_messages_fail_when_their_peer_leaves(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    fake.takes = 0;
    say_numbered(fd, "bob", 1, "");
    say_numbered(fd, "bob", 2, "");
    expect_silence(fd);
    fake.observer->left(fake.observer->context, &fake.peers[0], DEPARTURE_LOST);
    expect_error(fd, "not_delivered");
    expect_error(fd, "not_delivered");
    fake.takes = SIZE_MAX;
    say_numbered(fd, "carol", 3, "");
    expect_events(0, (const char *[]){"3"}, 1);
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
    const struct timespec millisecond = {.tv_nsec = 1000000};
    const char *late = NULL;
    PATIENCE_UNTIL((late = hear(fd)) != NULL, nanosleep(&millisecond, NULL));
    assert_non_null(strstr(late, "\"error\":\"timeout\""));
    come_message(MESSAGE_REPLY, fake.events[1].reference, "reply", "", "3");
    expect_silence(fd);

    /* A reply may come twice, or after the peer restarted. */
    come_message(MESSAGE_REPLY, reference, "reply", "", "[2]");
    expect_silence(fd);
    say(fd, "{\"op\":\"request\",\"to\":\"bob\",\"type\":\"q\"}");
    fake_report(2, OUTCOME_PEER_RESTARTED);
    expect_error(fd, "peer_restarted");
    come_message(MESSAGE_REPLY, fake.events[2].reference, "reply", "", "4");
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

static void reply(int fd, const char *request, const char *more)
{
    char text[256];

    snprintf(text, sizeof(text),
             "{\"op\":\"reply\",\"to\":\"bob\",\"request\":\"%s\"%s}", request,
             more);
    say(fd, text);
}

static void a_request_is_replied_to_once(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    reply(fd, "7", ""); /* There was no request. */
    expect_error(fd, "unknown_request");
    come_message(MESSAGE_REQUEST, 7, "q", "", "1");
    reply(fd, "7", ""); /* No client here got the request. */
    expect_error(fd, "unknown_request");

    say(fd, "{\"op\":\"subscribe\",\"events\":[\"message\"]}");
    come_message(MESSAGE_REQUEST, 7, "q", "", "1");
    expect(fd, "{\"ok\":true}");
    expect(fd, "{\"event\":\"synced\"}");
    assert_non_null(strstr(hear(fd), "\"request\":\"7\""));
    say(fd, "{\"op\":\"reply\",\"to\":\"carol\",\"request\":\"7\"}");
    expect_error(fd, "unknown_request");

    /* A reply that was not accepted leaves the request open. */
    fake.takes = 0;
    reply(fd, "7", ",\"wait\":false");
    expect_error(fd, "busy");
    fake.takes = SIZE_MAX;
    reply(fd, "7", "");
    reply(other, "7", "");
    expect_error(other, "unknown_request");
    fake_report(0, OUTCOME_DELIVERED);
    expect(fd, "{\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":12.1}");
    reply(fd, "7", "");
    expect_error(fd, "unknown_request");

    /* The peer's requests end with its process. */
    come_message(MESSAGE_REQUEST, 8, "q", "", "1");
    assert_non_null(strstr(hear(fd), "\"request\":\"8\""));
    fake.observer->left(fake.observer->context, &fake.peers[0], DEPARTURE_LOST);
    reply(fd, "8", "");
    expect_error(fd, "unknown_request");
    close(fd);
    close(other);
}

static void waiting_operations_can_be_cancelled(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"bob\",\"type\":\"t\"}");
    say(fd, "{\"op\":\"cancel\",\"request\":1}");
    expect_error(fd, "too_late");
    fake_report(0, OUTCOME_DELIVERED);
    expect(fd, "{\"ref\":1,\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":12.1}");
    say(fd, "{\"op\":\"request\",\"ref\":\"r\",\"to\":\"bob\",\"type\":\"t\"}");
    fake_report(1, OUTCOME_DELIVERED);
    fake.takes = 0;
    say(fd, "{\"op\":\"send\",\"ref\":1,\"to\":\"bob\",\"type\":\"t\"}");
    say(fd, "{\"op\":\"publish\",\"ref\":3,\"type\":\"t\"}");
    say(fd, "{\"op\":\"cancel\",\"ref\":9,\"request\":1}");
    expect(fd, "{\"ref\":1,\"ok\":false,\"error\":\"cancelled\","
               "\"message\":\"it was cancelled\"}");
    expect(fd, "{\"ref\":9,\"ok\":true}");
    say(fd, "{\"op\":\"cancel\",\"request\":\"r\"}");
    expect_error(fd, "cancelled");
    expect(fd, "{\"ok\":true}");
    say(fd, "{\"op\":\"cancel\",\"request\":3}");
    expect_error(fd, "cancelled");
    expect(fd, "{\"ok\":true}");
    say(fd, "{\"op\":\"cancel\",\"request\":3}");
    expect_error(fd, "unknown_request");

    come_message(MESSAGE_REPLY, fake.events[1].reference, "reply", "", "0");
    expect_silence(fd);
    fake.takes = SIZE_MAX;
    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    turn();
    assert_int_equal(fake.event_count, 2);
    close(fd);
}

/* They wait for the READY without a peer, and go before later publications. */
static void busy_publications_wait_for_room(void **state)
{
    (void)state;
    int fd = connect_to(w.path);
    const struct node_peer publications = {0};

    fake.takes = 0;
    say(fd, "{\"op\":\"publish\",\"ref\":1,\"type\":\"t\",\"data\":1}\n"
            "{\"op\":\"publish\",\"ref\":2,\"type\":\"t\",\"data\":2}");
    fake.takes = 1;
    say_ready(&publications);
    expect_events(0, (const char *[]){"1"}, 1);
    expect(fd, "{\"ref\":1,\"ok\":true,\"peers\":3}");
    expect_silence(fd);
    say(fd, "{\"op\":\"publish\",\"ref\":4,\"type\":\"t\",\"data\":4}");
    assert_int_equal(fake.event_count, 1);
    fake.takes = SIZE_MAX;
    say_ready(&publications);
    expect_events(1, (const char *[]){"2", "4"}, 2);
    expect(fd, "{\"ref\":2,\"ok\":true,\"peers\":3}");
    expect(fd, "{\"ref\":4,\"ok\":true,\"peers\":3}");

    fake.takes = 0;
    say(fd, "{\"op\":\"publish\",\"ref\":3,\"type\":\"t\",\"wait\":false}");
    expect_error(fd, "busy");

    /* A client that leaves takes its waiting messages along. */
    say(fd, "{\"op\":\"publish\",\"ref\":5,\"type\":\"t\",\"data\":5}");
    expect_silence(fd);
    close(fd);
    turn();
    fake.takes = SIZE_MAX;
    say_ready(&publications);
    assert_int_equal(fake.event_count, 3);
}

static void a_client_that_goes_leaves_nothing(void **state)
{
    (void)state;
    int fd = connect_to(w.path);

    say_numbered(fd, "bob", 1, "");
    say(fd, "{\"op\":\"request\",\"to\":\"bob\",\"type\":\"q\"}");
    fake.takes = 0;
    say_numbered(fd, "bob", 2, "");
    shutdown(fd, SHUT_RDWR);
    close(fd);
    turn();
    fake_report(0, OUTCOME_DELIVERED);
    fake_report(1, OUTCOME_DELIVERED);
    turn();
    fake.takes = SIZE_MAX;
    fake.observer->ready(fake.observer->context, &fake.peers[0]);
    come_message(MESSAGE_REPLY, fake.events[1].reference, "reply", "", "0");
    turn();
    assert_int_equal(fake.event_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(busy_sends_wait_and_keep_their_order),
        TEST(a_waiting_message_is_copied),
        TEST(a_ready_peer_gets_messages_up_to_the_first_refusal),
        TEST(a_client_with_many_waiting_messages_is_not_read),
        TEST(a_client_that_does_not_wait_gets_busy),
        TEST(waiting_messages_fail_when_their_peer_leaves),
        TEST(a_request_ends_with_its_reply_or_in_time),
        TEST(a_reply_carries_the_token_of_its_request),
        TEST(a_request_is_replied_to_once),
        TEST(waiting_operations_can_be_cancelled),
        TEST(busy_publications_wait_for_room),
        TEST(a_client_that_goes_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
