#!/usr/bin/env bash
# The n-th allocation of the library's fails, and it neither aborts nor leaks
# nor lies, for every n.
# Usage: ZS_BIN=build-dev/bin tests/cli/no_memory_once.sh
source "$(dirname "$0")/no_memory.bash" once
