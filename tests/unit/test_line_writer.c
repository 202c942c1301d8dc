/* Lines that a thread writes: putting a line never waits; lines that find no
 * room or cannot be written are counted, and the count is written in their
 * place. The test decides when its fake writer waits or fails. */
#include "tests/unit/patience.h"

#include "common/io/line_writer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { ROOM = 256 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool held;  /* write waits */
    bool fails; /* write fails */
    int waiting;
    char written[8192];
    size_t size;
} sink = {.mutex = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

static struct line_writer *writer;

static bool on_write(void *context, const char *line, size_t size)
{
    (void)context;
    pthread_mutex_lock(&sink.mutex);
    sink.waiting++;
    pthread_cond_broadcast(&sink.changed);
    while (sink.held)
        pthread_cond_wait(&sink.changed, &sink.mutex);
    sink.waiting--;
    bool good = !sink.fails && sink.size + size < sizeof sink.written;
    if (good) {
        memcpy(sink.written + sink.size, line, size);
        sink.size += size;
        sink.written[sink.size] = '\0';
    }
    pthread_mutex_unlock(&sink.mutex);
    return good;
}

static size_t on_lost(uint64_t count, char line[LINE_WRITER_LINE])
{
    return (size_t)snprintf(line, LINE_WRITER_LINE, "lost %" PRIu64 "\n",
                            count);
}

static int open_writer(void **state)
{
    static const struct line_writer_calls calls = {.write = on_write,
                                                   .lost = on_lost};

    (void)state;
    sink.held = sink.fails = false;
    sink.size = 0;
    sink.written[0] = '\0';
    writer = line_writer_open(ROOM, &calls);
    return writer == NULL;
}

static void set(bool *what, bool value)
{
    pthread_mutex_lock(&sink.mutex);
    *what = value;
    pthread_cond_broadcast(&sink.changed);
    pthread_mutex_unlock(&sink.mutex);
}

static int close_writer(void **state)
{
    (void)state;
    set(&sink.held, false);
    line_writer_close(&writer);
    return 0;
}

static void put(const char *line)
{
    line_writer_put(writer, line, strlen(line));
}

/* Makes the thread wait in write, with no other line taken. */
static void hold(void)
{
    set(&sink.held, true);
    put("held\n");
    pthread_mutex_lock(&sink.mutex);
    while (sink.waiting == 0)
        pthread_cond_wait(&sink.changed, &sink.mutex);
    pthread_mutex_unlock(&sink.mutex);
}

static void lines_are_written_in_order(void **state)
{
    char line[32], all[2048] = "";

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "line %d\n", i);
        strcat(all, line);
        put(line);
        assert_true(line_writer_flush(writer, PATIENCE_MS));
    }
    assert_string_equal(sink.written, all);
}

/* A put that waited would wait for ever. */
static void putting_a_line_never_waits(void **state)
{
    (void)state;
    hold();
    for (int i = 0; i < 100000; i++)
        put("0123456789\n");
    assert_false(line_writer_flush(writer, 1));
    set(&sink.held, false);
    assert_true(line_writer_flush(writer, PATIENCE_MS));
    /* 23 lines of 11 bytes fit into 256 bytes. */
    char *end = strstr(sink.written, "lost ");
    assert_non_null(end);
    assert_string_equal(end, "lost 99977\n");
    assert_int_equal(end - sink.written, 5 + 23 * 11);
}

static void the_count_stands_where_the_gap_is(void **state)
{
    char line[ROOM + 1];

    (void)state;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    hold();
    put(line); /* leaves one byte free */
    put("second\n");
    put("third\n");
    set(&sink.held, false);
    assert_true(line_writer_flush(writer, PATIENCE_MS));
    put("fourth\n");
    assert_true(line_writer_flush(writer, PATIENCE_MS));
    assert_string_equal(sink.written + 5 + strlen(line), "lost 2\nfourth\n");
}

/* On a full disk the thread does not spin, and it continues when there is room.
 */
static void lines_that_cannot_be_written_are_counted(void **state)
{
    (void)state;
    set(&sink.fails, true);
    for (int i = 0; i < 5; i++) {
        put("in vain\n");
        assert_true(line_writer_flush(writer, PATIENCE_MS));
    }
    set(&sink.fails, false);
    put("again\n");
    assert_true(line_writer_flush(writer, PATIENCE_MS));
    assert_string_equal(sink.written, "again\nlost 5\n");
}

static void *put_many(void *context)
{
    (void)context;
    for (int i = 0; i < 200; i++) {
        put("0123456\n");
        (void)line_writer_flush(writer, PATIENCE_MS);
    }
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    pthread_t threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, put_many, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(line_writer_flush(writer, PATIENCE_MS));
    assert_int_equal(sink.size, 4 * 200 * 8);
    for (size_t at = 0; at < sink.size; at += 8)
        assert_memory_equal(sink.written + at, "0123456\n", 8);
}

int main(void)
{
#define LIVE(test)                                                             \
    cmocka_unit_test_setup_teardown(test, open_writer, close_writer)
    const struct CMUnitTest tests[] = {
        LIVE(lines_are_written_in_order),
        LIVE(putting_a_line_never_waits),
        LIVE(the_count_stands_where_the_gap_is),
        LIVE(lines_that_cannot_be_written_are_counted),
        LIVE(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
