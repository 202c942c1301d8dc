#!/bin/bash
# (c) Two NATs that masquerade and let nothing in; both homes use the same
# addresses, as homes do: bob's own address is also one of alice's neighbours.
#
#   alice---[ home1 ]---gate1---[ street ]---gate2---[ home2 ]---bob
#                                  |
#                                 hub (relay, 203.0.113.10:443)
#
# gate2 gives every connection another outside port (a symmetric NAT). They talk
# by the relay, and directly over UDP once many sockets have found a way.
. "$(dirname "$0")/lab.sh"
LAB_PATHS=

lan street
host hub
plug hub street 203.0.113.10/24
for i in 1 2; do
    lan home$i
    router gate$i
    plug gate$i home$i 198.18.1.1/24
    plug gate$i street 203.0.113.$i/24
done
nat gate1 eth1
nat gate2 eth1 random
host alice
host bob
plug alice home1 198.18.1.2/24
plug bob home2 198.18.1.2/24
gateway alice 198.18.1.1
gateway bob 198.18.1.1

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob

start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob '*' 5s
sees bob alice '*' 5s
check_logged "alice met bob by the relay" alice 'peer_joined .*path=relay'
check_logged "and bob alice" bob 'peer_joined .*path=relay'
says alice bob
says bob alice
numbers alice bob
sees alice bob udp 20s
sees bob alice udp 20s
numbers alice bob
check "still over UDP" test udp = "$(path_of alice bob)"
finish
