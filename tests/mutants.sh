#!/bin/bash
# Plants mistakes into formulas, one at a time, and looks whether something finds each.
#
#   tests/mutants.sh BUILD           a few of tests/mutants/list; the test `mutants`
#   tests/mutants.sh BUILD all       every one of them: make mutants
#   tests/mutants.sh BUILD tests     the same with the test programs that the list names, which must pass
#                                    without a mistake
#   tests/mutants.sh BUILD ID...     these, in front of both
#
# A mutant is one source file with one text replaced. It is linked in front of the library, which then
# gives everything but that file, together with what should find the mistake: the checks of `latent
# verify`, or a test program. BUILD has targets for so many at a time (mutant_1, ...), so that the
# compiler, its options and the libraries are those of the build.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd) || exit 2
shift
what=${1:-short}
list=$root/tests/mutants/list
slots=$(find "$build/mutants" -mindepth 1 -maxdepth 1 -type d | wc -l)
unset MAKEFLAGS MAKELEVEL MFLAGS # of the make that runs the tests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

LC_ALL=C awk -v root="$root" -f "$root/tests/mutants/plant.awk" "$list" > "$work/all" || exit 1

# host, id: what runs in a slot, and what for
case $what in
short) awk -F'\t' '$4 == "yes" { print "verify\t" $0 }' "$work/all" ;;
all) awk -F'\t' '$5 != "" { print "verify\t" $0 }' "$work/all" ;;
tests) # by host: what is the same in a slot is not compiled again
    awk -F'\t' '{ n = split($6, t, " "); for (i = 1; i <= n; i++) print t[i] "\t" $0 }' "$work/all" |
        sort -s -t $'\t' -k 1,1 ;;
*)
    for id; do
        awk -F'\t' -v id="$id" '$1 == id { found = 1; if ($5 != "") print "verify\t" $0
                                           n = split($6, t, " ")
                                           for (i = 1; i <= n; i++) print t[i] "\t" $0 }
                                END { exit !found }' "$work/all" ||
            { echo "there is no mutant '$id' in $list" >&2; exit 2; }
    done ;;
esac > "$work/todo"

# Writes a file unless it is there with that content: what is not touched is not compiled again.
put() { cmp -s - "$1" < "$work/new" || { mkdir -p "$(dirname "$1")"; cp "$work/new" "$1"; }; }

fill_slot() { # slot, host, id, file, compiled
    local dir=$build/mutants/$1
    rm -rf "$dir/src"
    LC_ALL=C awk -v root="$root" -v plant="$3" -f "$root/tests/mutants/plant.awk" "$list" \
        > "$work/planted" || exit 1
    if [ "$4" = "$5" ]; then
        cp "$work/planted" "$work/new"
    else # a table: it is found before the real one
        cp "$root/$5" "$work/new"
        mkdir -p "$(dirname "$dir/$4")"
        cp "$work/planted" "$dir/$4"
        echo "/* $3 */" >> "$work/new"
    fi
    put "$dir/mutant.c"
    if [ "$2" = verify ]; then cp "$root/tests/mutants/host.c" "$work/new"
    else cp "$root/tests/test_$2.c" "$work/new"; fi
    put "$dir/host.c"
}

judge_slot() { # slot, host, id, checks
    local names=() code
    [ "$2" = verify ] && IFS=';' read -ra names <<< "$4"
    (cd "$work" && timeout 300 "$build/mutant_$1" "${names[@]}") > "$work/out" 2>&1
    code=$?
    if [ $code = 0 ] || { [ "$2" = verify ] && [ $code = 2 ]; }; then
        printf '%-34s SURVIVED %s %s\n' "$3" "$2" "$(head -1 "$work/out")"
        return 1
    fi
    if [ "$2" = verify ]; then printf '%-34s %s\n' "$3" "$(head -1 "$work/out" | cut -c 1-120)"
    else printf '%-34s ctest %s\n' "$3" "$2"; fi
}

# What fails without a mistake finds none.
check_host() { # host
    [ "$1" = verify ] && return
    cmake --build "$build" -j "$(nproc)" --target "test_$1" > "$work/log" 2>&1 &&
        (cd "$work" && timeout 300 "$build/test_$1") > "$work/out" 2>&1 ||
        { echo "test_$1 fails without a mistake, or cannot be built" >&2; return 1; }
}

for host in $(cut -f1 "$work/todo" | sort -u); do
    check_host "$host" || exit 1
done

planted=0 survived=0
while true; do
    sed -n "$((planted + 1)),$((planted + slots))p" "$work/todo" > "$work/batch"
    [ -s "$work/batch" ] || break
    n=0 targets=()
    while IFS=$'\t' read -r host id file compiled short checks tests; do
        n=$((n + 1))
        fill_slot $n "$host" "$id" "$file" "$compiled"
        targets+=("mutant_$n")
    done < <(sed 's/\t\t/\t-\t/g' "$work/batch")
    if ! cmake --build "$build" -j "$(nproc)" --target "${targets[@]}" > "$work/log" 2>&1; then
        grep -E 'error|Error' "$work/log" | head -20 >&2
        echo "a mutant does not compile" >&2
        exit 1
    fi
    n=0
    while IFS=$'\t' read -r host id file compiled short checks tests; do
        n=$((n + 1))
        judge_slot $n "$host" "$id" "$checks" || survived=$((survived + 1))
    done < <(sed 's/\t\t/\t-\t/g' "$work/batch")
    planted=$((planted + n))
done
echo "$planted planted, $((planted - survived)) found, $survived survived"
[ "$planted" -gt 0 ] && [ "$survived" -eq 0 ]
