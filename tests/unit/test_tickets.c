#include "kit.h"

#include "edge/shell/tickets.h"

static void a_name_leads_to_its_ticket(void **state)
{
    struct tickets t;
    uint32_t names[1000];
    char owner[1000];

    (void)state;
    tickets_init(&t);
    for (size_t i = 0; i < 1000; i++) {
        const struct ticket_note note = {NULL, &owner[i], i};
        assert_true(tickets_take(&t, NULL, &note, &names[i]));
    }
    for (size_t i = 0; i < 1000; i++) {
        struct ticket ticket = tickets_return(&t, names[i]);
        assert_ptr_equal(ticket.note.context, &owner[i]);
        assert_int_equal(ticket.note.size, i);
        assert_null(ticket.op);
    }
    tickets_close(&t);
}

static void a_name_is_used_again(void **state)
{
    struct tickets t;
    struct operation *op = (struct operation *)(void *)&t;
    uint32_t first, second;

    (void)state;
    tickets_init(&t);
    assert_true(tickets_take(&t, op, NULL, &first));
    assert_ptr_equal(tickets_return(&t, first).op, op);
    assert_true(tickets_take(&t, NULL, NULL, &second));
    assert_int_equal(first, second);
    assert_null(tickets_return(&t, second).op);
    tickets_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_leads_to_its_ticket),
        cmocka_unit_test(a_name_is_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
