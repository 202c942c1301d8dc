#include "edge/lib/zeroservices.h"

#include "edge/core/node.h"

static const struct {
    const char *name;
    const char *text;
} errors[] = {
    [ZS_OK] = {"ok", "done"},
    [ZS_UNKNOWN_PEER] = {"unknown_peer", "the peer is not present"},
    [ZS_NOT_DELIVERED] =
        {"not_delivered",
         "the peer's node did not acknowledge it: it left, or no "
         "path to it was found in time"},
    [ZS_PEER_RESTARTED] = {"peer_restarted", "the peer's process restarted "
                                             "before it acknowledged"},
    [ZS_BUSY] = {"busy", "the queue is full"},
    [ZS_TOO_LARGE] = {"too_large", "the message is larger than limits.message"},
    [ZS_TIMEOUT] = {"timeout", "no reply came in time"},
    [ZS_UNKNOWN_REQUEST] =
        {"unknown_request",
         "the request was answered already, or its sender has left"},
    [ZS_BAD_REQUEST] = {"bad_request",
                        "an argument is wrong, or not allowed now"},
    [ZS_CLOSED] = {"closed", "the node is being closed"},
    [ZS_CONFIGURATION] = {"configuration",
                          "a setting, a file or the identity is wrong"},
    [ZS_SYSTEM] = {"system", "the system refused what the node needs"},
    [ZS_NO_MEMORY] = {"no_memory", "out of memory"},
};

const char *zs_error_name(enum zs_error error)
{
    return (size_t)error < sizeof errors / sizeof *errors ? errors[error].name
                                                          : "unknown";
}

const char *zs_error_text(enum zs_error error)
{
    return (size_t)error < sizeof errors / sizeof *errors
               ? errors[error].text
               : "an error that this library does not know";
}

const char *zs_version(void)
{
    return ZS_VERSION;
}

const char *zs_path_name(enum zs_path path)
{
    switch (path) {
    case ZS_PATH_TCP:
        return node_path_name(PATH_TCP);
    case ZS_PATH_UDP:
        return node_path_name(PATH_UDP);
    case ZS_PATH_RELAY:
        return node_path_name(PATH_RELAY);
    case ZS_PATH_NONE:
        break;
    }
    return node_path_name(PATH_NONE);
}

const char *zs_relay_state_name(enum zs_relay_state state)
{
    switch (state) {
    case ZS_RELAY_CONNECTING:
        return "connecting";
    case ZS_RELAY_UP:
        return "up";
    case ZS_RELAY_DOWN:
        break;
    }
    return "down";
}

const char *zs_reason_name(enum zs_reason reason)
{
    switch (reason) {
    case ZS_LEFT_CLOSED:
        return "closed";
    case ZS_LEFT_REVOKED:
        return "revoked";
    case ZS_LEFT_REFUSED:
        return "refused";
    case ZS_LEFT_LOST:
        break;
    }
    return "lost";
}
