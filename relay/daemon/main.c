/*
 * zs-relay - the relay's program: reads the command line and the settings, runs
 * the relay, and acts on signals.
 */
#include "relay/daemon/cmd_init.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/conf/describe.h"
#include "common/conf/options.h"
#include "common/conf/relay_key.h"
#include "common/io/daemon.h"
#include "common/io/log.h"
#include "common/io/stdfds.h"
#include "relay/shell/relay.h"
#include "relay/shell/relay_log.h"
#include "relay/shell/tls_files.h"

static const struct option_row rows[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "the settings, see config/relay.yaml"},
    {"check", 0, OPTION_FLAG, NULL,
     "only check the settings, the key and the certificate"},
    {"print-config", 0, OPTION_FLAG, NULL, "print the settings in effect"},
    {"log-level", 0, OPTION_TEXT, "LEVEL", "error, warn, info or debug"},
};

static const struct options_spec spec = {
    .program = "zs-relay",
    .synopsis = "-c FILE [--check]",
    .about = "Runs a relay: nodes that cannot reach each other meet here.\n"
             "`zs-relay init DIR --host HOST --mesh MESH-ID` makes its key "
             "and settings.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .positional_max = 0,
};

struct relay_program {
    const char *file;
    const char *log_level; /* or NULL */
    uv_loop_t loop;
    struct daemon daemon;
    struct relay_server *relay;
};

/* Reads the settings, with the command line's changes. */
static bool load(const struct relay_program *p, struct relay_conf *conf,
                 FILE *errors)
{
    if (!relay_conf_load(p->file, conf, errors))
        return false;
    if (!p->log_level ||
        relay_conf_set(conf, "log.level", p->log_level, "--log-level", errors))
        return true;
    relay_conf_free(conf);
    return false;
}

static void stop(void *context)
{
    struct relay_program *p = context;
    if (!p->relay)
        return; /* The start failed: the program ends anyway. */
    log_info("stopping", "reason=signal");
    daemon_tell("STOPPING=1");
    relay_stop(p->relay);
}

static void reload(void *context)
{
    struct relay_program *p = context;
    struct relay_conf conf;
    char *errors = NULL;
    size_t size = 0;
    if (!p->relay)
        return;
    FILE *out = open_memstream(&errors, &size);
    ASSERT(out != NULL);
    bool good = load(p, &conf, out);
    fclose(out);
    if (good)
        relay_reload(p->relay, &conf);
    else
        relay_log_lines("reload_refused", errors);
    free(errors);
}

/* The caller calls this before the program starts a thread. */
static bool open_daemon(struct relay_program *p)
{
    p->daemon = (struct daemon){.context = p, .stop = stop, .reload = reload};
    if (uv_loop_init(&p->loop) == 0 && daemon_open(&p->daemon, &p->loop))
        return true;
    log_error("start_failed", "error=\"cannot start a thread\"");
    return false;
}

static int serve(struct relay_program *p, struct relay_conf *conf,
                 struct curve_pair *keys)
{
    if (!open_daemon(p)) {
        relay_conf_free(conf);
        return EXIT_FAILED;
    }
    p->relay = relay_open(&p->loop, conf, keys);
    sodium_memzero(keys, sizeof *keys);
    bool good = p->relay != NULL;
    if (good) {
        daemon_tell("READY=1");
        uv_run(&p->loop, UV_RUN_DEFAULT);
    }
    daemon_close(&p->daemon);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    relay_free(&p->relay);
    uv_loop_close(&p->loop);
    if (good)
        log_info("stopped", "reason=signal");
    daemon_flush();
    return good ? EXIT_DONE : EXIT_FAILED;
}

static int with_conf(struct relay_program *p, const struct options *o)
{
    struct relay_conf conf;
    struct curve_pair keys;
    if (!load(p, &conf, stderr))
        return EXIT_CONF;
    if (options_flag(o, "print-config")) {
        relay_conf_print(&conf, stdout);
        relay_conf_free(&conf);
        return EXIT_DONE;
    }
    if (!relay_key_load(conf.relay.key, &keys, stderr) ||
        !tls_files_check(&conf, stderr)) {
        sodium_memzero(&keys, sizeof keys);
        relay_conf_free(&conf);
        return EXIT_CONF;
    }
    if (!options_flag(o, "check"))
        return serve(p, &conf, &keys);
    sodium_memzero(&keys, sizeof keys);
    relay_conf_free(&conf);
    printf("%s: ok\n", p->file);
    return EXIT_DONE;
}

static int describe(char *asked)
{
    char name[] = "init";
    char *argv[] = {name, asked, NULL};

    describe_options(&spec, stdout);
    describe_command("init", "DIR --host HOST --mesh MESH-ID",
                     "makes a relay's key and settings", stdout);
    int code = cmd_init(2, argv);
    describe_command_end(stdout);
    describe_conf(&relay_conf_table, stdout);
    return code;
}

int main(int argc, char **argv)
{
    struct options o;
    static struct relay_program program;
    stdfds_hold();
    if (sodium_init() < 0)
        return EXIT_FAILED;
    if (describe_asked(argc, argv))
        return describe(argv[1]);
    if (argc > 1 && strcmp(argv[1], "init") == 0)
        return cmd_init(argc - 1, argv + 1);
    switch (options_parse(&spec, argc, argv, &o)) {
    case OPTIONS_DONE:
        return EXIT_DONE;
    case OPTIONS_WRONG:
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }
    program.file = options_text(&o, "config");
    program.log_level = options_text(&o, "log-level");
    int code = program.file ? with_conf(&program, &o)
                            : options_wrong(&spec, "-c FILE is missing");
    options_free(&o);
    return code;
}
