#!/bin/bash
# The examples in C speak with the clients for Python and Node.js: a chat with
# their chats and with what a page writes, request, sensor and hello.
#
#   here: bob (an example, with the C library) - alice, carol, dora (edges)
. "$(dirname "$0")/conversation.sh"

examples=$(dirname "$ZS_BIN")/examples

langs=(${kinds[@]/asyncio/})

shows() { # FILE LINE
    until_true 10 grep -qxF -- "$2" "$1" || {
        echo "no line: $2; but: $(tail -n 4 "$1")"
        return 1
    }
}

# What a client does at an edge: asks, or hears one message and replies to it.
cat >"$LAB/client.py" <<'PY'
import sys
from zeroservices import Edge, Event, Message
socket, what, kind = sys.argv[1:4]
with Edge(socket) as edge:
    if what == "ask":
        print(edge.request("bob", kind, "time?").data)
        sys.exit()
    edge.subscribe(groups=["sensors"])
    print("ready", flush=True)
    for event in edge.events():
        if isinstance(event, (Message, Event)) and event.type == kind:
            print(event.name, event.data)
            if isinstance(event, Message) and event.request:
                edge.reply(event, "noon")
            elif isinstance(event, Message):
                edge.send(event.name, kind, "hello as well")
            break
PY
cat >"$LAB/client.mjs" <<JS
import { Edge } from '$(realpath "$clients")/node/src/index.js';
const [, , socket, what, kind] = process.argv;
const edge = await Edge.open({ socket });
if (what === 'ask') {
  console.log((await edge.request('bob', kind, 'time?')).data);
  edge.close();
  process.exit();
}
const events = edge.events({ groups: ['sensors'] });
console.log('ready');
for await (const { kind: is, type, name, data, ...event } of events) {
  if ((is !== 'message' && is !== 'event') || type !== kind) continue;
  console.log(name, JSON.stringify(data));
  if (event.request) await edge.reply({ name, data, ...event }, 'noon');
  else if (is === 'message') await edge.send(name, kind, 'hello as well');
  break;
}
edge.close();
JS

client() { # KIND NAME ask|hear TYPE
    local socket
    socket=$(socket_of "$2")
    case $1 in
    node) timeout 100 node "$LAB/client.mjs" "$socket" "$3" "$4" ;;
    *) PYTHONPATH=$clients/python timeout 100 \
        python3 -B "$LAB/client.py" "$socket" "$3" "$4" ;;
    esac
}

# with_client KIND NAME TYPE COMMAND...: while a client waits for TYPE; what it
# heard is in client.out, what the command said in said.out.
with_client() {
    local kind=$1 name=$2 type=$3 one code=0
    shift 3
    : >"$LAB/client.out" # Of the client before: it was ready, too.
    client "$kind" "$name" hear "$type" >"$LAB/client.out" 2>&1 &
    one=$!
    until_true 10 grep -q ready "$LAB/client.out" || code=1
    timeout 100 nsenter --net=/run/netns/here "$@" >"$LAB/said.out" 2>&1 ||
        code=1
    wait "$one" || code=1
    cat "$LAB/client.out" "$LAB/said.out"
    return $code
}

# --- A chat: C with the client's example

chat_of() { # KIND
    case $1 in
    node) timeout 200 node "$clients/node/examples/chat.js" \
        "$(socket_of alice)" ;;
    *) PYTHONPATH=$clients/python timeout 200 python3 -Bu \
        "$clients/python/examples/chat.py" "$(socket_of alice)" ;;
    esac
}

page_says() { # TEXT - as edge/pages/chat.js does
    at alice publish chat --json-data "{\"text\":$1}"
}

