/*
 * cmd_mesh - the commands of `zs mesh`.
 *
 * Each is a function of its arguments, with the command's name in argv[0], and
 * returns the program's exit code.
 */
#ifndef EDGE_CLI_CMD_MESH_H
#define EDGE_CLI_CMD_MESH_H

#include "common/conf/mesh_folder.h"
#include "common/conf/options.h"

int mesh_create(int argc, char **argv);
int mesh_relay(int argc, char **argv);
int mesh_add(int argc, char **argv);
int mesh_revoke(int argc, char **argv);
int mesh_list(int argc, char **argv);

/* The row of --dir, for a table of options. */
#define MESH_DIR_ROW                                                           \
    {                                                                          \
        "dir", 'd', OPTION_TEXT, "DIR", "the mesh's folder"                    \
    }

/* What a command does once its options are parsed and its folder is open.
 * Returns the exit code. */
typedef int mesh_work(struct mesh_folder *m, const struct options *o);

/* Runs a command: parses its options, opens the folder --dir, calls `work`, and
 * closes the folder. Returns the exit code. */
int mesh_run(const struct options_spec *of, int argc, char **argv,
             mesh_work *work);

#endif
