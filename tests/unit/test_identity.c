#include "common/conf/identity.h"

#include "common/base/hex.h"
#include "common/conf/keyfile.h"
#include "common/conf/relay_key.h"
#include "common/conf/revoked.h"

#include <fcntl.h>
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

#define RELAY                                                                  \
    "tcp://h:443?key="                                                         \
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"

enum { NOW = 1800000000 };

static char folder[64];
static char *said; /* what the last call wrote to its `errors` */
static size_t said_size;
static FILE *errors;
static uint8_t mesh_key[64];

static const char *path_of(const char *name)
{
    static char room[4][128];
    static int turn;
    char *path = room[turn = (turn + 1) % 4];

    snprintf(path, sizeof(room[0]), "%s/%s", folder, name);
    return path;
}

static int open_folder(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    strcpy(folder, "/tmp/zs-identity-XXXXXX");
    errors = open_memstream(&said, &said_size);
    return mkdtemp(folder) == NULL || errors == NULL ? -1 : 0;
}

static int close_folder(void **state)
{
    char command[96];

    (void)state;
    fclose(errors);
    free(said);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* What was reported since the last call. */
static const char *told(void)
{
    static char room[8192];

    fflush(errors);
    snprintf(room, sizeof(room), "%s", said);
    rewind(errors);
    return room;
}

static void assert_told(const char *part)
{
    const char *text = told();

    if (strstr(text, part) == NULL)
        fail_msg("not told: %s\ntold: %s", part, text);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static char *read_text(const char *path)
{
    size_t size;
    char *text = keyfile_read(path, KEYFILE_PUBLIC, &size, stderr);

    assert_non_null(text);
    return text;
}

/* As a file of version 1, which may be changed by hand. */
static void without_checksum(char *text)
{
    char *version = strstr(text, "version: 2");
    char *line = strstr(text, "checksum: ");

    if (version != NULL)
        version[strlen("version: ")] = '1';
    if (line != NULL)
        *line = '\0';
}

/* Rewrites the file with the first `from` replaced. */
static void edit(const char *path, const char *from, const char *to)
{
    char *text = read_text(path), *changed;

    without_checksum(text);
    char *at = strstr(text, from);
    assert_non_null(at);
    changed = calloc(1, strlen(text) + strlen(to) + 1);
    memcpy(changed, text, (size_t)(at - text));
    strcat(changed, to);
    strcat(changed, at + strlen(from));
    write_text(path, changed, 0600);
    free(changed);
    free(text);
}

static void sign(struct edge_identity *id)
{
    id->certificate_size =
        certificate_sign(&id->said, mesh_key, id->certificate).size;
}

static void make(struct edge_identity *id)
{
    struct relay_url url;
    uint8_t seed[32] = {7};

    memset(id, 0, sizeof(*id));
    crypto_sign_seed_keypair(id->mesh.key, mesh_key, seed);
    node_key_generate(id->secret_key);
    id->has_key = true;
    memset(id->mesh_secret.key, 5, 32);
    id->said.mesh = id->mesh;
    id->said.node = node_key_id(id->secret_key);
    id->said.not_before = NOW;
    id->said.not_after = NOW + 100;
    strcpy(id->said.name, "alice");
    strcpy(id->said.groups[id->said.group_count++], "lab");
    sign(id);
    assert_null(relay_url_parse(RELAY, &url));
    assert_true(identity_add_relay(id, &url));
}

/* Saves a new, valid identity. */
static const char *saved(struct edge_identity *id)
{
    const char *path = path_of("alice.zs");

    make(id);
    assert_true(identity_save(path, id, true, stderr));
    return path;
}

static void loads_what_was_saved(void **state)
{
    struct edge_identity id, again;
    struct stat status;
    const char *path = saved(&id);

    (void)state;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(identity_load(path, NULL, &again, stderr));
    assert_memory_equal(again.secret_key, id.secret_key, 64);
    assert_memory_equal(&again.mesh_secret, &id.mesh_secret, 32);
    assert_memory_equal(&again.mesh, &id.mesh, 32);
    assert_int_equal(again.certificate_size, id.certificate_size);
    assert_memory_equal(again.certificate, id.certificate, id.certificate_size);
    assert_string_equal(again.said.name, "alice");
    assert_string_equal(again.said.groups[0], "lab");
    assert_int_equal(again.relay_count, 1);
    assert_true(relay_url_equal(&again.relays[0], &id.relays[0]));
}

static void overwrites_only_if_told(void **state)
{
    struct edge_identity id;
    const char *path = saved(&id);
    char *before = read_text(path), *after;

    (void)state;
    make(&id);
    assert_false(identity_save(path, &id, false, errors));
    assert_told("alice.zs: exists and is not overwritten");
    after = read_text(path);
    assert_string_equal(before, after);
    free(after);
    assert_true(identity_save(path, &id, true, errors));
    after = read_text(path);
    assert_string_not_equal(before, after);
    free(after);
    free(before);
}

static void cannot_save_where_no_folder_is(void **state)
{
    struct edge_identity id;

    (void)state;
    make(&id);
    assert_false(identity_save(path_of("none/a.zs"), &id, false, errors));
    assert_told("none/a.zs: No such file or directory");
}

static void refuses_files_others_may_read(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0644, 0620, 0666};
    struct edge_identity id;
    const char *path = saved(&id);
    char expected[256];

    (void)state;
    snprintf(expected, sizeof(expected),
             "%s: secrets readable by others; chmod 600 %s\n", path, path);
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_false(identity_load(path, NULL, &id, errors));
        assert_told(expected);
    }
    assert_int_equal(chmod(path, 0400), 0);
    assert_true(identity_load(path, NULL, &id, errors));
}

