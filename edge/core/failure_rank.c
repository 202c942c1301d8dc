#include "edge/core/failure_rank.h"

/* A program on the way tells more than the end of the way, and an answer tells
 * more than none. Two pairs are alike, and the better form decides: port 80,
 * where `ws` goes, may refuse what the firewall before 443 drops; and `wss`
 * says `tls` of a program that speaks no TLS, of which `tcp` says what it is.
 */
static const int rank[] = {
    [LINK_NAMELESS] = 1,      [LINK_UNREACHABLE] = 2, [LINK_TIMEOUT] = 3,
    [LINK_REFUSED] = 3,       [LINK_BROKEN] = 4,      [LINK_NOT_A_RELAY] = 5,
    [LINK_TLS] = 5,           [LINK_HANDSHAKE] = 6,   [LINK_WRONG_KEY] = 6,
    [LINK_PROXY_REFUSED] = 7, [LINK_PROXY_AUTH] = 8,  [LINK_CAPTIVE_PORTAL] = 9,
};

enum link_failure failure_most_telling(const enum link_failure *list,
                                       size_t count)
{
    enum link_failure most = (enum link_failure)0;

    for (size_t i = 0; i < count; i++)
        if (rank[list[i]] > rank[most])
            most = list[i];
    return most;
}
