/* Connections of the local API: lines, clients that do not read, the socket. */
#include "edge/shell/api.h"
#include "tests/unit/api_kit.h"

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

    /* A line within its limit, whose data exceeds the limit of a message. */
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

/* Counts the lines that come, until none does; `last` gets the beginning of the
 * last one. */
static size_t drain(int fd, char last[64])
{
    static char room[1 << 18];
    size_t lines = 0, at = 0;
    bool before = true; /* the next byte begins a line */

    for (int idle = 0; idle < 4;) {
        ssize_t got = read(fd, room, sizeof(room));
        if (got == 0)
            break;
        idle = got < 0 ? idle + 1 : 0;
        for (ssize_t i = 0; i < got; i++) {
            at = before ? 0 : at;
            before = room[i] == '\n';
            lines += before;
            if (at < 63)
                last[at++] = before ? '\0' : room[i];
        }
        turn();
    }
    last[63] = '\0';
    return lines;
}

/* Fewer than `most` lines come, and the last one says why no more follow. */
static void expect_cut_off(int fd, size_t most)
{
    char last[64];
    size_t lines = drain(fd, last);

    assert_true(lines > 1 && lines < most);
    assert_ptr_equal(
        strstr(last, "{\"event\":\"closed\",\"reason\":\"slow\",\"unread\":"),
        last);
    assert_true(is_ended(fd));
}

static void a_client_that_does_not_read_its_events_is_cut_off(void **state)
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

    /* The API keeps 30 MB for the client. It does not keep much more, and the
     * last line says so. */
    for (int i = 0; i < 200; i++)
        come_message(MESSAGE_SEND, 0, "t", "", data);
    say(other, "{\"op\":\"join\",\"group\":\"lab\"}");
    expect(other, "{\"ok\":true}");
    expect_cut_off(fd, 700);
    free(data);
    close(fd);
    close(other);
}

/* Clients that hang delay nobody and cost bounded memory: the fast client has
 * each message after as many turns of the loop as it would have alone. */
static void many_slow_clients_do_not_delay_a_fast_one(void **state)
{
    enum { SLOW = 24, MESSAGES = 80, SIZE = 1 << 20 };
    char *data = memory_new(SIZE);
    char last[64];
    int slow[SLOW];
    (void)state;
    int fast = connect_to(w.path);

    memset(data, '7', SIZE - 1);
    for (int i = 0; i < SLOW; i++) {
        slow[i] = connect_to(w.path);
        say(slow[i], "{\"op\":\"subscribe\",\"events\":[\"message\"]}");
    }
    say(fast, "{\"op\":\"subscribe\",\"events\":[\"message\"]}");
    expect(fast, "{\"ok\":true}");
    expect(fast, "{\"event\":\"synced\"}");
    for (int i = 0; i < MESSAGES; i++) {
        come_message(MESSAGE_SEND, 0, "t", "", data);
        assert_int_equal(drain(fast, last), 1);
    }
    for (int i = 0; i < SLOW; i++) {
        expect_cut_off(slow[i], 2 + MESSAGES);
        close(slow[i]);
    }
    free(data);
    close(fast);
}

/* A client asks at once for more answers than it may leave unread. The API
 * reads no more from it until it reads, and then it gets all answers. */
static void answers_that_pile_up_wait_for_their_reader(void **state)
{
    enum { LINES = 1000, SIZE = 60000 };
    char *info = memory_new(SIZE);
    char *text = memory_new(64 * LINES);
    char last[64];
    (void)state;
    int fd = connect_to(w.path);
    int other = connect_to(w.path);

    memset(info, '7', SIZE - 1);
    memcpy(info, "{\"x\":", 5);
    info[SIZE - 2] = '}';
    fake.peers[0].info = bytes_of_string(info);
    for (int i = 0; i < LINES; i++)
        strcat(text, "{\"op\":\"peers\"}\n");
    say_bytes(fd, text, strlen(text));
    for (int i = 0; i < TURNS; i++)
        turn();
    say(other, "{\"op\":\"join\",\"group\":\"lab\"}");
    expect(other, "{\"ok\":true}");
    assert_int_equal(drain(fd, last), LINES);
    free(info);
    free(text);
    close(fd);
    close(other);
}

static bool is_in(const char *group)
{
    for (size_t i = 0; i < fake.event_count; i++)
        if (strstr(fake.events[i].groups, group))
            return true;
    return false;
}

/* The API carries out all that a client sent before it closed, in however many
 * turns, although nobody reads the answers. */
