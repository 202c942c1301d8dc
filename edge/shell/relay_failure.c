#include "edge/shell/relay_failure.h"

enum link_failure relay_failure_of_end(enum zmtp_state state)
{
    switch (state) {
    case ZMTP_GREETING:
        return LINK_NOT_A_RELAY;
    case ZMTP_AWAITS_WELCOME:
        return LINK_WRONG_KEY;
    case ZMTP_OPEN:
        return LINK_BROKEN;
    case ZMTP_AWAITS_READY:
    case ZMTP_AWAITS_HELLO:
    case ZMTP_TAKES_HELLO:
    case ZMTP_AWAITS_INITIATE:
    case ZMTP_AWAITS_VERDICT:
    case ZMTP_OVER:
        break;
    }
    return LINK_HANDSHAKE;
}

enum link_failure relay_failure_of_zmtp(enum zmtp_failure failure)
{
    if (failure == ZMTP_BAD_SIGNATURE || failure == ZMTP_BAD_VERSION ||
        failure == ZMTP_BAD_MECHANISM)
        return LINK_NOT_A_RELAY;
    return failure == ZMTP_BAD_KEY ? LINK_WRONG_KEY : LINK_HANDSHAKE;
}
