#!/bin/bash
# deploy/guide/proxies.md: an office from which only the proxy gets out.
#
#   alice---[ office ]---proxy---[ street ]---server, 203.0.113.10
command -v tinyproxy >/dev/null || {
    echo "guide_proxies: tinyproxy is not installed (deploy/setup test): skipped" >&2
    exit 77
}
. "$(dirname "$0")/guide.sh"

lan office
lan street
host server
plug server street 203.0.113.10/24
host proxy # It forwards nothing by itself.
plug proxy office 192.168.1.2/24
plug proxy street 203.0.113.2/24
host alice
plug alice office 192.168.1.20/24
gateway alice 192.168.1.2
guide proxies.md
finish