static void requests_sent_before_the_end_are_carried_out(void **state)
{
    enum { LINES = 5000 };
    static const char line[] = "{\"op\":\"cancel\",\"request\":1}\n";
    static const char done[] = "{\"op\":\"join\",\"group\":\"last\"}\n";
    char *text = memory_new(sizeof(line) * LINES + sizeof(done));
    (void)state;
    int fd = connect_to(w.path);

    for (int i = 0; i < LINES; i++)
        memcpy(text + (size_t)i * (sizeof(line) - 1), line, sizeof(line));
    strcat(text, done);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    for (int i = 0; i < TURNS && !is_in("last"); i++)
        turn();
    assert_true(is_in("last"));
    free(text);
}

/* Sends `size` bytes of a line that never ends. */
static int begin_line(const char *begin, size_t size)
{
    int fd = connect_to(w.path);
    char *text = memory_new(size);

    memset(text, 'x', size);
    memcpy(text, begin, strlen(begin));
    say_bytes(fd, text, size);
    free(text);
    return fd;
}

/* The API cuts off the largest client, whether its line is JSON or not; the
 * others stay. */
static void beyond_the_memory_the_largest_is_cut_off(void **state)
{
    enum { CLIENTS = 40, MORE = 6, LINE = 16 * 1024, LARGE = 80 * 1024 };
    static const char begin[] = "{\"op\":\"publish\",\"type\":\"";
    static const char end[] = "\",\"x\":1}\n";
    int fds[CLIENTS], more[MORE];
    (void)state;

    api_set_memory(w.api, 1024 * 1024);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = begin_line(begin, LINE);
    int large = begin_line("nonsense", LARGE);
    expect_silence(large);
    for (int i = 0; i < 12; i++)
        close(begin_line(
            "[", (size_t)(LARGE - 1 - i))); /* these clients are gone again */
    for (int i = 0; i < MORE; i++)
        more[i] = begin_line("{", LARGE / 2);
    const char *heard = hear(large);
    assert_non_null(heard);
    assert_non_null(
        strstr(heard, "{\"event\":\"closed\",\"reason\":\"memory\""));
    assert_true(is_ended(large));
    for (int i = 0; i < CLIENTS; i++) {
        say_bytes(fds[i], end, strlen(end));
        expect_error(fds[i], "bad_request");
        close(fds[i]);
    }
    close(large);
    for (int i = 0; i < MORE; i++)
        close(more[i]);
}

/* The memory that `status` reports. */
static uint64_t held(void)
{
    int fd = connect_to(w.path);
    const char *heard;

    fake.peers[0].info = bytes_of_string("{}");
    say(fd, "{\"op\":\"status\"}");
    assert_non_null(heard = hear(fd));
    assert_non_null(heard = strstr(heard, "\"client_bytes\":"));
    close(fd);
    return strtoull(heard + 15, NULL, 10);
}

/* Unread answers and endless lines of many clients stay within the limit of
 * memory. */
static void clients_that_do_not_read_stay_within_the_memory(void **state)
{
    enum { CLIENTS = 60, SIZE = 20000, ASKED = 500, LIMIT = 16 << 20 };
    static const char ask[] = "{\"op\":\"peers\"}\n";
    char *info = memory_new(SIZE);
    char *asks = memory_new(sizeof(ask) * ASKED);
    int fds[CLIENTS];
    char last[64];
    (void)state;

    memset(info, '7', SIZE - 1);
    memcpy(info, "{\"x\":", 5);
    info[SIZE - 2] = '}';
    fake.peers[0].info = bytes_of_string(info);
    for (int i = 0; i < ASKED; i++)
        strcat(asks, ask);
    api_set_memory(w.api, LIMIT);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = connect_to(w.path);
        say_bytes(fds[i], asks, strlen(asks));
    }
    for (int i = 0; i < TURNS / 4; i++)
        turn();
    assert_in_range(held(), CLIENTS * 32 * 1024, LIMIT);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(drain(fds[i], last), ASKED);
        close(fds[i]);
    }
    free(info);
    free(asks);
}

static void a_client_that_does_not_read_its_answers_is_not_read(void **state)
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
    assert_non_null(strstr(error, "not a socket"));
    unlink(path);

    char longer[200];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    assert_null(open_api(longer, error));
    assert_non_null(strstr(error, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_in_any_pieces_are_one_line),
        TEST(a_last_line_without_its_end_is_answered),
        TEST(too_long_lines_are_skipped),
        TEST(a_client_that_does_not_read_its_events_is_cut_off),
        TEST(many_slow_clients_do_not_delay_a_fast_one),
        TEST(answers_that_pile_up_wait_for_their_reader),
        TEST(requests_sent_before_the_end_are_carried_out),
        TEST(beyond_the_memory_the_largest_is_cut_off),
        TEST(clients_that_do_not_read_stay_within_the_memory),
        TEST(a_client_that_does_not_read_its_answers_is_not_read),
        TEST(the_socket_is_private),
        TEST(a_living_socket_is_refused_and_a_stale_one_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