static void tells_what_cannot_be_read(void **state)
{
    struct edge_identity id;

    (void)state;
    assert_false(identity_load(path_of("none.zs"), NULL, &id, errors));
    assert_told("none.zs: No such file or directory");
    assert_false(identity_load(folder, NULL, &id, errors));
    assert_told("Is a directory");
}

static void tells_each_mistake_with_its_place(void **state)
{
    static const struct {
        const char *from, *to, *message;
    } rows[] = {
        {"kind: identity\n", "kind: relay\n",
         ":3:7: wants a file of the kind `identity`, this is `relay`"},
        {"kind: identity\n", "", ":1:1: `kind` is missing"},
        {"version: 1", "version: 3",
         ":4:10: this program knows versions 1 and 2"},
        {"name: alice", "name: bob",
         ":5:7: `name` is not the certificate's, which is alice"},
        {"id: ", "id: 0", ":6:5: `id` wants 64 hexadecimal digits"},
        {"mesh: ", "mesh: x", ":7:7: `mesh` wants 64 hexadecimal digits"},
        {"certificate: ", "certificate: !", "`certificate` wants base64"},
        {"certificate: ", "certificate: AAAA",
         "the certificate is not this mesh's"},
        {"\nkey: ", "\nkey: 0", ":9:6: `key` wants 64 hexadecimal digits"},
        {"mesh_secret: ", "mesh_secret:\n#", "`mesh_secret` wants a value"},
        {"mesh_secret: ", "mesh_secert: ", "unknown key `mesh_secert`"},
        {"mesh_secret: ", "mesh_secert: ", "`mesh_secret` is missing"},
        {"  - tcp", "  - udp", ":12:5: the relay's URL wants tcp://"},
        {"relays:", "relays: none", "`relays` wants a list"},
        {"relays:", "nothing here\nrelays:",
         ":11:1: wants `key: value`, `- item` or a # comment"},
        {"relays:", "name: alice\nrelays:", "`name` is here a second time"},
        {"relays:\n", "", "an item without a list"},
        {"relays:", "surprise: 1\nrelays:", ":11:1: unknown key `surprise`"},
    };
    struct edge_identity id;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *path = saved(&id);

        edit(path, rows[i].from, rows[i].to);
        assert_false(identity_load(path, NULL, &id, errors));
        assert_told(rows[i].message);
    }
}

static void tells_all_mistakes_at_once(void **state)
{
    struct edge_identity id;
    const char *path = saved(&id), *text;

    (void)state;
    edit(path, "  - tcp", "  - udp");
    edit(path, "\nkey: ", "\nkey: 0");
    assert_false(identity_load(path, NULL, &id, errors));
    text = told();
    assert_non_null(strstr(text, ":9:6: `key`"));
    assert_non_null(strstr(text, ":12:5: the relay"));
}

static void never_tells_a_secret(void **state)
{
    struct edge_identity id;
    const char *path = saved(&id), *text;
    char hex[65];

    (void)state;
    edit(path, "\nkey: ", "\nkey: 0");
    edit(path, "mesh_secret: ", "mesh_secret: 0");
    assert_false(identity_load(path, NULL, &id, errors));
    text = told();
    make(&id);
    hex_encode(bytes_of(id.mesh_secret.key, 32), hex);
    assert_non_null(strstr(text, "`mesh_secret`"));
    assert_null(strstr(text, hex + 40));
}

