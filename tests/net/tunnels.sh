#!/bin/bash
# An edge behind a firewall that looks inside reaches its relay by itself, in
# the form that passes; and in the next one when that passes no longer.
#
#   alice---[ inside ]---gate---[ street ]---hub (relay.lab, 203.0.113.10)
#                                   |
#                                  bob| (who may only reach the relay's 443)
#
#     tunnels.sh [--full] [--only SITUATION,...]
#
#     open       everything to 443 passes
#     sni        443 only, and what begins as TLS with a host's name
#     http       80 only, and what begins as an HTTP request
#     inspected  443 only, by somebody who opens the TLS
#     cut        each connection is reset after 5 s
#     hold       small pieces are kept back
#     portal     a captive portal, which later lets through
#     ipv6       there is no IPv4; ipv6-sni: as sni, too
#     dead       the relay's name has a first address that is dead
#     closes     443 is closed under traffic, by resets
#     swallows   443 is closed under traffic, in silence
#     changes    443 is inspected from now on, under traffic, and then closed
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/load.sh"
. "$NET_DIR/middleboxes.sh"
. "$NET_DIR/relay_forms.sh"
forms_options "$@"
needs nginx mitmdump openssl

lan inside
lan street
router gate
as gate sysctl -qw net.ipv6.conf.all.forwarding=1
host alice
host bob
host hub
plug gate inside 198.18.0.1/24 2001:db8:1::1/64
plug gate street 203.0.113.1/24 2001:db8:5::1/64
plug alice inside 198.18.0.2/24
plug bob street 203.0.113.3/24
plug hub street 203.0.113.10/24 2001:db8:5::10/64
gateway alice 198.18.0.1
gateway hub 203.0.113.1
ip -n hub -6 route add default via 2001:db8:5::1
only_tcp_to bob 203.0.113.10 443
names relay.lab=203.0.113.10
office hub alice bob

start_bob

# What a wall lets through of CurveZMQ's first bytes, to be sure that it is one.
greeting='\xff\0\0\0\0\0\0\0\x01\x7f'
refuses() { # PORT BYTES WHAT
    check "the wall refuses $3 on $1" lab_refused "$1" "$2"
}
lab_refused() { # PORT BYTES - no answer within a second, or a reset
    ! as alice timeout 1 bash -c 'exec 3<>"/dev/tcp/203.0.113.10/$0" &&
        printf "$1" >&3 && cat <&3' "$@" 2>/dev/null | grep -a .
}

if wanted open; then
    wall gate 443
    fresh alice
    meets open "443 is open" tcp 1000
fi

middlebox tls gate 7443 tls
middlebox http gate 7080 http

if wanted sni; then
    wall gate reset 443:7443
    refuses 443 "$greeting" CurveZMQ
    refuses 443 'GET / HTTP/1.1\r\n\r\n' HTTP
    fresh alice
    meets sni "443 is inspected: TLS with a name" wss 2000
    check "sni: the hello names the relay" grep -q 'pass .*:443 relay.lab' "$LAB/tls.log"
fi

if wanted http; then
    wall gate reset 80:7080
    refuses 80 "$greeting" CurveZMQ
    refuses 443 "$greeting" anything
    fresh alice
    meets http "only 80 is open, and inspected: HTTP" ws 2000
    check "http: the request names the relay" grep -q 'pass .*:80 relay.lab' "$LAB/http.log"
fi

if wanted inspected; then
    mitm mitm gate 7444
    wall gate reset 443:7444
    refuses 443 "$greeting" CurveZMQ
    fresh alice
    meets inspected "443, and somebody opens the TLS" wss 2000
    end mitm
fi

if wanted ipv6 || wanted ipv6-sni; then
    names relay.lab=2001:db8:5::10
    ip -n alice address del 198.18.0.2/24 dev eth0
    ip -n alice address add 2001:db8:1::2/64 dev eth0 nodad
    ip -n alice -6 route add default via 2001:db8:1::1
    if wanted ipv6; then
        wall gate 443
        fresh alice
        meets ipv6 "no IPv4" tcp 1000
    fi
    if wanted ipv6-sni; then
        wall gate reset 443:7443
        fresh alice
        meets ipv6-sni "no IPv4, and 443 is inspected" wss 2000
    fi
    ip -n alice address del 2001:db8:1::2/64 dev eth0
    ip -n alice address add 198.18.0.2/24 dev eth0
    gateway alice 198.18.0.1
    names relay.lab=203.0.113.10
fi

# 203.0.113.99 is nobody's.
if wanted dead; then
    wall gate 443
    names relay.lab=203.0.113.99 relay.lab=203.0.113.10
    fresh alice
    meets dead "the name's first address is dead" tcp 2000
    names relay.lab=203.0.113.10
fi
resets() { [ "$(grep -c '^cut' "$LAB/cutter.log")" -ge "$1" ]; }
if wanted cut; then
    middlebox cutter gate 7500 any --cut 5000
    wall gate 443:7500
    fresh alice
    start_alice
    # What cuts all forms alike lets any of them be the next.
    changes cut '?*' until_true 30 resets 2
fi

if wanted hold; then
    middlebox holder gate 7501 any --hold 50
    wall gate 443:7501
    fresh alice
    AGAIN_MS=2000 # Each way of the handshake takes longer.
    meets hold "small pieces are kept back" tcp 2000
    AGAIN_MS=500
fi

if wanted portal; then
    portal portal gate 8080 8443
    wall gate reset 80:8080 443:8443
    fresh alice
    end alice
    edge alice alice
    answers alice
    check "portal: alice says that there is one" until_true 10 says_error alice \
        captive_portal
    wall gate 443
    first_since "$(now_us)"
    check_ms "portal: first message since it opened" "$FIRST_MS" 2000 "$FIRST_SINCE"
    check "portal: the form is tcp" settles alice tcp
    end portal
fi

# Under traffic 443 is closed.
if wanted closes; then
    wall gate 443 80:7080
    fresh alice
    start_alice
    check "closes: first by tcp" settles alice tcp
    changes closes ws wall gate reset 80:7080
fi

# The same, but the firewall says nothing: silence tells it.
if wanted swallows; then
    wall gate 443 80:7080
    fresh alice
    start_alice
    check "swallows: first by tcp" settles alice tcp
    changes swallows ws wall gate 80:7080
fi

# Under traffic the firewall begins to inspect 443, and then closes it: what it
# passed on so far ends, too.
close_inspected() {
    wall gate reset 80:7080
    end tls
}
if wanted changes; then
    wall gate 443 80:7080
    fresh alice
    start_alice
    check "changes: first by tcp" settles alice tcp
    changes tcp-wss wss wall gate 443:7443 80:7080
    changes wss-ws ws close_inspected
fi
forms_table
finish
