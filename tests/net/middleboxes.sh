# shellcheck shell=bash
# middleboxes.sh - firewalls that look inside, proxies, portals and the servers
# that stand in front of a relay. To be sourced after lab.sh and load.sh:
#
#     wall gate 443:7443                   only to 443, and there only what
#     middlebox looks gate 7443 tls        begins as TLS with a host's name
#     squid_proxy box gate 3128 plain      a proxy without a password
#     names relay.lab=203.0.113.10         what all hosts resolve
#
# Each service runs in its host's namespace with a configuration of its own in
# the lab's folder. Its log is NAME.log.

PROXY_USER=anna PROXY_PASSWORD='pa:ss@wörd'
PROXY_LOGIN=anna:pa%3Ass%40w%C3%B6rd # the same in a URL
TINY_PASSWORD=lab-secret # as tinyproxy.conf takes it

needs() { # PROGRAM... - skips the whole test where one is missing.
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null && continue
        echo "$LAB_NAME: there is no $program: skipped" >&2
        trap - EXIT
        exit 77
    done
}

listens_on() { # HOST PORT
    as "$1" ss -Hltn "sport = :$2" | grep -q LISTEN
}

# In the background, until it listens; with far_names, these are its names.
serve() { # NAME HOST PORT COMMAND...
    local name=$1 where=$2 port=$3
    shift 3
    spawn "$name" "$where" "${FAR[@]}" "$@"
    until_true 30 listens_on "$where" "$port" || not_ok "$name listens"
}

# --- Names --------------------------------------------------------------------

# What all hosts resolve. There is no DNS: the one server that resolv.conf names
# answers nothing.
names() { # NAME=ADDRESS... - several addresses: several times, in their order
    hosts_file "$LAB/hosts" "$@"
    printf 'nameserver 198.18.0.99\noptions timeout:1 attempts:1\n' \
        >"$LAB/resolv.conf"
    umount /etc/hosts /etc/resolv.conf 2>/dev/null || true
    mount --bind "$LAB/hosts" /etc/hosts
    mount --bind "$LAB/resolv.conf" /etc/resolv.conf
}

# Other names for who is started with "${FAR[@]}" before its command.
FAR=()
far_names() { # NAME=ADDRESS...
    hosts_file "$LAB/far.hosts" "$@"
    # shellcheck disable=SC2016 # for the inner shell
    FAR=(unshare --mount sh -c 'mount --bind "$0" /etc/hosts && exec "$@"'
        "$LAB/far.hosts")
}

hosts_file() { # FILE NAME=ADDRESS...
    local file=$1 pair
    shift
    echo '127.0.0.1 localhost' >"$file"
    for pair in "$@"; do echo "${pair#*=} ${pair%%=*}"; done >>"$file"
}

# A certificate by a CA of the lab: ca.pem, NAME.pem and NAME.key.
certificate() { # NAME HOST_NAME...
    local name=$1 alt
    shift
    alt=$(printf ',DNS:%s' "$@")
    [ -e "$LAB/ca.pem" ] || openssl req -x509 -newkey ec -pkeyopt \
        ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=CA of the lab' \
        -keyout "$LAB/ca.key" -out "$LAB/ca.pem" 2>>"$LAB/openssl.log"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -subj "/CN=$1" -keyout "$LAB/$name.key" 2>>"$LAB/openssl.log" |
        openssl x509 -req -CA "$LAB/ca.pem" -CAkey "$LAB/ca.key" -days 30 \
            -extfile <(echo "subjectAltName=${alt#,}") \
            -out "$LAB/$name.pem" 2>>"$LAB/openssl.log"
}

# --- Firewalls ----------------------------------------------------------------

# ROUTER lets out, from its eth0, only TCP to the ports named, and nothing in.
# PORT: passes. PORT:BOX: goes to the program at the router's port BOX instead.
# `reset` says so to what may not pass; without it that gets no answer. Called
# again, it also holds for the connections that are there.
wall() { # ROUTER [reset] [PORT | PORT:BOX]...
    local router=$1 port last=drop through='' to_boxes=''
    shift
    for port in "$@"; do
        case $port in
        reset) last='meta l4proto tcp reject with tcp reset' ;;
        *:*) to_boxes+="iifname eth0 tcp dport ${port%:*} redirect to :${port#*:};" ;;
        *) through+="iifname eth0 tcp dport $port accept;" ;;
        esac
    done
    as "$router" nft -f - <<NFT