static void reads_what_people_write(void **state)
{
    struct edge_identity id;
    const char *path = saved(&id);

    (void)state;
    edit(path, "name: alice\n",
         "\n  # a comment\nname:   \"alice\"  # hers\r\n");
    edit(path, "kind: identity", "---\nkind: 'identity'");
    edit(path, "  - tcp", "- tcp");
    assert_true(identity_load(path, NULL, &id, stderr));
    assert_string_equal(id.said.name, "alice");
    assert_int_equal(id.relay_count, 1);
}

static void refuses_foreign_certificates(void **state)
{
    struct edge_identity id;
    uint8_t other[64], public_key[32];
    const char *path = path_of("alice.zs");

    (void)state;
    make(&id); /* signed by another key than the mesh's */
    crypto_sign_keypair(public_key, other);
    id.certificate_size =
        certificate_sign(&id.said, other, id.certificate).size;
    assert_true(identity_save(path, &id, true, stderr));
    assert_false(identity_load(path, NULL, &id, errors));
    assert_told("the certificate is not this mesh's: forged");

    make(&id); /* for another node's key */
    node_key_generate(id.secret_key);
    assert_true(identity_save(path, &id, true, stderr));
    assert_false(identity_load(path, NULL, &id, errors));
    assert_told("`key` is not the certificate's");

    make(&id); /* of another mesh, signed correctly */
    crypto_sign_keypair(id.said.mesh.key, mesh_key);
    sign(&id);
    assert_true(identity_save(path, &id, true, stderr));
    assert_false(identity_load(path, NULL, &id, errors));
    assert_told("the certificate is not this mesh's: wrong_mesh");
}

static void key_may_lie_beside_the_file(void **state)
{
    struct edge_identity id, loaded;
    struct keytext text = {0};
    const char *path = path_of("alice.zs"), *key = path_of("alice.key");
    uint8_t other[64];

    (void)state;
    make(&id);
    id.has_key = false;
    assert_true(identity_save(path, &id, true, stderr));
    assert_true(identity_peek(path, &loaded, stderr));
    assert_false(loaded.has_key);
    assert_false(identity_load(path, NULL, &loaded, errors));
    assert_told("alice.zs: holds no key; the key should be in ");

    node_key_write(&text, id.secret_key);
    assert_true(keyfile_write(key, &text, 0600, KEYFILE_NEW, stderr));
    assert_true(identity_load(path, NULL, &loaded, stderr));
    assert_memory_equal(loaded.secret_key, id.secret_key, 64);
    assert_int_equal(chmod(key, 0644), 0);
    assert_false(identity_load(path, NULL, &loaded, errors));
    assert_told("alice.key: secrets readable by others");
    keytext_close(&text);

    node_key_generate(other);
    node_key_write(&text, other);
    assert_true(keyfile_write(key, &text, 0600, KEYFILE_REPLACE, stderr));
    assert_false(identity_load(path, key, &loaded, errors));
    assert_told("is not the certificate's");
    keytext_close(&text);
    unlink(key);
}

static void tells_the_time_of_a_certificate(void **state)
{
    struct edge_identity id;
    char text[80];

    (void)state;
    make(&id);
    assert_int_equal(identity_time(&id, NOW - 1, text), CERTIFICATE_NOT_YET);
    assert_string_equal(text, "the certificate is not valid before "
                              "2027-01-15 08:00:00 UTC");
    assert_int_equal(identity_time(&id, NOW, text), CERTIFICATE_GOOD);
    assert_int_equal(identity_time(&id, NOW + 99, text), CERTIFICATE_GOOD);
    assert_int_equal(identity_time(&id, NOW + 100, text), CERTIFICATE_EXPIRED);
    assert_string_equal(text,
                        "the certificate expired on 2027-01-15 08:01:40 UTC");
    id.said.not_before = UINT64_MAX;
    assert_int_equal(identity_time(&id, NOW, text), CERTIFICATE_NOT_YET);
}

static void relays_are_bounded_and_not_doubled(void **state)
{
    struct edge_identity id;
    struct relay_url url;

    (void)state;
    make(&id);
    assert_null(relay_url_parse(RELAY, &url));
    assert_true(identity_add_relay(&id, &url));
    assert_int_equal(id.relay_count, 1);
    for (size_t i = 1; i < IDENTITY_RELAYS; i++) {
        url.port = (uint16_t)i;
        assert_true(identity_add_relay(&id, &url));
    }
    url.port = 9999;
    assert_false(identity_add_relay(&id, &url));
}

