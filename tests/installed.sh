#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what was built to a directory of its own and uses it as somebody else would, in C and C++: with what
# pkg-config says, and by find_package; the shared library and the archive. Looks at the names in both, at each
# header alone, and at the documents.
# Usage: tests/installed.sh BUILD_DIR CC CXX
set -eu
. "$(dirname "$0")/stranger/common.sh"

quietly "$tests/../tools/tree" install "$work/there/" "$build"
mkdir "$work/user"
cp "$tests/stranger/program.c" "$tests/stranger/program.cc" "$tests/stranger/longer.c" "$work/user"
cp -r "$tests/stranger/installed" "$tests/stranger/archive" "$work/user"
cd "$work/user"
mv ../there ../moved # wherever it is
lib=$(dirname "$(find "$work/moved" -name liblatent.a)")
export PKG_CONFIG_PATH="$lib/pkgconfig"
include=$(pkg-config --variable=includedir latent)

# ---- Names ----

# All functions that the public headers declare, as the compiler sees them.
"$cc" -std=c17 -E -I"$include" "$include/latent/latent.h" | awk '
    /^# / { ours = $3 ~ /\/latent\//; next }
    ours { text = text " " $0 }
    END {
        n = split(text, part, ";")
        for (i = 1; i <= n; i++) {
            gsub(/__attribute__ *\(\([^()]*(\([^()]*\))*[^()]*\)\)/, "", part[i])
            if (part[i] !~ /typedef/ && match(part[i], /lt_[a-z0-9_]+ *\(/))
                print substr(part[i], RSTART, RLENGTH - 1)
        }
    }' | tr -d ' ' | sort -u > declared
[ "$(wc -l < declared)" -gt 300 ] || fail "found only $(wc -l < declared) functions in the headers"
nm -D --defined-only "$lib/liblatent.so" | awk '{ print $3 }' | sort -u > exported
diff declared exported || fail "liblatent.so does not export what the headers declare (<), or more (>)"
nm -g --defined-only "$lib/liblatent.a" | awk 'NF == 3 { print $3 }' | sort -u > archived
comm -13 archived declared | grep . && fail "these are declared, and not in liblatent.a"
grep -v '^lt_' archived && fail "liblatent.a has these names without lt_"
[ "$(readlink "$lib/liblatent.so")" = liblatent.so.0 ] || fail "liblatent.so does not lead to liblatent.so.0"
readelf -d "$lib/liblatent.so" | grep -q 'SONAME.*\[liblatent.so.0\]' || fail "the SONAME is another one"

# What draws, downloads and unzips is loaded when needed: nobody who links with us needs it.
readelf -d "$lib/liblatent.so" "$work/moved/bin/latent" | grep NEEDED |
    grep -E 'cairo|pango|glib|gobject|curl|zip|png|jpeg|webp|gif' && fail "these are needed to start"
pkg-config --static --libs latent | grep -E 'cairo|pango|curl|zip|png|jpeg|webp|gif' &&
    fail "these are needed to link"

# ---- Each header alone ----

for header in "$include"/latent/*.h; do
    printf '#include <latent/%s>\nextern int nothing;\n' "$(basename "$header")" > alone.c
    cp alone.c alone.cc
    for std in c11 c17; do
        quietly "$cc" -std=$std -Wall -Wextra -Wpedantic -Werror -I"$include" -fsyntax-only alone.c
    done
    for std in c++11 c++17; do
        [ -z "$cxx" ] || quietly "$cxx" -std=$std -Wall -Wextra -Wpedantic -Wold-style-cast -Werror -I"$include" \
            -fsyntax-only alone.cc
    done
done

# ---- pkg-config ----

# A program may have functions of any name that the library has inside: here it has all of them.
nm -g --defined-only "$build/liblatent_private.a" | awk 'NF == 3 && $3 !~ /^lt_|[.]/ { print $3 }' | sort -u |
    awk '{ print ".globl " $1 "\n" $1 ": .byte 1" } END { if (NR < 400) exit 1 }' > theirs.s ||
    fail "found too few names in liblatent_private.a"
echo '.section .note.GNU-stack,"",%progbits' >> theirs.s

try() { # what it is, the program: it must run, and count the same parameters in C and C++
    LD_LIBRARY_PATH=$lib "$2" > out 2>&1 || { cat out; fail "$1: fails"; }
    grep -qx '0.1.0: 408 parameters' out || { cat out; fail "$1: prints something else"; }
}
flags=$(pkg-config --cflags latent)
shared=$(pkg-config --libs latent)
archive="$lib/liblatent.a $(pkg-config --static --libs-only-l latent | sed 's/-llatent//')"
warnings='-Wall -Wextra -Wpedantic -Werror'
for kind in shared archive; do
    eval "libs=\$$kind"
    # shellcheck disable=SC2086,SC2154 # words
    quietly "$cc" -std=c11 $warnings $flags program.c theirs.s $libs -o c
    try "$kind, C, pkg-config" ./c
    # shellcheck disable=SC2086 # words
    [ -z "$cxx" ] || quietly "$cxx" -std=c++17 -Wall -Wpedantic -Wold-style-cast -Werror $flags program.cc theirs.s \
        $libs -o cxx
    [ -z "$cxx" ] || try "$kind, C++, pkg-config" ./cxx
done
test -s chart.svg
test -s film.webp
# shellcheck disable=SC2086 # words
quietly "$cc" $flags program.c $(pkg-config --static --libs latent) -o c
try "--static" ./c

# ---- find_package ----

if [ -n "$cxx" ]; then
    cp program.c program.cc installed
    cp program.cc archive
    for project in installed archive; do
        quietly env CC="$cc" CXX="$cxx" cmake -S $project -B $project/build -DCMAKE_PREFIX_PATH="$work/moved"
        quietly cmake --build $project/build
    done
    for program in c_latent c_shared c_static cxx_latent cxx_shared cxx_static; do
        try "find_package, $program" installed/build/$program
    done
    try "find_package of the archive" archive/build/program
    readelf -d installed/build/c_latent | grep -q 'NEEDED.*liblatent.so.0' || fail "latent::latent is not shared"
    for program in installed/build/c_static archive/build/program; do
        readelf -d $program | grep liblatent && fail "$program needs the shared library"
    done
fi

# ---- A run of the tool, trained longer by a program that is killed half way ----

latent=$work/moved/bin/latent
sed 's/samples_every: [0-9]*/samples_every: 2/; s/train: {epochs: 3,/train: {epochs: 2, samples_every: 2, checkpoint_every: 1,/' \
    "$tests/cli/tiny.yaml" > tiny.yaml
quietly "$latent" train ./tiny.yaml --out tool
cp -r tool own
quietly "$latent" resume tool --epochs 5
# shellcheck disable=SC2086 # words
quietly "$cc" -std=c11 $warnings -D_POSIX_C_SOURCE=200809L $flags longer.c $shared -o longer
export LD_LIBRARY_PATH="$lib"
code=0
./longer own 5 25 > killed 2>&1 || code=$?
[ $code = 137 ] || { cat killed; fail "longer was to be killed, and left with $code"; }
grep -q '^epoch 3:' killed || fail "longer was killed before its first epoch"
./longer own 5 2> "$work/log" > traversal.svg || { cat "$work/log"; fail "longer fails"; }
grep -q '^epoch 5: ' "$work/log" || fail "longer does not report its last epoch"
quietly "$latent" traverse own -o tool.svg
cmp traversal.svg tool.svg || fail "longer draws something else than the tool"
quietly "$latent" report own -o tool.html
cmp report.html tool.html || fail "longer reports something else than the tool"
for run in tool own; do
    sed -i -E 's/"(seconds|images_per_second)":[^,}]*/"\1":1/g' $run/metrics.jsonl
    rm -f $run/warnings.txt # the tool's own
done
quietly diff -r tool own

# ---- The rest ----

"$work/moved/bin/latent" version > /dev/null
doc=$work/moved/share/doc/latent
for file in LICENSE README.md docs/guide.md docs/images/samples.png examples/tour.c; do
    test -s "$doc/$file" || fail "$file is not installed"
done
grep -rl "$work\|$build" "$work/moved" --include=*.pc --include=*.cmake && fail "these know where they were made"

# ---- And away with it ----

echo theirs > "$work/moved/lib/theirs"
mkdir -p "$work/moved/share/doc/latent-too"
quietly "$tests/../tools/tree" uninstall "$work/moved"
[ "$(cd "$work/moved" && find . -type f)" = ./lib/theirs ] || { find "$work/moved"; fail "uninstalling left files, or too few"; }
[ -d "$work/moved/share/doc/latent-too" ] || fail "a folder of others was taken away"
[ "$(find "$work/moved" -name latent)" = "" ] || fail "folders of ours were left"
! "$tests/../tools/tree" uninstall "$work/moved" 2> "$work/log" || fail "there was nothing left to uninstall"
grep -q "nothing to uninstall" "$work/log" || fail "what was uninstalled twice is not told"
DESTDIR=$work/dest quietly "$tests/../tools/tree" install /usr "$build"
test -x "$work/dest/usr/bin/latent"
printf '../../../etc/passwd\n' >> "$work/dest/usr/share/latent/manifest"
! DESTDIR=$work/dest "$tests/../tools/tree" uninstall /usr 2> "$work/log" || fail "a name above the prefix was taken"
exit 0
