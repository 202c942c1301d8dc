/* The reader of configuration files, with a small table of every kind. */
#include "common/base/instant.h"
#include "tests/unit/conf_kit.h"

struct conf_thing {
    char *name;
    struct {
        char *file;
        char *colour;
        bool on;
        size_t count;
        uint16_t port;
    } part;
    struct {
        size_t room;
        struct span wait;
        struct conf_list words;
        struct conf_list files;
        char *info;
    } more;
};

static const char *const colours[] = {"red", "green", NULL};

static const char *check_word(const char *value)
{
    return strchr(value, '!') ? "wants no shouting" : NULL;
}

static const char *check_limits(const void *conf)
{
    const struct conf_thing *t = conf;
    return t->more.room >= t->part.count * 100
               ? NULL
               : "is less than 100 for each of `part.count`";
}

#define AT(member) .offset = offsetof(struct conf_thing, member)

static const struct conf_key keys[] = {
    {.path = "name",
     .kind = CONF_STRING,
     AT(name),
     .fallback = "",
     .check = check_word,
     .help = "a name"},
    {.path = "part.file",
     .kind = CONF_PATH,
     AT(part.file),
     .fallback = "here.txt",
     .help = "a file"},
    {.path = "part.colour",
     .kind = CONF_CHOICE,
     AT(part.colour),
     .fallback = "red",
     .choices = colours,
     .live = true,
     .help = "a colour"},
    {.path = "part.on",
     .kind = CONF_BOOL,
     AT(part.on),
     .fallback = "true",
     .help = "whether"},
    {.path = "part.count",
     .kind = CONF_COUNT,
     AT(part.count),
     .fallback = "7",
     .min = 2,
     .max = 9000,
     .help = "how many"},
    {.path = "part.port",
     .kind = CONF_PORT,
     AT(part.port),
     .fallback = "0",
     .max = 65535,
     .help = "a port"},
    {.path = "more.room",
     .kind = CONF_SIZE,
     AT(more.room),
     .fallback = "64KiB",
     .min = 100,
     .max = 1 << 20,
     .help = "a size"},
    {.path = "more.wait",
     .kind = CONF_DURATION,
     AT(more.wait),
     .fallback = "1s",
     .min = 1000,
     .max = 60000000,
     .live = true,
     .help = "a time"},
    {.path = "more.words",
     .kind = CONF_LIST,
     AT(more.words),
     .fallback = "[all]",
     .min = 1,
     .max = 3,
     .check = check_word,
     .help = "words"},
    {.path = "more.files",
     .kind = CONF_PATHS,
     AT(more.files),
     .fallback = "[]",
     .max = 2,
     .help = "files"},
    {.path = "more.info",
     .kind = CONF_MAPPING,
     AT(more.info),
     .fallback = "{}",
     .max = 100,
     .help = "anything"},
};

static const struct conf_rule rules[] = {
    {{"more.room", "part.count"}, check_limits},
};

static const struct conf_table table = {
    .title = "A thing.\nOf two lines.",
    .keys = keys,
    .count = COUNT(keys),
    .size = sizeof(struct conf_thing),
    .rules = rules,
    .rule_count = COUNT(rules),
};

static void refused(const char *text, const char *lines)
{
    struct conf_thing t;
    kit_refused(&table, &t, text, lines);
}

static void test_defaults(void **state)
{
    struct conf_thing t;
    (void)state;
    conf_defaults(&table, &t);
    assert_string_equal(t.name, "");
    assert_string_equal(t.part.file, "here.txt");
    assert_string_equal(t.part.colour, "red");
    assert_true(t.part.on);
    assert_int_equal(t.part.count, 7);
    assert_int_equal(t.part.port, 0);
    assert_int_equal(t.more.room, 65536);
    assert_int_equal(t.more.wait.us, 1000000);
    assert_int_equal(t.more.words.count, 1);
    assert_string_equal(t.more.words.items[0], "all");
    assert_int_equal(t.more.files.count, 0);
    assert_string_equal(t.more.info, "{}");
    conf_free(&table, &t);
    conf_free(&table, &t); /* A second call has nothing to free. */
}

