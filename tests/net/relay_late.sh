#!/bin/bash
# (e) No relay at the start: the LAN works without it; once it comes, it is
# used within 5 s, and again after it went and came.
#
#   alice---[ home ]---bob
#             |
#           router---[ street ]---hub (relay, 203.0.113.10:443, comes late)
#             |
#           [ away ]---carol (behind a NAT)
. "$(dirname "$0")/lab.sh"

lan home
lan street
lan away
router router
plug router home 198.18.1.1/24
plug router street 203.0.113.1/24
plug router away 198.18.2.1/24
host hub
host alice
host bob
host carol
plug hub street 203.0.113.10/24
plug alice home 198.18.1.2/24
plug bob home 198.18.1.3/24
plug carol away 198.18.2.2/24
for name in alice bob; do gateway $name 198.18.1.1; done
gateway carol 198.18.2.1
one_way router eth0 eth1
as router nft add rule inet one_way through \
    iifname eth0 oifname eth2 drop
as router nft add rule inet one_way through \
    iifname eth2 oifname eth0 drop
as router nft add table inet hide
as router nft "add chain inet hide out \
    { type nat hook postrouting priority srcnat; }"
as router nft add rule inet hide out oifname eth1 masquerade

mesh office
relay_of_mesh office hub 203.0.113.10
for name in alice bob carol; do member office $name; done

for name in alice bob carol; do edge $name $name; done
answers alice bob carol
sees alice bob tcp 3s
says alice bob
check "carol is not seen yet" test -z "$(path_of alice carol)"

soon() { # WHAT - alice and carol see each other within 5 s from now.
    local since
    since=$(now_us)
    sees alice carol relay 5s
    check_ms "$1" $((($(now_us) - since) / 1000)) 5000 "$since"
}
start_relay hub hub
soon "a relay that comes late is used"
sees carol bob relay 5s
says carol alice
numbers alice carol

end hub
carol_is_lost() { [ -z "$(path_of alice carol)" ]; }
check "without the relay carol is lost" until_true 10 carol_is_lost
check "and bob is not" test tcp = "$(path_of alice bob)"
start_relay hub hub
soon "a relay that comes back is used again"
says carol alice
finish
