#include "relay/shell/tls_files.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/keyfile.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "relay/shell/relay_log.h"

enum {
    LOOK_MS = 5000,
    /* From a change to reading: both files change, one after the other. */
    SETTLE_MS = 1000,
    DAY_S = 24 * 60 * 60,
    FILES = 2,
};

struct tls_files {
    const struct relay_conf *conf;
    struct tls_files_user user;
    struct tls_pair *pair;
    uv_fs_poll_t polls[FILES]; /* of the certificate, and of the key */
    uv_timer_t settle;
    int handles; /* that are not closed yet */
};

/* ---- The pair that the relay makes --------------------------------------- */

/* "FOLDER/relay-tls.pem" in the folder of the relay's key. */
static void own_path(const struct relay_conf *conf, char path[static PATH_MAX])
{
    const char *key = conf->relay.key;
    const char *slash = strrchr(key, '/');
    int folder = slash != NULL ? (int)(slash - key) : 1;
    snprintf(path, PATH_MAX, "%.*s/relay-tls.pem", folder,
             slash != NULL ? key : ".");
}

/* Nobody needs to know the certificate from before, so a relay whose folder
 * cannot be written makes one at each start. */
static void keep(const char *path, const char *text)
{
    struct keytext content = {0};
    char *lines = NULL;
    size_t size = 0;
    FILE *errors = open_memstream(&lines, &size);

    ASSERT(errors != NULL);
    keytext_add(&content, "%s", text);
    bool kept = keyfile_write(path, &content, 0600, KEYFILE_NEW, errors);
    fclose(errors);
    keytext_close(&content);
    if (kept)
        log_info("certificate_made", "file=%s", path);
    else
        relay_log_lines("certificate_not_kept", lines);
    free(lines);
}

static struct tls_pair *make_pair(const struct relay_conf *conf,
                                  const char *path, FILE *errors)
{
    size_t size = 0;
    char *text = tls_pair_make(conf->relay.name, &size);
    struct tls_pair *p = NULL;

    if (text == NULL) {
        fprintf(errors, "%s: cannot make a certificate\n", path);
        return NULL;
    }
    p = tls_pair_parse(bytes_of(text, size), path, bytes_of(text, size), path,
                       errors);
    if (p != NULL)
        keep(path, text);
    keyfile_wipe(text, size);
    return p;
}

/* ---- Reading ---------------------------------------------------------------
 */

static bool has_files(const struct relay_conf *conf)
{
    return *conf->tls.certificate != '\0';
}

static struct tls_pair *read_pair(const struct relay_conf *conf, FILE *errors)
{
    char own[PATH_MAX];

    if (has_files(conf))
        return tls_pair_load(conf->tls.certificate, conf->tls.key, errors);
    own_path(conf, own);
    return access(own, F_OK) == 0 ? tls_pair_load(own, own, errors)
                                  : make_pair(conf, own, errors);
}

bool tls_files_check(const struct relay_conf *conf, FILE *errors)
{
    char own[PATH_MAX];

    own_path(conf, own);
    if (!has_files(conf) && access(own, F_OK) != 0)
        return true;
    struct tls_pair *p = read_pair(conf, errors);
    bool good = p != NULL;
    tls_pair_release(&p);
    return good;
}

static void tell(const struct tls_pair *p)
{
    char hash[2 * CERTIFICATE_HASH_SIZE + 1];
    int64_t left = tls_pair_expires(p) - (int64_t)clock_unix_seconds();

    hex_encode(bytes_of(tls_pair_told(p)->hash, CERTIFICATE_HASH_SIZE), hash);
    log_info("certificate_loaded", "days_left=%lld sha256=%s",
             (long long)(left / DAY_S), hash);
    if (left <= 0)
        log_warn("certificate_expired", "sha256=%s", hash);
}

/* Returns false, with the old pair in place, if there is no good one. */
static bool take_pair(struct tls_files *f)
{
    char *lines = NULL;
    size_t size = 0;
    FILE *errors = open_memstream(&lines, &size);

    ASSERT(errors != NULL);
    struct tls_pair *p = read_pair(f->conf, errors);
    fclose(errors);
    if (p != NULL) {
        tls_pair_release(&f->pair);
        f->pair = p;
        tell(p);
    } else {
        relay_log_lines("certificate_refused", lines);
    }
    free(lines);
    return p != NULL;
}

/* ---- Looking for changes ----------------------------------------------------
 */

static void on_settled(uv_timer_t *timer)
{
    struct tls_files *f = timer->data;
    if (take_pair(f))
        f->user.changed(f->user.context);
}

static void on_changed(uv_fs_poll_t *poll, int status, const uv_stat_t *before,
                       const uv_stat_t *now)
{
    struct tls_files *f = poll->data;
    (void)status; /* Also when a file is missing: the log will say so. */
    (void)before;
    (void)now;
    uv_timer_start(&f->settle, on_settled, SETTLE_MS, 0);
}

static void watch(struct tls_files *f)
{
    const char *paths[FILES] = {f->conf->tls.certificate, f->conf->tls.key};

    for (int i = 0; i < FILES; i++) {
        uv_fs_poll_stop(&f->polls[i]);
        if (has_files(f->conf))
            uv_fs_poll_start(&f->polls[i], on_changed, paths[i], LOOK_MS);
    }
}

/* ---- Opening and closing
 * ------------------------------------------------------ */

struct tls_files *tls_files_open(uv_loop_t *loop, const struct relay_conf *conf,
                                 const struct tls_files_user *user)
{
    struct tls_files *f = memory_new(sizeof *f);

    f->conf = conf;
    f->user = *user;
    if (!take_pair(f)) {
        free(f);
        return NULL;
    }
    for (int i = 0; i < FILES; i++) {
        uv_fs_poll_init(loop, &f->polls[i]);
        f->polls[i].data = f;
    }
    uv_timer_init(loop, &f->settle);
    f->settle.data = f;
    f->handles = FILES + 1;
    watch(f);
    return f;
}

void tls_files_reload(struct tls_files *f)
{
    watch(f);
    uv_timer_stop(&f->settle);
    on_settled(&f->settle);
}

struct tls_pair *tls_files_pair(const struct tls_files *f)
{
    return f->pair;
}

static void on_closed(uv_handle_t *handle)
{
    struct tls_files *f = handle->data;
    if (--f->handles == 0)
        free(f);
}

void tls_files_close(struct tls_files **self)
{
    struct tls_files *f = *self;

    if (f == NULL)
        return;
    *self = NULL;
    tls_pair_release(&f->pair);
    for (int i = 0; i < FILES; i++)
        uv_close((uv_handle_t *)&f->polls[i], on_closed);
    uv_close((uv_handle_t *)&f->settle, on_closed);
}
