#!/bin/bash
# The attacks of relay.sh on a relay that listens by libzmq.
# shellcheck disable=SC2034 # for relay.sh
RELAY_LISTEN=curve
. "$(dirname "$0")/relay.sh"
