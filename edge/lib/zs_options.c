#include "edge/lib/zs_options.h"

#include "common/conf/conf_value.h"
#include "common/conf/nearest.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool complaint_open(struct complaint *c)
{
    *c = (struct complaint){.reserve = reserve_new(RESERVE_OF_CALL)};
    if (c->reserve == NULL)
        return false;
    c->file = open_memstream(&c->text, &c->size);
    if (c->file == NULL) { /* Two steps, so that gcc's analyzer follows. */
        reserve_free(&c->reserve);
        return false;
    }
    c->before = memory_use(c->reserve);
    return true;
}

/* Memory from the reserve is valid, too. */
bool complaint_close(struct complaint *c, struct zs_options *o)
{
    bool had = !memory_did_lack();

    fclose(c->file);
    free(o->error);
    if (c->size > 0 && c->text != NULL && c->text[c->size - 1] == '\n')
        c->text[c->size - 1] = '\0';
    o->error = c->text;
    memory_use(c->before);
    reserve_free(&c->reserve);
    return had;
}

static enum zs_error outcome(bool good)
{
    return good ? ZS_OK : ZS_CONFIGURATION;
}

struct zs_options *zs_options_new(void)
{
    struct zs_options *o = NULL;

    if (sodium_init() < 0)
        return NULL;
    struct reserve *reserve = reserve_new(RESERVE_OF_CALL);
    struct reserve *before = memory_use(reserve);
    if (reserve != NULL)
        o = calloc(1, sizeof *o);
    if (o != NULL) {
        edge_conf_defaults(&o->conf);
        atomic_init(&o->holders, 1);
    }
    memory_use(before);
    reserve_free(&reserve);
    return o;
}

void options_hold(struct zs_options *o)
{
    atomic_fetch_add(&o->holders, 1);
}

static void forget_passphrase(struct zs_options *o)
{
    if (o->passphrase != NULL)
        sodium_memzero(o->passphrase, strlen(o->passphrase));
    free(o->passphrase);
    o->passphrase = NULL;
}

void zs_options_free(struct zs_options **self)
{
    struct zs_options *o = self != NULL ? *self : NULL;

    if (o == NULL)
        return;
    *self = NULL;
    if (atomic_fetch_sub(&o->holders, 1) > 1)
        return;
    forget_passphrase(o);
    edge_conf_free(&o->conf);
    free(o->error);
    free(o);
}

/* A node may read them at any time. */
static bool in_use(const struct zs_options *o)
{
    return atomic_load(&o->holders) > 1;
}

const char *zs_options_error(const struct zs_options *options)
{
    return options != NULL && options->error != NULL ? options->error : "";
}

enum zs_error zs_options_load(struct zs_options *options, const char *path)
{
    struct complaint c;

    if (options == NULL || path == NULL || in_use(options))
        return ZS_BAD_REQUEST;
    if (!complaint_open(&c))
        return ZS_NO_MEMORY;
    edge_conf_free(&options->conf);
    bool good = edge_conf_load(path, &options->conf, c.file);
    if (!good)
        edge_conf_defaults(&options->conf);
    return complaint_close(&c, options) ? outcome(good) : ZS_NO_MEMORY;
}

static const struct conf_key *find_key(const char *path, FILE *errors)
{
    struct nearest nearest = {0};

    for (size_t i = 0; i < edge_conf_table.count; i++) {
        const struct conf_key *key = &edge_conf_table.keys[i];
        if (strcmp(key->path, path) == 0)
            return key;
        nearest_offer(&nearest, path, key->path);
    }
    fprintf(errors, "unknown key `%.64s`", path);
    if (nearest.word != NULL)
        fprintf(errors, ": did you mean `%s`?", nearest.word);
    return NULL;
}

static bool set(struct edge_conf *conf, const char *path, const char *value,
                FILE *errors)
{
    const struct conf_key *key = find_key(path, errors);

    if (key == NULL)
        return false;
    bool is_list = key->kind == CONF_LIST || key->kind == CONF_PATHS ||
                   key->kind == CONF_ENTRIES;
    if (!is_list || value[0] != '\0')
        return edge_conf_set(conf, path, value, "zs_options_set", errors);
    conf_value_free(key, conf);
    return true;
}

enum zs_error zs_options_set(struct zs_options *options, const char *key,
                             const char *value)
{
    struct complaint c;

    if (options == NULL || key == NULL || value == NULL || in_use(options))
        return ZS_BAD_REQUEST;
    if (!complaint_open(&c))
        return ZS_NO_MEMORY;
    bool good = set(&options->conf, key, value, c.file);
    return complaint_close(&c, options) ? outcome(good) : ZS_NO_MEMORY;
}

static bool set_passphrase(struct zs_options *o, const char *name,
                           const char *passphrase, FILE *errors)
{
    if (!name_is_valid(bytes_of_string(name))) {
        fputs("a name has 1 to 63 of A-Z a-z 0-9 . _ - and does not begin "
              "with a dot or dash",
              errors);
        return false;
    }
    if (passphrase[0] == '\0') {
        fputs("the passphrase is empty", errors);
        return false;
    }
    forget_passphrase(o);
    o->passphrase = memory_string(passphrase);
    strcpy(o->name, name);
    return true;
}

enum zs_error zs_options_passphrase(struct zs_options *options,
                                    const char *name, const char *passphrase)
{
    struct complaint c;

    if (options == NULL || name == NULL || passphrase == NULL ||
        in_use(options))
        return ZS_BAD_REQUEST;
    if (!complaint_open(&c))
        return ZS_NO_MEMORY;
    bool good = set_passphrase(options, name, passphrase, c.file);
    return complaint_close(&c, options) ? outcome(good) : ZS_NO_MEMORY;
}

enum zs_error zs_options_wait(struct zs_options *options, int wait)
{
    if (options == NULL || in_use(options))
        return ZS_BAD_REQUEST;
    options->wait = wait != 0;
    return ZS_OK;
}

bool options_identity(const struct zs_options *o,
                      struct edge_identity *identity, FILE *errors)
{
    if (o->passphrase != NULL)
        return identity_from_passphrase_text(bytes_of_string(o->passphrase),
                                             o->name, NULL, identity, errors);
    if (o->conf.node.identity[0] != '\0')
        return identity_load(o->conf.node.identity, NULL, identity, errors);
    fputs("no identity: set node.identity, or a passphrase", errors);
    return false;
}
