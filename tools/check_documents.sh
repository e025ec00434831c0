#!/bin/sh
# SPDX-License-Identifier: MIT
# Code shown in README.md, docs/*.md and latent.h is code of examples/, which is compiled: every block of C
# must stand there as it is. Links to files must lead somewhere. docs/internals.md has the list of tools/layers.
# Usage: tools/check_documents.sh [ROOT]; prints each offense and exits 1 if there is one.
cd "${1:-$(dirname "$0")/..}" || exit 2

awk '
function offense(text) { print text; bad = 1 }
function check(where) {
    if (block != "" && index(code, block) == 0)
        offense(where ": this C is not in examples/:\n" block)
    block = ""
}
FILENAME ~ /^examples\// { code = code $0 "\n"; next }
FNR == 1 { is_code = 0 }
FILENAME ~ /[.]h$/ {                # the program in the comment: lines after " *     "
    if (sub(/^ [*]     /, "") || (/^ [*]$/ && block != "" && sub(/^ [*]/, ""))) {
        if (block != "" || /^#include/)
            block = block $0 "\n"
    } else if (block != "") {
        check(FILENAME ":" FNR)
    }
    next
}
/^```c$/ { is_code = 1; block = ""; next }
/^```/ { if (is_code) check(FILENAME ":" FNR); is_code = 0; next }
is_code { block = block $0 "\n"; next }
{
    line = $0
    while (match(line, /\]\([^)#:]+\)/)) {
        path = substr(line, RSTART + 2, RLENGTH - 3)
        line = substr(line, RSTART + RLENGTH)
        dir = FILENAME
        if (!sub(/[^\/]*$/, "", dir))
            dir = ""
        if (system("test -e \"" dir path "\"") != 0)
            offense(FILENAME ":" FNR ": no file " path)
    }
}
END { exit bad }' examples/*.c README.md docs/*.md include/latent/latent.h || bad=1

tools/layers --list | diff - docs/internals.md | grep '^<' &&
    { echo "docs/internals.md: these lines of tools/layers --list are not there"; bad=1; }
[ "$(tools/layers --list | wc -l)" = "$(grep -c '^    src/[a-z]* ' docs/internals.md)" ] ||
    { echo "docs/internals.md lists layers that tools/layers does not have"; bad=1; }
exit ${bad:-0}
