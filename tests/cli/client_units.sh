#!/bin/bash
# The unit tests of the clients for Python and Node.js, and of the chat page's
# lines.
set -u
cd "$(dirname "$0")/../../edge/clients" || exit 1
code=0

echo "--- Python"
(cd python && timeout 300 python3 -B -m unittest discover -s tests) || code=1

echo "--- Node.js"
if command -v node >/dev/null; then
    (cd node && timeout 300 node --test test) || code=1
    echo "--- The lines of the chat page"
    timeout 300 node ../../tests/cli/chat_line.mjs || code=1
else
    echo "node is not installed (deploy/setup test): skipped"
fi
exit $code
