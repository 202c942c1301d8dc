/* A chat without a terminal: the edge's lines become entries, the user's lines
 * become requests; and how a terminal of some size shows the chat. */
#include "edge/term/chat.h"
#include "edge/term/chat_view.h"

#include "tests/unit/kit.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#define BOB "b0b0000000000000000000000000000000000000000000000000000000000001"
#define EVE "e4e0000000000000000000000000000000000000000000000000000000000002"

struct chat_story {
    struct chat *chat;
    struct text lines; /* entries, as lines */
    struct text out;   /* requests */
};

static void told(void *context, const struct chat_entry *entry, bool is_new)
{
    struct chat_story *s = context;

    if (!is_new || entry->fate == CHAT_NO_FATE)
        chat_line(entry, &s->lines);
}

static void begin(struct chat_story *s, const char *group)
{
    *s = (struct chat_story){0};
    s->chat = chat_new(group, told, s);
}

static void end(struct chat_story *s)
{
    chat_free(s->chat);
    text_close(&s->lines);
    text_close(&s->out);
}

static void edge(struct chat_story *s, const char *line)
{
    chat_take(s->chat, 1000, bytes_of_string(line));
}

static void edge_joins(struct chat_story *s, const char *name, const char *id,
                       const char *groups)
{
    char line[512];

    snprintf(line, sizeof(line),
             "{\"event\":\"join\",\"id\":\"%s\",\"name\":\"%s\",\"info\":{},"
             "\"groups\":[%s],\"path\":\"tcp\"}",
             id, name, groups);
    edge(s, line);
}

/* Connects the chat: it learns the name of this node and, if `bob`, that bob is
 * present. */
static void up(struct chat_story *s, bool bob)
{
    static const char status[] = "{\"op\":\"status\",\"ref\":";
    char line[128];

    text_clear(&s->out);
    chat_up(s->chat, &s->out);
    assert_memory_equal(text_string(&s->out), status, strlen(status));
    snprintf(line, sizeof(line),
             "{\"ref\":%ld,\"ok\":true,\"node\":{\"name\":\"alice\"}}",
             strtol(text_string(&s->out) + strlen(status), NULL, 10));
    edge(s, line);
    edge(s, "{\"ok\":true}");
    if (bob)
        edge_joins(s, "bob", BOB, "");
    edge(s, "{\"event\":\"synced\"}");
    text_clear(&s->out);
}

static enum chat_say say(struct chat_story *s, const char *line)
{
    text_clear(&s->out);
    return chat_say(s->chat, 1000, line, &s->out);
}

static void assert_told(struct chat_story *s, const char *lines)
{
    assert_string_equal(text_string(&s->lines), lines);
    text_clear(&s->lines);
}

/* The answer to the last request: `rest` follows its ref. */
static void answer(struct chat_story *s, const char *rest)
{
    const char *ref = strstr(text_string(&s->out), "\"ref\":");
    char line[256];

    assert_non_null(ref);
    snprintf(line, sizeof(line), "{\"ref\":%ld,%s}", strtol(ref + 6, NULL, 10),
             rest);
    edge(s, line);
}

static void assert_asked(struct chat_story *s, const char *part)
{
    if (!strstr(text_string(&s->out), part))
        fail_msg("%s is not in %s", part, text_string(&s->out));
}

static void present_peers_are_announced_once(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    assert_false(chat_is_up(s.chat));
    up(&s, true);
    assert_true(chat_is_up(s.chat));
    assert_told(&s, "* connected as alice; here: bob\n");
    edge_joins(&s, "eve", EVE, "");
    assert_told(&s, "* eve joined (tcp)\n");
    edge(&s, "{\"event\":\"leave\",\"id\":\"" EVE
             "\",\"name\":\"eve\",\"reason\":\"lost\"}");
    edge(&s, "{\"event\":\"leave\",\"id\":\"" BOB
             "\",\"name\":\"bob\",\"reason\":\"closed\"}");
    assert_told(&s, "* eve left (lost)\n* bob left\n");
    assert_int_equal(chat_roster_count(chat_roster(s.chat)), 0);
    end(&s);
}

