#include "relay/shell/revocation_files.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/hex.h"
#include "common/base/memory.h"
#include "common/conf/revoked.h"
#include "common/io/log.h"
#include "relay/shell/relay_log.h"

/* Lists in the folder, at most: else meshes could fill an open relay's disk. */
enum { FILES_KEPT = 1024 };

/* "FOLDER/revokedWHICH.zs" in the folder of the relay's key. */
static void path_of(const struct relay_conf *conf, const char *which,
                    char path[static PATH_MAX])
{
    const char *key = conf->relay.key;
    const char *slash = strrchr(key, '/');
    int folder = slash ? (int)(slash - key) : 1;
    snprintf(path, PATH_MAX, "%.*s/revoked%s.zs", folder, slash ? key : ".",
             which);
}

static void read_one(const char *path, revocation_files_found *found,
                     void *context)
{
    struct revoked *list = memory_new(sizeof *list);
    char *errors = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&errors, &size);
    ASSERT(out != NULL);
    bool good = revoked_load(path, list, out);
    fclose(out);
    if (good)
        found(context, bytes_of(list->bytes, list->size));
    else
        relay_log_lines("revocation_unreadable", errors);
    free(errors);
    free(list);
}

static void find_files(const char *pattern, glob_t *files)
{
    *files = (glob_t){0};
    if (glob(pattern, GLOB_NOSORT, NULL, files) != 0)
        files->gl_pathc = 0;
}

static void kept_files(const struct relay_conf *conf, glob_t *files)
{
    char pattern[PATH_MAX];
    path_of(conf, "*", pattern);
    find_files(pattern, files);
}

void revocation_files_read(const struct relay_conf *conf,
                           revocation_files_found *found, void *context)
{
    glob_t files;
    for (size_t i = 0; i < conf->relay.revoked.count; i++)
        read_one(conf->relay.revoked.items[i], found, context);
    kept_files(conf, &files);
    for (size_t i = 0; i < files.gl_pathc; i++)
        read_one(files.gl_pathv[i], found, context);
    globfree(&files);
}

/* ---- Storing: write_list and has_room run on the writer's thread ------- */

/* PATH is FOLDER/revoked-MESH.zs. */
static const char *mesh_of(const char *path)
{
    return strrchr(path, '-') + 1;
}

static bool has_room(const char *path)
{
    char pattern[PATH_MAX];
    glob_t files;
    if (access(path, F_OK) == 0)
        return true;
    snprintf(pattern, sizeof pattern, "%.*s*.zs", (int)(mesh_of(path) - path),
             path);
    find_files(pattern, &files);
    bool room = files.gl_pathc < FILES_KEPT;
    globfree(&files);
    return room;
}

static bool write_list(const char *path, struct bytes list, FILE *errors)
{
    if (has_room(path))
        return revoked_save(path, list, errors);
    fprintf(errors, "%s: too many lists are kept already\n", path);
    return false;
}

static void on_written(void *context, const char *path, bool good, char *errors)
{
    (void)context;
    if (good)
        log_info("revocation_kept", "mesh=%.*s", 2 * KEY_SIZE, mesh_of(path));
    else
        relay_log_lines("revocation_not_kept", errors);
}

struct file_writer *revocation_files_writer(uv_loop_t *loop)
{
    static const struct file_writer_calls calls = {.write = write_list,
                                                   .done = on_written};
    return file_writer_open(loop, &calls);
}

void revocation_files_keep(struct file_writer *w, const struct relay_conf *conf,
                           const struct mesh_id *mesh, struct bytes list)
{
    char path[PATH_MAX];
    char which[1 + 2 * KEY_SIZE + 1] = "-";
    hex_encode(bytes_of(mesh->key, KEY_SIZE), which + 1);
    path_of(conf, which, path);
    if (!w || !file_writer_put(w, path, list))
        log_warn("revocation_not_kept", "mesh=%s reason=full", which + 1);
}
