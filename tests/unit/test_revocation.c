#include "common/wire/revocation.h"

#include "tests/unit/wire_kit.h"

static uint8_t room[REVOCATION_SIZE];

static bool is_good(struct bytes bytes, const void *context)
{
    struct revocation r;

    (void)context;
    return revocation_check(bytes, &r);
}

static struct revocation sample(const struct signer *mesh,
                                const uint8_t nodes[64])
{
    return (struct revocation){mesh_of(mesh), 42, 2, nodes};
}

static void a_signed_list_comes_back(void **state)
{
    struct signer mesh = signer_of(1);
    const uint8_t nodes[64] = {[0] = 1, [32] = 2};
    struct revocation r = sample(&mesh, nodes), back;
    struct node_id one = {{1}}, two = {{2}}, three = {{3}};
    struct bytes bytes = revocation_sign(&r, mesh.secret_key, room);

    (void)state;
    assert_true(revocation_check(bytes, &back));
    assert_true(mesh_id_equal(&back.mesh, &r.mesh));
    assert_int_equal(back.serial, 42);
    assert_int_equal(back.count, 2);
    assert_true(revocation_has(&back, &one));
    assert_true(revocation_has(&back, &two));
    assert_false(revocation_has(&back, &three));
}

static void cuts_and_flips_are_refused(void **state)
{
    struct signer mesh = signer_of(1);
    const uint8_t nodes[64] = {[0] = 1, [32] = 2};
    struct revocation r = sample(&mesh, nodes);
    struct bytes bytes = revocation_sign(&r, mesh.secret_key, room);

    (void)state;
    assert_all_cuts_refused(bytes, is_good, NULL);
    assert_all_flips_refused(bytes, is_good, NULL);
}

static void another_key_cannot_sign(void **state)
{
    struct signer mesh = signer_of(1), other = signer_of(2);
    const uint8_t nodes[64] = {0};
    struct revocation r = sample(&mesh, nodes);

    (void)state;
    assert_false(is_good(revocation_sign(&r, other.secret_key, room), NULL));
}

static void empty_and_full_lists_work(void **state)
{
    static uint8_t nodes[REVOCATION_NODES * KEY_SIZE];
    struct signer mesh = signer_of(1);
    struct revocation r = {.mesh = mesh_of(&mesh), .serial = 1}, back;
    struct node_id last = {{7}};
    struct bytes bytes;

    (void)state;
    assert_true(
        revocation_check(revocation_sign(&r, mesh.secret_key, room), &back));
    assert_false(revocation_has(&back, &last));

    nodes[sizeof(nodes) - KEY_SIZE] = 7;
    r.nodes = nodes;
    r.count = REVOCATION_NODES;
    bytes = revocation_sign(&r, mesh.secret_key, room);
    assert_int_equal(bytes.size, REVOCATION_SIZE);
    assert_true(revocation_check(bytes, &back));
    assert_true(revocation_has(&back, &last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_list_comes_back),
        cmocka_unit_test(cuts_and_flips_are_refused),
        cmocka_unit_test(another_key_cannot_sign),
        cmocka_unit_test(empty_and_full_lists_work),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
