#include "common/conf/mesh_folder.h"

#include "common/conf/keyfile.h"
#include "common/conf/revoked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <sodium.h>

struct folder_fixture {
    char folder[64];
    struct mesh_folder m;
    FILE *errors;
    char *told;
    size_t told_size;
};

static int start(void **state)
{
    struct folder_fixture *f = calloc(1, sizeof(*f));
    struct mesh_id id;

    if (sodium_init() < 0)
        return -1;
    strcpy(f->folder, "/tmp/zs-folder-XXXXXX");
    f->errors = open_memstream(&f->told, &f->told_size);
    if (mkdtemp(f->folder) == NULL ||
        !mesh_folder_create(f->folder, "office", &id, stderr) ||
        !mesh_folder_open(&f->m, f->folder, stderr))
        return -1;
    *state = f;
    return mesh_id_equal(&id, &f->m.id) ? 0 : -1;
}

static int stop(void **state)
{
    struct folder_fixture *f = *state;
    char command[96];
    int code;

    mesh_folder_close(&f->m);
    snprintf(command, sizeof(command), "rm -r %s", f->folder);
    code = system(command);
    fclose(f->errors);
    free(f->told);
    free(f);
    return code;
}

static void assert_told(struct folder_fixture *f, const char *part)
{
    fflush(f->errors);
    if (f->told_size == 0 || strstr(f->told, part) == NULL)
        fail_msg("not told: %s\ntold: %s", part, f->told);
    rewind(f->errors);
}

static char *file(struct folder_fixture *f, const char *name)
{
    return mesh_folder_path(&f->m, name, "");
}

/* As another process would: closed and opened again. */
static void reopen(struct folder_fixture *f)
{
    mesh_folder_close(&f->m);
    assert_true(mesh_folder_open(&f->m, f->folder, stderr));
}

static struct edge_identity order(const char *name)
{
    struct edge_identity identity = {.has_key = true};

    node_key_generate(identity.secret_key);
    strcpy(identity.said.name, name);
    identity.said.node = node_key_id(identity.secret_key);
    identity.said.not_after = (uint64_t)time(NULL) + 1000;
    return identity;
}

static struct node_id issued(struct folder_fixture *f, const char *name)
{
    struct edge_identity identity = order(name);

    assert_true(mesh_folder_issue(&f->m, &identity, MESH_TAKEN_REFUSE, stderr));
    return identity.said.node;
}

