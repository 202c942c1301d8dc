#!/bin/bash
# An edge under attack by a member, by one that was revoked, and by one of its
# relays, while alice, the victim, and bob talk by a direct link.
#
#   here: hub (relay, 127.0.0.1:443), alice (127.0.0.1:40001), bob,
#         liar (127.0.0.1:444), a relay that alice uses too
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

door=127.0.0.1:40001
hub=127.0.0.1:443
mib=96

stage
"$ZS_BIN/zs-relay" init "$LAB/liar" --host 127.0.0.1 --port 444 \
    --mesh "$MESH_ID" >"$LAB/liar.out"
conf alice "relays: ['$(grep -oE 'tcp://[^ ]+' "$LAB/liar.out" | head -n 1)']"
start_relay hub here
meet tcp
learn alice
watch alice

by() { # NAME - the options of a member that knows alice
    echo "--key $LINK_KEY --relay $hub --relay-key $RELAY_KEY" \
        "--victim alice --identity $LAB/office/$1.zs"
}

# shellcheck disable=SC2046 # options, a word each
{
    lie frames $door $(by mallory) --size 65536
    lie frames $door $(by trudy) --size 1
    under_attack "endless frames of two members" $mib

    lie announce $door $(by mallory) --rate 1000
    under_attack "1,000 new announcements a second" $mib

    lie inits $hub $(by mallory) --rate 1000
    under_attack "one session INIT, 1,000 times a second" $mib
    check_lie "is answered once" 0 answers 1 1

    publishing alice
    lie unknown $door $(by mallory) --count 200
    under_attack "GROUP_ACK UNKNOWN, 1,600 in a packet" $mib
    check_lie "the attack took place" 0 sent 1 200
    end publisher

    "$ZS_BIN/zs" mesh revoke trudy --dir "$LAB/office" >>"$LAB/office.out" 2>&1
    check "alice takes the list" at alice revoke "$LAB/office/revoked.zs"
    lie frames $door $(by trudy) --size 65536
    under_attack "endless frames of a revoked member" $mib
    check_lie "who is not greeted" 0 opened 0 0
}

lie relay 127.0.0.1:444 --key-file "$LAB/liar/relay.key" --count 1 --seconds 5
under_attack "endless frames of a relay, before WELCOME" $mib
check_lie "the attack took place" 0 opened 1 1000
lie relay 127.0.0.1:444 --key-file "$LAB/liar/relay.key" --count 2 --seconds 5
under_attack "endless frames of a relay, after WELCOME" $mib
check_lie "the attack took place" 0 opened 1 1000

stage_end
finish
