/* Files that a thread writes: the loop never waits for a disk that hangs, the
 * thread writes the newest content of a waiting file, and the loop gets the
 * result. */
#include "tests/unit/kit.h"

#include "common/io/file_writer.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool hangs;
    int begun;
    char written[256];
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER};

static uv_loop_t loop;
static struct file_writer *writer;
static char heard[256];

static bool on_write(const char *path, struct bytes content, FILE *errors)
{
    char words[64];

    pthread_mutex_lock(&disk.mutex);
    disk.begun++;
    pthread_cond_broadcast(&disk.changed);
    while (disk.hangs)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    snprintf(words, sizeof words, "%s=%.*s ", path, (int)content.size,
             (const char *)content.data);
    strcat(disk.written, words);
    pthread_mutex_unlock(&disk.mutex);
    if (content.size > 0)
        return true;
    fprintf(errors, "%s: is empty\n", path);
    return false;
}

static void on_done(void *context, const char *path, bool good, char *errors)
{
    char words[64];

    (void)context;
    snprintf(words, sizeof words, "%s:%s%s ", path, good ? "good" : "bad ",
             errors);
    strcat(heard, words);
}

static int open_keeper(void **state)
{
    static const struct file_writer_calls calls = {.write = on_write,
                                                   .done = on_done};

    (void)state;
    disk.hangs = false;
    disk.begun = 0;
    disk.written[0] = heard[0] = '\0';
    uv_loop_init(&loop);
    writer = file_writer_open(&loop, &calls);
    return writer == NULL;
}

static int close_keeper(void **state)
{
    (void)state;
    file_writer_close(&writer);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void set_hanging(bool hangs)
{
    pthread_mutex_lock(&disk.mutex);
    disk.hangs = hangs;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.mutex);
}

static void await_begun(int count)
{
    pthread_mutex_lock(&disk.mutex);
    while (disk.begun < count)
        pthread_cond_wait(&disk.changed, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

static void put(const char *path, const char *content)
{
    assert_true(file_writer_put(writer, path, bytes_of_string(content)));
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

static void run_until_heard(const char *words)
{
    uv_timer_t awake;

    uv_timer_init(&loop, &awake); /* The writer keeps no loop alive. */
    uv_timer_start(&awake, on_tick, 1, 1);
    while (strcmp(heard, words) != 0 && strlen(heard) < strlen(words))
        uv_run(&loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&awake, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_string_equal(heard, words);
}

static void the_loop_gets_the_result(void **state)
{
    (void)state;
    put("a", "1");
    run_until_heard("a:good ");
    put("b", "");
    run_until_heard("a:good b:bad b: is empty\n ");
}

static void a_hanging_disk_delays_nobody(void **state)
{
    (void)state;
    set_hanging(true);
    put("a", "1");
    await_begun(1);
    put("b", "1");
    put("a", "2");
    put("b", "2");
    uv_run(&loop, UV_RUN_DEFAULT); /* Nothing keeps the loop alive. */
    assert_string_equal(heard, "");
    set_hanging(false);
    run_until_heard("a:good b:good a:good ");
    assert_string_equal(disk.written, "a=1 b=2 a=2 ");
}

static void too_many_are_refused(void **state)
{
    char path[16];

    (void)state;
    set_hanging(true);
    put("a", "1");
    await_begun(1);
    for (int i = 0; i < FILE_WRITER_WAITING; i++) {
        snprintf(path, sizeof path, "%d", i);
        put(path, "");
    }
    assert_false(file_writer_put(writer, "one more", bytes_of_string("")));
    put("7", ""); /* This file waits already, so it is no further one. */
    disk.written[0] = '\0';
    file_writer_close(&writer); /* The disk hangs, so the files are lost. */
    uv_run(&loop, UV_RUN_DEFAULT);
    set_hanging(false);
}

static void waiting_files_are_written_before_the_end(void **state)
{
    (void)state;
    put("a", "1");
    put("b", "1");
    file_writer_close(&writer);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(disk.written, "a=1 b=1 ");
    assert_string_equal(heard, "a:good b:good ");
}

int main(void)
{
#define LIVE(test)                                                             \
    cmocka_unit_test_setup_teardown(test, open_keeper, close_keeper)
    const struct CMUnitTest tests[] = {
        LIVE(the_loop_gets_the_result),
        LIVE(a_hanging_disk_delays_nobody),
        LIVE(waiting_files_are_written_before_the_end),
        LIVE(too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
