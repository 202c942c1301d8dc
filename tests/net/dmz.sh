#!/bin/bash
# (g) A DMZ: from the inside connections may be opened to it, never from it.
# Direct all the same, whoever begins; by the relay, and by discovery.peers.
#
#   alice---[ inside ]---wall---[ dmz ]---bob
#                         |
#                      [ street ]---hub (relay, 203.0.113.10:443)
. "$(dirname "$0")/lab.sh"

lan inside
lan dmz
lan street
router wall
plug wall inside 198.18.1.1/24
plug wall dmz 198.18.2.1/24
plug wall street 203.0.113.1/24
host alice
host bob
host hub
plug alice inside 198.18.1.2/24
plug bob dmz 198.18.2.2/24
plug hub street 203.0.113.10/24
gateway alice 198.18.1.1
gateway bob 198.18.2.1
gateway hub 203.0.113.1
one_way wall eth0 eth1 # and so bob can open nothing to alice

mesh office
relay_of_mesh office hub 203.0.113.10
member office alice
member office bob
start_relay hub hub
edge alice alice
edge bob bob
answers alice bob
sees alice bob tcp 5s
sees bob alice tcp 5s
says alice bob
says bob alice
numbers alice bob
end alice
end bob
end hub

mesh lonely # has no relay
member lonely alice
member lonely bob
conf alice 'discovery: {peers: ["198.18.2.2:9083"]}'
edge bob bob
answers bob
edge alice alice
answers alice
sees alice bob tcp 5s
sees bob alice tcp 5s
says bob alice
finish
