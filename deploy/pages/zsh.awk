# Completions for zsh.

function id(text) { gsub(/[^A-Za-z0-9]/, "_", text); return text }

# Inside of '...', and there inside of an _arguments specification.
function quoted(text) { gsub(/'/, "'\\''", text); return text }
function spec(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/\[/, "\\[", text)
    gsub(/\]/, "\\]", text)
    gsub(/:/, "\\:", text)
    return quoted(text)
}

function action(what) {
    if (what == "file") return "_files"
    if (what == "dir") return "_files -/"
    if (what == "peers") return f "_peers"
    if (what ~ /^=/) return "(" substr(what, 2) ")"
    return ""
}

function print_option(n, i,    end) {
    end = "[" spec(help[n, i]) "]"
    if (value[n, i] != "")
        end = end ":" spec(value[n, i]) ":" \
            action(offer(option[n, i], value[n, i]))
    printf " \\\n        '*--%s%s'", option[n, i], end
    if (letter[n, i] != "") printf " \\\n        '*-%s%s'", letter[n, i], end
}

function print_node(n,    i, place, count) {
    printf "    '%s')\n        _arguments", n
    for (i = 1; i <= option_count[n]; i++) print_option(n, i)
    if (child_count[n] > 0)
        printf " \\\n        '1:command:%s_commands_%s'", f, id(n)
    else
        count = places(synopsis[n], place)
    for (i = 1; i <= count; i++)
        printf " \\\n        '%d:%s:%s'", i, spec(place[i]), \
            action(offer_place(place[i]))
    print "\n        ;;"
}

function print_commands(n,    i) {
    print f "_commands_" id(n) "() {\n    local -a list=("
    for (i = 1; i <= child_count[n]; i++)
        printf "        '%s:%s'\n", child[n, i], quoted(summary[n, i])
    print "    )\n    _describe command list\n}\n"
}

END {
    f = "_" id(node[1])
    print "#compdef " node[1]
    print "# zsh completion for " node[1] ", made from its --describe.\n"
    print f "_peers() {\n    local -a names=(" \
        "${(f)\"$(zs peers 2>/dev/null | sed 's/ .*//')\"})"
    print "    compadd -a names\n}\n"
    for (i = 1; i <= node_count; i++)
        if (child_count[node[i]] > 0) print_commands(node[i])
    print f "() {\n    local at=" node[1] " i=2\n    local -a known=("
    for (i = 2; i <= node_count; i++) printf "        '%s'\n", node[i]
    print "    )\n    # The command's name and its own words are what is left."
    print "    for ((; i < CURRENT; i++)); do"
    print "        (( ${known[(Ie)$at $words[i]]} )) || continue"
    print "        at=\"$at $words[i]\""
    print "        words=(\"$at\" \"${(@)words[i+1,-1]}\")"
    print "        (( CURRENT -= i - 1, i = 1 ))"
    print "    done\n    case $at in"
    for (i = 1; i <= node_count; i++) print_node(node[i])
    print "    esac\n}\n\n" f " \"$@\""
}
