#!/bin/bash
# deploy/guide/troubleshooting.md: what it says happens is made to happen.
#
#   alice---[ home ]---bob
#              |
#             gate---[ street ]---server, 203.0.113.10
. "$(dirname "$0")/guide.sh"

lan home
lan street
host server
plug server street 203.0.113.10/24
router gate
plug gate home 192.168.1.1/24
plug gate street 203.0.113.1/24
nat gate eth1
host alice
host bob
plug alice home 192.168.1.20/24
plug bob home 192.168.1.30/24
gateway alice 192.168.1.1
gateway bob 192.168.1.1
guide troubleshooting.md
finish
