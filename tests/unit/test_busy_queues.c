#include "kit.h"

#include "edge/shell/busy_queues.h"
#include "edge/shell/operations.h"

static const uint8_t hash_key[16] = {1};
static const struct node_id bob = {{0xbb}}, carol = {{0xcc}};

enum { OPS = 6 };

/* Operations of two owners: 0, 2 and 4 belong to the first one. */
struct queues_fixture {
    struct busy_queues q;
    struct operation_owner owners[2];
    struct operation ops[OPS];
    size_t accepts; /* offers that the destination accepts */
    char offered[16];
    struct operation *removed; /* in the next offer */
};

static void setup(struct queues_fixture *f)
{
    *f = (struct queues_fixture){.accepts = SIZE_MAX};
    busy_queues_init(&f->q, hash_key);
    for (size_t i = 0; i < OPS; i++) {
        f->ops[i].owner = &f->owners[i % 2];
        f->ops[i].to = i == 5 ? carol : bob;
        busy_queues_add(&f->q, &f->ops[i]);
    }
}

static bool offer(void *context, struct operation *op)
{
    struct queues_fixture *f = context;

    f->offered[strlen(f->offered)] = (char)('0' + (op - f->ops));
    if (f->removed != NULL)
        busy_queues_remove(&f->q, f->removed);
    f->removed = NULL;
    if (f->accepts == 0)
        return false;
    f->accepts--;
    return true;
}

static void expect_offers(struct queues_fixture *f, const struct node_id *to,
                          const char *offered)
{
    memset(f->offered, 0, sizeof f->offered);
    busy_queues_offer(&f->q, to, offer, f);
    assert_string_equal(f->offered, offered);
}

static void offers_go_in_order_up_to_the_first_refusal(void **state)
{
    struct queues_fixture f;

    (void)state;
    setup(&f);
    f.accepts = 2;
    expect_offers(&f, &bob, "012");
    f.accepts = 0;
    expect_offers(&f, &bob, "2");
    f.accepts = SIZE_MAX;
    expect_offers(&f, &bob, "234");
    expect_offers(&f, &bob, "");
    assert_true(busy_queues_any(&f.q));
    expect_offers(&f, &carol, "5");
    assert_false(busy_queues_any(&f.q));
    busy_queues_close(&f.q);
}

static void an_owner_waits_behind_its_own_operations_only(void **state)
{
    struct queues_fixture f;
    struct operation_owner other = {0};
    struct operation op = {.owner = &f.owners[0], .to = bob};

    (void)state;
    setup(&f);
    assert_true(busy_queues_has_before(&f.q, &op));
    op.to = carol;
    assert_false(busy_queues_has_before(&f.q, &op));
    op.owner = &f.owners[1];
    assert_true(busy_queues_has_before(&f.q, &op));
    op.to = bob;
    op.owner = &other;
    assert_false(busy_queues_has_before(&f.q, &op));
    expect_offers(&f, &bob, "01234");
    expect_offers(&f, &carol, "5");
    busy_queues_close(&f.q);
}

/* The end of one operation may end its owner, and so all operations of this
 * owner. */
static void an_offer_may_remove_others(void **state)
{
    struct queues_fixture f;

    (void)state;
    setup(&f);
    f.removed = &f.ops[1];
    expect_offers(&f, &bob, "0234");
    busy_queues_remove(&f.q, &f.ops[5]);
    assert_false(busy_queues_any(&f.q));

    busy_queues_add(&f.q, &f.ops[0]);
    busy_queues_add(&f.q, &f.ops[1]);
    f.removed = &f.ops[1];
    f.accepts = 0;
    expect_offers(&f, &bob, "0");
    f.accepts = SIZE_MAX;
    expect_offers(&f, &bob, "0");
    busy_queues_close(&f.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_go_in_order_up_to_the_first_refusal),
        cmocka_unit_test(an_owner_waits_behind_its_own_operations_only),
        cmocka_unit_test(an_offer_may_remove_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
