# Completions for bash.

# A name as it may stand in a shell function's.
function id(text) { gsub(/[^A-Za-z0-9]/, "_", text); return text }

function options_of(n,    i, list) {
    for (i = 1; i <= option_count[n]; i++) {
        list = list " --" option[n, i]
        if (letter[n, i] != "") list = list " -" letter[n, i]
    }
    return substr(list, 2)
}

function print_values(n,    i, pattern) {
    for (i = 1; i <= option_count[n]; i++) {
        if (value[n, i] == "") continue
        pattern = "\"" n " --" option[n, i] "\""
        if (letter[n, i] != "") pattern = pattern " | \"" n " -" letter[n, i] "\""
        printf "    %s) echo '%s' ;;\n", pattern, offer(option[n, i], value[n, i])
    }
}

function print_places(n,    i, place, count, list) {
    for (i = 1; i <= child_count[n]; i++) list = list " " child[n, i]
    if (list != "") {
        printf "    \"%s 1\") echo '=%s' ;;\n", n, substr(list, 2)
        return
    }
    count = places(synopsis[n], place)
    for (i = 1; i <= count; i++)
        printf "    \"%s %d\") echo '%s' ;;\n", n, i, offer_place(place[i])
}

END {
    f = "_" id(node[1])
    print "# bash completion for " node[1] ", made from its --describe."
    print "\n# What an option's value can be; fails for one that has none."
    print f "_value() {\n    case $1 in"
    for (i = 1; i <= node_count; i++) print_values(node[i])
    print "    *) return 1 ;;\n    esac\n}"
    print "\n# What can stand at a place that is not an option's."
    print f "_place() {\n    case $1 in"
    for (i = 1; i <= node_count; i++) print_places(node[i])
    print "    esac\n}\n\n" f "_options() {\n    case $1 in"
    for (i = 1; i <= node_count; i++)
        printf "    \"%s\") echo '%s' ;;\n", node[i], options_of(node[i])
    print "    esac\n}\n\n" f "_is_command() {\n    case $1 in"
    for (i = 2; i <= node_count; i++) printf "    \"%s\") ;;\n", node[i]
    print "    *) return 1 ;;\n    esac\n}"
    print "\n" f "_offer() { # WHAT WORD"
    print "    case $1 in"
    print "    file) compgen -f -- \"$2\" ;;"
    print "    dir) compgen -d -- \"$2\" ;;"
    print "    peers) compgen -W \"$(zs peers 2>/dev/null | sed 's/ .*//')\" -- \"$2\" ;;"
    print "    =*) compgen -W \"${1#=}\" -- \"$2\" ;;"
    print "    esac\n}\n"
    print f "() {"
    print "    local at=" node[1] " place=1 value='' i word what"
    print "    for ((i = 1; i < COMP_CWORD; i++)); do"
    print "        word=${COMP_WORDS[i]}"
    print "        if [ -n \"$value\" ]; then"
    print "            value=''"
    print "        elif [[ $word == -* ]]; then"
    print "            " f "_value \"$at $word\" >/dev/null && value=$word"
    print "        elif [ $place = 1 ] && " f "_is_command \"$at $word\"; then"
    print "            at=\"$at $word\""
    print "        else"
    print "            place=$((place + 1))"
    print "        fi"
    print "    done"
    print "    word=${COMP_WORDS[COMP_CWORD]}"
    print "    if [ -n \"$value\" ]; then"
    print "        what=$(" f "_value \"$at $value\")"
    print "    elif [[ $word == -* ]]; then"
    print "        what==$(" f "_options \"$at\")"
    print "    else"
    print "        what=$(" f "_place \"$at $place\")"
    print "    fi"
    print "    case $what in file | dir) compopt -o filenames 2>/dev/null ;; esac"
    print "    mapfile -t COMPREPLY < <(" f "_offer \"$what\" \"$word\")"
    print "}\n\ncomplete -F " f " " node[1]
}