static void passphrase_makes_one_mesh(void **state)
{
    struct edge_identity a, b, c;
    const char *path = path_of("pass"), *other = path_of("other");

    (void)state;
    write_text(path, "correct horse battery staple", 0600);
    assert_true(identity_from_passphrase(path, "a", NULL, &a, stderr));
    write_text(path, "correct horse battery staple\r\n", 0600);
    assert_true(identity_from_passphrase(path, "b", NULL, &b, stderr));
    write_text(other, "another\n", 0600);
    assert_true(identity_from_passphrase(other, "c", NULL, &c, stderr));

    assert_memory_equal(&a.mesh, &b.mesh, 32);
    assert_memory_equal(&a.mesh_secret, &b.mesh_secret, 32);
    assert_memory_not_equal(a.secret_key, b.secret_key, 64);
    assert_memory_not_equal(&a.mesh, &c.mesh, 32);
    assert_memory_not_equal(&a.mesh_secret, &c.mesh_secret, 32);
    assert_string_equal(b.said.name, "b");
    assert_int_equal(
        certificate_check(bytes_of(b.certificate, b.certificate_size), &a.mesh,
                          (uint64_t)time(NULL), &b.said),
        CERTIFICATE_GOOD);
}

/* A passphrase must mean the same mesh in every version. */
static void passphrase_gives_what_it_always_gave(void **state)
{
    static const char mesh[] =
        "aa9e3b733db7dde077d12c38e045766cc379223cda0b8d4a41c703edc769380b";
    static const char secret[] =
        "942d4ed21bbb91176a3bf45f320a3b9a8160749357868bacdd676d20d8ce4d4e";
    struct edge_identity id;
    const char *path = path_of("pass");
    char hex[65];

    (void)state;
    write_text(path, "correct horse battery staple", 0600);
    assert_true(identity_from_passphrase(path, "a", NULL, &id, stderr));
    hex_encode(bytes_of(id.mesh.key, 32), hex);
    assert_string_equal(hex, mesh);
    hex_encode(bytes_of(id.mesh_secret.key, 32), hex);
    assert_string_equal(hex, secret);
}

static void passphrase_refuses_what_is_wrong(void **state)
{
    struct edge_identity id;
    const char *path = path_of("pass");

    (void)state;
    write_text(path, "\n", 0600);
    assert_false(identity_from_passphrase(path, "a", NULL, &id, errors));
    assert_told("pass: the passphrase is empty");
    write_text(path, "secret\n", 0644);
    assert_false(identity_from_passphrase(path, "a", NULL, &id, errors));
    assert_told("secrets readable by others");
    assert_false(identity_from_passphrase(path, "-a", NULL, &id, errors));
    assert_told("a name has");
    assert_false(
        identity_from_passphrase(path_of("none"), "a", NULL, &id, errors));
    assert_told("none: No such file");
    assert_false(
        identity_from_passphrase(path, "a", path_of("none"), &id, errors));
    assert_told("none: No such file");
}

static void relay_keys_are_made_once(void **state)
{
    struct curve_pair made, loaded;
    struct stat status;
    const char *path = path_of("relay.key");

    (void)state;
    assert_true(relay_key_create(path, &made, stderr));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_true(relay_key_load(path, &loaded, stderr));
    assert_memory_equal(&made, &loaded, sizeof(made));
    assert_false(relay_key_create(path, &made, errors));
    assert_told("relay.key: exists");
    assert_true(relay_key_load(path, &made, stderr));
    assert_memory_equal(&made, &loaded, sizeof(made));

    edit(path, "public: ", "public: 0");
    assert_false(relay_key_load(path, &loaded, errors));
    assert_told("`public` wants 64 hexadecimal digits");
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(relay_key_load(path, &loaded, errors));
    assert_told("secrets readable by others");
    assert_false(relay_key_load(path_of("none"), &loaded, errors));
    assert_told("none: No such file");
}

static void revocations_come_back(void **state)
{
    static uint8_t room[REVOCATION_SIZE];
    static struct revoked loaded;
    struct edge_identity id;
    struct revocation list;
    struct bytes bytes;
    const char *path = path_of("revoked.zs");

    (void)state;
    make(&id);
    list = (struct revocation){id.mesh, 42, 1, id.said.node.key};
    bytes = revocation_sign(&list, mesh_key, room);
    assert_true(revoked_save(path, bytes, stderr));
    assert_true(revoked_load(path, &loaded, stderr));
    assert_true(bytes_equal(bytes_of(loaded.bytes, loaded.size), bytes));
    assert_int_equal(loaded.list.serial, 42);
    assert_true(revocation_has(&loaded.list, &id.said.node));

    edit(path, "mesh: ", "mesh: 0");
    assert_false(revoked_load(path, &loaded, errors));
    assert_told("`mesh` wants 64 hexadecimal digits");
    room[50] ^= 1;
    assert_false(revoked_save(path, bytes, errors));
    assert_told("the list is not signed by its mesh");
}

