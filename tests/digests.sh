#!/bin/bash
# SPDX-License-Identifier: MIT
# Trains every preset for two short epochs on images made up here, draws and reports what the tool can of it, and
# prints the SHA-256 of each file. Two builds that compute the same and say the same print the same lines.
#
# Usage: tests/digests.sh TOOL [PRESET]...            prints "PRESET FILE SHA-256"
#        tests/digests.sh --check TOOL [PRESET]...    compares with tests/digests/ (77: not on this type of machine)
#        tests/digests.sh --keep TOOL                 writes them there: after a change that is meant to change them
#
# Bits depend on the instruction set, the compiler, oneDNN and the C library, so a file of digests is of one type of
# machine, and its first line names it. Seconds are taken out of metrics.jsonl before anything reads it.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

mode=print
case ${1:-} in
--check | --keep) mode=${1#--}; shift ;;
esac
[ $# -gt 0 ] || { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 2; }
tool=$(realpath "$1")
shift
presets=("$@")
[ $# -gt 0 ] || mapfile -t presets < <(cd "$here/../recipes" && for f in *.yaml; do echo "${f%.yaml}"; done)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

machine() {
    "$tool" version | awk '$1 == "compiler" || $1 == "kernels" || $1 == "matmul" { $1 = ""; printf "%s;", $0 }'
    echo " $(getconf GNU_LIBC_VERSION); cpu $(awk -F ': *' '/^(vendor_id|cpu family|model|stepping)\t/ { print $2 }' \
        /proc/cpuinfo | head -n 4 | tr '\n' ' ')cache $(getconf LEVEL1_DCACHE_SIZE) $(getconf LEVEL2_CACHE_SIZE)"
}

digest() { # NAME FILE
    [ -e "$2" ] || { echo "$preset $1 none"; return; } # samples of a kind of model that has none
    echo "$preset $1 $(sha256sum < "$2" | cut -d ' ' -f 1)"
}

# The numbers of a checkpoint alone: what follows the header, whose length is its first eight bytes.
weights() {
    local n
    n=$(od -A n -t u8 -N 8 "$1" | tr -d ' ')
    tail -c +$((n + 9)) "$1"
}

# What a command writes to FILE, or that it refuses.
made() { # FILE COMMAND...
    local file=$1
    shift
    if "$tool" "$@" > "$work/out" 2> "$work/log"; then
        [ -e "$file" ] || mv "$work/out" "$file"
        digest "$file" "$file"
    elif [ $? = 1 ]; then
        echo "$preset $file refused"
    else
        { echo "latent $*"; cat "$work/log"; } >&2
        exit 1
    fi
}

digests_of() {
    local images=(-s data.set=synthetic -s data.limit=64 -s data.classes=)
    case $preset in
    cifar10-* | *svhn) images+=(-s data.resize=32 -s data.channels=3) ;;
    esac
    "$tool" train "$preset" "${images[@]}" --epochs 2 -s train.batch=32 -s train.samples_every=2 -s train.checkpoint_every=1 \
        --out run 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
    sed -i -E 's/"(seconds|images_per_second)":[^,}]*/"\1":1/g' run/metrics.jsonl
    local last
    last=$(ls run/checkpoints | tail -n 1)
    digest checkpoint "run/checkpoints/$last"
    weights "run/checkpoints/$last" > "$work/weights"
    digest weights "$work/weights"
    digest recipe.yaml run/recipe.yaml
    digest metrics.jsonl run/metrics.jsonl
    digest samples.png run/samples/epoch-0002.png
    made eval.json eval run --json --nll 3
    made explain.txt explain run
    made codes.csv encode run -o codes.csv
    made sample.npy sample run -n 4 -o sample.npy
    made sample.jpg sample run -n 4 -o sample.jpg
    made sample.webp sample run -n 4 -o sample.webp
    made sample-01.png sample run -n 2 -o sample-%02d.png
    made draws.svg sample run -n 4 --draws -o draws.svg
    made classes.png sample run -n 2 --class all -o classes.png
    made history.svg sample run -n 2 --history -o history.svg
    made reconstruct.png reconstruct run -n 4 -o reconstruct.png
    made interpolate.svg interpolate run -o interpolate.svg
    made traverse.svg traverse run -o traverse.svg
    made shift.png traverse run --rows 2 --every 2 --shift 1 -o shift.png
    made grid.png traverse run --grid top -o grid.png
    made manifold.png manifold run -o manifold.png
    made walk.gif animate run --walk --walks 4 --stops 2 --per-stop 3 -o walk.gif
    made walk.apng animate run --walk --walks 2 --stops 2 --per-stop 2 -o walk.apng
    made curves.svg plot curves run -o curves.svg
    made latents.pdf plot latents run -o latents.pdf
    made histogram.csv plot histogram run -o histogram.csv
    made activity.svg plot activity run -o activity.svg
    made bounds.csv plot bounds run -o bounds.csv
    made rate-distortion.svg plot rate-distortion run -o rate-distortion.svg
    made report.html report run -o report.html
}

print_digests() {
    for preset in "${presets[@]}"; do
        mkdir "$work/$preset"
        (cd "$work/$preset" && digests_of) || exit 1
    done
}

kept=
for file in "$here"/digests/*.txt; do
    [ ! -e "$file" ] || [ "$(head -n 1 "$file")" != "# $(machine)" ] || kept=$file
done
case $mode in
print) print_digests ;;
keep)
    mkdir -p "$here/digests"
    [ -n "$kept" ] || kept=$here/digests/$(machine | sha256sum | cut -c 1-12).txt
    { echo "# $(machine)"; print_digests; } > "$work/kept"
    mv "$work/kept" "$kept"
    echo "$kept" ;;
check)
    [ -n "$kept" ] || { echo "no digests are kept of a machine like this one: $(machine)"; exit 77; }
    print_digests > "$work/found"
    for preset in "${presets[@]}"; do grep "^$preset " "$kept" || true; done > "$work/expected"
    diff "$work/expected" "$work/found" > "$work/diff" && { echo "$(wc -l < "$work/found") files are the same"; exit; }
    echo "expected, of $kept (<), and found (>):"
    cat "$work/diff"
    exit 1 ;;
esac
