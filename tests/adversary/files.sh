#!/bin/bash
# Daemons with few descriptors, attacked by more strangers than descriptors.
#
#   here: hub (relay, 127.0.0.1:443), alice (127.0.0.1:40001, HTTP on 8080), bob
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

hub=127.0.0.1:443
door=127.0.0.1:40001
socket=/run/zeroservices/alice.sock
web=127.0.0.1:8080
mib=64

with_files() { # FILES NAME PROGRAM [options]
    local files=$1 name=$2 program=$3
    shift 3
    spawn "$name" here prlimit "--nofile=$files:$files" "$ZS_BIN/$program" "$@"
}

silent() { # VICTIM FILES ADDRESS
    lie silent "$3" --count 1000 --spread 50
    meanwhile "zs at alice" 2000 asks alice status
    under_attack "$1 with $2 files and 1,000 silent strangers" $mib
    check "its log stays short" test "$(stat -c %s "$LAB/$1.log")" -lt 200000
}

at_each_door() { # FILES
    lie silent $door --count 300
    lie api-idle $socket --count 300
    lie silent $web --count 300
    meanwhile "zs at alice" 2000 served_or_told alice
    under_attack "alice with $1 files, and 300 silent ones at each door" $mib
    check "zs at alice afterwards" until_true 5 asks alice status
}

stage
edge here bob
# With 72 files there is room for alice's own, and a few; without HTTP.
for files in 72 256; do
    http=(--http $web)
    [ $files != 72 ] || http=()
    with_files $files alice zs-edge -c "$LAB/alice.yaml" \
        --socket $socket "${http[@]}"
    answers alice bob
    sees alice bob tcp 10s
    watch alice
    silent alice $files $door
    [ $files = 72 ] || at_each_door $files
    stage_end
    stops alice
    rm "$LAB/alice.log"
done

# By the relay now: bob has no listener, and calls nobody.
conf bob "paths: {tcp: false, udp: false}"
stops bob
with_files 256 hub zs-relay -c "$LAB/hub/relay.yaml"
until_true 10 lab_listens here
meet relay
watch hub
silent hub 256 $hub
stage_end
finish
