#!/bin/bash
# zs chat and zs top in a terminal, as a person sees them, and with pipes.
#
#   here: alice - bob - carol - dave, on one host's loopback
. "$(dirname "$0")/says.sh"

tests=$NET_DIR/../cli
if ! python3 -c 'import pyte' 2>/dev/null; then
    echo "terminal: python3-pyte is missing: deploy/setup test" >&2
    exit 77
fi
mesh_of alice bob carol dave
host here

# Each line of theirs is a result: "ok WHAT" or "not ok WHAT".
for part in chat top; do
    while read -r line; do
        case $line in
        "ok "*) ok "$part: ${line#ok }" ;;
        "not ok "*) not_ok "$part: ${line#not ok }" ;;
        *) echo "$line" ;;
        esac
    done < <(as here python3 "$tests/terminal_$part.py" "$LAB" 2>&1 ||
        echo "not ok the script came to its end")
done
finish
