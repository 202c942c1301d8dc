#!/bin/bash
# deploy/guide/first-lan.md
#
#   alice---[ home ]---bob
. "$(dirname "$0")/guide.sh"

lan home
host alice
host bob
plug alice home 192.168.1.20/24
plug bob home 192.168.1.30/24
guide first-lan.md
finish
