#!/bin/bash
# (d) Each host's firewall passes nothing but TCP to port 443 of the relay, not
# even DNS or ping.
#
#   alice|---[ office ]---|bob
#               |
#              hub (relay, 198.18.1.1:443)
. "$(dirname "$0")/lab.sh"

lan office
host hub
host alice
host bob
plug hub office 198.18.1.1/24
plug alice office 198.18.1.2/24
plug bob office 198.18.1.3/24
only_tcp_to alice 198.18.1.1 443
only_tcp_to bob 198.18.1.1 443

mesh office
relay_of_mesh office hub 198.18.1.1
member office alice
member office bob

start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob relay 5s
sees bob alice relay 5s
says alice bob
says bob alice
numbers alice bob
check "still by the relay" test relay = "$(path_of alice bob)"
finish
