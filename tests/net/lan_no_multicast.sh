#!/bin/bash
# (b) A LAN that drops multicast, and a relay: they meet by the relay, and go
# direct by themselves.
#
#   alice---[ home, no multicast ]---bob
#                    |
#                   hub (relay, 198.18.1.1:443)
. "$(dirname "$0")/lab.sh"

lan home
no_multicast home
host hub
host alice
host bob
plug hub home 198.18.1.1/24
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24

mesh office
relay_of_mesh office hub 198.18.1.1
member office alice
member office bob

start_relay hub hub
edge alice alice
answers alice
listen alice "$LAB/alice.json"
edge bob bob
answers bob
sees alice bob tcp 3s
sees bob alice tcp 3s
check "they met by the relay" stamped_ms "$LAB/alice.json" 0 '"join"' '"relay"'
says alice bob
numbers alice bob
finish
