#!/bin/bash
# Is each NAT of nat_lab.sh what its name says? Answered by programs that are
# not of this project: coturn's client finds mapping and filtering (RFC 5780) at
# coturn's server; the relay's STUN shows each site's outside address; a prober
# in Python punches between all pairs, by one socket each, and by 256.
export ZS_LAB_NO_PROGRAMS=1
. "$(dirname "$0")/lab.sh"
. "$NET_DIR/nat_lab.sh"

four="none full-cone home plain sym"
kinds="$four seq double lan isolated hairpin ipv6-only ipv6-firewall"
internet
for kind in $four seq double ipv6-only ipv6-firewall; do
    site west "$kind"
    site east "$kind"
done
site_shared lan
site_shared isolated
site_shared hairpin

# --- What stands between the sites --------------------------------------------

reaches() { as "$1" ping -q -c 1 -W 1 "${@:2}"; }
reaches_not() { ! reaches "$@"; }
check "a packet of TTL 3 passes two NATs of its own" reaches west-double -t 3 203.0.113.65
check "and dies before the other side's" reaches_not west-home -t 4 "${SITE_ADDRESS[east-none]}"
check "which is five routers away" reaches west-home -t 5 "${SITE_ADDRESS[east-none]}"
check "the sides of lan reach each other" reaches west-lan 192.168.2.2
check "those of isolated do not" reaches_not west-isolated 192.168.2.2
check "nor those of hairpin" reaches_not west-hairpin 192.168.2.2
check "IPv6 passes" reaches west-ipv6-firewall "${SITE_ADDRESS[east-ipv6-only]}"
check "nothing new enters a firewall" reaches_not west-ipv6-only "${SITE_ADDRESS[east-ipv6-firewall]}"
check "nor a NAT" reaches_not west-none "${SITE_ADDRESS[east-home]}"

# --- Mapping and filtering, by coturn -------------------------------------------

ip -n hub address add 203.0.113.11/29 dev eth0
ip -n hub address add 2001:db8:5::11/64 dev eth0 nodad
spawn coturn hub turnserver -n -S --no-tls --no-dtls --no-tcp --no-cli \
    -p 3478 -L $HUB -L 203.0.113.11 -L $HUB6 -L 2001:db8:5::11 -l stdout
coturn_listens() { as hub ss -Hlun 'sport = :3478' | grep -qF "$1"; }
for address in $HUB 203.0.113.11 $HUB6 2001:db8:5::11; do
    until_true 10 coturn_listens "$address" || not_ok "coturn listens at $address"
done

hub_for() { case $1 in ipv6*) echo $HUB6 ;; *) echo $HUB ;; esac }
for kind in $kinds; do
    spawn "natdiscovery-$kind" "west-$kind" \
        timeout 60 turnutils_natdiscovery -m -f "$(hub_for "$kind")"
done
for kind in $kinds; do
    case $kind in
    sym | seq) mapping="Address and Port Dependent" ;;
    *) mapping="Endpoint Independent" ;;
    esac
    case $kind in
    none | full-cone | ipv6-only) filtering="Endpoint Independent" ;;
    *) filtering="Address and Port Dependent" ;;
    esac
    until_true 60 lab_gone "natdiscovery-$kind"
    log="$LAB/natdiscovery-$kind.log"
    check "$kind: mapping $mapping" grep -qF "NAT with $mapping Mapping" "$log"
    check "$kind: filtering $filtering" grep -qF "NAT with $filtering Filtering" "$log"
    check "$kind: the outside address is ${SITE_ADDRESS[west-$kind]}" grep -qF \
        "UDP reflexive addr: ${SITE_ADDRESS[west-$kind]}:" "$log"
done

ports_in_sequence() { # KIND
    grep -oE 'reflexive addr: .*:[0-9]+' "$LAB/natdiscovery-$1.log" | awk -F: '
        NR > 1 && NR <= 3 && $NF != last + 1 { exit 1 } { last = $NF }'
}
check "seq: ports come in sequence" ports_in_sequence seq
ports_at_random() { ! ports_in_sequence "$1"; }
check "sym: they do not" ports_at_random sym

# --- Which pairs a plain prober punches -------------------------------------------

side() { # SIDE KIND OTHER_SIDE OTHER_KIND PAIR [options]
    as "$1-$2" "$NET_DIR/nat_punch.py" "$(hub_for "$2")" 3478 \
        "$LAB/$5.$1" "$LAB/$5.$3" "${@:6}" >"$LAB/$5.$1.punch" 2>&1 || true
}
punch() { # WEST EAST PAIR WEST'S_OPTION EAST'S_OPTION
    side west "$1" east "$2" "$3" ${4:+"$4"} &
    side east "$2" west "$1" "$3" ${5:+"$5"}
    wait $!
}
through() { # PAIR
    local side
    for side in west east; do grep -q ^through "$LAB/$1.$side.punch" || return; done
}

# WEST EAST HOW WEST'S_OPTION EAST'S_OPTION, a pair a line
pairs() {
    local west east
    for west in $four; do
        for east in $four; do echo "$west $east one"; done
    done
    for west in plain home double; do
        echo "$west sym 256 --spray --many"
        echo "sym $west 256 --many --spray"
    done
    for kind in double ipv6-only ipv6-firewall isolated hairpin; do
        echo "$kind $kind one"
    done
}
running_pairs() { jobs -rp | wc -l; }
others=$(running_pairs)
some_end() { [ $(($(running_pairs) - others)) -lt 8 ]; }
all_end() { [ "$(running_pairs)" -le "$others" ]; }
pairs >"$LAB/pairs"
while read -r west east how west_option east_option; do
    until_true 60 some_end
    punch "$west" "$east" "$west-$east-$how" "$west_option" "$east_option" &
done <"$LAB/pairs"
until_true 60 all_end || not_ok "all pairs come to an end"
while read -r west east how _; do
    case $(expected_path "$west" "$east"):$how in
    direct:* | hard:256)
        check "$west and $east: through, $how" through "$west-$east-$how" ;;
    *)
        check "$west and $east: not through, $how" \
            grep -q '^not through' "$LAB/$west-$east-$how.west.punch" ;;
    esac
done <"$LAB/pairs"
finish
