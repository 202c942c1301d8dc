# Completions for fish.

function id(text) { gsub(/[^A-Za-z0-9]/, "_", text); return text }
function quoted(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/'/, "\\'", text)
    return "'" text "'"
}

function action(what) {
    if (what == "file") return " -r -F"
    if (what == "dir") return " -x -a '(__fish_complete_directories)'"
    if (what == "peers") return " -x -a '(zs peers 2>/dev/null | string replace -r \" .*\" \"\")'"
    if (what ~ /^=/) return " -x -a " quoted(substr(what, 2))
    return " -x"
}

function begin(n) { return "complete -c " node[1] " -n \"" f "_at '" n "'\"" }

function print_node(n,    i, place, count) {
    for (i = 1; i <= option_count[n]; i++)
        print begin(n) " -l " option[n, i] \
            (letter[n, i] != "" ? " -s " letter[n, i] : "") \
            (value[n, i] != "" ? action(offer(option[n, i], value[n, i])) : "") \
            " -d " quoted(help[n, i])
    for (i = 1; i <= child_count[n]; i++)
        print begin(n) " -a " child[n, i] " -d " quoted(summary[n, i])
    count = child_count[n] > 0 ? 0 : places(synopsis[n], place)
    for (i = 1; i <= count; i++)
        if (offer_place(place[i]) != "")
            print begin(n) action_of_place(offer_place(place[i]))
}

# No -r here: it is not an option's.
function action_of_place(what,    text) {
    text = action(what)
    sub(/^ -[rx]/, "", text)
    return text
}

END {
    f = "__" id(node[1])
    print "# fish completion for " node[1] ", made from its --describe.\n"
    print "# Which command is being typed: \"zs mesh add\"."
    print "function " f "_at"
    print "    set -l at " node[1]
    printf "    set -l known"
    for (i = 2; i <= node_count; i++) printf " '%s'", node[i]
    print "\n    for word in (commandline -opc)[2..-1]"
    print "        if contains -- \"$at $word\" $known"
    print "            set at \"$at $word\""
    print "        end\n    end"
    print "    test \"$at\" = \"$argv[1]\"\nend\n"
    print "complete -c " node[1] " -f"
    for (i = 1; i <= node_count; i++) print_node(node[i])
}
