#!/bin/bash
# The dashboard: of three edges and their relay, and of 200 peers.
. "$(dirname "$0")/browser.sh"

street
scenario dashboard.mjs
scenario dashboard_many.mjs
finish