static const char *const block = "name: \"a: b\"\n"
                                 "part:\n"
                                 "  file: /x/y\n"
                                 "  colour: green\n"
                                 "  on: False\n"
                                 "  count: 8\n"
                                 "  port: 443\n"
                                 "more:\n"
                                 "  room: 1500\n"
                                 "  wait: 250ms\n"
                                 "  words:\n"
                                 "    - one\n"
                                 "    - 2\n"
                                 "  files: [z]\n"
                                 "  info:\n"
                                 "    role: camera\n";

static const char *const flow =
    "{name: 'a: b', part: {file: /x/y, colour: green, on: false, count: 8, "
    "port: 443},\n more: {room: 1500, wait: 250ms, words: [one, \"2\"], "
    "files: [z], info: {role: camera}}}";

static void test_block_and_flow(void **state)
{
    struct conf_thing a, b;
    (void)state;
    kit_taken(&table, &a, block);
    kit_taken(&table, &b, flow);
    assert_int_equal(kit_differ(&table, &a, &b), 0);
    assert_string_equal(a.name, "a: b");
    assert_string_equal(a.part.file, "/x/y");
    assert_string_equal(a.part.colour, "green");
    assert_false(a.part.on);
    assert_int_equal(a.part.count, 8);
    assert_int_equal(a.part.port, 443);
    assert_int_equal(a.more.room, 1500);
    assert_int_equal(a.more.wait.us, 250000);
    assert_int_equal(a.more.words.count, 2);
    assert_string_equal(a.more.words.items[1], "2");
    assert_string_equal(a.more.files.items[0], "z");
    assert_string_equal(a.more.info, "{\"role\":\"camera\"}");
    conf_free(&table, &a);
    conf_free(&table, &b);
}

static void test_nothing_is_default(void **state)
{
    static const char *const texts[] = {
        "",
        "# only a comment\n",
        "---\n",
        "{}",
        "part:\nmore: {}\n",
        "name:\n",
        "more: {files: , info: ~}",
        "\xef\xbb\xbfname: ''\n",
    };
    struct conf_thing t, d;
    (void)state;
    conf_defaults(&table, &d);
    for (size_t i = 0; i < COUNT(texts); i++) {
        kit_taken(&table, &t, texts[i]);
        assert_int_equal(kit_differ(&table, &t, &d), 0);
        conf_free(&table, &t);
    }
    conf_free(&table, &d);
}

static void test_all_mistakes_in_one_run(void **state)
{
    (void)state;
    refused("nmae: x\n"
            "part: {colour: blue, on: yes, port: 65536,\n"
            "       count: 1, cuont: 3}\n"
            "more:\n"
            "  room: 4 MB\n"
            "  wait: 2m\n"
            "  words: [a, b!, '']\n"
            "  room: 5000\n"
            "count: 5\n"
            "part.port: 1\n"
            "something: 1\n",
            "f:1:1: unknown key `nmae`: did you mean `name`?\n"
            "f:2:16: `part.colour` wants one of red green: `blue`\n"
            "f:2:26: `part.on` wants true or false: `yes`\n"
            "f:2:37: `part.port` must be at most 65535: `65536`\n"
            "f:3:15: `part.count` must be at least 2: `1`\n"
            "f:3:18: unknown key `cuont` in `part`: did you mean `count`?\n"
            "f:5:9: `more.room` wants a size such as 1500, 64KiB or 4MiB: "
            "`4 MB`\n"
            "f:6:9: `more.wait` must be at most 1m: `2m`\n"
            "f:7:14: `more.words` wants no shouting: `b!`\n"
            "f:7:18: `more.words` may not hold an empty text: ``\n"
            "f:8:3: duplicate key `room`, first in line 5\n"
            "f:9:1: unknown key `count`: did you mean `count` below `part`?\n"
            "f:10:1: unknown key `part.port`: did you mean `port` below "
            "`part`?\n"
            "f:11:1: unknown key `something`\n");
}

