# The conversations of tests/clients, each part by a client of an edge or as a
# node by the C library. To be sourced.
. "$(dirname "${BASH_SOURCE[0]}")/says.sh"

talks=$NET_DIR/../clients
clients=$NET_DIR/../../edge/clients
kinds=(sync asyncio)
if command -v node >/dev/null; then
    kinds+=(node)
else
    echo "$LAB_NAME: node is not installed (deploy/setup test): its part is" \
        "skipped" >&2
fi

socket_of() { echo "/run/zeroservices/$1.sock"; }

# Python without bytecode files in the tree.
talk() { # KIND a|b FILE - a is alice, b is bob
    local name=alice
    [ "$2" = a ] || name=bob
    case $1 in
    thread | loop) as here timeout 200 "$ZS_BIN/talk" "$@" "$LAB/$name.yaml" ;;
    node) timeout 200 node "$talks/talk.mjs" "$@" "$(socket_of $name)" ;;
    *) timeout 200 python3 -B "$talks/talk.py" "$@" "$(socket_of $name)" ;;
    esac
}

# True if both came to their ends.
ended_well() { # CODE
    cat "$LAB/a.out" "$LAB/b.out"
    [ "$1" = 0 ] && grep -qx "a is done" "$LAB/a.out" &&
        grep -qx "b is done" "$LAB/b.out"
}

# Both at once.
converse() { # KIND KIND
    local other code=0
    rm -f "$LAB/a.out" "$LAB/b.out"
    talk "$1" a "$talks/talk.json" >"$LAB/a.out" 2>&1 &
    other=$!
    talk "$2" b "$talks/talk.json" >"$LAB/b.out" 2>&1 || code=1
    wait "$other" || code=1
    ended_well $code
}

# Alice's edge ends under A, and comes again.
survive() { # KIND KIND SIGNAL
    rm -f "$LAB/a.out" "$LAB/b.out"
    talk "$1" a "$talks/restart.json" >"$LAB/a.out" 2>&1 &
    local one=$! other code=0
    talk "$2" b "$talks/restart.json" >"$LAB/b.out" 2>&1 &
    other=$!
    until_true 10 grep -qx "end my edge" "$LAB/a.out" || code=1
    end alice "$3"
    until_true 10 grep -qx "start my edge" "$LAB/a.out" || code=1
    edge here alice
    wait "$one" || code=1
    wait "$other" || code=1
    ended_well $code
}

# Alice and bob on one host, in a mesh of their own.
alice_and_bob() {
    mesh_of alice bob
    conf_of bob 'node: {identity: office/bob.zs, info: {role: hears}}'
    conf alice 'limits: {message: 256KiB}'
    conf bob 'limits: {message: 256KiB}'
    host here
}