static void issues_what_an_edge_loads(void **state)
{
    struct folder_fixture *f = *state;
    struct edge_identity loaded;
    struct relay_url url;
    struct node_id id;
    char *path = file(f, "alice.zs");

    assert_null(relay_url_parse("tcp://h:443?key=8520f0098930a754748b7ddcb43ef"
                                "75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                                &url));
    assert_true(mesh_folder_add_relay(&f->m, &url, stderr));
    reopen(f);
    id = issued(f, "alice");
    assert_true(identity_load(path, NULL, &loaded, stderr));
    assert_true(node_id_equal(&loaded.said.node, &id));
    assert_true(mesh_id_equal(&loaded.mesh, &f->m.id));
    assert_memory_equal(&loaded.mesh_secret, &f->m.secret, 32);
    assert_int_equal(loaded.relay_count, 1);
    assert_true(relay_url_equal(&loaded.relays[0], &url));
    free(path);
}

static void makes_no_mesh_over_another(void **state)
{
    struct folder_fixture *f = *state;
    struct mesh_id id, before = f->m.id;

    assert_false(mesh_folder_create(f->folder, "other", &id, f->errors));
    assert_told(f, "mesh.key: exists");
    reopen(f);
    assert_true(mesh_id_equal(&f->m.id, &before));
    assert_string_equal(f->m.name, "office");
}

static void name_is_given_once(void **state)
{
    struct folder_fixture *f = *state;
    struct edge_identity again = order("alice");
    char *path = file(f, "alice.zs");

    issued(f, "alice");
    reopen(f);
    assert_false(
        mesh_folder_issue(&f->m, &again, MESH_TAKEN_REFUSE, f->errors));
    assert_told(f, "alice: the name is issued already");
    assert_int_equal(unlink(path),
                     0); /* the name stays taken, even if its file is gone */
    assert_false(
        mesh_folder_issue(&f->m, &again, MESH_TAKEN_REFUSE, f->errors));
    assert_told(f, "alice: the name is issued already");
    assert_int_equal(f->m.issued_count, 1);
    free(path);
}

static void replacing_revokes_the_earlier_key(void **state)
{
    struct folder_fixture *f = *state;
    struct edge_identity again = order("alice");
    struct node_id first = issued(f, "alice");

    assert_true(mesh_folder_issue(&f->m, &again, MESH_TAKEN_REPLACE, stderr));
    reopen(f);
    assert_true(mesh_folder_find(&f->m, &first)->revoked);
    assert_true(node_id_equal(&mesh_folder_named(&f->m, "alice")->id,
                              &again.said.node));
    /* Issuing for the same key again is a renewal, and revokes nobody. */
    again.said.not_after += 5;
    assert_true(mesh_folder_issue(&f->m, &again, MESH_TAKEN_REPLACE, stderr));
    assert_int_equal(f->m.issued_count, 2);
    assert_int_equal(mesh_folder_named(&f->m, "alice")->not_after,
                     again.said.not_after);
}

static void key_has_one_name(void **state)
{
    struct folder_fixture *f = *state;
    struct edge_identity identity = order("alice");

    assert_true(mesh_folder_issue(&f->m, &identity, MESH_TAKEN_REFUSE, stderr));
    strcpy(identity.said.name, "bob");
    assert_false(
        mesh_folder_issue(&f->m, &identity, MESH_TAKEN_REPLACE, f->errors));
    assert_told(f, "bob: the key is alice's");
}

static void lists_are_signed_and_grow(void **state)
{
    static struct revoked list;
    struct folder_fixture *f = *state;
    struct node_id alice = issued(f, "alice"), bob = issued(f, "bob");
    struct node_id stranger = {{42}};
    uint64_t serial;
    char *path = file(f, "revoked.zs");

    assert_true(mesh_folder_revoke(&f->m, &alice, 1000, stderr));
    assert_true(revoked_load(path, &list, stderr));
    assert_int_equal(list.list.serial, 1000);
    assert_true(mesh_id_equal(&list.list.mesh, &f->m.id));
    assert_true(revocation_has(&list.list, &alice));
    assert_false(revocation_has(&list.list, &bob));

    reopen(f); /* the clock stands still, or goes back */
    assert_true(mesh_folder_revoke(&f->m, &stranger, 900, stderr));
    assert_true(revoked_load(path, &list, stderr));
    serial = list.list.serial;
    assert_int_equal(serial, 1001);
    assert_int_equal(list.list.count, 2);
    assert_true(revocation_has(&list.list, &alice));
    assert_true(revocation_has(&list.list, &stranger));

    assert_true(mesh_folder_revoke(&f->m, &alice, 900, stderr));
    assert_true(revoked_load(path, &list, stderr));
    assert_int_equal(list.list.count, 2);
    free(path);
}

static void revoked_keys_get_nothing_more(void **state)
{
    struct folder_fixture *f = *state;
    struct edge_identity identity = order("alice");

    assert_true(mesh_folder_issue(&f->m, &identity, MESH_TAKEN_REFUSE, stderr));
    assert_true(mesh_folder_revoke(&f->m, &identity.said.node, 1, stderr));
    assert_null(mesh_folder_named(&f->m, "alice"));
    assert_false(
        mesh_folder_issue(&f->m, &identity, MESH_TAKEN_REPLACE, f->errors));
    assert_told(f, "alice: the key was revoked");
}

/* No list is better than one that forgets revoked nodes. */
static void foreign_or_broken_lists_are_not_overwritten(void **state)
{
    static uint8_t room[REVOCATION_SIZE];
    struct folder_fixture *f = *state;
    struct node_id alice = issued(f, "alice");
    struct revocation list = {.serial = 7, .nodes = room};
    uint8_t key[64];
    char *path = file(f, "revoked.zs");
    FILE *out;

    crypto_sign_keypair(list.mesh.key, key);
    assert_true(revoked_save(path, revocation_sign(&list, key, room), stderr));
    assert_false(mesh_folder_revoke(&f->m, &alice, 1, f->errors));
    assert_told(f, "the list is another mesh's");

    out = fopen(path, "w");
    assert_non_null(out);
    fputs("kind: revoked\n", out);
    fclose(out);
    assert_false(mesh_folder_revoke(&f->m, &alice, 1, f->errors));
    assert_told(f, "`signed` is missing");
    assert_false(mesh_folder_find(&f->m, &alice)->revoked);
    free(path);
}

static void list_has_an_end(void **state)
{
    struct folder_fixture *f = *state;
    struct node_id id = {{0}};

    /* The test fills the list at once, all but one entry: a file for each would
     * take long. */
    f->m.issued = calloc(REVOCATION_NODES - 1, sizeof(*f->m.issued));
    f->m.issued_count = REVOCATION_NODES - 1;
    for (size_t i = 0; i < f->m.issued_count; i++) {
        f->m.issued[i].id.key[0] = (uint8_t)i;
        f->m.issued[i].id.key[1] = (uint8_t)(i >> 8);
        f->m.issued[i].id.key[2] = 1;
        f->m.issued[i].revoked = true;
        strcpy(f->m.issued[i].name, "-");
    }
    assert_true(mesh_folder_revoke(&f->m, &id, 1, stderr));
    id.key[0] = 1;
    assert_false(mesh_folder_revoke(&f->m, &id, 1, f->errors));
    assert_told(f, "a list holds no more than 1024 nodes");
}

static void broken_folders_are_refused(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"kind: mesh\n", "wants a file of the kind `issued`"},
        {"kind: issued\n", "`mesh` is missing"},
        {"kind: issued\nmesh: "
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a\n",
         ":2:7: the list is another mesh's"},
        {"kind: issued\nnodes:\n  - alice\n",
         ":3:5: wants a name, an id, a time and a state"},
        {"kind: issued\nnodes:\n  - alice 12 1 valid\n", ":3:5: wants a name"},
        {"kind: issued\nnodes:\n  - alice "
         "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a 1 "
         "maybe\n",
         ":3:5: wants a name"},
    };
    struct folder_fixture *f = *state;
    char *path = file(f, "issued.yaml"), *key = file(f, "mesh.key");
    struct mesh_folder m;

    mesh_folder_close(&f->m);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        FILE *out = fopen(path, "w");

        assert_non_null(out);
        fputs(rows[i].text, out);
        fclose(out);
        assert_false(mesh_folder_open(&m, f->folder, f->errors));
        assert_told(f, rows[i].told);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(key, 0640), 0);
    assert_false(mesh_folder_open(&m, f->folder, f->errors));
    assert_told(f, "mesh.key: secrets readable by others");
    assert_int_equal(unlink(key), 0);
    assert_false(mesh_folder_open(&m, f->folder, f->errors));
    assert_told(f, "mesh.key: No such file or directory");
    free(path);
    free(key);
}

#define folder_test(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        folder_test(issues_what_an_edge_loads),
        folder_test(makes_no_mesh_over_another),
        folder_test(name_is_given_once),
        folder_test(replacing_revokes_the_earlier_key),
        folder_test(key_has_one_name),
        folder_test(lists_are_signed_and_grow),
        folder_test(revoked_keys_get_nothing_more),
        folder_test(foreign_or_broken_lists_are_not_overwritten),
        folder_test(list_has_an_end),
        folder_test(broken_folders_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
