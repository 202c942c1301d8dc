/*
 * entrance_user - who hears of the connections of the relay's transports: of
 * the door (door.h), of the front (front.h), or of both (entrance.h).
 */
#ifndef RELAY_SHELL_ENTRANCE_USER_H
#define RELAY_SHELL_ENTRANCE_USER_H

#include "common/io/carrier.h"

struct entrance_user {
    /* See carrier.h; but the packet is only lent for the call of `packet`:
     * within it the user may have it forwarded, any number of times. */
    struct carrier_owner owner;
    /* A connection was refused or cut. `what` is the event for the log,
     * `reason` a word for it; both strings are static. */
    void (*turned_away)(void *context, const char *what,
                        const struct address *address, const char *reason);
};

#endif
