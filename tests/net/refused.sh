#!/bin/bash
# Who does not belong here is refused, with one clear line at both ends; nothing
# of theirs passes, and nobody falls over.
#
#   alice---[ home ]---mallory
#             |
#           router---[ street ]---hub (relay, 203.0.113.10:443)
#                        |
#                      trudy|  a firewall passes only the relay's 443
#
# mallory tries it on the LAN, trudy at the relay. Where their own programs
# would not even start, liar.c takes the scruples away.
. "$(dirname "$0")/lab.sh"

lan home
lan street
router router
plug router home 198.18.1.1/24
plug router street 203.0.113.1/24
host hub
plug hub street 203.0.113.10/24
gateway hub 203.0.113.1
host alice
plug alice home 198.18.1.2/24
gateway alice 198.18.1.1
host mallory
plug mallory home 198.18.1.3/24
gateway mallory 198.18.1.1
host trudy
plug trudy street 203.0.113.66/24
only_tcp_to trudy 203.0.113.10 443

cc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -shared -fPIC \
    -o "$LAB/liar.so" "$NET_DIR/liar.c"
liar=(env "LD_PRELOAD=$LAB/liar.so")

mesh office
relay_of_mesh office hub 203.0.113.10
hub_url=$RELAY_URL
start_relay hub hub
member office alice
edge alice alice
answers alice
listen alice "$LAB/alice.json"

bad_edge() { # HOST NAME [env VAR=VALUE...]
    local where=$1 name=$2
    shift 2
    : >"$LAB/$name.log"
    spawn "$name" "$where" "$@" "$ZS_BIN/zs-edge" -c "$LAB/$name.yaml" \
        --socket "/run/zeroservices/$name.sock"
}

has_refusal() { grep -E 'refused' "$LAB/$1.log" | grep -qE "$2"; }
count_refusals() { grep -E 'refused' "$LAB/$1.log" | grep -cE "$2"; }

# One line, and not one for each try, at this end.
one_line() { # WHAT LOG REASON
    local lines
    if ! until_true 8 has_refusal "$2" "$3"; then
        not_ok "$1: a line in $2's log"
        return
    fi
    lines=$(count_refusals "$2" "$3")
    if [ "$lines" -le 2 ]; then
        ok "$1: a line in $2's log" "$(grep -E 'refused' "$LAB/$2.log" |
            grep -m 1 -E "$3" | cut -c 26-)"
    else
        not_ok "$1: one line in $2's log" "$lines"
    fi
}

shut_out() { # WHAT NAME - it sees nobody, nobody sees it, nothing passes.
    check "$1: $2 still runs" running "$2"
    check "$1: $2 sees nobody" test -z "$(at "$2" peers --json)"
    check "$1: $2's message does not pass" \
        test 5 = "$(at "$2" send alice t intrusion >&2; echo $?)"
    end "$2"
}

# --- Another mesh's nodes.
mesh other
"$ZS_BIN/zs" mesh relay --dir "$LAB/other" "$hub_url"
member other mallory
member other trudy
bad_edge mallory mallory
bad_edge trudy trudy
answers mallory trudy
one_line "wrong mesh" alice wrong_mesh
one_line "wrong mesh" mallory wrong_mesh
one_line "wrong mesh" hub mesh_unknown
one_line "wrong mesh" trudy mesh_unknown
shut_out "wrong mesh" mallory
shut_out "wrong mesh" trudy

# --- Expired.
member office late1 --expires 1s
member office late2 --expires 1s
expired_at=$(($(date +%s) + 2))
has_expired() { [ "$(date +%s)" -ge $expired_at ]; }
until_true 5 has_expired
bad_edge mallory late1
bad_edge trudy late2
answers late1 late2
check "expired: late1 says so itself" until_true 3 \
    grep -q 'certificate_not_valid.*expired' "$LAB/late1.log"
one_line expired alice 'expired name=late1'
one_line expired late1 'by_peer reason=expired'
one_line expired hub 'expired name=late2'
one_line expired late2 'by_relay reason=expired'
shut_out expired late1
shut_out expired late2

# --- One that expires while it is here leaves.
# A machine that took longer than its time to start it gets another one, with
# more of it.
for seconds in 3 10 30; do
    brief=brief$seconds
    member office $brief --expires ${seconds}s
    since=$(now_us)
    edge mallory $brief
    ! within $seconds stamped_ms \
        "$LAB/alice.json" "$since" '"join"' "\"$brief\"" || break
    end $brief
done
check "expiring: seen while it is good" \
    stamped_ms "$LAB/alice.json" "$since" '"join"' "\"$brief\""
check "expiring: gone when it is not" until_true $((seconds + 3)) \
    stamped_ms "$LAB/alice.json" "$since" '"leave"' "\"$brief\""
