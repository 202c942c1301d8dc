#!/bin/bash
# The clients for Python and Node.js at two edges: they hold the conversations
# of tests/clients with each other, each with each, and with themselves; their
# chats talk; and they say what happened when an edge ends under them.
#
#   here: alice - bob, on one host's loopback
. "$(dirname "$0")/conversation.sh"

alice_and_bob

# --- Without an edge

check "python: no edge" bash -c "cd '$clients/python' && python3 -B -c '
import zeroservices as zs
try:
    zs.Edge()
except zs.NoEdge as e:
    assert \"no edge runs on this host\" in str(e), e'"

# --- Each with each

edge here alice
edge here bob
answers alice
answers bob
check "the edges see each other" "$ZS_BIN/zs" wait --peer bob --path tcp \
    --socket "$(socket_of alice)"
for a in "${kinds[@]}"; do
    for b in "${kinds[@]}"; do
        check "$a talks to $b" converse "$a" "$b"
    done
done
check "python: two edges are ambiguous" bash -c "cd '$clients/python' &&
python3 -B -c '
import zeroservices as zs
try:
    zs.Edge()
except zs.NoEdge as e:
    assert \"several edges run on this host\" in str(e), e'"

# --- What one call is given by mistake

harms() { # KIND
    case $1 in
    node) timeout 200 node "$talks/harm.mjs" bob "$(socket_of alice)" ;;
    *) timeout 200 python3 -B "$talks/harm.py" "$1" bob "$(socket_of alice)" ;;
    esac
}
for kind in "${kinds[@]}"; do
    check "$kind: bad data fails only its own call" harms "$kind"
done

# --- A handler that fails

# In bob's program each message makes the handler fail; the next is handled.
fails() { # KIND
    local code=0 server
    : >"$LAB/fails" # Of the one before: it was ready, too.
    case $1 in
    node) node --input-type=module -e "
import { Edge } from '$clients/node/src/index.js';
const edge = await Edge.open({ socket: '$(socket_of bob)' });
edge.on('message', async (m) => {
  if (m.data !== 'good') throw new Error('it fails');
  await edge.reply(m, 'fine');
});
await edge.subscribe();
console.log('ready');" ;;
    sync) python3 -Bu -c "
import sys, threading
sys.path.insert(0, '$clients/python')
import zeroservices as zs
edge = zs.Edge('$(socket_of bob)')
@edge.on_message
def answer(m):
    edge.reply(m, {'good': 'fine'}[m.data])
edge.subscribe()
edge.start()
print('ready')
threading.Event().wait()" ;;
    *) python3 -Bu -c "
import asyncio, sys
sys.path.insert(0, '$clients/python')
import zeroservices as zs
async def main():
    async with zs.AsyncEdge('$(socket_of bob)') as edge:
        @edge.on_message
        async def answer(m):
            await edge.reply(m, {'good': 'fine'}[m.data])
        await edge.subscribe()
        print('ready')
        await edge.run()
asyncio.run(main())" ;;
    esac >"$LAB/fails" 2>&1 &
    server=$!
    until_true 10 grep -qx ready "$LAB/fails" || code=1
    for _ in 1 2; do
        said=$("$ZS_BIN/zs" request bob t bad --timeout 100s \
            --socket "$(socket_of alice)" 2>&1) && code=1
        [ "$said" = "zs: handler_failed: the program that answers failed" ] ||
            code=1
        [ "$("$ZS_BIN/zs" request bob t good --timeout 100s \
            --socket "$(socket_of alice)")" = fine ] || code=1
    done
    kill "$server"
    wait "$server"
    echo "$said"
    cat "$LAB/fails"
    [ $code = 0 ]
}
for kind in "${kinds[@]}"; do
    check "$kind: a handler that fails" fails "$kind"
done

# --- A chat

chat_of() { # KIND SOCKET
    case $1 in
    node) node "$clients/node/examples/chat.js" "$2" ;;
    *) PYTHONPATH=$clients/python python3 -Bu \
        "$clients/python/examples/chat.py" "$2" ;;
    esac
}

chat() { # KIND KIND
    local one other code=0
    rm -f "$LAB"/to-* "$LAB"/chat-?
    mkfifo "$LAB/to-alice" "$LAB/to-bob"
    chat_of "$1" "$(socket_of alice)" <"$LAB/to-alice" >"$LAB/chat-a" 2>&1 &
    one=$!
    chat_of "$2" "$(socket_of bob)" <"$LAB/to-bob" >"$LAB/chat-b" 2>&1 &
    other=$!
    exec 7>"$LAB/to-alice" 8>"$LAB/to-bob"
    until_true 10 grep -q '^\* bob is here (tcp)$' "$LAB/chat-a" || code=1
    until_true 10 grep -q '^\* alice is here (tcp)$' "$LAB/chat-b" || code=1
    printf 'hello to \033[2Jall\n' >&7
    until_true 10 grep -qxF 'alice: hello to ?[2Jall' "$LAB/chat-b" || code=1
    echo '/alice the whole text' >&8
    until_true 10 grep -qx 'bob (to you): the whole text' "$LAB/chat-a" ||
        code=1
    until_true 10 grep -qx '\* alice has it (tcp)' "$LAB/chat-b" || code=1
    echo '/nobody x' >&8
    until_true 10 grep -q '^\* unknown_peer: ' "$LAB/chat-b" || code=1
    exec 7>&- 8>&-
    wait "$one" || code=1
    wait "$other" || code=1
    cat "$LAB/chat-a" "$LAB/chat-b"
    return $code
}

for kind in "${kinds[@]/asyncio/}"; do
    [ -z "$kind" ] || check "a chat: $kind" chat "$kind" sync
done
for example in python/examples/chat.py node/examples/chat.js; do
    check "$example has at most 69 lines" \
        test "$(wc -l <"$clients/$example")" -le 69
done

# --- An edge that ends under its client, and comes again

for kind in "${kinds[@]}"; do
    check "$kind: an edge that is stopped" survive "$kind" sync TERM
    check "$kind: an edge that is killed" survive "$kind" sync KILL
done
finish
