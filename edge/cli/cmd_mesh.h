/*
 * cmd_mesh - the commands of `zs mesh`, each a function of its arguments.
 *
 * argv[0] is the command's name; what is returned is the program's exit code.
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

/* The row of --dir. */
#define MESH_DIR_ROW                                                           \
    {                                                                          \
        "dir", 'd', OPTION_TEXT, "DIR", "the mesh's folder"                    \
    }

/* The work of a command, once its options are read and its folder is open. */
typedef int mesh_work(struct mesh_folder *m, const struct options *o);

/* Reads the options, opens --dir, works, closes. */
int mesh_run(const struct options_spec *of, int argc, char **argv,
             mesh_work *work);

#endif
