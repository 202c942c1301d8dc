/* Parsing a command line by its table of options. */
#include "common/conf/options.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct option_row rows[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "the file"},
    {"check", 0, OPTION_FLAG, NULL, "only check"},
    {"quiet", 'q', OPTION_FLAG, NULL, "say less"},
    {"relay", 'r', OPTION_TEXT, "URL", "a relay; may be repeated"},
    {"count", 'n', OPTION_INTEGER, "N", "so many"},
    {"timeout", 0, OPTION_DURATION, "TIME", "so long"},
    {"size", 0, OPTION_SIZE, "SIZE", "so large"},
};
static const struct option_row shared[] = {
    {"socket", 0, OPTION_TEXT, "A-VERY-LONG-WORD-FOR-A-PATH", "the edge"},
};
static const struct options_spec spec = {
    .program = "thing",
    .synopsis = "TO [DATA]",
    .about = "Does things.",
    .rows = rows,
    .row_count = COUNT(rows),
    .shared = shared,
    .shared_count = COUNT(shared),
    .positional_min = 1,
    .positional_max = 2,
    .epilogue = "The end.",
};

/* Parses, and collects the output in a text that the caller frees. */
static enum options_result parse_told(const struct options_spec *s, char **argv,
                                      struct options *o, int fd, char **told)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(NULL);
    int saved = dup(fd);
    assert_true(saved >= 0 && dup2(fileno(file), fd) == fd);
    enum options_result result = options_parse(s, argc, argv, o);
    fflush(NULL);
    assert_true(dup2(saved, fd) == fd);
    close(saved);
    rewind(file);
    *told = calloc(1, 8192);
    assert_non_null(*told);
    (void)!fread(*told, 1, 8191, file);
    fclose(file);
    return result;
}

/* Expects that these arguments (without the program) are accepted. */
static void taken(const struct options_spec *s, struct options *o, char **argv)
{
    char *told;
    enum options_result result = parse_told(s, argv, o, STDERR_FILENO, &told);
    if (result != OPTIONS_RUN)
        fail_msg("%s", told);
    assert_string_equal(told, "");
    free(told);
}

static void refused(char **argv, const char *line)
{
    struct options o;
    char *told, expected[300];
    enum options_result result =
        parse_told(&spec, argv, &o, STDERR_FILENO, &told);
    assert_int_equal(result, OPTIONS_WRONG);
    snprintf(expected, sizeof expected, "thing: %s\nTry `thing --help`.\n",
             line);
    assert_string_equal(told, expected);
    free(told);
}

#define ARGV(...) ((char *[]){(char[]){"thing"}, __VA_ARGS__, NULL})
/* A string literal as an argument that may be written to. */
#define S(text) ((char[]){text})

static void test_nothing_given(void **state)
{
    struct options o;
    (void)state;
    taken(&spec, &o, ARGV(S("bob")));
    assert_int_equal(o.positional_count, 1);
    assert_null(options_text(&o, "config"));
    assert_false(options_flag(&o, "check"));
    assert_int_equal(options_integer(&o, "count", -7), -7);
    assert_int_equal(options_duration(&o, "timeout", span_s(3)).us, 3000000);
    assert_int_equal(options_size(&o, "size", 64), 64);
    options_free(&o);
}

static void test_every_form(void **state)
{
    struct options o;
    size_t cursor = 0;
    (void)state;
    taken(&spec, &o,
          ARGV(S("--config"), S("a.yaml"), S("bob"), S("--check"),
               S("--relay=tcp://x?key=y"), S("-r"), S("two"), S("-qn5"),
               S("--timeout"), S("250ms"), S("--size=64KiB"), S("--relay"),
               S(""), S("-"), S("--socket"), S("s")));
    assert_int_equal(o.positional_count, 2);
    assert_string_equal(o.positionals[0], "bob");
    assert_string_equal(o.positionals[1], "-");
    assert_string_equal(options_text(&o, "config"), "a.yaml");
    assert_true(options_flag(&o, "check"));
    assert_true(options_flag(&o, "quiet"));
    assert_int_equal(options_integer(&o, "count", 0), 5);
    assert_int_equal(options_duration(&o, "timeout", span_s(0)).us, 250000);
    assert_int_equal(options_size(&o, "size", 0), 65536);
    assert_string_equal(options_text(&o, "socket"), "s");
    assert_string_equal(options_next(&o, "relay", &cursor), "tcp://x?key=y");
    assert_string_equal(options_next(&o, "relay", &cursor), "two");
    assert_string_equal(options_next(&o, "relay", &cursor), "");
    assert_null(options_next(&o, "relay", &cursor));
    options_free(&o);
}