static void messages_of_others_become_entries(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    text_clear(&s.lines);
    edge(&s, "{\"event\":\"event\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"group\":null,\"data\":\"to all\"}");
    edge(&s, "{\"event\":\"event\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"group\":\"lab\",\"data\":\"to some\"}");
    edge(&s, "{\"event\":\"message\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"data\":\"to you\"}");
    edge(&s, "{\"event\":\"message\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"data\":{\"text\":\"as an object\"}}");
    edge(&s, "{\"event\":\"message\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"data\":[1,2]}");
    edge(&s, "{\"event\":\"message\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"data_b64\":\"AAA=\"}");
    edge(&s, "{\"event\":\"gap\",\"from\":\"" BOB
             "\",\"name\":\"bob\",\"missed\":3}");
    assert_told(&s, "bob: to all\nbob #lab: to some\nbob (to you): to you\n"
                    "bob (to you): as an object\nbob (to you): [1,2]\n"
                    "bob (to you): (bytes)\n"
                    "* 3 messages of bob's did not get here\n");
    end(&s);
}

static void messages_of_others_are_shown_as_text(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    text_clear(&s.lines);
    edge(&s, "{\"event\":\"event\",\"from\":\"" BOB "\",\"name\":\"b\\u001bb\","
             "\"type\":\"chat\",\"group\":null,"
             "\"data\":\"\\u001b[2J\\u0000\\nalice: forged\"}");
    edge(&s, "{\"event\":\"gap\",\"name\":\"\\u009bx\",\"missed\":1}");
    edge_joins(&s, "e\\u001bve", EVE, "");
    assert_told(&s, "b?b: ?[2J? / alice: forged\n"
                    "* 1 messages of ?x's did not get here\n"
                    "* e?ve joined (tcp)\n");
    end(&s);
}

static void nonsense_from_the_edge_does_no_harm(void **state)
{
    static const char *const lines[] = {
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"event\":7}",
        "null",
        "{\"event\":\"join\"}",
        "{\"event\":\"join\",\"id\":\"short\"}",
        "{\"event\":\"path\",\"id\":\"x\"}",
        "{\"event\":\"leave\"}",
        "{\"ref\":99,\"ok\":true}",
        "{\"ref\":-1}",
        "{\"event\":\"unheard\"}",
    };
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, false);
    text_clear(&s.lines);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        edge(&s, lines[i]);
    assert_told(&s, "");
    end(&s);
}

static void each_message_has_its_fate(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    text_clear(&s.lines);
    assert_int_equal(say(&s, "hello \"all\""), CHAT_DONE);
    assert_asked(&s, "{\"op\":\"publish\",\"ref\":");
    assert_asked(&s, ",\"type\":\"chat\",\"data\":\"hello \\\"all\\\"\"}\n");
    assert_int_equal(chat_waiting(s.chat), 1);
    assert_told(&s, "");
    answer(&s, "\"ok\":true,\"peers\":2");
    assert_int_equal(chat_waiting(s.chat), 0);
    assert_told(&s, "you: hello \"all\" (sent to 2)\n");
    assert_int_equal(say(&s, "alone"), CHAT_DONE);
    answer(&s, "\"ok\":true,\"peers\":0");
    assert_told(&s, "you: alone (sent, but nobody is here)\n");

    assert_int_equal(say(&s, "@bob the whole text"), CHAT_DONE);
    assert_asked(&s, "{\"op\":\"send\",\"to\":\"" BOB "\"");
    assert_asked(&s, "\"data\":\"the whole text\"");
    answer(&s, "\"ok\":true,\"path\":\"relay\",\"rtt_ms\":12.4");
    assert_told(&s, "you (to bob): the whole text (delivered, relay, 12 ms)\n");
    assert_int_equal(say(&s, "/msg  zoe  so  it is"), CHAT_DONE);
    assert_asked(&s, "\"to\":\"zoe\"");
    assert_asked(&s, "\"data\":\"so  it is\"");
    answer(&s, "\"ok\":false,\"error\":\"unknown_peer\",\"message\":\"no "
               "peer of that name is present\"");
    assert_told(&s, "you (to zoe): so  it is (not delivered: no peer of that "
                    "name is present)\n");
    assert_int_equal(say(&s, "//is no command"), CHAT_DONE);
    assert_asked(&s, "\"data\":\"/is no command\"");
    end(&s);
}

static void a_name_may_be_the_begin_of_an_id(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    (void)!say(&s, "@b0b00000 hi");
    assert_asked(&s, "\"to\":\"" BOB "\"");
    (void)!say(&s, "@b0b hi");
    assert_asked(&s, "\"to\":\"b0b\"");
    edge_joins(&s, "bob", EVE, "");
    text_clear(&s.lines);
    (void)!say(&s, "@bob which?");
    assert_int_equal(s.out.size, 0);
    assert_told(&s, "* several are called bob; name one by 8 digits of its id, "
                    "or more: see zs peers\n");
    (void)!say(&s, "@e4e00000 you");
    assert_asked(&s, "\"to\":\"" EVE "\"");
    end(&s);
}

