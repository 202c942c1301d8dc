/* Log lines as text and JSON, read back from stderr's descriptor. */
#include "tests/unit/kit.h"

#include "common/io/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char written[4096];

/* What `say` writes to stderr. */
static const char *captured(void (*say)(void))
{
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);

    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    say();
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    written[fread(written, 1, sizeof written - 1, file)] = '\0';
    fclose(file);
    return written;
}

static void say_plain(void)
{
    log_warn("peer_lost", "peer=%s silent_ms=%d", "bob", 3000);
}

static void say_quoted(void)
{
    char room[64];

    log_info("edge_named", "info=%s n=1",
             log_quote("two \"words\" \\ \n\x01\xff", room, sizeof room));
}

static void say_long(void)
{
    char text[1500];

    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_error("long", "text=%s", text);
}

static void say_debug(void)
{
    log_debug("detail", "n=%d", 1);
}

static void a_text_line_has_time_level_event_and_details(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    const char *line = captured(say_plain);
    assert_int_equal(line[4], '-');
    assert_int_equal(line[23], 'Z');
    assert_string_equal(line + 24, " warn peer_lost peer=bob silent_ms=3000\n");
}

static const char *member(json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));

    return text == NULL ? "(none)" : text;
}

static void a_json_line_is_one_object_with_the_same(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    json_t *line = json_loads(captured(say_plain), 0, NULL);
    assert_non_null(line);
    assert_string_equal(member(line, "level"), "warn");
    assert_string_equal(member(line, "event"), "peer_lost");
    assert_string_equal(member(line, "peer"), "bob");
    assert_string_equal(member(line, "silent_ms"), "3000");
    json_decref(line);
}

static void text_of_others_stays_in_its_value(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    assert_non_null(
        strstr(captured(say_quoted),
               " info=\"two \\\"words\\\" \\\\ \\n\\x01\\xff\" n=1\n"));
    log_setup(LOG_INFO, LOG_JSON);
    json_t *line = json_loads(captured(say_quoted), 0, NULL);
    assert_non_null(line);
    assert_string_equal(member(line, "info"), "two \"words\" \\ \n\\x01\\xff");
    assert_string_equal(member(line, "n"), "1");
    json_decref(line);
}

static void a_value_is_cut_at_its_room(void **state)
{
    char room[10];

    (void)state;
    assert_string_equal(log_quote("abcdefghijkl", room, sizeof room),
                        "\"abcd\"");
    assert_string_equal(log_quote("\n\n\n\n\n\n", room, sizeof room),
                        "\"\\n\\n\"");
    assert_string_equal(log_quote("abc", room, 2), "\"\"");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    const char *line = captured(say_long);
    assert_int_equal(line[strlen(line) - 1], '\n');
    assert_true(strlen(line) < 2048);
}

static void less_than_the_level_is_silent(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    assert_string_equal(captured(say_debug), "");
    log_setup(LOG_DEBUG, LOG_TEXT);
    assert_non_null(strstr(captured(say_debug), " debug detail n=1\n"));
    log_setup(LOG_ERROR, LOG_TEXT);
    assert_string_equal(captured(say_plain), "");
}

static void levels_have_names(void **state)
{
    enum log_level level = LOG_ERROR;

    (void)state;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse("loud", &level));
    assert_int_equal(level, LOG_DEBUG);
}

static int lines;

static void on_line(void *context, enum log_level level, const char *event,
                    const char *details)
{
    lines++;
    assert_ptr_equal(context, &lines);
    assert_int_equal(level, LOG_DEBUG);
    assert_string_equal(event, "here");
    assert_string_equal(details, "n=7");
}

static void say_diverted(void)
{
    const struct log_sink sink = {&lines, LOG_DEBUG, on_line};

    assert_null(log_divert(&sink));
    log_debug("here", "n=%d", 7);
    assert_ptr_equal(log_divert(NULL), &sink);
    log_debug("there", "n=%d", 8);
}

static void a_thread_may_divert_its_lines(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    assert_string_equal(captured(say_diverted), "");
    assert_int_equal(lines, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_line_has_time_level_event_and_details),
        cmocka_unit_test(a_json_line_is_one_object_with_the_same),
        cmocka_unit_test(text_of_others_stays_in_its_value),
        cmocka_unit_test(a_value_is_cut_at_its_room),
        cmocka_unit_test(a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(less_than_the_level_is_silent),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(a_thread_may_divert_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
