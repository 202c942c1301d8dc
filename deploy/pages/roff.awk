# Text as troff wants it.

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    gsub(/^\./, "\\\\\\&.", text)
    while (match(text, /`[^`]*`/))
        text = substr(text, 1, RSTART - 1) "\\fB" \
            substr(text, RSTART + 1, RLENGTH - 2) "\\fR" \
            substr(text, RSTART + RLENGTH)
    return text
}

# Paragraphs; lines that begin with a space stand as they are.
function print_text(text,    lines, n, i, as_is) {
    n = split(text, lines, "\n")
    for (i = 1; i <= n; i++) {
        if ((lines[i] ~ /^ /) != as_is) {
            as_is = !as_is
            print as_is ? ".PP\n.nf" : ".fi"
        }
        if (lines[i] == "") print ".PP"
        else print roff(lines[i])
    }
    if (as_is) print ".fi"
}
