# A configuration file's man page.
#   -v file=edge.yaml -v program=zs-edge -v version=0.1.0

END {
    printf ".\\\" Made from what %s --describe says.\n", program
    printf ".TH %s 5 \"\" \"ZeroServices %s\" \"File Formats\"\n", \
        toupper(roff(file)), version
    print ".SH NAME\n" roff(file) " \\- the settings of " roff(program)
    print ".SH DESCRIPTION"
    print_text(conf_title)
    print ".PP\nThe file is YAML. A key \\fBa.b\\fR is the key \\fBb\\fR in" \
        " the section \\fBa\\fR."
    print ".SH KEYS"
    for (i = 1; i <= key_count; i++) {
        print ".TP\n\\fB" roff(key[i]) "\\fR (" kind[i] \
            (live[i] != "" ? ", reload" : "") ")"
        print_text(key_help[i])
        print ".br\nDefault: " (fallback[i] == "" ? "empty" : \
            "\\fB" roff(fallback[i]) "\\fR")
    }
    print ".SH SEE ALSO\n.BR " roff(program) " (8)"
}
