/*
 * cmd_init - `zs-relay init`: writes a relay's key and its settings.
 */
#ifndef RELAY_DAEMON_CMD_INIT_H
#define RELAY_DAEMON_CMD_INIT_H

/* argv[0] is "init". Returns the program's exit code. */
int cmd_init(int argc, char **argv);

#endif