static void test_wrong_kinds(void **state)
{
    (void)state;
    refused("name: [a]\npart: {file: {}, colour: [], on: [], count: {}, "
            "port: []}\n",
            "f:1:7: `name` wants a text, not a list\n"
            "f:2:14: `part.file` wants a path, not a mapping\n"
            "f:2:26: `part.colour` wants a word, not a list\n"
            "f:2:34: `part.on` wants true or false, not a list\n"
            "f:2:45: `part.count` wants a whole number, not a mapping\n"
            "f:2:55: `part.port` wants a port, not a list\n");
    refused("part: {on: 'true', count: '5', port: 4.5}",
            "f:1:12: `part.on` wants true or false: `true`\n"
            "f:1:27: `part.count` wants a whole number: `5`\n"
            "f:1:38: `part.port` wants a port: `4.5`\n");
    refused("part: {on: , count: -1}\nmore: {words: all, info: text}\n",
            "f:1:12: `part.on` wants true or false: ``\n"
            "f:1:21: `part.count` wants a whole number: `-1`\n"
            "f:2:15: `more.words` wants a list such as [a, b]: `all`\n"
            "f:2:26: `more.info` wants a mapping such as {role: camera}: "
            "`text`\n");
    refused("more: {words: [], files: [a, b, c]}\n",
            "f:1:15: `more.words` wants at least 1 of them\n"
            "f:1:26: `more.files` may hold at most 2, not 3\n");
    refused("more: {words: [[a], {b: c}]}\n",
            "f:1:16: `more.words` wants a list of texts, not a list\n"
            "f:1:21: `more.words` wants a list of texts, not a mapping\n");
}

static void test_no_mapping(void **state)
{
    (void)state;
    refused("[a, b]", "f:1:1: the file must be a mapping of keys (key: "
                      "value)\n");
    refused("words", "f:1:1: the file must be a mapping of keys (key: "
                     "value)\n");
    refused("part: 5\nmore: [1]\n",
            "f:1:7: `part` wants a mapping of keys below it\n"
            "f:2:7: `more` wants a mapping of keys below it\n");
    refused("[a, b]: c\n{x: y}: d\n", "f:1:1: a key must be a word\n"
                                      "f:2:1: a key must be a word\n");
}

/* The text before the place where the YAML breaks is checked as well. */
static void test_broken_yaml(void **state)
{
    (void)state;
    refused("nmae: x\npart: {on: maybe, count: [\n",
            "f:1:1: unknown key `nmae`: did you mean `name`?\n"
            "f:2:12: `part.on` wants true or false: `maybe`\n"
            "f:3:1: broken YAML: did not find expected node content while "
            "parsing a flow node\n");
    refused("name: a\n\tpart: b\n",
            "f:2:1: broken YAML: found a tab character that violates "
            "indentation while scanning a plain scalar\n");
    refused("name: \"a", "f:1:9: broken YAML: found unexpected end of "
                         "stream while scanning a quoted scalar\n");
    refused("name: \"\\ud800\"",
            "f:1:10: broken YAML: found invalid Unicode character escape "
            "code while parsing a quoted scalar\n");
}

static void test_yaml_that_is_not_taken(void **state)
{
    (void)state;
    refused("name: &a x\npart: {file: *a}\n",
            "f:2:14: aliases (*name) are not supported\n");
    refused("name: !!str x\nmore: {info: !x {}}\n",
            "f:1:7: tags (!...) are not supported\n"
            "f:2:14: tags (!...) are not supported\n");
    refused("name: a\n---\nname: b\n",
            "f:2:1: a second document (---): only one is read\n");
    refused("name: \"a\\0b\"\n",
            "f:1:7: a text may not hold a NUL character\n");
    refused("name: a\nnames: \xff\n", "f:2:8: not UTF-8\n");
    refused("name: \xc3\xa9\x01\n", "f:1:8: a control character (0x01)\n");
    refused("name: \"a\\e[1m!\"\n", "f:1:7: `name` wants no shouting: "
                                    "`a\\x1b[1m!`\n");
}

static char *repeat(const char *word, size_t times)
{
    char *text = malloc(strlen(word) * times + 1);
    assert_non_null(text);
    *text = '\0';
    for (char *at = text; times > 0; times--, at += strlen(word))
        strcpy(at, word);
    return text;
}

static void refused_with(const char *text, const char *words)
{
    struct conf_thing t;
    char *said;
    assert_false(kit_read(&table, text, strlen(text), &t, &said));
    if (strstr(said, words) == NULL)
        fail_msg("was said\n%swithout `%s`", said, words);
    free(said);
}

