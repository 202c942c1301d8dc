#!/usr/bin/env bash
# libzeroservices as a user has it: installed, found by pkg-config and by CMake
# from a folder outside the project, and the examples talking over loopback, with
# each other and with zs-edge; and eight threads that use it at once.
#
# Usage: ZS_BIN=build/bin tests/cli/library.sh
set -u

here=$(dirname "$(realpath "$0")")
bin=$(realpath "${ZS_BIN:?the folder of the programs}")
build=$(dirname "$bin")
work=$(mktemp -d)
prefix=$work/prefix
pids=()
failed=0

clean() {
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT
cd "$work" || exit 1

fail() {
    echo "FAILED: $*" >&2
    failed=1
}

# must COMMAND...: or there is no point in going on.
must() {
    "$@" >step.log 2>&1 && return
    cat step.log >&2
    fail "$*"
    exit 1
}

# says FILE WORDS: a line of it has them within 100 s.
says() {
    local i
    for ((i = 0; i < 2000; i++)); do
        grep -q -- "$2" "$1" 2>/dev/null && return
        sleep 0.05
    done
    fail "$1 does not say: $2: $(tail -n 5 "$1")"
}

# spawn NAME COMMAND...: in the background, what it says in NAME.out.
spawn() {
    local name=$1
    shift
    "$@" <&0 >"$name.out" 2>&1 & # else bash gives it no input
    pids+=($!)
}

# --- Installed, and found

must cmake --install "$build" --prefix "$prefix"
lib=$(find "$prefix" -name libzeroservices.so)
[ -n "$lib" ] || fail "no libzeroservices.so is installed"
export LD_LIBRARY_PATH=${lib%/*} PKG_CONFIG_PATH=${lib%/*}/pkgconfig
export CFLAGS=
# A program that loads a library with sanitizers needs them, too.
nm -D "$lib" | grep -q __asan_init && CFLAGS=-fsanitize=address
nm -D "$lib" | grep -q __tsan_init && CFLAGS=-fsanitize=thread
[ -f "$prefix/share/man/man3/zeroservices.3" ] || fail "no man page"

mkdir one
cp "$prefix"/share/doc/zeroservices/examples/*.c one/
read -ra flags <<<"$CFLAGS $(pkg-config --cflags --libs zeroservices)"
[[ " ${flags[*]} " == *" -lzeroservices "* ]] || fail "pkg-config: ${flags[*]}"
cp "$here/../lib/threads.c" .
for source in one/*.c; do
    must cc -std=c99 -D_DEFAULT_SOURCE -Wall -Wextra -Werror "$source" \
        "${flags[@]}" -o "${source%.c}"
    [ "$(wc -l <"$source")" -le 60 ] || fail "$source is longer than 60 lines"
done
[ "$(find one -type f -executable | wc -l)" = 4 ] || fail "not four examples"
readelf -d one/hello | grep -q 'NEEDED.*\[libzeroservices.so.0\]' ||
    fail "hello does not need libzeroservices.so.0"
readelf -d one/hello | grep NEEDED | grep -Eq 'zmq|sodium|crypto|uv|yaml|jansson' &&
    fail "hello needs what only the library should"

must cc -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Werror -pthread threads.c \
    "${flags[@]}" -o one/threads

mkdir two
cp one/hello.c threads.c two/
cat >two/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.18)
project(two LANGUAGES C CXX)
find_package(zeroservices 0.1 REQUIRED CONFIG)
find_package(Threads REQUIRED)
add_executable(hello hello.c)
target_link_libraries(hello PRIVATE zeroservices)
add_executable(threads threads.c)
target_link_libraries(threads PRIVATE zeroservices Threads::Threads)
file(WRITE ${CMAKE_BINARY_DIR}/plus.cc
     "#include <zeroservices.h>\nint main() { return *zs_version() == 0; }\n")
add_executable(plus ${CMAKE_BINARY_DIR}/plus.cc)
target_link_libraries(plus PRIVATE zeroservices)
END
must env CXXFLAGS="$CFLAGS" cmake -S two -B two/build \
    -DCMAKE_PREFIX_PATH="$prefix"
must cmake --build two/build
must two/build/plus

# --- Eight threads, by either

for by in one two/build; do
    timeout 400 $by/threads 1000 >threads.out 2>&1 ||
        fail "$by/threads: $(tail -n 20 threads.out)"
    grep -q '^6750 delivered, 1125 replied, 1125 published' threads.out ||
        fail "$by/threads: $(cat threads.out)"
done

# --- hello: two programs and a passphrase

a=$((20000 + RANDOM % 10000))
b=$((a + 1))
quiet=(discovery.multicast false listen.interfaces "" listen.interfaces lo)
spawn hello-alice one/hello alice 'correct horse' "${quiet[@]}" \
    listen.port $a discovery.peers 127.0.0.1:$b
spawn hello-bob two/build/hello bob 'correct horse' "${quiet[@]}" \
    listen.port $b discovery.peers 127.0.0.1:$a
says hello-alice.out 'bob is here'
says hello-alice.out 'bob says hello'
says hello-bob.out 'alice says hello'
one/hello alice x no.such key >wrong.out 2>&1 && fail "a wrong key is right"
says wrong.out 'unknown key'
wait "${pids[@]}" || fail "hello did not end well"
pids=()

# --- chat, request and sensor: identities of a mesh, and an edge among them

must "$bin/zs" mesh create lab --dir lab
conf() { # NAME PORT-OF-ITS-OWN PORT-OF-ANOTHER
    must "$bin/zs" mesh add "$1" --dir lab
    cat >"$1.yaml" <<END
node: {identity: lab/$1.zs, groups: [sensors]}
listen: {port: $2, interfaces: [lo]}
discovery: {multicast: false, peers: ["127.0.0.1:$3"]}
END
}
conf edge $a $b
conf alice $b $a
conf bob $((b + 1)) $b # who so meets alice alone
export ZS_SOCKET=$work/edge.sock
spawn edge "$bin/zs-edge" -c edge.yaml --socket "$ZS_SOCKET"
says edge.out edge_started

spawn serve one/request alice.yaml
must "$bin/zs" wait --peer alice --timeout 100s
"$bin/zs" request alice question '"?"' >reply.out 2>&1 ||
    fail "zs request: $(cat reply.out)"
grep -Eq '[0-9]{9}' reply.out || fail "the reply is no time: $(cat reply.out)"
timeout 100 one/request bob.yaml 'what time is it?' >ask.out 2>&1 ||
    fail "request did not end well"
grep -Eq '^[0-9]{9,}$' ask.out || fail "asked: $(cat ask.out)"
kill "${pids[1]}"
says edge.out 'peer_left name=alice'

mkfifo lines
exec 4<>lines
spawn chat one/chat alice.yaml <lines 4>&-
exec 3>lines 4>&-
says chat.out 'edge joins'
spawn listen timeout 400 "$bin/zs" listen --json 3>&-
says listen.out '"event":"synced"'
echo 'hello to all' >&3
echo '@edge only for you' >&3
echo '@nobody hello?' >&3
says listen.out '"event":"event".*"data":"hello to all"'
says listen.out '"event":"message".*"data":"only for you"'
says chat.out 'not delivered: the peer is not present'
"$bin/zs" send alice chat 'a private word' || fail "zs send to the chat"
says chat.out 'edge: a private word'

spawn sensor one/sensor bob.yaml 3 3>&-
says chat.out 'bob: {"load":[0-9.]*}'
says sensor.out 'ok, to 1'
says chat.out 'bob leaves: closed'
exec 3>&-
says listen.out '"event":"leave".*"name":"alice".*"closed"'
exit $failed
