#!/bin/bash
# An edge under attack by a member, by one that was revoked, and by one of its
# relays, while alice, the victim, and bob talk by a direct link.
#
#   here: hub (relay, 127.0.0.1:443), alice (127.0.0.1:40001), bob,
#         two relays that alice uses too, and that lie (127.0.0.1:444 and 445)
. "$(dirname "$0")/../net/lab.sh"
. "$NET_DIR/../adversary/stage.sh"

door=127.0.0.1:40001
hub=127.0.0.1:443
mib=96 # limits.memory, 64 MiB, and what an edge has anyway

stage
liars=
for port in 444 445; do
    "$ZS_BIN/zs-relay" init "$LAB/liar-$port" --host 127.0.0.1 --port $port \
        --mesh "$MESH_ID" >"$LAB/liar.out"
    liars+="${liars:+, }'$(grep -oE 'tcp://[^ ]+' "$LAB/liar.out" | head -n 1)'"
done
conf alice "relays: [$liars]"
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
    lie inits $hub $(by trudy) --rate 1000
    under_attack "1,000 announcements and as many recorded INITs a second" $mib
    check_lie "INIT is answered once" 1 answers 1 1

    publishing alice
    lie unknown $door $(by mallory) --count 200
    needs sent 1
    under_attack "GROUP_ACK UNKNOWN, 1,600 in a packet" $mib
    end publisher

    "$ZS_BIN/zs" mesh revoke trudy --dir "$LAB/office" >>"$LAB/office.out" 2>&1
    check "alice takes the list" at alice revoke "$LAB/office/revoked.zs"
    lie frames $door $(by trudy) --size 65536
    under_attack "endless frames of a revoked member" $mib
    check_lie "who is not greeted" 0 opened 0 0
}

lie relay 127.0.0.1:444 --key-file "$LAB/liar-444/relay.key" --count 1 --seconds 4
lie relay 127.0.0.1:445 --key-file "$LAB/liar-445/relay.key" --count 2 --seconds 4
needs opened 1 each
under_attack "endless frames of two relays, before and after WELCOME" $mib

stage_end
finish
