#!/bin/bash
# The chat page when paths, peers and its own edge go and come back.
. "$(dirname "$0")/browser.sh"

street
scenario chat_faults.mjs
finish
