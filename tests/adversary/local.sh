#!/bin/bash
# An edge under attack by local programs, at the API's socket and at its HTTP
# port, while it and bob talk for other local programs.
#
#   here: alice (HTTP on 127.0.0.1:8080), bob
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"
# The node and these programs share one loop, and 64 times 15 MiB take as long as
# the machine's memory is slow. A program that holds the node up costs seconds.
P99_MS=250 RECOVERY_MS=15000

socket=/run/zeroservices/alice.sock
web=127.0.0.1:8080
mib=128

stage
conf alice "api: {http: '$web'}"
meet tcp
watch alice
token=(--token "$(cat /run/zeroservices/alice.token)")
page=(timeout 60 nsenter --net=/run/netns/here python3 "$NET_DIR/../cli/web.py" get "http://$web/healthz")

lie api-flood $socket --count 60
meanwhile "an honest zs" 2000 asks alice status
meanwhile "an honest ping" 2000 asks alice ping bob -c 1
under_attack "60 programs that ask for status and do not read" $mib

lie api-lines $socket --count 64 --size 15728640
meanwhile "an honest zs" 2000 asks alice status
under_attack "64 lines of 15 MiB that do not end" $mib

# It is the owner of the host who runs them: who comes then is told so.
lie api-idle $socket --count 400
meanwhile "an honest zs is told" 2000 served_or_told alice
under_attack "every client's place taken by one that says nothing" $mib

lie web-flood $web --count 60 "${token[@]}"
meanwhile "an honest zs" 2000 asks alice status
meanwhile "an honest page" 2000 "${page[@]}"
under_attack "60 WebSockets that ask for status and do not read" $mib

lie web-large $web --count 64 --size 15728640 "${token[@]}"
meanwhile "an honest page" 2000 "${page[@]}"
under_attack "64 WebSocket messages of 15 MiB that do not end" $mib

lie web-slow $web --count 128
lie silent $web --count 200
meanwhile "an honest page" 2000 "${page[@]}"
under_attack "128 slow HTTP clients, and 200 silent ones" $mib

stage_end
finish
