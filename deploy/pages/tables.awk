# Reads what a program says with --describe (common/conf/describe.h) into
# tables, for the other .awk files here; theirs is the END.
#
#   node_count, node[i]      "zs", "zs send", "zs mesh", "zs mesh add"...
#   synopsis[n] about[n] epilogue[n]
#   option_count[n], option[n, i] letter[n, i] value[n, i] help[n, i] own[n, i]
#   child_count[n], child[n, i] arguments[n, i] summary[n, i]   its commands
#   conf_title, key_count, key[i] kind[i] fallback[i] live[i] key_help[i]

BEGIN { FS = "\t" }

function breaks(text) { gsub(/\\n/, "\n", text); return text }

$1 == "program" {
    at = $2
    node[++node_count] = at
    synopsis[at] = $3
    about[at] = breaks($4)
    epilogue[at] = breaks($5)
}
$1 == "option" || $1 == "shared" {
    i = ++option_count[at]
    option[at, i] = $2
    letter[at, i] = $3
    value[at, i] = $4
    help[at, i] = $5
    own[at, i] = $1 == "option"
}
$1 == "command" {
    i = ++child_count[at]
    child[at, i] = $2
    arguments[at, i] = $3
    summary[at, i] = $4
    outer[++depth] = at
}
$1 == "end" { at = outer[depth--] }
$1 == "conf" { conf_title = breaks($2) }
$1 == "key" {
    key[++key_count] = $2
    kind[key_count] = $3
    fallback[key_count] = $4
    live[key_count] = $5
    key_help[key_count] = breaks($6)
}

# What can be offered for a value: "file", "dir", "peers", "=word word", "".
function offer(name, what) {
    if (name == "path") return "=tcp udp relay"
    if (name == "peer" || what == "TO") return "peers"
    if (what == "LEVEL") return "=error warn info debug"
    if (what == "FILE" || name == "socket" || name == "file") return "file"
    if (what == "DIR") return "dir"
    return ""
}

# The positionals of a synopsis, in order: place[1]... Returns their number.
# Options and their values are left out; "serve | TO" is one place.
function places(text, place,    words, n, i, count, skip, word, joined) {
    gsub(/[][]/, "", text)
    gsub(/\.\.\./, "", text)
    n = split(text, words, " ")
    for (i = 1; i <= n; i++) {
        word = words[i]
        if (word ~ /^-/) { skip = 1; joined = 0; continue }
        if (skip && word != "|") { skip = 0; continue }
        skip = 0
        if (word == "|") { joined = count > 0; continue }
        if (joined) place[count] = place[count] "|" word
        else place[++count] = word
        joined = 0
    }
    return count
}

# The same as offer(), for a place.
function offer_place(text,    parts, n, i, words) {
    if (text !~ /\|/) return offer("", text)
    n = split(text, parts, "|")
    for (i = 1; i <= n; i++)
        if (parts[i] == tolower(parts[i])) words = words " " parts[i]
    return words == "" ? "" : "=" substr(words, 2)
}
