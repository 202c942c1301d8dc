/* The relay's certificate and key: as files, as files that change, and the pair
 * that the relay makes itself. */
#include "relay/shell/tls_files.h"

#include "common/io/clock.h"
#include "common/io/log.h"
#include "tests/unit/patience.h"
#include "tests/unit/tls_kit.h"

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];
static uv_loop_t loop;
static struct relay_conf conf;
static struct tls_files *files;
static int changes;
static char heard[4096]; /* the log's events and details */

/* ---- Files ------------------------------------------------------------------
 */

static char *path_of(const char *name)
{
    static char paths[8][64];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text, size_t size, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

/* A new pair as two files, as certbot has them. */
static void put_pair(const char *certificate, const char *key)
{
    size_t size = 0;
    char *text = tls_pair_make("example.org", &size);
    assert_non_null(text);
    size_t first = (size_t)(strstr(text, "-----BEGIN PRIV") - text);
    put(certificate, text, first, 0600);
    put(key, text + first, size - first, 0600);
    keyfile_wipe(text, size);
}

/* The files are replaced by symbolic links to these ones. */
static void link_to(const char *certificate, const char *key)
{
    const char *names[2][2] = {{certificate, "live-cert.pem"},
                               {key, "live-key.pem"}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(symlink(names[i][0], path_of("new-link")), 0);
        assert_int_equal(rename(path_of("new-link"), path_of(names[i][1])), 0);
    }
}

/* ---- The settings
 * ------------------------------------------------------------- */

static void set(const char *key, const char *value)
{
    assert_true(relay_conf_set(&conf, key, value, NULL, stderr));
}

static void use(const char *certificate, const char *key)
{
    free(conf.tls.certificate);
    free(conf.tls.key);
    conf.tls.certificate =
        strdup(certificate != NULL ? path_of(certificate) : "");
    conf.tls.key = strdup(key != NULL ? path_of(key) : "");
}

/* What --check says; "" if all is well. */
static const char *check(void)
{
    static char text[1024];
    memset(text, 0, sizeof text);
    FILE *errors = fmemopen(text, sizeof text, "w");
    assert_non_null(errors);
    bool good = tls_files_check(&conf, errors);
    fclose(errors);
    assert_int_equal(good, *text == '\0');
    return text;
}

static void expect_wrong(const char *what)
{
    const char *text = check();
    if (strstr(text, what) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, what);
}

/* ---- The files in use
 * ----------------------------------------------------------- */

static void on_changed(void *context)
{
    (void)context;
    changes++;
}

static void open_files(void)
{
    files = tls_files_open(&loop, &conf,
                           &(struct tls_files_user){.changed = on_changed});
}

static void close_files(void)
{
    tls_files_close(&files);
    uv_run(&loop, UV_RUN_DEFAULT);
}

static struct relay_tls told(void)
{
    assert_non_null(files);
    return *tls_pair_told(tls_files_pair(files));
}

static bool is_same(const struct relay_tls *a)
{
    struct relay_tls b = told();
    return memcmp(a->hash, b.hash, sizeof b.hash) == 0;
}

static void on_line(void *context, enum log_level level, const char *event,
                    const char *details)
{
    size_t used = strlen(heard);
    (void)context;
    (void)level;
    snprintf(heard + used, sizeof heard - used, "%s %s\n", event, details);
}

#define UNTIL(condition)                                                       \
    do {                                                                       \
        int64_t end_ = patience_now_ms() + PATIENCE_MS;                        \
        while (!(condition)) {                                                 \
            uv_run(&loop, UV_RUN_NOWAIT);                                      \
            usleep(1000);                                                      \
            if (patience_now_ms() >= end_)                                     \
                fail_msg("not in time: %s; %s", #condition, heard);            \
        }                                                                      \
    } while (0)

/* ---- A pair in files
 * -------------------------------------------------------------- */

static void a_pair_of_files_is_read(void **state)
{
    (void)state;
    put_pair("cert.pem", "key.pem");
    use("cert.pem", "key.pem");
    assert_string_equal(check(), "");
    open_files();
    assert_int_equal(told().end, RELAY_TLS_HERE);
    assert_non_null(strstr(heard, "certificate_loaded days_left=36"));
    assert_int_not_equal(access(path_of("relay-tls.pem"), F_OK), 0);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    put_pair("cert.pem", "key.pem");
    put_pair("other-cert.pem", "other-key.pem");
    use("none.pem", "key.pem");
    expect_wrong("none.pem: No such file");
    use("cert.pem", "none.pem");
    expect_wrong("none.pem: No such file");
    use("cert.pem", "other-key.pem");
    expect_wrong("other-key.pem: not the key of the first certificate");
    use("key.pem", "cert.pem");
    expect_wrong("key.pem: no PEM certificate");
    use("cert.pem", "other-cert.pem");
    expect_wrong("other-cert.pem: no PEM private key");
    put("empty.pem", "", 0, 0600);
    use("empty.pem", "key.pem");
    expect_wrong("empty.pem: no PEM certificate");
    use("cert.pem", "empty.pem");
    expect_wrong("empty.pem: no PEM private key");
    put("bad.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 57,
        0600);
    use("bad.pem", "key.pem");
    expect_wrong("bad.pem: ");
    use("cert.pem", "bad-key.pem");
    put("bad-key.pem",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 57,
        0600);
    expect_wrong("pem: ");
    put("locked.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
        77, 0600);
    use("cert.pem", "locked.pem");
    expect_wrong("locked.pem: the key has a passphrase");
    char *large = calloc(1, TLS_PAIR_SIZE + 1);
    assert_non_null(large);
    put("large.pem", large, TLS_PAIR_SIZE + 1, 0600);
    free(large);
    use("large.pem", "key.pem");
    expect_wrong("large.pem: too large");

    open_files();
    assert_null(files);
    assert_non_null(strstr(heard, "certificate_refused"));
}

/* Root's key may be for a group, as other programs share it. */
static void a_key_that_others_may_read_is_refused(void **state)
{
    static const mode_t bad[] = {0604, 0644, 0660, 0620, 0610, 0601};
    (void)state;

    put_pair("cert.pem", "key.pem");
    use("cert.pem", "key.pem");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        chmod(path_of("key.pem"), bad[i]);
        expect_wrong("key.pem: secrets readable by others");
    }
    chmod(path_of("key.pem"), 0640);
    if (geteuid() == 0)
        assert_string_equal(check(), "");
    else
        expect_wrong("key.pem: secrets readable by others");
    if (geteuid() == 0) {
        assert_int_equal(chown(path_of("key.pem"), 1, 1), 0);
        expect_wrong("key.pem: secrets readable by others");
    }
}

/* ---- The pair of its own
 * ------------------------------------------------------------ */

static void without_files_a_pair_is_made_and_kept(void **state)
{
    struct stat status;
    (void)state;

    assert_string_equal(check(), "");
    assert_int_not_equal(access(path_of("relay-tls.pem"), F_OK), 0);
    open_files();
    struct relay_tls first = told();
    assert_non_null(strstr(heard, "certificate_made"));
    assert_int_equal(stat(path_of("relay-tls.pem"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    close_files();

    *heard = '\0';
    assert_string_equal(check(), "");
    open_files();
    assert_true(is_same(&first));
    assert_null(strstr(heard, "certificate_made"));
    close_files();

    chmod(path_of("relay-tls.pem"), 0644);
    expect_wrong("relay-tls.pem: secrets readable by others");
    open_files();
    assert_null(files);
    put("relay-tls.pem", "nonsense", 8, 0600);
    expect_wrong("relay-tls.pem: no PEM certificate");
    open_files();
    assert_null(files);
}

/* Edges need no certificate that lasts. */
static void a_folder_that_cannot_be_written_is_no_obstacle(void **state)
{
    (void)state;
    set("relay.key", path_of("no-such-folder/relay.key"));
    open_files();
    assert_non_null(files);
    assert_non_null(strstr(heard, "certificate_not_kept"));
}

/* ---- Changes
 * ---------------------------------------------------------------------------
 */

static void a_reload_reads_the_files_again(void **state)
{
    (void)state;
    put_pair("cert.pem", "key.pem");
    use("cert.pem", "key.pem");
    open_files();
    struct relay_tls first = told();

    put_pair("other-cert.pem", "other-key.pem");
    use("other-cert.pem", "key.pem"); /* do not match */
    *heard = '\0';
    tls_files_reload(files);
    assert_true(is_same(&first));
    assert_int_equal(changes, 0);
    assert_non_null(strstr(heard, "certificate_refused"));

    use("other-cert.pem", "other-key.pem");
    tls_files_reload(files);
    assert_false(is_same(&first));
    assert_int_equal(changes, 1);

    use(NULL, NULL);
    tls_files_reload(files);
    assert_int_equal(changes, 2);
    assert_int_equal(access(path_of("relay-tls.pem"), F_OK), 0);
}

/* As certbot renews: links to other files. */
static void links_that_change_are_followed(void **state)
{
    (void)state;
    put_pair("cert1.pem", "key1.pem");
    put_pair("cert2.pem", "key2.pem");
    link_to("cert1.pem", "key1.pem");
    use("live-cert.pem", "live-key.pem");
    open_files();
    struct relay_tls first = told();
    UNTIL(loop.active_reqs.count == 0); /* It has looked at the files once. */
    link_to("cert2.pem", "key2.pem");
    UNTIL(changes == 1);
    assert_false(is_same(&first));
    struct relay_tls second = told();

    /* A bad pair changes nothing, and what follows is read again. */
    put("bad.pem", "nonsense", 8, 0600);
    link_to("cert1.pem", "bad.pem");
    UNTIL(strstr(heard, "certificate_refused") != NULL);
    assert_true(is_same(&second));
    link_to("cert1.pem", "key1.pem");
    UNTIL(changes == 2);
    assert_true(is_same(&first));
}

/* ---- All
 * ----------------------------------------------------------------------------------
 */

static int setup(void **state)
{
    static const struct log_sink sink = {.level = LOG_DEBUG, .line = on_line};
    (void)state;

    assert_true(sodium_init() >= 0);
    strcpy(folder, "/tmp/zs-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    uv_loop_init(&loop);
    relay_conf_defaults(&conf);
    set("relay.key", path_of("relay.key"));
    changes = 0;
    *heard = '\0';
    log_divert(&sink);
    return 0;
}

static int teardown(void **state)
{
    char command[64];
    (void)state;

    close_files();
    assert_int_equal(uv_loop_close(&loop), 0);
    log_divert(NULL);
    relay_conf_free(&conf);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pair_of_files_is_read),
        TEST(what_is_wrong_is_said),
        TEST(a_key_that_others_may_read_is_refused),
        TEST(without_files_a_pair_is_made_and_kept),
        TEST(a_folder_that_cannot_be_written_is_no_obstacle),
        TEST(a_reload_reads_the_files_again),
        TEST(links_that_change_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