table inet wall
delete table inet wall
table inet wall {
    chain to_boxes {
        type nat hook prerouting priority dstnat;
        $to_boxes
    }
    chain to_me {
        type filter hook input priority filter;
        iifname eth0 meta l4proto icmpv6 accept
        iifname eth0 ct status dnat accept
        iifname eth0 $last
        iifname eth0 drop
    }
    chain through {
        type filter hook forward priority filter;
        iifname != eth0 ct state established,related accept
        $through
        $last
        drop
    }
}
NFT
}

# Hosts of the lab trust its CA, as where a company installs its own.
trust_ca() {
    mount --bind "$LAB/ca.pem" /etc/ssl/certs/ca-certificates.crt
}

# middlebox.c says what it does.
middlebox() { # NAME HOST PORT MODE [options]
    [ -x "$LAB/middlebox" ] || tool middlebox
    serve "$1" "$2" "$3" "$LAB/middlebox" "${@:3}"
}

# Opens TLS with a certificate of its own for each name, and passes nothing on
# that is not HTTP inside; as a firewall, or as a proxy with `regular`.
mitm() { # NAME HOST PORT [regular]
    # It would keep all messages of a WebSocket in its memory.
    cat >"$LAB/forget.py" <<'PYTHON'
def websocket_message(flow):
    del flow.websocket.messages[:-1]
PYTHON
    serve "$1" "$2" "$3" env HOME="$LAB" mitmdump --mode "${4:-transparent}" \
        --listen-port "$3" --ssl-insecure --set confdir="$LAB/mitmproxy" \
        --set rawtcp=false --set connection_strategy=lazy \
        --set flow_detail=1 --scripts "$LAB/forget.py"
}

# Answers everything on two ports, plain HTTP and TLS, with a redirection.
portal() { # NAME HOST HTTP_PORT TLS_PORT
    certificate "$1" portal.lab
    nginx_conf "$1" <<CONF
http {
    access_log off;
    server {
        listen [::]:$3 ipv6only=off;
        listen [::]:$4 ssl ipv6only=off;
        ssl_certificate $LAB/$1.pem;
        ssl_certificate_key $LAB/$1.key;
        return 302 http://portal.lab/login;
    }
}
CONF
    serve "$1" "$2" "$3" nginx -c "$LAB/$1.conf"
}

# Standard input is what a configuration holds beside what the lab needs.
nginx_conf() { # NAME
    {
        echo 'include /usr/share/nginx/modules-available/mod-stream.conf;'
        echo "daemon off; user root; worker_processes 1; pid $LAB/$1.pid;"
        echo 'error_log stderr; events { }'
        cat
    } >"$LAB/$1.conf"
}

# --- Proxies ------------------------------------------------------------------

# squid passes CONNECT to 443 and 80, to any host. KIND: plain, basic, digest,
# ntlm, negotiate; `tls` is plain by TLS, with the certificate NAME.
squid_proxy() { # NAME HOST PORT KIND
    local name=$1 port=$3 kind=$4 lines='http_access allow ports'
    local auth="auth_param $kind" helpers=/usr/lib/squid listen="http_port $3"
    local realm="$auth realm lab"
    mkdir -p "$LAB/$name"
    case $kind in
    basic)
        lines="$auth program $helpers/basic_ncsa_auth $LAB/$name/passwords"
        echo "$PROXY_USER:$(openssl passwd -6 "$PROXY_PASSWORD")" \
            >"$LAB/$name/passwords"
        ;;
    digest)
        lines="$auth program $helpers/digest_file_auth -c $LAB/$name/passwords"
        echo "$PROXY_USER:lab:$(printf %s "$PROXY_USER:lab:$PROXY_PASSWORD" |
            md5sum | cut -d' ' -f1)" >"$LAB/$name/passwords"
        ;;
    ntlm) lines="$auth program $helpers/ntlm_fake_auth" realm= ;;
    negotiate)
        lines="$auth program $helpers/negotiate_kerberos_auth"
        lines+=" -k $LAB/kdc/proxy.keytab -s HTTP/proxy.lab@LAB" realm=
        ;;
    tls)
        listen="https_port $port tls-cert=$LAB/$name.pem tls-key=$LAB/$name.key"
        ;;
    esac
    case $kind in
    plain | tls) ;;
    *) lines+="
