/* How a limit of open files is divided. */
#include "tests/unit/kit.h"

#include "edge/shell/open_files.h"

#include <sys/resource.h>
#include <unistd.h>

static const struct open_files_share wanted = {.links = 256,
                                               .sockets = 832,
                                               .strangers = 256,
                                               .clients = 256,
                                               .pages = 128};

/* A link costs four descriptors. The shares together are no more than the
 * limit. */
static void no_more_files_are_given_than_there_are(void **state)
{
    (void)state;
    for (size_t files = 64; files < 5000; files++) {
        struct open_files_share s;
        bool all = open_files_divide(files, 5, 1, &wanted, &s);
        size_t used = 5 + 2 + s.clients + 2 * s.pages + s.sockets + 4 * s.links;
        assert_true(used + 20 <= files);
        assert_true(s.clients >= 1 && s.clients <= wanted.clients);
        assert_true(s.pages >= 1 && s.pages <= wanted.pages);
        assert_true(s.sockets >= 1 && s.sockets <= wanted.sockets);
        assert_true(s.links >= 1 && s.links <= wanted.links);
        assert_true(s.strangers >= 1 && s.strangers <= s.sockets);
        assert_int_equal(
            all, s.clients == wanted.clients && s.pages == wanted.pages &&
                     s.sockets == wanted.sockets && s.links == wanted.links);
    }
}

static void many_files_are_enough_for_all(void **state)
{
    struct open_files_share s;

    (void)state;
    assert_true(open_files_divide(4096, 5, 2, &wanted, &s));
    assert_int_equal(s.strangers, wanted.strangers);
    assert_false(open_files_divide(1024, 5, 2, &wanted, &s));
}

static void too_few_are_one_of_each(void **state)
{
    (void)state;
    for (size_t files = 0; files < 40; files++) {
        struct open_files_share s;
        assert_false(open_files_divide(files, 10, 2, &wanted, &s));
        assert_int_equal(s.links, 1);
        assert_int_equal(s.sockets, 1);
        assert_int_equal(s.strangers, 1);
        assert_int_equal(s.clients, 1);
    }
}

/* As in a program that uses the library. */
static void unwanted_kinds_get_no_files(void **state)
{
    struct open_files_share nothing = {
        .links = 256, .sockets = 832, .strangers = 1};
    struct open_files_share s;

    (void)state;
    assert_true(open_files_divide(4096, 5, 2, &nothing, &s));
    assert_int_equal(s.clients + s.pages, 0);
    assert_false(open_files_divide(20, 5, 2, &nothing, &s));
    assert_int_equal(s.clients + s.pages, 0);
}

static void the_system_tells(void **state)
{
    struct rlimit limit;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(open_files_limit(), limit.rlim_cur);
    size_t before = open_files_count();
    int fd = dup(0);
    assert_int_equal(open_files_count(), before + 1);
    close(fd);
    assert_int_equal(open_files_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_files_are_given_than_there_are),
        cmocka_unit_test(many_files_are_enough_for_all),
        cmocka_unit_test(too_few_are_one_of_each),
        cmocka_unit_test(unwanted_kinds_get_no_files),
        cmocka_unit_test(the_system_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
