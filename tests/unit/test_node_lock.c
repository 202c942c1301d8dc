#include "edge/shell/node_lock.h"

#include "kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64], copy[64];
static uint8_t key[64] = {1};

static int make_files(void **state)
{
    (void)state;
    strcpy(path, "/tmp/test_node_lock.XXXXXX");
    strcpy(copy, "/tmp/test_node_lock.XXXXXX");
    close(mkstemp(path));
    close(mkstemp(copy));
    /* A key of this run alone: other runs may happen at the same time. */
    snprintf((char *)key, 32, "%ld", (long)getpid());
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    unlink(path);
    unlink(copy);
    return 0;
}

/* Tries the lock in a process of its own. Returns 0 if that process gets it, 1
 * if not. */
static int another_gets(const char *file, const char *words)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        char error[NODE_LOCK_ERROR_SIZE] = "";
        struct node_lock *l = node_lock_open(file, key, error);
        _exit(l != NULL ? 0 : strstr(error, words) != NULL ? 1 : 2);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void another_process_is_refused(void **state)
{
    char error[NODE_LOCK_ERROR_SIZE], words[64];
    struct node_lock *l = node_lock_open(path, key, error);

    (void)state;
    assert_non_null(l);
    snprintf(words, sizeof words, "runs already on this host, as process %ld",
             (long)getpid());
    assert_int_equal(another_gets(path, words), 1);
    assert_int_equal(another_gets(copy, words), 1);
    assert_int_equal(another_gets("", words), 1);
    node_lock_close(&l);
    assert_null(l);
    assert_int_equal(another_gets(path, ""), 0);
}

/* The lock on the file also works where the name does not reach: in another
 * network namespace. */
static void the_file_is_locked_too(void **state)
{
    char error[NODE_LOCK_ERROR_SIZE];
    struct node_lock *l = node_lock_open(path, key, error);

    (void)state;
    assert_non_null(l);
    key[0] ^= 0x80;
    assert_int_equal(another_gets(path, "runs already"), 1);
    assert_int_equal(another_gets(copy, ""), 0);
    key[0] ^= 0x80;
    node_lock_close(&l);
}

static void nodes_of_one_process_may_share_it(void **state)
{
    char error[NODE_LOCK_ERROR_SIZE];
    struct node_lock *one = node_lock_open(path, key, error);
    struct node_lock *two = node_lock_open(path, key, error);

    (void)state;
    assert_non_null(one);
    assert_non_null(two);
    node_lock_close(&two);
    assert_int_equal(another_gets(path, "runs already"), 1);
    node_lock_close(&one);
}

/* And a child of that process that lives on does not hold the lock either. */
static void it_ends_with_a_process_that_is_killed(void **state)
{
    int ready[2], status;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t holder = fork();
    if (holder == 0) {
        char error[NODE_LOCK_ERROR_SIZE];
        struct node_lock *l = node_lock_open(path, key, error);
        pid_t child = l != NULL ? fork() : -1;
        if (child == 0)
            pause();
        (void)!write(ready[1], &child, sizeof child);
        pause();
        _exit(0);
    }
    pid_t child = 0;
    assert_int_equal(read(ready[0], &child, sizeof child), sizeof child);
    assert_true(child > 0);
    assert_int_equal(another_gets(path, "runs already"), 1);
    kill(holder, SIGKILL);
    waitpid(holder, &status, 0);
    assert_int_equal(another_gets(path, ""), 0);
    kill(child, SIGKILL);
    close(ready[0]);
    close(ready[1]);
}

static void without_a_file_it_is_no_matter(void **state)
{
    char error[NODE_LOCK_ERROR_SIZE];
    struct node_lock *l = node_lock_open("/nonexistent/x.zs", key, error);

    (void)state;
    assert_non_null(l);
    node_lock_close(&l);
    node_lock_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_process_is_refused),
        cmocka_unit_test(the_file_is_locked_too),
        cmocka_unit_test(nodes_of_one_process_may_share_it),
        cmocka_unit_test(it_ends_with_a_process_that_is_killed),
        cmocka_unit_test(without_a_file_it_is_no_matter),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
