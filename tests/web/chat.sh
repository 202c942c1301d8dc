#!/bin/bash
# The chat page, as three people see it in three browsers.
. "$(dirname "$0")/browser.sh"

street
scenario chat.mjs
finish
