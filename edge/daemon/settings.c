#include "edge/daemon/settings.h"

#include "common/io/log.h"

#include <string.h>

static const struct option_row rows[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "the settings, see config/edge.yaml"},
    {"identity", 0, OPTION_TEXT, "FILE", "the identity, made by zs mesh add"},
    {"name", 0, OPTION_TEXT, "NAME",
     "this node's name, with --passphrase-file"},
    {"passphrase-file", 0, OPTION_TEXT, "FILE",
     "the mesh's passphrase is in FILE; -: stdin"},
    {"relay", 0, OPTION_TEXT, "URL", "a relay to use; may be repeated"},
    {"socket", 0, OPTION_TEXT, "PATH", "the path of the local API's socket"},
    {"http", 0, OPTION_TEXT, "ADDRESS:PORT", "serve the local API by HTTP"},
    {"log-level", 0, OPTION_TEXT, "LEVEL", "error, warn, info or debug"},
    {"check", 0, OPTION_FLAG, NULL, "only check the settings and identity"},
    {"print-config", 0, OPTION_FLAG, NULL, "print the settings in effect"},
};

const struct options_spec settings_spec = {
    .program = "zs-edge",
    .synopsis =
        "--identity FILE | -c FILE | --name NAME --passphrase-file FILE",
    .about = "Runs one node of a mesh, and serves local applications.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .epilogue = "Signals: TERM and INT stop the edge, HUP makes it read "
                "its files again.",
};

bool settings_usage(const struct options *o)
{
    bool config = options_text(o, "config") != NULL;
    bool identity = options_text(o, "identity") != NULL;
    bool name = options_text(o, "name") != NULL;
    bool passphrase = options_text(o, "passphrase-file") != NULL;

    if (name != passphrase)
        options_wrong(&settings_spec,
                      "--name and --passphrase-file go together");
    else if (name && identity)
        options_wrong(&settings_spec,
                      "--identity already contains a name and a mesh");
    else if (!name && !identity && !config)
        options_wrong(
            &settings_spec,
            "no identity: use --identity FILE, -c FILE, or --name NAME "
            "--passphrase-file FILE");
    else
        return true;
    return false;
}

/* The options that override a key of the settings file. */
static const struct {
    const char *option;
    const char *key;
} overrides[] = {
    {"identity", "node.identity"}, {"socket", "api.socket"},
    {"http", "api.http"},          {"log-level", "log.level"},
    {"relay", "relays"},
};

static bool override(const struct options *o, struct edge_conf *conf)
{
    bool good = true;

    for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
        char option[32] = "--";
        size_t cursor = 0;
        const char *text;
        strcat(option, overrides[i].option);
        while ((text = options_next(o, overrides[i].option, &cursor)) != NULL)
            good &= edge_conf_set(conf, overrides[i].key, text, option,
                                  log_stream());
    }
    return good;
}

void settings_log(const struct edge_conf *conf)
{
    enum log_level level = LOG_INFO;

    if (!log_level_parse(conf->log.level, &level))
        return; /* Checked already, so this does not happen. */
    log_setup(level,
              strcmp(conf->log.format, "json") == 0 ? LOG_JSON : LOG_TEXT);
}

bool settings_conf(const struct options *o, struct edge_conf *conf)
{
    const char *path = options_text(o, "config");

    if (path == NULL)
        edge_conf_defaults(conf);
    else if (!edge_conf_load(path, conf, log_stream()))
        return false;
    if (!override(o, conf)) {
        edge_conf_free(conf);
        return false;
    }
    settings_log(conf);
    return true;
}

bool settings_identity(const struct options *o, const struct edge_conf *conf,
                       struct edge_identity *identity)
{
    const char *name = options_text(o, "name");

    if (name != NULL)
        return identity_from_passphrase(options_text(o, "passphrase-file"),
                                        name, NULL, identity, stderr);
    return identity_load(conf->node.identity, NULL, identity, stderr);
}