$realm
acl members proxy_auth REQUIRED
http_access allow ports members" ;;
    esac
    cat >"$LAB/$name/squid.conf" <<CONF
$listen
visible_hostname proxy.lab
acl ports port 443 80
$lines
http_access deny all
hosts_file /etc/hosts
dns_nameservers 127.0.0.1
access_log stdio:$LAB/$name/access.log
cache_log /dev/stderr
cache deny all
pid_filename none
coredump_dir $LAB/$name
pinger_enable off
cache_mem 1 MB
shutdown_lifetime 1 seconds
netdb_filename none
CONF
    # It does not run as root; there it is another user, with root's files.
    serve "$name" "$2" "$port" unshare --user --map-user=13 --map-group=13 \
        squid -N -f "$LAB/$name/squid.conf"
}

# CONNECT to 443 and 80; with `basic` for those with the password only.
tinyproxy_at() { # NAME HOST PORT [basic]
    cat >"$LAB/$1.conf" <<CONF
Port $3
Timeout 600
LogLevel Notice
ConnectPort 443
ConnectPort 80
${4:+BasicAuth $PROXY_USER $TINY_PASSWORD}
CONF
    serve "$1" "$2" "$3" tinyproxy -d -c "$LAB/$1.conf"
}

# SOCKS5; with `password` for those with it only.
socks() { # NAME HOST PORT [password]
    local options=()
    [ -z "${4:-}" ] || options=(-u "$PROXY_USER" -P "$PROXY_PASSWORD")
    serve "$1" "$2" "$3" microsocks -i 0.0.0.0 -p "$3" "${options[@]}"
}

# A KDC of the realm LAB on HOST, which is proxy.lab, for the proxy there and
# for a user, who has a ticket in $LAB/kdc/ticket. KRB5_CONFIG is for all.
kdc() { # NAME HOST ADDRESS
    local dir="$LAB/kdc"
    mkdir -p "$dir"
    export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf
    cat >"$KRB5_CONFIG" <<CONF
[libdefaults]
    default_realm = LAB
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    LAB = {
        kdc = $3:88
    }
[domain_realm]
    .lab = LAB
CONF
    cat >"$KRB5_KDC_PROFILE" <<CONF
[kdcdefaults]
    kdc_ports = 88
    kdc_tcp_ports = 88
[realms]
    LAB = {
        database_name = $dir/principals
        key_stash_file = $dir/stash
    }
CONF
    {
        kdb5_util create -s -r LAB -P "$PROXY_PASSWORD"
        kadmin.local -q 'addprinc -randkey HTTP/proxy.lab'
        kadmin.local -q "ktadd -k $dir/proxy.keytab HTTP/proxy.lab"
        kadmin.local -q "addprinc -randkey $PROXY_USER"
        kadmin.local -q "ktadd -k $dir/user.keytab $PROXY_USER"
    } >>"$LAB/$1.log" 2>&1
    serve "$1" "$2" 88 krb5kdc -n
    as "$2" kinit -k -t "$dir/user.keytab" -c "FILE:$dir/ticket" \
        "$PROXY_USER" 2>>"$LAB/$1.log"
}

# --- Servers in front of a relay ----------------------------------------------

SAMPLES=$NET_DIR/../../deploy/samples

# A sample of deploy/samples with the lab's names and places in it.
sample() { # FILE RELAY_NAME RELAY_PLACE SITE_NAME SITE_PLACE
    sed -e "s/relay\\\\.example\\\\.org/${2//./\\\\.}/g" \
        -e "s/relay\.example\.org/$2/g; s/www\.example\.org/$4/g" \
        -e "s/127\.0\.0\.1:4443/$3/g; s/127\.0\.0\.1:8443/$5/g" \
        -e "s/host: \"127.0.0.1\"; port: \"4443\"/host: \"${3%:*}\"; port: \"${3#*:}\"/" \
        -e "s/host: \"127.0.0.1\"; port: \"8443\"/host: \"${5%:*}\"; port: \"${5#*:}\"/" \
        -e "s|/etc/letsencrypt/live/$2/fullchain.pem|$LAB/front.pem|" \
        -e "s|/etc/letsencrypt/live/$2/privkey.pem|$LAB/front.key|" \
        "$SAMPLES/$1"
}
