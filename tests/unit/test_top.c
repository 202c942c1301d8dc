/* zs top: rates from two answers to status, and the rows that show them. */
#include "edge/term/top.h"

#include "tests/unit/kit.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#define BOB_CAME 1795370000 /* 2026-11-22T17:53:20Z */

static const char peer_form[] =
    "{\"id\":\"%s\",\"name\":\"%s\",\"path\":\"%s\",\"rtt_ms\":%s,"
    "\"endpoint\":\"%s\",\"since\":\"2026-11-22T17:5%d:20Z\","
    "\"traffic\":{\"bytes_sent\":%d,\"bytes_received\":%d}}";

/* A status with these counts of sent messages, and of bytes to bob. */
static json_t *status_of(int sent, int bytes)
{
    char bob[512], eve[512], all[2048];

    snprintf(bob, sizeof(bob), peer_form, "b0b", "bob", "tcp", "0.31",
             "192.0.2.7:4000", 3, bytes, 100);
    snprintf(eve, sizeof(eve), peer_form, "e4e", "e\\u001bve", "relay", "null",
             "tcp://192.0.2.1:443?key=abc", 1, 7, 7);
    snprintf(all, sizeof(all),
             "{\"node\":{\"name\":\"alice\",\"id\":\"a11ce0000000ffff\"},"
             "\"relays\":[{\"url\":\"tcp://192.0.2.1:443?key=abc\",\"state\":"
             "\"down\",\"form\":\"wss+proxy\",\"rtt_ms\":null,\"error\":"
             "\"unreachable\"}],\"peers\":[%s,%s],\"counters\":{\"sent\":%d,"
             "\"store_bytes\":5},\"health\":[{\"severity\":\"info\",\"text\":"
             "\"no\"},{\"severity\":\"warning\",\"text\":\"amiss\"}]}",
             bob, eve, sent);
    json_t *status = json_loads(all, 0, NULL);
    assert_non_null(status);
    return status;
}

static void take(struct top *t, int64_t ms, int sent, int bytes)
{
    json_t *status = status_of(sent, bytes);

    top_take(t, (struct instant){ms * 1000}, BOB_CAME + 90, status);
    json_decref(status);
}

static void rates_are_of_the_time_between(void **state)
{
    struct top t = {0};

    (void)state;
    take(&t, 1000, 100, 1000);
    assert_true(top_rate(&t, "sent") < 0);
    take(&t, 3000, 150, 9000);
    assert_true(top_rate(&t, "sent") == 25);
    assert_true(top_rate(&t, "unheard_of") < 0);
    const json_t *bob = json_array_get(json_object_get(t.now, "peers"), 0);
    assert_true(top_peer_rate(&t, bob, "bytes_sent") == 4000);
    assert_true(top_peer_rate(&t, bob, "bytes_received") == 0);
    assert_true(top_peer_rate(&t, bob, "unheard_of") < 0);
    top_close(&t);
}

static void a_restart_is_no_rate(void **state)
{
    struct top t = {0};

    (void)state;
    take(&t, 1000, 100, 0);
    top_lost(&t);
    assert_true(t.away);
    take(&t, 2000, 3, 0);
    assert_false(t.away);
    assert_true(top_rate(&t, "sent") < 0);
    take(&t, 3000, 5, 0);
    assert_true(top_rate(&t, "sent") == 2);
    take(&t, 4000, 4,
         0); /* A counter never shrinks, so this is another process. */
    assert_true(top_rate(&t, "sent") < 0);
    top_close(&t);
}

static void json_has_what_grew(void **state)
{
    struct top t = {0};

    (void)state;
    take(&t, 1000, 100, 0);
    take(&t, 1500, 150, 10);
    json_t *all = top_json(&t);
    const json_t *rates = json_object_get(all, "rates");
    assert_true(json_number_value(json_object_get(all, "seconds")) == 0.5);
    assert_true(json_number_value(json_object_get(rates, "sent")) == 100);
    assert_null(json_object_get(rates, "store_bytes"));
    const json_t *bob = json_array_get(json_object_get(all, "peers"), 0);
    assert_true(json_number_value(json_object_get(json_object_get(bob, "rates"),
                                                  "bytes_sent")) == 20);
    assert_null(json_object_get(
        json_array_get(json_object_get(t.now, "peers"), 0), "rates"));
    json_decref(all);
    top_close(&t);
}

/* --- What it looks like */

