#!/bin/bash
# deploy/guide/beside-a-web-site.md
#
#   alice, 203.0.113.7---[ street ]---server, 203.0.113.10
for program in nginx haproxy; do
    command -v $program >/dev/null || {
        echo "guide_beside: $program is not installed (deploy/setup test): skipped" >&2
        exit 77
    }
done
. "$(dirname "$0")/guide.sh"

lan street
host server
plug server street 203.0.113.10/24
host alice
plug alice street 203.0.113.7/24
printf '%s\n' '127.0.0.1 localhost' \
    '203.0.113.10 relay.example.org www.example.org' >"$LAB/etc-hosts"
mount --bind "$LAB/etc-hosts" /etc/hosts
guide beside-a-web-site.md \
    "/usr/local/share/doc/zeroservices/deploy/samples=$GUIDE_TOP/deploy/samples"
finish
