#!/bin/bash
# deploy/guide/relay.md: two homes behind NATs that let nothing in.
#
#   alice---[ home1 ]---gate1---[ street ]---gate2---[ home2 ]---bob
#                                   |
#                                 server, 203.0.113.10
. "$(dirname "$0")/guide.sh"

lan street
host server
plug server street 203.0.113.10/24
for i in 1 2; do
    lan home$i
    router gate$i
    plug gate$i home$i 192.168.1.1/24
    plug gate$i street 203.0.113.$i/24
    nat gate$i eth1
done
host alice
host bob
plug alice home1 192.168.1.20/24
plug bob home2 192.168.1.20/24
gateway alice 192.168.1.1
gateway bob 192.168.1.1
guide relay.md
finish