static bool shows(struct top *t, int rows, int columns, const char *words)
{
    struct canvas c = {0};
    struct text all = {0};

    canvas_size(&c, rows, columns);
    top_draw(t, &c);
    for (int row = 0; row < c.rows; row++) {
        canvas_row(&c, row, &all);
        text_add_char(&all, '\n');
    }
    bool found = strstr(text_string(&all), words) != NULL;
    if (!found)
        fprintf(stderr, "%s\n", text_string(&all));
    text_close(&all);
    canvas_close(&c);
    return found;
}

static void rows_say_it(void **state)
{
    struct top t = {.keyed = true};

    (void)state;
    take(&t, 1000, 100, 0);
    take(&t, 2000, 112, 3 << 20);
    assert_true(shows(&t, 24, 80, " alice  a11ce0000000\n"));
    assert_true(shows(&t, 24, 80, "messages  out 12/s "));
    assert_true(shows(&t, 24, 80, "bytes     out -   "));
    assert_true(shows(&t, 24, 80,
                      "RELAYS 1\n down       wss+proxy -         "
                      "tcp://192.0.2.1:443  unreachable\n"));
    assert_true(shows(&t, 24, 80,
                      "\n bob               tcp        0.31 ms"
                      "     3.0 MiB/s         0 B/s       1m\n"));
    assert_true(shows(&t, 24, 80,
                      "\n e?ve              relay            -"
                      "         0 B/s         0 B/s       3m\n"));
    assert_true(shows(&t, 24, 120, "  192.0.2.7:4000\n"));
    assert_true(shows(&t, 24, 120, "  tcp://192.0.2.1:443\n"));
    assert_true(shows(&t, 24, 80, "\n amiss\n q quit "));
    top_lost(&t);
    assert_true(shows(&t, 24, 80, " the edge is away; trying again\n"));
    assert_true(shows(&t, 24, 80, "messages  out - "));
    top_close(&t);
}

static void it_fits_where_there_is_little_room(void **state)
{
    static const int sizes[] = {1, 2, 3, 5, 8, 12, 39, 55, 61, 200};
    struct canvas c = {0};
    struct top t = {.keyed = true};

    (void)state;
    top_take(&t, (struct instant){0}, 0, json_null());
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            canvas_size(&c, sizes[i], sizes[j]);
            top_draw(&t, &c);
        }
    take(&t, 2000, 112, 0);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            canvas_size(&c, sizes[i], sizes[j]);
            top_draw(&t, &c);
        }
    assert_true(shows(&t, 12, 40, "\n bob           tcp        0.31 ms\n"));
    canvas_close(&c);
    top_close(&t);
}

static void peers_are_sorted(void **state)
{
    static const struct {
        const char *name;
        bool bob_first;
    } cases[] = {
        {"name", true},    {"path", true},   {"rtt", true},
        {"traffic", true}, {"since", false},
    };
    struct top t = {0};

    (void)state;
    take(&t, 1000, 0, 0);
    take(&t, 2000, 0, 99);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        enum top_sort by_key;
        assert_true(top_sort_named(cases[i].name, &t.sort));
        assert_string_equal(top_sort_name(t.sort), cases[i].name);
        assert_true(top_sort_key(cases[i].name[0], &by_key));
        assert_int_equal(by_key, t.sort);
        /* The last row is the second of the two. */
        assert_true(shows(&t, top_rows(&t) - 1, 80,
                          cases[i].bob_first ? "\n e?ve" : "\n bob"));
    }
    assert_false(top_sort_named("size", &t.sort));
    assert_false(top_sort_key('x', &t.sort));
    top_close(&t);
}

static void the_list_is_scrolled(void **state)
{
    struct top t = {0};

    (void)state;
    take(&t, 1000, 0, 0);
    t.scroll = 1;
    assert_true(shows(&t, 10, 80, "PEERS 2, from 2 on\n"));
    t.scroll = 99;
    assert_true(shows(&t, 10, 80, "PEERS 2, from 2 on\n"));
    t.scroll = -4;
    assert_true(shows(&t, 10, 80, "PEERS 2, from 1 on\n"));
    assert_true(shows(&t, top_rows(&t), 80, "PEERS 2\n"));
    top_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_of_the_time_between),
        cmocka_unit_test(a_restart_is_no_rate),
        cmocka_unit_test(json_has_what_grew),
        cmocka_unit_test(rows_say_it),
        cmocka_unit_test(it_fits_where_there_is_little_room),
        cmocka_unit_test(peers_are_sorted),
        cmocka_unit_test(the_list_is_scrolled),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