static void test_bounds(void **state)
{
    (void)state;
    char *deep = repeat("[", 100000);
    refused_with(deep, "f:1:33: nested too deep\n");
    free(deep);

    char *many = repeat("- a\n", 70000);
    refused_with(many, "too many values in one file\n");
    free(many);

    char *wrong = repeat("x: 1\n", 200);
    refused_with(wrong, "f:100:1: duplicate key `x`, first in line 1\n"
                        "f: too many mistakes, the rest is not checked\n");
    free(wrong);

    char *large = repeat("# comment, comment, comment\n", 40000);
    refused_with(large, "f:1:1: larger than 1 MiB\n");
    free(large);

    char *bomb = repeat("a: &a [x, x]\nb: &b [*a, *a]\n", 50);
    refused_with(bomb, "f:2:8: aliases (*name) are not supported\n");
    free(bomb);
}

static void test_mapping_is_json(void **state)
{
    struct conf_thing t;
    (void)state;
    kit_taken(&table, &t,
              "more: {info: {z: 1, b: '1', c: [true, ~, 0x1f, 0o17, -1.5],"
              " d: {e: no}, 5: x}}\n");
    assert_string_equal(t.more.info,
                        "{\"5\":\"x\",\"b\":\"1\",\"c\":[true,null,31,15,"
                        "-1.5],\"d\":{\"e\":\"no\"},\"z\":1}");
    conf_free(&table, &t);
    refused("more:\n  info: {a: .inf, b: 9223372036854775808, c: 1, c: 2,\n"
            "  [d]: 1, e: 1e999}\n",
            "f:2:13: `.inf` cannot be written as JSON\n"
            "f:2:22: `9223372036854775808` is not a number of 64 bits\n"
            "f:2:49: `c` is repeated\n"
            "f:3:3: a key must be a word or a text\n"
            "f:3:14: `1e999` cannot be written as JSON\n");
    char *long_word = repeat("x", 200), text[400];
    snprintf(text, sizeof text, "more: {info: {a: %s}}", long_word);
    refused(text, "f:1:14: `more.info` may be at most 100 bytes as JSON, "
                  "not 208\n");
    free(long_word);
}

static void test_rules(void **state)
{
    (void)state;
    refused("part: {count: 200}\nmore: {room: 150}\n",
            "f:2:14: `more.room` is less than 100 for each of `part.count`\n");
    /* A key with a wrong value is not compared with others. */
    refused("part: {count: 9001}\nmore: {room: 150}\n",
            "f:1:15: `part.count` must be at most 9000: `9001`\n");
}

/* Printed settings read back as the same, whatever the texts contain. */
static void test_printed_is_read_again(void **state)
{
    static const char *const names[] = {
        "a",       "true",  "~",       "5",           "1.5",   "a b",
        " a",      "#",     "a: b",    "*:443",       "",      "\\",
        "\"",      "'",     "-",       "---",         "\\x1b", "a\\nb",
        "\\u2028", "\\x7f", "\\ufeff", "\\U0001F600", "\\x85", "@",
        "null",    "0x1f",  "[a]",     "{a}",         "%",     "!",
    };
    struct conf_thing a, b;
    char text[200];
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        bool escape = names[i][0] == '\\' && names[i][1] != '\0';
        bool quote = strcmp(names[i], "\"") == 0 || strcmp(names[i], "\\") == 0;
        snprintf(text, sizeof text,
                 "name: \"%s%s\"\nmore: {info: {\"k%s%s\": [\"%s%s\"]}}",
                 quote && !escape ? "\\" : "", names[i], quote ? "\\" : "",
                 names[i], quote ? "\\" : "", names[i]);
        if (strcmp(names[i], "!") == 0)
            continue; /* check_word refuses it */
        kit_taken(&table, &a, text);
        for (int help = 0; help < 2; help++) {
            char *printed = kit_printed(&table, &a, help);
            kit_taken(&table, &b, printed);
            assert_int_equal(kit_differ(&table, &a, &b), 0);
            conf_free(&table, &b);
            free(printed);
        }
        conf_free(&table, &a);
    }
}

