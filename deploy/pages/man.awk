# A program's man page, without what NAME.SECTION.roff adds.
#   -v section=1 -v title="User Commands" -v version=0.1.0

function print_option(n, i,    name) {
    name = "\\fB\\-\\-" roff(option[n, i]) "\\fR"
    if (letter[n, i] != "") name = "\\fB\\-" letter[n, i] "\\fR, " name
    if (value[n, i] != "") name = name " \\fI" roff(value[n, i]) "\\fR"
    print ".TP\n" name
    print roff(help[n, i])
}

function print_command(n,    i, also) {
    print ".SS " roff(n) " " roff(synopsis[n])
    print_text(about[n])
    for (i = 1; i <= option_count[n]; i++) {
        if (own[n, i]) print_option(n, i)
        else if (option[n, i] !~ /^(help|version)$/)
            also = also " \\fB\\-\\-" roff(option[n, i]) "\\fR"
    }
    if (also != "") print ".PP\nAlso" also ", as above."
    if (epilogue[n] != "") { print ".PP"; print_text(epilogue[n]) }
}

END {
    n = node[1]
    name = n
    short = about[n]
    sub(/[.:\n].*/, "", short)
    printf ".\\\" Made from what %s --describe says.\n", n
    printf ".TH %s %s \"\" \"ZeroServices %s\" \"%s\"\n", \
        toupper(roff(name)), section, version, title
    print ".SH NAME\n" roff(name) " \\- " \
        roff(tolower(substr(short, 1, 1)) substr(short, 2))
    print ".SH SYNOPSIS\n.B " roff(name) "\n[\\fIOPTIONS\\fR] " \
        roff(synopsis[n])
    print ".SH DESCRIPTION"
    print_text(about[n])
    if (epilogue[n] != "") { print ".PP"; print_text(epilogue[n]) }
    print ".SH OPTIONS"
    for (i = 1; i <= option_count[n]; i++) print_option(n, i)
    if (node_count > 1) print ".SH COMMANDS"
    for (i = 2; i <= node_count; i++) print_command(node[i])
}