chat() { # KIND
    local code=0 one
    rm -f "$LAB"/to-* "$LAB"/chat-a
    mkfifo "$LAB/to-a" "$LAB/to-b"
    : >"$LAB/chat.log"
    nsenter --net=/run/netns/here "$examples/chat" "$LAB/bob.yaml" \
        <"$LAB/to-b" >"$LAB/chat.log" 2>&1 &
    LAB_PID[chat]=$!
    chat_of "$1" <"$LAB/to-a" >"$LAB/chat-a" 2>&1 &
    one=$!
    exec 7>"$LAB/to-a" 8>"$LAB/to-b"
    shows "$LAB/chat.log" '* alice joins' || code=1
    until_true 10 grep -q '^\* bob is here' "$LAB/chat-a" || code=1
    echo 'hello from a client, "quoted"' >&7
    shows "$LAB/chat.log" 'alice: hello from a client, "quoted"' || code=1
    echo '/bob for you' >&7
    shows "$LAB/chat.log" 'alice: for you' || code=1
    printf 'hello from C \\ "\n' >&8
    shows "$LAB/chat-a" 'bob: hello from C \ "' || code=1
    echo '@alice the whole text' >&8
    shows "$LAB/chat-a" 'bob (to you): the whole text' || code=1
    page_says '"from a \"page\" \u00e4"' || code=1
    shows "$LAB/chat.log" 'alice: from a "page" ä' || code=1
    exec 7>&- 8>&-
    wait "$one" || code=1
    wait "${LAB_PID[chat]}" || code=1
    unset "LAB_PID[chat]"
    return $code
}

# What a page writes reaches a client's chat from another node.
page_to_client() { # KIND
    local code=0 one
    rm -f "$LAB/to-a" "$LAB/chat-a"
    mkfifo "$LAB/to-a"
    chat_of "$1" <"$LAB/to-a" >"$LAB/chat-a" 2>&1 &
    one=$!
    exec 7>"$LAB/to-a"
    until_true 10 grep -q '^\* carol is here' "$LAB/chat-a" || code=1
    at carol publish chat --json-data '{"text":"from a page"}' || code=1
    shows "$LAB/chat-a" 'carol: from a page' || code=1
    exec 7>&-
    wait "$one" || code=1
    return $code
}

# --- request, sensor, hello

asks() { # KIND
    local answer
    answer=$(client "$1" alice ask question)
    [[ $answer =~ ^[0-9]{9,}$ ]] || {
        echo "the answer was: $answer"
        return 1
    }
}

answers_it() { # KIND - the example asks the first who comes
    with_client "$1" alice question "$examples/request" "$LAB/bob.yaml" 'when?' &&
        grep -qE '^bob "?when\?"?$' "$LAB/client.out" &&
        grep -qx noon "$LAB/said.out"
}

senses() { # KIND
    with_client "$1" alice load "$examples/sensor" "$LAB/bob.yaml" 2 &&
        grep -qE "^bob \{.load.: ?[0-9.]+\}$" "$LAB/client.out" &&
        grep -qx 'ok, to 2' "$LAB/said.out"
}

greets() { # KIND
    with_client "$1" dora greeting "$examples/hello" bob secret &&
        grep -qE '^bob "?hello"?$' "$LAB/client.out" &&
        grep -qx 'dora is here' "$LAB/said.out" &&
        grep -qx 'dora says hello as well' "$LAB/said.out"
}

# --- All of it

mesh_of alice bob carol
conf_of carol 'node: {identity: office/carol.zs, groups: [sensors]}'
host here
edge here alice
answers alice

spawn request here "$examples/request" "$LAB/bob.yaml"
check "request.c is present" at alice wait --peer bob --timeout 60s
for kind in "${langs[@]}"; do
    check "$kind asks request.c" asks "$kind"
done
end request
edge here carol
answers carol
for kind in "${langs[@]}"; do
    check "a chat: C and $kind" chat "$kind"
    check "a chat: a page and $kind" page_to_client "$kind"
    check "$kind hears sensor.c" senses "$kind"
done
end carol
for kind in "${langs[@]}"; do
    check "request.c asks $kind" answers_it "$kind"
done
end alice

echo secret >"$LAB/phrase"
chmod 600 "$LAB/phrase"
spawn dora here "$ZS_BIN/zs-edge" --name dora --passphrase-file "$LAB/phrase" \
    --socket "$(socket_of dora)"
answers dora
for kind in "${langs[@]}"; do
    check "$kind is greeted by hello.c" greets "$kind"
done
finish
