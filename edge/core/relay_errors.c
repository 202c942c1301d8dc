#include "edge/core/node.h"

const char *relay_error_name(enum relay_error error)
{
    static const char *const names[RELAY_ERRORS] = {
        [RELAY_ERROR_LOST] = "connection_lost",
        [RELAY_ERROR_SILENT] = "silent",
        [RELAY_ERROR_UNREACHABLE] = "unreachable",
        [RELAY_ERROR_DNS] = "dns",
        [RELAY_ERROR_HANDSHAKE] = "handshake_failed",
        [RELAY_ERROR_TIMEOUT] = "timeout",
    };
    return names[error];
}
