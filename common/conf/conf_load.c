#include "common/conf/conf.h"

#include "common/base/memory.h"
#include "common/conf/conf_tree.h"
#include "common/conf/keyfile.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

/* Reads the file, at most one byte more than is allowed; NULL if it cannot be
 * read, which is reported. */
static char *read_all(const char *path, size_t *size, FILE *errors)
{
    const char *wrong;
    int descriptor = keyfile_descriptor(path, &wrong);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (file == NULL) {
        fprintf(errors, "%s: cannot be read: %s\n", path,
                descriptor < 0 ? wrong : strerror(errno));
        return NULL;
    }
    char *text = memory_new(CONF_FILE_SIZE + 1);
    errno = 0;
    *size = fread(text, 1, CONF_FILE_SIZE + 1, file);
    int failure = ferror(file) ? errno : 0;
    fclose(file);
    if (failure == 0)
        return text;
    free(text);
    fprintf(errors, "%s: cannot be read: %s\n", path, strerror(failure));
    return NULL;
}

/* An absolute path, so that it stays right when the daemon changes its working
 * directory. */
static char *folder_of(const char *path)
{
    char *copy = memory_string(path);
    char *folder = realpath(dirname(copy), NULL);
    free(copy);
    return folder;
}

bool conf_load(const struct conf_table *table, const char *path, void *conf,
               FILE *errors)
{
    size_t size;
    char *text = read_all(path, &size, errors);
    char *folder = text ? folder_of(path) : NULL;
    bool good = false;
    memset(conf, 0, table->size);
    if (folder != NULL)
        good = conf_read(table, text, size, path, folder, conf, errors);
    else if (text != NULL)
        fprintf(errors, "%s: cannot be read: %s\n", path, strerror(errno));
    free(folder);
    free(text);
    return good;
}
