/* An operation from its start to its one result, on an edge that the test
 * plays.
 */
#include "kit.h"

#include "edge/shell/operations.h"
#include "tests/unit/fake_edge.h"

enum { OPS = 16 };

struct one {
    struct operation op;
    int ends;
    struct operation_end end;
    uint64_t reply; /* the reference of the reply */
};

struct operations_fixture {
    uv_loop_t loop;
    struct operations ops;
    struct edge_observer observer;
    struct operation_owner owner, other;
    struct one list[OPS];
    struct operation_end noted;
    int notes;
};

static void on_ended(void *context, struct operation *op,
                     const struct operation_end *end)
{
    struct one *one = (struct one *)op;

    (void)context;
    one->ends++;
    one->end = *end;
    if (end->reply != NULL)
        one->reply = end->reply->reference;
}

static void on_noted(void *context, const struct ticket_note *note,
                     const struct operation_end *end)
{
    struct operations_fixture *f = context;

    assert_int_equal(note->size, 100);
    f->notes++;
    f->noted = *end;
}

static int setup(void **state)
{
    struct operations_fixture *f = calloc(1, sizeof *f);

    uv_loop_init(&f->loop);
    fake_open(&f->loop);
    fake_add_peer("bob", 0xbb);
    fake_add_peer("carol", 0xcc);
    operations_init(&f->ops);
    f->ops.edge = &fake;
    f->ops.observer = &f->observer;
    f->ops.ended = on_ended;
    f->ops.noted = on_noted;
    f->ops.context = f;
    uv_timer_init(&f->loop, &f->ops.timer);
    f->ops.timer.data = &f->ops;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct operations_fixture *f = *state;

    operations_end_all(&f->ops, &f->owner, OPERATION_NOT_DELIVERED);
    operations_end_all(&f->ops, &f->other, OPERATION_NOT_DELIVERED);
    for (size_t i = 0; i < OPS; i++)
        assert_true(f->list[i].ends <= 1);
    assert_int_equal(f->owner.count + f->owner.bytes + f->owner.behind, 0);
    uv_close((uv_handle_t *)&f->ops.timer, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    operations_close(&f->ops);
    fake_forget();
    free(f);
    return 0;
}

static struct one *start_of(struct operations_fixture *f,
                            struct operation_owner *owner, size_t i,
                            enum operation_kind kind, size_t peer)
{
    static const enum message_kind kinds[] = {MESSAGE_SEND, MESSAGE_REQUEST,
                                              MESSAGE_REPLY, MESSAGE_EVENT,
                                              MESSAGE_SEND};
    struct one *one = &f->list[i];
    static const char data[OPS + 1] = "0123456789abcdef";

    one->op.kind = kind;
    one->op.wait = true;
    if (kind != OPERATION_PUBLISH)
        one->op.to = fake.peers[peer].id;
    one->op.message.kind = kinds[kind];
    one->op.message.data = bytes_of(&data[i], 1);
    one->op.size = 100;
    if (kind == OPERATION_REPLY)
        one->op.message.reference = 7;
    operations_start(&f->ops, owner, &one->op);
    return one;
}

static struct one *start(struct operations_fixture *f, size_t i,
                         enum operation_kind kind)
{
    return start_of(f, &f->owner, i, kind, 0);
}

static void report(struct operations_fixture *f, size_t event,
                   enum node_outcome outcome)
{
    operations_reported(&f->ops, fake.events[event].ref, outcome, PATH_TCP,
                        span_us(5));
}

/* Expects that the edge accepted these messages, in this order. */
static void expect_accepted(const char *data)
{
    char text[64] = "";

    for (size_t i = 0; i < fake.event_count; i++)
        strcat(text, fake.events[i].data);
    assert_string_equal(text, data);
}

static void expect_end(const struct one *one, enum operation_result result)
{
    assert_int_equal(one->ends, 1);
    assert_int_equal(one->end.result, result);
}

static void a_message_ends_with_its_report(void **state)
{
    struct operations_fixture *f = *state;
    const struct one *first = start(f, 0, OPERATION_SEND);
    const struct one *second = start(f, 1, OPERATION_SEND);

    assert_int_equal(f->owner.count, 2);
    assert_int_equal(f->owner.bytes, 200);
    report(f, 1, OUTCOME_PEER_RESTARTED);
    expect_end(second, OPERATION_PEER_RESTARTED);
    assert_int_equal(first->ends, 0);
    report(f, 0, OUTCOME_DELIVERED);
    expect_end(first, OPERATION_DONE);
    assert_int_equal(first->end.path, PATH_TCP);
    assert_int_equal(first->end.rtt.us, 5);
    assert_int_equal(f->owner.count, 0);
}

static void a_publication_ends_when_it_is_accepted(void **state)
{
    struct operations_fixture *f = *state;
    const struct one *one = start(f, 0, OPERATION_PUBLISH);

    expect_end(one, OPERATION_DONE);
    assert_int_equal(one->end.peers, 3);
}

static void busy_operations_keep_their_order(void **state)
{
    struct operations_fixture *f = *state;

    fake.takes = 0;
    start(f, 0, OPERATION_SEND);
    start(f, 1, OPERATION_SEND);
    start_of(f, &f->owner, 2, OPERATION_SEND, 1);
    start(f, 3, OPERATION_PUBLISH);
    assert_int_equal(
        f->owner.behind,
        100); /* the bytes of 1, which was never first in its queue */
    fake.takes = SIZE_MAX;
    start(f, 4, OPERATION_SEND);
    start_of(f, &f->other, 5, OPERATION_SEND, 0);
    expect_accepted("5");
    fake.takes = 1;
    operations_ready(&f->ops, &fake.peers[0].id);
    expect_accepted("50");
    assert_int_equal(f->owner.behind, 100); /* the bytes of 4; 1 was offered */
    fake.takes = SIZE_MAX;
    operations_ready(&f->ops, &fake.peers[0].id);
    expect_accepted("50143");
    expect_end(&f->list[3], OPERATION_DONE);
    assert_int_equal(f->owner.behind, 0);
    operations_ready(&f->ops, &fake.peers[1].id);
    expect_accepted("501432");
}

/* The caller's bytes are gone when the message is offered again. */
static void a_borrowed_message_is_kept_while_it_waits(void **state)
{
    struct operations_fixture *f = *state;
    struct operation *op = &f->list[0].op;
    char type[] = "t", data[] = "data";

    fake.takes = 0;
    *op = (struct operation){.kind = OPERATION_SEND,
                             .wait = true,
                             .borrowed = true,
                             .to = fake.peers[0].id,
                             .message = {.type = bytes_of_string(type),
                                         .data = bytes_of_string(data)},
                             .size = 100};
    operations_start(&f->ops, &f->owner, op);
    memset(type, 'x', 1);
    memset(data, 'x', 4);
    assert_int_equal(f->owner.bytes, 105);
    fake.takes = 1;
    operations_ready(&f->ops, &fake.peers[0].id);
    expect_accepted("data");
    assert_string_equal(fake.events[0].type, "t");
}

static void an_operation_that_does_not_wait_is_busy(void **state)
{
    struct operations_fixture *f = *state;

    fake.takes = 0;
    struct operation *op = &f->list[0].op;
    *op = (struct operation){.kind = OPERATION_SEND,
                             .to = fake.peers[0].id,
                             .message.data = bytes_of("0", 1)};
    operations_start(&f->ops, &f->owner, op);
    expect_end(&f->list[0], OPERATION_BUSY);
}

static void a_request_ends_with_the_reply_of_its_peer(void **state)
{
    struct operations_fixture *f = *state;
    const struct one *one = start(f, 0, OPERATION_REQUEST);
    struct message reply = {.kind = MESSAGE_REPLY,
                            .reference = fake.events[0].reference};

    report(f, 0, OUTCOME_DELIVERED);
    operations_replied(&f->ops, &fake.peers[1], &reply);
    assert_int_equal(one->ends, 0);
    operations_replied(&f->ops, &fake.peers[0], &reply);
    expect_end(one, OPERATION_DONE);
    assert_ptr_equal(one->end.from, &fake.peers[0]);
    assert_int_equal(one->reply, reply.reference);
    operations_replied(&f->ops, &fake.peers[0], &reply);
}

/* The reply may come before the report, which then has no operation. */
static void a_reply_may_come_first(void **state)
{
    struct operations_fixture *f = *state;
    const struct one *one = start(f, 0, OPERATION_REQUEST);
    const struct message reply = {.kind = MESSAGE_REPLY,
                                  .reference = fake.events[0].reference};

    operations_replied(&f->ops, &fake.peers[0], &reply);
    expect_end(one, OPERATION_DONE);
    report(f, 0, OUTCOME_DELIVERED);
    assert_int_equal(one->ends, 1);
}

static void the_time_of_an_operation_ends_in_each_state(void **state)
{
    struct operations_fixture *f = *state;

    for (size_t i = 0; i < 4; i++)
        f->list[i].op.timeout = span_ms(20);
    start(f, 0, OPERATION_SEND);
    start(f, 1, OPERATION_REQUEST);
    report(f, 1, OUTCOME_DELIVERED);
    start(f, 2, OPERATION_PING);
    fake.takes = 0;
    start(f, 3, OPERATION_SEND);
    start(f, 4, OPERATION_SEND);
    fake.now = instant_after(fake.now, span_ms(20));
    while (f->list[0].ends == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
    for (size_t i = 0; i < 4; i++)
        expect_end(&f->list[i], OPERATION_TIMEOUT);
    assert_int_equal(f->list[4].ends, 0);
    report(f, 0, OUTCOME_DELIVERED);
    report(f, 2, OUTCOME_DELIVERED);
    fake.takes = SIZE_MAX;
    operations_ready(&f->ops, &fake.peers[0].id);
    assert_string_equal(fake.events[fake.event_count - 1].data, "4");
}

static void a_peer_that_leaves_ends_what_waits_for_it(void **state)
{
    struct operations_fixture *f = *state;

    start(f, 0, OPERATION_SEND);
    start(f, 1, OPERATION_REQUEST);
    report(f, 1, OUTCOME_DELIVERED);
    fake.takes = 0;
    start(f, 2, OPERATION_SEND);
    start(f, 3, OPERATION_PUBLISH);
    start_of(f, &f->owner, 4, OPERATION_SEND, 1);
    fake.takes = SIZE_MAX;
    operations_peer_left(&f->ops, &fake.peers[0].id);
    assert_int_equal(f->list[0].ends,
                     0); /* The node will report on this one. */
    expect_end(&f->list[1], OPERATION_NO_REPLY);
    expect_end(&f->list[2], OPERATION_NOT_DELIVERED);
    expect_end(&f->list[3], OPERATION_DONE);
    assert_int_equal(f->list[4].ends, 0);
}

static void a_reply_that_was_not_sent_leaves_its_request_open(void **state)
{
    struct operations_fixture *f = *state;
    const struct node_id *bob = &fake.peers[0].id;

    expect_end(start(f, 0, OPERATION_REPLY), OPERATION_UNKNOWN_REQUEST);
    open_requests_add(&f->ops.open, bob, 7);
    fake.takes = 0;
    start(f, 1, OPERATION_REPLY);
    expect_end(start(f, 2, OPERATION_REPLY), OPERATION_UNKNOWN_REQUEST);
    operations_end(&f->ops, &f->list[1].op, OPERATION_CANCELLED);
    start(f, 3, OPERATION_REPLY);
    operations_forget(&f->ops, &f->list[3].op);
    assert_int_equal(f->list[3].ends, 0);
    fake.takes = SIZE_MAX;
    start(f, 4, OPERATION_REPLY);
    operations_forget(&f->ops, &f->list[4].op);
    assert_false(open_requests_take(&f->ops.open, bob, 7));
    report(f, 0, OUTCOME_DELIVERED);
}

static void a_message_without_an_operation_has_a_note(void **state)
{
    struct operations_fixture *f = *state;
    const struct ticket_note note = {.size = 100};
    const struct message m = {.kind = MESSAGE_SEND};
    const struct node_id *bob = &fake.peers[0].id;

    assert_true(operations_send(&f->ops, bob, &m, NULL));
    assert_true(operations_send(&f->ops, bob, &m, &note));
    assert_true(operations_send(&f->ops, bob, &m, &note));
    assert_int_equal(fake.events[0].ref.value, 0);
    report(f, 1, OUTCOME_DELIVERED);
    assert_int_equal(f->notes, 1);
    assert_int_equal(f->noted.result, OPERATION_DONE);
    fake.takes = 0;
    assert_false(operations_send(&f->ops, bob, &m, &note));
    operations_end_all(&f->ops, &f->owner, OPERATION_NO_MEMORY);
    assert_int_equal(f->notes, 2);
    assert_int_equal(f->noted.result, OPERATION_NO_MEMORY);
}

static void at_the_end_each_operation_gets_a_result(void **state)
{
    struct operations_fixture *f = *state;

    start(f, 0, OPERATION_SEND);
    start(f, 1, OPERATION_REQUEST);
    report(f, 1, OUTCOME_DELIVERED);
    fake.takes = 0;
    start(f, 2, OPERATION_PUBLISH);
    operations_end_all(&f->ops, &f->owner, OPERATION_NOT_DELIVERED);
    expect_end(&f->list[0], OPERATION_NOT_DELIVERED);
    expect_end(&f->list[1], OPERATION_CLOSED);
    expect_end(&f->list[2], OPERATION_NOT_DELIVERED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_ends_with_its_report),
        TEST(a_publication_ends_when_it_is_accepted),
        TEST(busy_operations_keep_their_order),
        TEST(a_borrowed_message_is_kept_while_it_waits),
        TEST(an_operation_that_does_not_wait_is_busy),
        TEST(a_request_ends_with_the_reply_of_its_peer),
        TEST(a_reply_may_come_first),
        TEST(the_time_of_an_operation_ends_in_each_state),
        TEST(a_peer_that_leaves_ends_what_waits_for_it),
        TEST(a_reply_that_was_not_sent_leaves_its_request_open),
        TEST(a_message_without_an_operation_has_a_note),
        TEST(at_the_end_each_operation_gets_a_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