static void test_printed_text(void **state)
{
    struct conf_thing t;
    (void)state;
    kit_taken(&table, &t, block);
    char *printed = kit_printed(&table, &t, false);
    assert_string_equal(printed, "name: \"a: b\"\n"
                                 "part:\n"
                                 "  file: /x/y\n"
                                 "  colour: green\n"
                                 "  on: false\n"
                                 "  count: 8\n"
                                 "  port: 443\n"
                                 "more:\n"
                                 "  room: 1500\n"
                                 "  wait: 250ms\n"
                                 "  words: [one, \"2\"]\n"
                                 "  files: [z]\n"
                                 "  info: {\"role\": \"camera\"}\n");
    free(printed);
    printed = kit_printed(&table, &t, true);
    assert_non_null(strstr(printed, "# A thing.\n# Of two lines.\n\n"
                                    "# a name\nname: \"a: b\"\n\npart:\n"
                                    "  # a file\n"));
    assert_non_null(strstr(printed, "  # a colour [reload]\n"));
    free(printed);
    conf_free(&table, &t);
}

static void gather(void *context, const char *key, bool live)
{
    strcat(strcat(strcat(context, key), live ? "+" : "-"), " ");
}

static void test_diff(void **state)
{
    struct conf_thing a, b;
    char said[200] = "";
    (void)state;
    kit_taken(&table, &a, "more: {words: [a, b], info: {a: 1, b: 2}}");
    kit_taken(&table, &b, "more: {words: [a, c], info: {b: 2, a: 1}}");
    conf_diff(&table, &a, &b, gather, said);
    assert_string_equal(said, "more.words- ");
    conf_free(&table, &b);

    said[0] = '\0';
    kit_taken(&table, &b,
              "name: x\npart: {file: x, colour: green, on: false, count: 8, "
              "port: 1}\nmore: {room: 1KiB, wait: 2s, words: [a], files: "
              "[x]}");
    conf_diff(&table, &a, &b, gather, said);
    assert_string_equal(said,
                        "name- part.file- part.colour+ part.on- part.count- "
                        "part.port- more.room- more.wait+ more.words- "
                        "more.files- more.info- ");
    conf_free(&table, &a);
    conf_free(&table, &b);
}

static void set(struct conf_thing *t, const char *key, const char *text,
                const char *expected)
{
    char *said;
    size_t size;
    FILE *errors = open_memstream(&said, &size);
    assert_non_null(errors);
    bool good = conf_set(&table, t, key, text, "--option", errors);
    fclose(errors);
    assert_string_equal(said, expected);
    assert_int_equal(good, *expected == '\0');
    free(said);
}

static void test_set(void **state)
{
    struct conf_thing t;
    (void)state;
    conf_defaults(&table, &t);
    set(&t, "name", "x", "");
    set(&t, "name", "a!", "--option: `name` wants no shouting: `a!`\n");
    assert_string_equal(t.name, "x");
    set(&t, "name", "\xff", "--option: not UTF-8\n");
    set(&t, "part.file", "rel", "");
    assert_string_equal(t.part.file, "rel");
    set(&t, "part.count", "x",
        "--option: `part.count` wants a whole number: `x`\n");
    set(&t, "more.wait", "2s", "");
    assert_int_equal(t.more.wait.us, 2000000);
    set(&t, "more.words", "b", "");
    set(&t, "more.words", "c!",
        "--option: `more.words` wants no shouting: `c!`\n");
    set(&t, "more.words", "c", "");
    set(&t, "more.words", "d", "--option: `more.words` may hold at most 3\n");
    assert_int_equal(t.more.words.count, 3);
    set(&t, "more.info", "{a: [1, 2]}", "");
    assert_string_equal(t.more.info, "{\"a\":[1,2]}");
    set(&t, "more.info", "[",
        "--option: broken YAML: did not find expected "
        "node content while parsing a flow node\n");
    assert_string_equal(t.more.info, "{\"a\":[1,2]}");
    conf_free(&table, &t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_block_and_flow),
        cmocka_unit_test(test_nothing_is_default),
        cmocka_unit_test(test_all_mistakes_in_one_run),
        cmocka_unit_test(test_wrong_kinds),
        cmocka_unit_test(test_no_mapping),
        cmocka_unit_test(test_broken_yaml),
        cmocka_unit_test(test_yaml_that_is_not_taken),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_mapping_is_json),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_printed_is_read_again),
        cmocka_unit_test(test_printed_text),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
