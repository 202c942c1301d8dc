/* Key files that several processes write at the same time, and what killed
 * writers left. */
#include "common/conf/keyfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>

enum { WRITERS = 8, WRITES = 40 };

static char folder[64];
static char path[96];

static int open_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/zs-keyfile-XXXXXX");
    if (sodium_init() < 0 || mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/list.zs", folder);
    return 0;
}

static int close_folder(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static int files_there(void)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    int count = 0;

    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL)
        count +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return count;
}

static bool write_number(int number)
{
    struct keytext text = {0};

    keytext_add(&text, "version: 2\nkind: list\nnumber: %d\n", number);
    keytext_sum(&text);
    bool done = keyfile_write(path, &text, 0644, KEYFILE_REPLACE, stderr);
    keytext_close(&text);
    return done;
}

/* A whole file of one of the writers. */
static bool reads_whole(void)
{
    struct keyfile k;

    if (!keyfile_open(&k, path, "list", KEYFILE_PUBLIC, stderr))
        return false;
    bool good = keyfile_text(&k, "number") != NULL;
    return keyfile_close(&k, stderr) && good;
}

static void leave(const char *name, bool locked)
{
    char left[160];

    snprintf(left, sizeof(left), "%s/%s", folder, name);
    int file = open(left, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    if (locked)
        assert_int_equal(flock(file, LOCK_EX), 0);
    else
        close(file);
}

/* True if the file is there; removes it. */
static bool still_there(const char *name)
{
    char left[160];

    snprintf(left, sizeof(left), "%s/%s", folder, name);
    return unlink(left) == 0;
}

static void many_replace_one_file(void **state)
{
    pid_t writers[WRITERS];

    (void)state;
    assert_true(write_number(0));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] > 0)
            continue;
        bool good = true;
        for (int j = 0; j < WRITES; j++)
            good = write_number(WRITES * i + j) && reads_whole() && good;
        _exit(good ? 0 : 1);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, 0);
    }
    assert_true(reads_whole());
    assert_int_equal(files_there(), 1);
}

static void what_a_killed_writer_left_is_removed(void **state)
{
    (void)state;
    leave(".list.zs.0123456789abcdef.tmp", false);
    leave(".other.zs.0123456789abcdef.tmp", false);
    assert_true(write_number(1));
    assert_false(still_there(".list.zs.0123456789abcdef.tmp"));
    assert_true(still_there(".other.zs.0123456789abcdef.tmp"));
}

static void what_a_living_writer_has_open_stays(void **state)
{
    (void)state;
    leave(".list.zs.00000000000000ff.tmp", true);
    assert_true(write_number(2));
    keyfile_sweep(folder);
    assert_true(still_there(".list.zs.00000000000000ff.tmp"));
}

static void a_sweep_takes_temporary_files_alone(void **state)
{
    static const char *const others[] = {
        "list.zs.0123456789abcdef.tmp",    /* not hidden */
        ".0123456789abcdef.tmp",           /* of no file */
        ".list.zs.0123456789abcdeg.tmp",   /* no hexadecimal digits */
        ".list.zs.0123456789abcde.tmp",    /* too few */
        ".list.zs.0123456789abcdef.other", /* another ending */
        ".list.zs0123456789abcdef.tmp",    /* no dot before them */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        leave(others[i], false);
    leave(".alice.zs.0123456789abcdef.tmp", false);
    keyfile_sweep(folder);
    assert_false(still_there(".alice.zs.0123456789abcdef.tmp"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_true(still_there(others[i]));
    keyfile_sweep("/nowhere/at/all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_replace_one_file),
        cmocka_unit_test(what_a_killed_writer_left_is_removed),
        cmocka_unit_test(what_a_living_writer_has_open_stays),
        cmocka_unit_test(a_sweep_takes_temporary_files_alone),
    };

    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
