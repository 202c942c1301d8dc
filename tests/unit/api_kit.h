/*
 * api_kit - for tests of the local API: the API on a real socket, served by a
 * fake edge (fake_edge.h).
 *
 *     say(fd, "{\"op\":\"status\",\"ref\":1}");   a client's request
 *     expect_error(fd, "busy");                   its answer
 */
#ifndef TESTS_UNIT_API_KIT_H
#define TESTS_UNIT_API_KIT_H

#include "edge/shell/api.h"
#include "tests/unit/fake_edge.h"

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

enum { MESSAGE_LIMIT = 64 * 1024, MEMORY = 128 * 1024 * 1024, TURNS = 2000 };

struct api_world {
    uv_loop_t loop;
    char folder[64];
    char path[128];
    struct api *api;
};

static struct api_world w;

static inline void turn(void)
{
    for (int i = 0; i < 4; i++)
        uv_run(&w.loop, UV_RUN_NOWAIT);
}

static inline struct api *open_api(const char *path, char error[API_ERROR_SIZE])
{
    static const char *const groups[] = {"lab"};
    struct api_conf conf = {.socket = path,
                            .info = bytes_of_string("{\"role\":\"camera\"}"),
                            .groups = groups,
                            .group_count = 1,
                            .message_limit = MESSAGE_LIMIT,
                            .memory = MEMORY};

    return api_open(&fake, &conf, error);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    turn();
    return fd;
}

/* Writes all bytes, and runs the loop meanwhile. */
static inline void say_bytes(int fd, const char *data, size_t size)
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

static inline void say(int fd, const char *line)
{
    say_bytes(fd, line, strlen(line));
    say_bytes(fd, "\n", 1);
}

/* The next line that the API wrote, or NULL if none comes. */
static inline const char *hear(int fd)
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

static inline void expect_begin(int fd, const char *begin)
{
    const char *heard = hear(fd);

    assert_non_null(heard);
    if (strncmp(heard, begin, strlen(begin)) != 0)
        fail_msg("heard: %s", heard);
}

static inline void expect(int fd, const char *line)
{
    const char *heard = hear(fd);

    assert_non_null(heard);
    assert_string_equal(heard, line);
}

/* Expects {"ref":1,"ok":false,"error":ERROR,"message":...} as the next line. */
static inline void expect_error(int fd, const char *error)
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

static inline void expect_silence(int fd)
{
    const char *heard = hear(fd);

    if (heard)
        fail_msg("heard: %s", heard);
}

static inline bool is_ended(int fd)
{
    char byte;

    turn();
    return read(fd, &byte, 1) == 0;
}

static inline void come_message(enum message_kind kind, uint64_t reference,
                                const char *type, const char *group,
                                const char *data)
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

static inline void say_numbered(int fd, const char *to, int number,
                                const char *more)
{
    char text[128];

    snprintf(text, sizeof(text),
             "{\"op\":\"send\",\"ref\":%d,\"to\":\"%s\",\"type\":\"t\","
             "\"data\":%d%s}",
             number, to, number, more);
    say(fd, text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
