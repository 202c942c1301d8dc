#!/bin/bash
# What hostile peers put into the pages, and what pages of others may do with
# an edge: nothing, and it is logged once.
. "$(dirname "$0")/browser.sh"

refuses_name() {
    ! "$ZS_BIN/zs" mesh add '<script>window.ran=1</script>' \
        --dir "$LAB/office" 2>/dev/null
}

# Alice has markup where a member can put it; dora's pages are not on loopback.
# On each host somebody else's web server is at port 9090.
#
#   alice---[ home ]---bob, dora (203.0.113.3:8081)
lan home
mesh_of alice bob dora
conf_of alice "node:" "  identity: office/alice.zs" \
    "  info: {role: '<img src=x onerror=\"window.ran=1\">'}"
for name in alice bob; do
    host $name
    web_conf $name
done
plug alice home 203.0.113.2/24
plug bob home 203.0.113.3/24
conf dora 'api: {http: "203.0.113.3:8081"}'
edge alice alice
edge bob bob
edge bob dora
answers alice bob dora
sees alice bob tcp 10s
check "no member is named by markup" refuses_name

mkdir foreign
echo '<!doctype html><title>foreign</title>' >foreign/index.html
for name in alice bob; do
    spawn foreign-$name $name \
        python3 -m http.server 9090 --directory "$LAB/foreign"
    until_true 10 grep -q Serving "foreign-$name.log" || true
done

logged_once() { # EDGE REASON
    check_logged "$1 logged $2 once" "$1" "http_refused reason=$2" 1
}

scenario strangers.mjs
finish
