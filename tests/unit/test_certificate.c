#include "tests/unit/wire_kit.h"

static struct certificate sample(const struct signer *mesh)
{
    struct signer node = signer_of(2);

    return (struct certificate){
        .mesh = mesh_of(mesh),
        .node = node_of(&node),
        .not_before = 1000,
        .not_after = 2000,
        .name = "alice",
        .group_count = 2,
        .groups = {"lab", "cameras"},
    };
}

static enum certificate_verdict verdict(struct bytes bytes,
                                        const struct signer *mesh, uint64_t now)
{
    struct mesh_id id = mesh_of(mesh);
    struct certificate c;

    return certificate_check(bytes, &id, now, &c);
}

static bool is_good(struct bytes bytes, const void *mesh)
{
    return verdict(bytes, mesh, 1500) == CERTIFICATE_GOOD;
}

static void a_signed_certificate_comes_back(void **state)
{
    struct signer mesh = signer_of(1);
    struct certificate c = sample(&mesh), back;
    uint8_t room[CERTIFICATE_SIZE], again[CERTIFICATE_SIZE];
    struct bytes bytes = certificate_sign(&c, mesh.secret_key, room);

    (void)state;
    assert_int_equal(certificate_check(bytes, &c.mesh, 1500, &back),
                     CERTIFICATE_GOOD);
    assert_memory_equal(back.name, c.name, sizeof(c.name));
    assert_memory_equal(back.groups, c.groups, sizeof(c.groups));
    assert_true(
        bytes_equal(certificate_sign(&back, mesh.secret_key, again), bytes));
}

static void the_largest_fits(void **state)
{
    struct signer mesh = signer_of(1);
    struct certificate c = sample(&mesh), back;
    uint8_t room[CERTIFICATE_SIZE];

    (void)state;
    memset(c.name, 'n', NAME_MAX_SIZE);
    c.group_count = CERTIFICATE_GROUPS;
    for (size_t i = 0; i < CERTIFICATE_GROUPS; i++)
        memset(c.groups[i], 'g', NAME_MAX_SIZE);
    assert_true(
        certificate_decode(certificate_sign(&c, mesh.secret_key, room), &back));
    assert_memory_equal(back.name, c.name, sizeof(c.name));
    assert_memory_equal(back.groups, c.groups, sizeof(c.groups));
}

static void cuts_and_flips_are_refused(void **state)
{
    struct signer mesh = signer_of(1);
    struct certificate c = sample(&mesh);
    uint8_t room[CERTIFICATE_SIZE];
    struct bytes bytes = certificate_sign(&c, mesh.secret_key, room);

    (void)state;
    assert_all_cuts_refused(bytes, is_good, &mesh);
    assert_all_flips_refused(bytes, is_good, &mesh);
}

static void each_verdict_is_given(void **state)
{
    struct signer mesh = signer_of(1), other = signer_of(3);
    struct certificate c = sample(&mesh);
    uint8_t room[CERTIFICATE_SIZE];
    struct bytes bytes = certificate_sign(&c, mesh.secret_key, room);

    (void)state;
    assert_int_equal(verdict(bytes, &mesh, 999), CERTIFICATE_NOT_YET);
    assert_int_equal(verdict(bytes, &mesh, 1000), CERTIFICATE_GOOD);
    assert_int_equal(verdict(bytes, &mesh, 1999), CERTIFICATE_GOOD);
    assert_int_equal(verdict(bytes, &mesh, 2000), CERTIFICATE_EXPIRED);
    assert_int_equal(verdict(bytes, &mesh, 0), CERTIFICATE_GOOD);
    assert_int_equal(verdict(bytes, &other, 1500), CERTIFICATE_WRONG_MESH);
    /* Signed by another mesh's key, but naming this mesh. */
    bytes = certificate_sign(&c, other.secret_key, room);
    assert_int_equal(verdict(bytes, &mesh, 1500), CERTIFICATE_FORGED);
    assert_int_equal(verdict(bytes_of("x", 1), &mesh, 1500),
                     CERTIFICATE_MALFORMED);
    assert_string_equal(certificate_verdict_name(CERTIFICATE_EXPIRED),
                        "expired");
    assert_string_equal(certificate_verdict_name(CERTIFICATE_NOT_YET),
                        "not_yet");
}

/* The decoder refuses nonsense even if the mesh signed it. */
static void bad_fields_are_malformed(void **state)
{
    struct signer mesh = signer_of(1);
    struct certificate c = sample(&mesh), back;
    uint8_t room[CERTIFICATE_SIZE];
    struct bytes bytes = certificate_sign(&c, mesh.secret_key, room);
    const size_t name_at = 4 + 32 + 32 + 8 + 8;

    (void)state;
    room[name_at + 1] = '-'; /* the first letter */
    assert_false(certificate_decode(bytes, &back));
    room[name_at + 1] = '/';
    assert_false(certificate_decode(bytes, &back));
    room[name_at + 1] = '\0';
    assert_false(certificate_decode(bytes, &back));
    room[name_at + 1] = 'a';
    assert_true(certificate_decode(bytes, &back));
    room[name_at] = 64; /* a name of 64 bytes */
    assert_false(certificate_decode(bytes, &back));
    room[name_at] = 5;
    room[name_at + 6] = 17; /* groups */
    assert_false(certificate_decode(bytes, &back));
}

static void names_follow_their_rule(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"a", true},
        {"Alice-2.home_x", true},
        {"_x", true},
        {"9", true},
        {"", false},
        {".a", false},
        {"-a", false},
        {"a b", false},
        {"a/b", false},
        {"\xc3\xa4", false},
        {"a\n", false},
        {"0123456789012345678901234567890123456789012345678901234567890ab",
         true},
        {"0123456789012345678901234567890123456789012345678901234567890abc",
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(name_is_valid(bytes_of_string(cases[i].name)),
                         cases[i].valid);
}

static void a_curve_key_is_the_ed25519_keys_own(void **state)
{
    struct signer s = signer_of(4);
    struct node_id id = node_of(&s), bad = {{2}};
    struct curve_key key;
    uint8_t secret[32], expected[32];

    (void)state;
    assert_true(node_curve_key(&id, &key));
    crypto_sign_ed25519_sk_to_curve25519(secret, s.secret_key);
    crypto_scalarmult_base(expected, secret);
    assert_memory_equal(key.key, expected, 32);
    assert_false(node_curve_key(&bad, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_certificate_comes_back),
        cmocka_unit_test(the_largest_fits),
        cmocka_unit_test(cuts_and_flips_are_refused),
        cmocka_unit_test(each_verdict_is_given),
        cmocka_unit_test(bad_fields_are_malformed),
        cmocka_unit_test(names_follow_their_rule),
        cmocka_unit_test(a_curve_key_is_the_ed25519_keys_own),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
