#include "kit.h"

#include "edge/shell/open_requests.h"

static const uint8_t hash_key[16] = {1};
static const struct node_id bob = {{0xbb}}, carol = {{0xcc}};

static void a_request_is_taken_once(void **state)
{
    struct open_requests r;

    (void)state;
    open_requests_init(&r, hash_key);
    assert_false(open_requests_take(&r, &bob, 7));
    open_requests_add(&r, &bob, 7);
    open_requests_add(&r, &bob, 7);
    assert_false(open_requests_take(&r, &carol, 7));
    assert_false(open_requests_take(&r, &bob, 8));
    assert_true(open_requests_take(&r, &bob, 7));
    assert_false(open_requests_take(&r, &bob, 7));
    open_requests_close(&r);
}

static void the_oldest_gives_way(void **state)
{
    struct open_requests r;

    (void)state;
    open_requests_init(&r, hash_key);
    for (uint64_t i = 0; i <= OPEN_REQUESTS; i++)
        open_requests_add(&r, &bob, i);
    assert_false(open_requests_take(&r, &bob, 0));
    assert_true(open_requests_take(&r, &bob, 1));
    assert_true(open_requests_take(&r, &bob, OPEN_REQUESTS));
    open_requests_close(&r);
}

static void requests_go_with_their_peer(void **state)
{
    struct open_requests r;

    (void)state;
    open_requests_init(&r, hash_key);
    for (uint64_t i = 0; i < 4; i++)
        open_requests_add(&r, i % 2 == 0 ? &bob : &carol, i);
    open_requests_peer_left(&r, &bob);
    assert_false(open_requests_take(&r, &bob, 0));
    assert_false(open_requests_take(&r, &bob, 2));
    assert_true(open_requests_take(&r, &carol, 1));
    assert_true(open_requests_take(&r, &carol, 3));
    open_requests_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_taken_once),
        cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(requests_go_with_their_peer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