static void forged_revocations_are_refused(void **state)
{
    static uint8_t room[REVOCATION_SIZE];
    static struct revoked loaded;
    struct edge_identity id;
    struct revocation list;
    struct keytext text = {0};
    struct bytes bytes;
    const char *path = path_of("revoked.zs");

    (void)state;
    make(&id);
    list = (struct revocation){id.mesh, 42, 1, id.said.node.key};
    bytes = revocation_sign(&list, mesh_key, room);
    room[50] ^= 1;
    keytext_add(&text, "kind: revoked\nserial: 42\n");
    keytext_hex(&text, "mesh", id.mesh.key, 32);
    keytext_base64(&text, "signed", bytes);
    assert_true(keyfile_write(path, &text, 0644, KEYFILE_REPLACE, stderr));
    assert_false(revoked_load(path, &loaded, errors));
    assert_told("the list is not signed by its mesh");
    keytext_close(&text);
}

static void files_that_are_none_are_refused(void **state)
{
    struct edge_identity id;
    const char *path = path_of("odd");
    FILE *file;

    (void)state;
    write_text(path, "", 0600);
    assert_false(identity_load(path, NULL, &id, errors));
    assert_told("`kind` is missing");
    file = fopen(path, "w");
    assert_non_null(file);
    fwrite("kind: identity\0\nname: x", 1, 23, file);
    fclose(file);
    assert_false(identity_load(path, NULL, &id, errors));
    assert_told("not a text file");
    assert_int_equal(truncate(path, KEYFILE_SIZE + 1), 0);
    assert_false(identity_load(path, NULL, &id, errors));
    assert_told("too large");
}

/* Flips each bit of the file, and replaces each byte by characters that may
 * pass for it in YAML. */
static void no_byte_changes_unseen(void **state)
{
    static const char others[] = {' ', '\n', '#', '1'};
    struct edge_identity id, back;
    size_t size;

    (void)state;
    make(&id);
    assert_true(identity_save(path_of("flip.zs"), &id, true, errors));
    assert_true(identity_peek(path_of("flip.zs"), &back, errors));
    char *good =
        keyfile_read(path_of("flip.zs"), KEYFILE_PUBLIC, &size, errors);
    int fd = open(path_of("flip.zs"), O_WRONLY);
    assert_true(good != NULL && fd >= 0);
    for (size_t at = 0; at < size; at++) {
        for (size_t i = 0; i < 8 + sizeof(others); i++) {
            char to = (char)(i < 8 ? good[at] ^ (1 << i) : others[i - 8]);
            if (to == good[at])
                continue;
            assert_int_equal(pwrite(fd, &to, 1, (off_t)at), 1);
            if (identity_peek(path_of("flip.zs"), &back, errors))
                fail_msg("byte %zu: `%c` for `%c`", at, to, good[at]);
            (void)told();
        }
        assert_int_equal(pwrite(fd, &good[at], 1, (off_t)at), 1);
    }
    close(fd);
    keyfile_wipe(good, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_was_saved),
        cmocka_unit_test(no_byte_changes_unseen),
        cmocka_unit_test(overwrites_only_if_told),
        cmocka_unit_test(cannot_save_where_no_folder_is),
        cmocka_unit_test(refuses_files_others_may_read),
        cmocka_unit_test(tells_what_cannot_be_read),
        cmocka_unit_test(tells_each_mistake_with_its_place),
        cmocka_unit_test(tells_all_mistakes_at_once),
        cmocka_unit_test(never_tells_a_secret),
        cmocka_unit_test(reads_what_people_write),
        cmocka_unit_test(refuses_foreign_certificates),
        cmocka_unit_test(key_may_lie_beside_the_file),
        cmocka_unit_test(tells_the_time_of_a_certificate),
        cmocka_unit_test(relays_are_bounded_and_not_doubled),
        cmocka_unit_test(passphrase_makes_one_mesh),
        cmocka_unit_test(passphrase_gives_what_it_always_gave),
        cmocka_unit_test(passphrase_refuses_what_is_wrong),
        cmocka_unit_test(relay_keys_are_made_once),
        cmocka_unit_test(revocations_come_back),
        cmocka_unit_test(forged_revocations_are_refused),
        cmocka_unit_test(files_that_are_none_are_refused),
    };

    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
