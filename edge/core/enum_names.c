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
        [RELAY_ERROR_REFUSED] = "refused",
        [RELAY_ERROR_TIMEOUT] = "timeout",
        [RELAY_ERROR_TLS] = "tls",
        [RELAY_ERROR_PROXY_AUTH] = "proxy_auth",
        [RELAY_ERROR_PROXY_REFUSED] = "proxy_refused",
        [RELAY_ERROR_CAPTIVE_PORTAL] = "captive_portal",
        [RELAY_ERROR_NOT_A_RELAY] = "not_a_relay",
        [RELAY_ERROR_WRONG_KEY] = "wrong_key",
    };
    return names[error];
}

enum relay_error relay_error_of(enum link_failure failure)
{
    static const enum relay_error errors[] = {
        [LINK_BROKEN] = RELAY_ERROR_LOST,
        [LINK_UNREACHABLE] = RELAY_ERROR_UNREACHABLE,
        [LINK_HANDSHAKE] = RELAY_ERROR_WRONG_KEY,
        [LINK_NAMELESS] = RELAY_ERROR_DNS,
        [LINK_REFUSED] = RELAY_ERROR_REFUSED,
        [LINK_TIMEOUT] = RELAY_ERROR_TIMEOUT,
        [LINK_TLS] = RELAY_ERROR_TLS,
        [LINK_PROXY_AUTH] = RELAY_ERROR_PROXY_AUTH,
        [LINK_PROXY_REFUSED] = RELAY_ERROR_PROXY_REFUSED,
        [LINK_CAPTIVE_PORTAL] = RELAY_ERROR_CAPTIVE_PORTAL,
        [LINK_NOT_A_RELAY] = RELAY_ERROR_NOT_A_RELAY,
        [LINK_WRONG_KEY] = RELAY_ERROR_WRONG_KEY,
    };
    return errors[failure];
}