static void a_wrong_command_is_told(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    text_clear(&s.lines);
    (void)!say(&s, "/quti");
    (void)!say(&s, "/frobnicate x");
    (void)!say(&s, "/msg bob");
    (void)!say(&s, "@bob ");
    (void)!say(&s, "@");
    (void)!say(&s, "\xff");
    (void)!say(&s, "   ");
    assert_int_equal(s.out.size, 0);
    assert_told(&s, "* unknown command /quti: did you mean /quit?\n"
                    "* unknown command /frobnicate; /help names all\n"
                    "* a message to one is @NAME TEXT, or /msg NAME TEXT\n"
                    "* a message to one is @NAME TEXT, or /msg NAME TEXT\n"
                    "* a message to one is @NAME TEXT, or /msg NAME TEXT\n"
                    "* not sent: the line is not UTF-8\n");
    assert_int_equal(say(&s, "/quit"), CHAT_QUIT);
    (void)!say(&s, "/who");
    assert_told(&s, "* here: bob (tcp)\n");
    end(&s);
}

static void lines_that_begin_with_at_or_slash_never_go_to_all(void **state)
{
    /* clang-tidy refuses a literal with this character. */
    static const char right_to_left[] = {'\xe2', '\x80', '\xae', ' ', '\0'};
    static const char *const blanks[] = {
        "",
        " ",
        "\t",
        "   \t ",
        "\xc2\xa0",
        "\xe3\x80\x80",
        "\xef\xbb\xbf",
        "\xe2\x80\x8b",
        right_to_left,
    };
    static const char *const lines[] = {
        "@bob secret",     "@nobody secret",
        "@bob\tsecret",    "@",
        "@ bob secret",    "@bob, secret",
        "/help",           "/Help",
        "/hlep",           "/",
        "/ help",          "/bob secret",
        "/msg bob secret", "/msg",
        "/publish x",
    };
    static const struct {
        const char *line, *data;
    } escaped[] = {
        {"//help", "\"data\":\"/help\""},
        {"@@bob hello", "\"data\":\"@bob hello\""},
        {" //etc/passwd", "\"data\":\"/etc/passwd\""},
        {"@@@", "\"data\":\"@@\""},
        {" a line", "\"data\":\" a line\""},
        {"me@example.org", "\"data\":\"me@example.org\""},
    };
    struct chat_story s;
    char line[64];

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    for (size_t b = 0; b < sizeof(blanks) / sizeof(blanks[0]); b++) {
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            text_clear(&s.out);
            snprintf(line, sizeof(line), "%s%s", blanks[b], lines[i]);
            (void)!say(&s, line);
            assert_null(strstr(text_string(&s.out), "publish"));
        }
    }
    for (size_t i = 0; i < sizeof(escaped) / sizeof(escaped[0]); i++) {
        text_clear(&s.out);
        (void)!say(&s, escaped[i].line);
        assert_non_null(strstr(text_string(&s.out), "\"op\":\"publish\""));
        assert_non_null(strstr(text_string(&s.out), escaped[i].data));
    }
    end(&s);
}

static void an_edge_that_goes_away_comes_back(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    edge_joins(&s, "eve", EVE, "");
    text_clear(&s.lines);
    (void)!say(&s, "on its way");
    chat_down(s.chat, 1000);
    assert_told(&s, "you: on its way (not known to be delivered: the edge went "
                    "away)\n* the edge is away; trying again\n");
    assert_int_equal(say(&s, "not now"), CHAT_AWAY);
    assert_int_equal(say(&s, "@bob not now"), CHAT_AWAY);
    assert_int_equal(s.out.size, 0);
    chat_down(s.chat, 1000);
    assert_told(&s, "");

    /* Eve left meanwhile. That bob is present is no news. */
    up(&s, true);
    assert_told(&s, "* eve left\n* connected again as alice; here: bob\n");
    end(&s);
}

