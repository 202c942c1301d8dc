#include "kit.h"

#include "common/core/inbox.h"

static struct data_record record(uint64_t sequence, bool first, bool last,
                                 uint64_t total, const char *text)
{
    return (struct data_record){
        .sequence = sequence,
        .first = first,
        .last = last,
        .total = total,
        .fragment = bytes_of_string(text),
    };
}

static enum inbox_verdict take(struct inbox *in, uint64_t sequence, bool first,
                               bool last, uint64_t total, const char *text,
                               struct bytes *message)
{
    struct data_record r = record(sequence, first, last, total, text);
    return inbox_take(in, &r, message);
}

static void records_are_taken_once_and_in_order(void **state)
{
    (void)state;
    struct inbox in;
    struct bytes m;
    inbox_init(&in, 100);
    assert_int_equal(take(&in, 2, true, true, 1, "b", &m), INBOX_GAP);
    assert_int_equal(take(&in, 1, true, true, 1, "a", &m), INBOX_MESSAGE);
    assert_int_equal(take(&in, 1, true, true, 1, "a", &m), INBOX_DUPLICATE);
    assert_int_equal(take(&in, 2, true, true, 1, "b", &m), INBOX_MESSAGE);
    assert_memory_equal(m.data, "b", 1);
    assert_int_equal(inbox_cumulative(&in), 2);
    inbox_close(&in);
}

static void fragments_become_the_message(void **state)
{
    (void)state;
    struct inbox in;
    struct bytes m;
    inbox_init(&in, 100);
    for (uint64_t round = 0; round < 2; round++) {
        uint64_t s = 3 * round;
        assert_int_equal(take(&in, s + 1, true, false, 7, "abc", &m),
                         INBOX_TAKEN);
        assert_int_equal(take(&in, s + 2, false, false, 0, "de", &m),
                         INBOX_TAKEN);
        assert_int_equal(take(&in, s + 3, false, true, 0, "fg", &m),
                         INBOX_MESSAGE);
        assert_int_equal(m.size, 7);
        assert_memory_equal(m.data, "abcdefg", 7);
    }
    inbox_close(&in);
}

static void no_honest_sender_does_this(void **state)
{
    (void)state;
    static const struct {
        bool first, last;
        uint64_t total;
        const char *text;
    } bad[] = {
        {true, true, 1, ""},     /* nothing */
        {true, false, 101, "a"}, /* beyond the limit */
        {true, false, 2, "abc"}, /* more than promised */
        {true, true, 5, "abc"},  /* less than promised */
        {false, false, 0, "a"},  /* the middle of nothing */
        {false, true, 0, "a"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct inbox in;
        struct bytes m;
        inbox_init(&in, 100);
        assert_int_equal(take(&in, 1, bad[i].first, bad[i].last, bad[i].total,
                              bad[i].text, &m),
                         INBOX_VIOLATION);
        inbox_close(&in);
    }
}

static void a_message_must_end_where_it_promised(void **state)
{
    (void)state;
    struct inbox in;
    struct bytes m;
    inbox_init(&in, 100);
    assert_int_equal(take(&in, 1, true, false, 4, "ab", &m), INBOX_TAKEN);
    assert_int_equal(take(&in, 2, true, false, 4, "ab", &m), INBOX_VIOLATION);
    assert_int_equal(take(&in, 2, false, false, 0, "cde", &m), INBOX_VIOLATION);
    assert_int_equal(take(&in, 2, false, true, 0, "c", &m), INBOX_VIOLATION);
    assert_int_equal(take(&in, 2, false, false, 0, "cd", &m), INBOX_VIOLATION);
    assert_int_equal(take(&in, 2, false, true, 0, "cd", &m), INBOX_MESSAGE);
    inbox_close(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_taken_once_and_in_order),
        cmocka_unit_test(fragments_become_the_message),
        cmocka_unit_test(no_honest_sender_does_this),
        cmocka_unit_test(a_message_must_end_where_it_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
