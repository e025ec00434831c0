# Rows of `latent help --json`, one object a line, as COMMAND~operands~name~letter~kind~operand~help~
# needs~clashes~actions~value that fits~ending; the line of a command gives the
# first two.
function text(key,   at) {
    if (!match($0, "\"" key "\": (\"([^\"\\\\]|\\\\.)*\"|-?[0-9]+)"))
        return ""
    at = substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 4)
    gsub(/^"|"$/, "", at)
    return at
}
function value(kind,   first) {
    if (kind == "count")
        return text("min")
    if (match($0, /"choices": \["[^"]*"/)) {
        first = substr($0, RSTART, RLENGTH)
        sub(/.*\["/, "", first)
        sub(/"$/, "", first)
        return first
    }
    return kind == "switch" ? "" : kind == "text" ? "0,1" : "x"
}
/"summary"/ { command = text("name"); operands = text("min_operands"); next }
/"kind"/ {
    split(text("endings"), endings, " ")
    print command "~" operands "~" text("name") "~" text("letter") "~" text("kind") "~" text("operand") "~" \
        text("help") "~" text("needs") "~" text("clashes") "~" text("actions") "~" value(text("kind")) "~" endings[1]
    delete endings
}
