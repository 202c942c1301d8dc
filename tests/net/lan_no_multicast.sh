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

edge alice alice
edge bob bob
answers alice bob
alone() { [ -z "$(at alice peers --json)$(at bob peers --json)" ]; }
check "without a relay they do not meet" for_seconds 3 alone
start_relay hub hub
sees alice bob tcp 3s
sees bob alice tcp 3s
says alice bob
numbers alice bob
finish
