#!/usr/bin/env bash
# All allocations of the library's from the n-th on fail, and it neither aborts
# nor leaks nor lies, for every n.
# Usage: ZS_BIN=build-dev/bin tests/cli/no_memory_ever.sh
source "$(dirname "$0")/no_memory.bash" ever
