/* describe: a program's tables as lines with fields. */
#include "common/conf/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct option_row rows[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "the file"},
    {"check", 0, OPTION_FLAG, NULL, "only check"},
};
static const struct option_row shared[] = {
    {"socket", 0, OPTION_TEXT, "PATH", "its socket"},
};
static const struct options_spec spec = {
    .program = "zs x",
    .synopsis = "-c FILE",
    .about = "One.\nTwo.",
    .epilogue = "Three.",
    .rows = rows,
    .row_count = 2,
    .shared = shared,
    .shared_count = 1,
};

static const struct conf_key keys[] = {
    {.path = "a.b", .kind = CONF_SIZE, .fallback = "4MiB", .help = "H\nI"},
    {.path = "c",
     .kind = CONF_LIST,
     .fallback = "[]",
     .help = "J",
     .live = true},
};
static const struct conf_table table = {.title = "T", .keys = keys, .count = 2};

struct said {
    char *text;
    size_t size;
    FILE *out;
};

static void begin(struct said *s)
{
    s->out = open_memstream(&s->text, &s->size);
    assert_non_null(s->out);
}

static void says(struct said *s, const char *wanted)
{
    fclose(s->out);
    assert_string_equal(s->text, wanted);
    free(s->text);
}

static void test_options(void **state)
{
    struct said s;
    (void)state;

    begin(&s);
    describe_options(&spec, s.out);
    says(&s, "program\tzs x\t-c FILE\tOne.\\nTwo.\tThree.\n"
             "option\tconfig\tc\tFILE\tthe file\n"
             "option\tcheck\t\t\tonly check\n"
             "shared\tsocket\t\tPATH\tits socket\n"
             "shared\thelp\th\t\tprint this help and end\n"
             "shared\tversion\t\t\tprint the version and end\n");
}

static void test_a_list_of_commands_is_no_epilogue(void **state)
{
    struct options_spec with = {
        .program = "zs", .epilogue = "Commands:", .stop_at_positional = true};
    struct said s;
    (void)state;

    begin(&s);
    describe_options(&with, s.out);
    describe_command("x", "FILE", "does it", s.out);
    describe_command_end(s.out);
    says(&s, "program\tzs\t\t\t\n"
             "shared\thelp\th\t\tprint this help and end\n"
             "shared\tversion\t\t\tprint the version and end\n"
             "command\tx\tFILE\tdoes it\n"
             "end\n");
}

static void test_settings(void **state)
{
    struct said s;
    (void)state;

    begin(&s);
    describe_conf(&table, s.out);
    says(&s, "conf\tT\n"
             "key\ta.b\tsize\t4MiB\t\tH\\nI\n"
             "key\tc\tlist\t[]\tlive\tJ\n");
}

static void test_asked(void **state)
{
    char program[] = "zs", asked[] = "--describe", other[] = "x";
    char *alone[] = {program, asked, NULL}, *more[] = {program, asked, other};
    (void)state;

    assert_true(describe_asked(2, alone));
    assert_false(describe_asked(1, alone));
    assert_false(describe_asked(3, more));
    alone[1] = other;
    assert_false(describe_asked(2, alone));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_a_list_of_commands_is_no_epilogue),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
