#!/bin/sh
# SPDX-License-Identifier: MIT
# The floors of the house (docs: "includes run downwards only"), checked:
#   - a file of src/FLOOR includes private headers of its own floor or of those below it; data and
#     plot stand on base alone, so they come first; a .def is a list, and may be read from anywhere;
#   - cli, web and examples use public headers alone; public headers include public headers alone;
#   - dnnl.h appears in one file;
#   - file names are unique, so that `conv.c:120` in a message is enough.
# Usage: tools/check_includes.sh [ROOT]; prints each offence and exits 1 if there is one.
cd "${1:-$(dirname "$0")/..}" || exit 2

find src cli web examples include -name '*.[ch]' -o -name '*.def' 2>/dev/null | sort |
awk '
BEGIN {
    n = split("base data plot kernels graph ops exec nn models train run eval quality verify", order, " ")
    for (i = 1; i <= n; i++)
        floor[order[i]] = i
    floor["recipe"] = floor["models"] # until a recipe knows its kind of model as a record alone
}
function offence(text) { print text; bad = 1 }
{
    file = $0
    split(file, part, "/")
    count = split(file, name, "/")
    if (name[count] in seen)
        offence(file ": same name as " seen[name[count]])
    seen[name[count]] = file
    if (part[1] == "src" && !(part[2] in floor))
        offence(file ": src/" part[2] " is not in the list of floors")
    line = 0
    while ((getline text < file) > 0) {
        line++
        if (text !~ /^[ \t]*#[ \t]*include/)
            continue
        where = file ":" line
        is_private = text ~ /"/
        gsub(/^[ \t]*#[ \t]*include[ \t]*|["<>]|[ \t].*$/, "", text)
        if (text ~ /dnnl/ && file != "src/kernels/onednn.c")
            offence(where ": " text " belongs to src/kernels/onednn.c")
        if (!is_private)
            continue
        split(text, target, "/")
        if (part[1] == "include")
            offence(where ": a public header includes a private one, " text)
        else if (part[1] == "src" && !(target[1] in floor))
            offence(where ": " text " is not named from src/")
        else if (part[1] == "src" && text !~ /[.]def$/ && floor[target[1]] > floor[part[2]])
            offence(where ": " part[2] " must not know " text)
        else if (part[1] != "src" && text ~ /\//)
            offence(where ": " part[1] " uses the public headers alone, not " text)
    }
    close(file)
}
END { exit bad }'