static void a_room_is_a_group(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, "lab");
    chat_up(s.chat, &s.out);
    assert_asked(&s, "\"groups\":[\"lab\"]");
    chat_down(s.chat, 1000);
    up(&s, true);
    edge_joins(&s, "eve", EVE, "\"x\",\"lab\"");
    assert_int_equal(chat_roster_count(chat_roster(s.chat)), 1);
    text_clear(&s.lines);
    (void)!say(&s, "hi");
    assert_asked(&s, "\"group\":\"lab\"");
    (void)!say(&s, "@bob who is in no group");
    assert_asked(&s, "\"to\":\"" BOB "\"");

    /* A peer that joins the group later appears with the next list. */
    text_clear(&s.out);
    chat_refresh(s.chat, &s.out);
    assert_asked(&s, "{\"op\":\"peers\"");
    answer(&s, "\"ok\":true,\"peers\":["
               "{\"id\":\"" BOB "\",\"name\":\"bob\",\"path\":\"tcp\","
               "\"groups\":[\"lab\"],\"rtt_ms\":0.5}]");
    assert_told(&s, "* bob joined (tcp)\n");
    edge(&s, "{\"event\":\"event\",\"from\":\"" BOB "\",\"name\":\"bob\","
             "\"type\":\"chat\",\"group\":\"lab\",\"data\":\"here\"}");
    assert_told(&s, "bob: here\n");
    end(&s);
}

static void a_refused_group_is_told(void **state)
{
    struct chat_story s;

    (void)state;
    begin(&s, "no good");
    chat_up(s.chat, &s.out);
    assert_null(chat_refused(s.chat));
    edge(&s, "{\"ref\":2,\"ok\":false,\"error\":\"bad_request\","
             "\"message\":\"wrong group\"}");
    assert_string_equal(chat_refused(s.chat), "wrong group");
    end(&s);
}

static void the_oldest_entries_go(void **state)
{
    struct chat_story s;
    char line[32];

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    for (int i = 0; i < CHAT_KEPT + 5; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        (void)!say(&s, line);
    }
    assert_int_equal(chat_count(s.chat), CHAT_KEPT);
    assert_int_equal(chat_waiting(s.chat), CHAT_KEPT);
    assert_string_equal(chat_entry(s.chat, 0)->text, "line 5");
    assert_null(chat_entry(s.chat, CHAT_KEPT));
    end(&s);
}

static void names_and_commands_are_completed(void **state)
{
    static const struct {
        const char *line, *more;
    } cases[] = {
        {"@b", "ob "}, {"/msg b", "ob "}, {"/he", "lp "}, {"@x", ""},
        {"b", ""},     {"@bob", " "},     {"/", ""},      {"", ""},
    };
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        text_clear(&s.out);
        chat_complete(s.chat, bytes_of_string(cases[i].line), &s.out);
        assert_string_equal(text_string(&s.out), cases[i].more);
    }
    edge_joins(&s, "ben", EVE, "");
    text_clear(&s.out);
    chat_complete(s.chat, bytes_of_string("@b"), &s.out);
    assert_int_equal(s.out.size, 0);
    end(&s);
}

/* --- What a terminal shows */

/* Each run of spaces counts as one. */
static void assert_shows(const struct canvas *c, int row, const char *want)
{
    struct text got = {0};
    size_t kept = 0;

    canvas_row(c, row, &got);
    for (size_t i = 0; i < got.size; i++)
        if (i == 0 || got.data[i] != ' ' || got.data[i - 1] != ' ')
            got.data[kept++] = got.data[i];
    got.size = kept;
    assert_string_equal(text_string(&got), want);
    text_close(&got);
}

static void draw(struct chat_story *s, struct chat_view *v, struct canvas *c,
                 int rows, int columns)
{
    struct line_editor e = {0};

    line_editor_insert(&e, bytes_of_string("dra"));
    canvas_size(c, rows, columns);
    chat_view_draw(v, s->chat, &e, c);
    line_editor_close(&e);
}

#define BORDER "\xe2\x94\x82"

static void a_terminal_shows_it_all(void **state)
{
    struct chat_view v = {0};
    struct canvas c = {0};
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    (void)!say(&s, "@bob one two three four five six seven eight nine ten");
    answer(&s, "\"ok\":true,\"path\":\"tcp\",\"rtt_ms\":0.3");
    draw(&s, &v, &c, 9, 72);
    assert_shows(&c, 0, " alice \xc2\xb7 everyone 1 other here");
    assert_shows(&c, 1, " " BORDER " bob tcp");
    assert_shows(&c, 4, "00:16 * connected as alice; here: bob " BORDER);
    assert_shows(&c, 5,
                 "00:16 you \xe2\x86\x92 bob: one two three four five "
                 "six seven " BORDER);
    assert_shows(&c, 6,
                 " eight nine ten \xc2\xb7\xc2\xa0"
                 "delivered, tcp, 0.3 ms " BORDER);
    for (int row = 1; row < 7; row++)
        assert_memory_equal(canvas_cell(&c, row, 53)->glyph, BORDER, 3);
    assert_int_equal(canvas_cell(&c, 1, 71)->glyph[0], 'p');
    assert_int_equal(canvas_cell(&c, 6, 7)->glyph[0], ' ');
    assert_int_equal(canvas_cell(&c, 6, 8)->glyph[0], 'e');
    assert_shows(&c, 8, "> dra");
    assert_int_equal(c.cursor_row, 8);
    assert_int_equal(c.cursor_column, 5);
    canvas_close(&c);
    end(&s);
}

