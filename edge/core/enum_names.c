#include "edge/core/node.h"

const char *node_outcome_name(enum node_outcome outcome)
{
    static const char *const names[] = {
        [OUTCOME_DELIVERED] = "delivered",
        [OUTCOME_UNKNOWN_PEER] = "unknown_peer",
        [OUTCOME_NOT_DELIVERED] = "not_delivered",
        [OUTCOME_PEER_RESTARTED] = "peer_restarted",
        [OUTCOME_BUSY] = "busy",
        [OUTCOME_TOO_LARGE] = "too_large",
    };
    return names[outcome];
}

const char *node_why_name(enum node_why why)
{
    static const char *const names[] = {
        [NODE_WHY_NONE] = "none",
        [NODE_WHY_TRYING] = "trying",
        [NODE_WHY_NAT] = "nat",
        [NODE_WHY_UDP_BLOCKED] = "udp_blocked",
        [NODE_WHY_PATHS_OFF] = "paths_off",
        [NODE_WHY_NO_CANDIDATES] = "no_candidates",
        [NODE_WHY_HELD_DOWN] = "held_down",
    };
    return names[why];
}

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