one_line "expiring" alice "expired name=$brief"
one_line "expiring" $brief 'by_relay reason=expired'
end $brief

# --- Forged: a good certificate with another name in it.
member office malle
member office trude
python3 "$NET_DIR/rename_certificate.py" office/malle.zs malle carol
python3 "$NET_DIR/rename_certificate.py" office/trude.zs trude frank
own_word() { # NAME PATTERN - it does not start, exit 3, and says why.
    local code=0
    as mallory timeout 30 "$ZS_BIN/zs-edge" -c "$LAB/$1.yaml" \
        >"$LAB/own.log" 2>&1 || code=$?
    [ "$code" = 3 ] && grep -qE "$2" "$LAB/own.log"
}
check "forged: does not start by itself" own_word malle forged
bad_edge mallory malle "${liar[@]}"
bad_edge trudy trude "${liar[@]}"
answers malle trude
one_line forged alice forged
one_line forged malle forged
one_line forged hub forged
one_line forged trude forged
shut_out forged malle
shut_out forged trude

# --- Another node's name, certified by mistake in another folder.
mkdir twin
cp -p office/mesh.key twin/
"$ZS_BIN/zs" mesh add alice --dir "$LAB/twin" >twin.out 2>&1
conf_of alice2 "node: {identity: twin/alice.zs}"
bad_edge mallory alice2
answers alice2
one_line "another's name" alice name_taken
one_line "another's name" alice2 'refused_by_peer reason=name_taken'
check "another's name: alice has no second alice" \
    test -z "$(path_of alice alice)"
end alice2
# At the relay, after alice.
bad_edge trudy alice2
answers alice2
one_line "another's name" hub name_taken
end alice2

# --- Revoked while it is here, and when it comes again.
for name in bob rob; do # each on a disk of its own: they share no list
    member office $name
    mkdir "$name.d"
    mv office/$name.zs $name.d/
    conf_of $name "node: {identity: $name.d/$name.zs}"
done
since=$(now_us)
edge mallory bob
edge trudy rob
check "revoked: bob was here" until_true 5 \
    stamped_ms "$LAB/alice.json" "$since" '"join"' '"bob"'
check "revoked: rob was here" until_true 5 \
    stamped_ms "$LAB/alice.json" "$since" '"join"' '"rob"'
"$ZS_BIN/zs" mesh revoke bob --dir "$LAB/office" >>office.out 2>&1
"$ZS_BIN/zs" mesh revoke rob --dir "$LAB/office" >>office.out 2>&1
since=$(now_us)
check "revoked: alice takes the list" at alice revoke office/revoked.zs
for name in bob rob; do
    check "revoked: $name is gone" until_true 3 stamped_ms \
        "$LAB/alice.json" "$since" '"leave"' "\"$name\"" '"revoked"'
done
end bob
end rob
rm -f bob.d/revoked.zs rob.d/revoked.zs # as if they had never heard of it
bad_edge mallory bob
bad_edge trudy rob
one_line revoked alice revoked
one_line revoked bob revoked
one_line revoked hub revoked
one_line revoked rob revoked
end bob
end rob

# --- A relay with another key than the one pinned.
"$ZS_BIN/zs-relay" init "$LAB/fake" --host 203.0.113.10 --mesh "$MESH_ID" \
    >fake.out 2>&1
member office dave
fake_url=$(grep -oE 'tcp://[^ ]+' fake.out | head -n 1)
fake_key=${fake_url#*key=}
# Without its checksum, as of version 1, the file may be changed by hand.
sed -i "s|key=[0-9a-f]*|key=$fake_key|; s/^version: 2/version: 1/; /^checksum:/d" \
    office/dave.zs
bad_edge trudy dave
answers dave
down() { at dave status --json | grep -qE '"state": *"(down|connecting)"'; }
check "wrong relay key: not up" until_true 3 down
says_key() { # LOG PATTERN
    if until_true 8 grep -qE "$2" "$LAB/$1.log"; then
        ok "wrong relay key: a line in $1's log" \
            "$(grep -m 1 -E "$2" "$LAB/$1.log" | cut -c 26-)"
    else
        not_ok "wrong relay key: a line in $1's log"
    fi
}
says_key dave 'relay.*(handshake|key)'
says_key hub 'handshake|curve'
shut_out "wrong relay key" dave

# --- And all who belong here are as they were.
check "alice still runs" running alice
check "the relay still runs" running hub
member office erin
edge trudy erin
answers erin
sees alice erin relay 5s
says erin alice
check "no bad one's message came" test 0 = \
    "$(grep -c intrusion "$LAB/alice.json")"
finish