static void a_narrow_one_leaves_out_what_it_can(void **state)
{
    struct chat_view v = {0};
    struct canvas c = {0};
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    draw(&s, &v, &c, 5, 40);
    assert_shows(&c, 2, "* connected as alice; here: bob");
    draw(&s, &v, &c, 1, 10);
    assert_shows(&c, 0, "> dra");
    draw(&s, &v, &c, 1, 1);
    draw(&s, &v, &c, 3, 2);
    canvas_close(&c);
    end(&s);
}

static void earlier_entries_can_be_read(void **state)
{
    struct chat_view v = {0};
    struct canvas c = {0};
    char line[32];
    struct chat_story s;

    (void)state;
    begin(&s, NULL);
    up(&s, true);
    for (int i = 0; i < 30; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        (void)!say(&s, line);
        answer(&s, "\"ok\":true,\"peers\":1");
    }
    draw(&s, &v, &c, 9, 40); /* Six rows of entries. */
    assert_shows(&c, 6, "you: line 29 \xc2\xb7\xc2\xa0sent to 1");
    chat_view_page(&v, 1);
    draw(&s, &v, &c, 9, 40);
    assert_shows(&c, 6, "you: line 24 \xc2\xb7\xc2\xa0sent to 1");
    (void)!say(&s, "one more");
    chat_view_grew(&v, chat_entry(s.chat, chat_count(s.chat) - 1));
    draw(&s, &v, &c, 9, 40);
    assert_shows(&c, 6, "you: line 24 \xc2\xb7\xc2\xa0sent to 1");
    chat_view_page(&v, 100);
    draw(&s, &v, &c, 9, 40);
    assert_shows(&c, 1, "* connected as alice; here: bob");
    chat_view_page(&v, -100);
    draw(&s, &v, &c, 9, 40);
    assert_shows(&c, 6, "you: one more \xc2\xb7\xc2\xa0sending");
    canvas_close(&c);
    end(&s);
}

static void a_crowd_is_counted(void **state)
{
    struct chat_view v = {0};
    struct canvas c = {0};
    struct chat_story s;
    char id[65], name[16];

    (void)state;
    begin(&s, NULL);
    up(&s, false);
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof(id), "%064d", i);
        snprintf(name, sizeof(name), "node%02d", i);
        edge_joins(&s, name, id, "");
    }
    draw(&s, &v, &c, 10, 64);
    assert_non_null(strstr(text_string(&s.lines), "node19 joined"));
    struct text row = {0};
    canvas_row(&c, 7, &row);
    assert_non_null(strstr(text_string(&row), "and 14 more"));
    text_close(&row);
    canvas_close(&c);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(present_peers_are_announced_once),
        cmocka_unit_test(messages_of_others_become_entries),
        cmocka_unit_test(messages_of_others_are_shown_as_text),
        cmocka_unit_test(nonsense_from_the_edge_does_no_harm),
        cmocka_unit_test(each_message_has_its_fate),
        cmocka_unit_test(a_name_may_be_the_begin_of_an_id),
        cmocka_unit_test(a_wrong_command_is_told),
        cmocka_unit_test(lines_that_begin_with_at_or_slash_never_go_to_all),
        cmocka_unit_test(an_edge_that_goes_away_comes_back),
        cmocka_unit_test(a_room_is_a_group),
        cmocka_unit_test(a_refused_group_is_told),
        cmocka_unit_test(the_oldest_entries_go),
        cmocka_unit_test(names_and_commands_are_completed),
        cmocka_unit_test(a_terminal_shows_it_all),
        cmocka_unit_test(a_narrow_one_leaves_out_what_it_can),
        cmocka_unit_test(earlier_entries_can_be_read),
        cmocka_unit_test(a_crowd_is_counted),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