static void test_the_last_counts(void **state)
{
    struct options o;
    (void)state;
    taken(&spec, &o, ARGV(S("x"), S("-ca"), S("--config=b"), S("-c"), S("c")));
    assert_string_equal(options_text(&o, "config"), "c");
    options_free(&o);
}

static void test_double_dash(void **state)
{
    struct options o;
    (void)state;
    taken(&spec, &o, ARGV(S("--"), S("--check"), S("--")));
    assert_false(options_flag(&o, "check"));
    assert_string_equal(o.positionals[0], "--check");
    assert_string_equal(o.positionals[1], "--");
    options_free(&o);
}

static void test_commands(void **state)
{
    struct options_spec commands = spec;
    struct options o;
    (void)state;
    commands.stop_at_positional = true;
    taken(&commands, &o,
          ARGV(S("--socket=s"), S("send"), S("--unknown"), S("-x"), S("y")));
    assert_string_equal(options_text(&o, "socket"), "s");
    assert_int_equal(o.positional_count, 4);
    assert_string_equal(o.positionals[1], "--unknown");
    options_free(&o);
}

static void test_refused(void **state)
{
    (void)state;
    refused(ARGV(S("x"), S("--chekc")),
            "unknown option --chekc: did you mean --check?");
    refused(ARGV(S("x"), S("--scoket=y")),
            "unknown option --scoket: did you mean --socket?");
    refused(ARGV(S("x"), S("--zzzzzz")), "unknown option --zzzzzz");
    refused(ARGV(S("x"), S("--\x1b[1m")), "unknown option --\\x1b[1m");
    refused(ARGV(S("x"), S("-z")), "unknown option -z");
    refused(ARGV(S("x"), S("-qz")), "unknown option -z");
    refused(ARGV(S("x"), S("--config")), "--config wants a value: FILE");
    refused(ARGV(S("x"), S("-c")), "--config wants a value: FILE");
    refused(ARGV(S("x"), S("--check=yes")), "--check takes no value");
    refused(ARGV(S("x"), S("-n"), S("many")),
            "--count wants a whole number, not `many`");
    refused(ARGV(S("x"), S("--count=-1")),
            "--count wants a whole number, not `-1`");
    refused(ARGV(S("x"), S("--timeout"), S("5")),
            "--timeout wants a duration such as 250ms, 5s or 10m, not `5`");
    refused(ARGV(S("x"), S("--size"), S("1kib")),
            "--size wants a size such as 1500 or 64KiB, not `1kib`");
    refused(ARGV(S("--check")), "TO is missing: thing TO [DATA]");
    refused(ARGV(S("a"), S("b"), S("c")), "what is `c`?");
}

static void told_on_stdout(char **argv, const char *text)
{
    struct options o;
    char *told;
    assert_int_equal(parse_told(&spec, argv, &o, STDOUT_FILENO, &told),
                     OPTIONS_DONE);
    assert_string_equal(told, text);
    free(told);
}

static const char *const help =
    "Usage: thing [OPTIONS] TO [DATA]\n"
    "\n"
    "Does things.\n"
    "\n"
    "Options:\n"
    "  -c, --config FILE   the file\n"
    "      --check         only check\n"
    "  -q, --quiet         say less\n"
    "  -r, --relay URL     a relay; may be repeated\n"
    "  -n, --count N       so many\n"
    "      --timeout TIME  so long\n"
    "      --size SIZE     so large\n"
    "      --socket A-VERY-LONG-WORD-FOR-A-PATH\n"
    "                      the edge\n"
    "  -h, --help          print this help and end\n"
    "      --version       print the version and end\n"
    "\n"
    "The end.\n";

/* With --help the other arguments do not matter, and no mistake is reported. */
static void test_help_alone(void **state)
{
    char **argv = ARGV(S("--help"), S("--nonsense"), S("--count=x"));
    struct options o;
    char *told;
    (void)state;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);
    assert_true(saved >= 0 && dup2(null, STDOUT_FILENO) >= 0);
    enum options_result result =
        parse_told(&spec, argv, &o, STDERR_FILENO, &told);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    close(null);
    assert_int_equal(result, OPTIONS_DONE);
    assert_string_equal(told, "");
    free(told);
}

static void test_help_and_version(void **state)
{
    (void)state;
    told_on_stdout(ARGV(S("--help")), help);
    told_on_stdout(ARGV(S("x"), S("-h"), S("--nonsense")), help);
    told_on_stdout(ARGV(S("--version")), "thing " ZS_VERSION "\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_given),
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_the_last_counts),
        cmocka_unit_test(test_double_dash),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_help_alone),
        cmocka_unit_test(test_help_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
