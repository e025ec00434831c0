#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs tests of the tool. NAME.sh is a script that calls `latent`; what it prints must be NAME.stdout,
# and it must leave with the number in NAME.exit (0 if there is no such file). Each runs in an empty
# directory of its own, with no data sets but those it makes, in an environment that has nothing else but
# the sanitizers' settings.
# Usage: tests/cli/run.sh [--rewrite] BUILD_DIR [NAME...]
set -u
tests=$(cd "$(dirname "$0")" && pwd)
rewrite=
if [ "${1:-}" = --rewrite ]; then
    rewrite=yes
    shift
fi
build=$(cd "$1" && pwd)
shift
if [ $# -eq 0 ]; then
    for script in "$tests"/*.sh; do
        [ "$script" = "$tests/run.sh" ] || set -- "$@" "$(basename "$script" .sh)"
    done
fi

failed=0
for name; do
    work=$(mktemp -d)
    actual=$(cd "$work" && env -i PATH="$build:$PATH" HOME="$work" LATENT_DATA="$work/data" \
        LC_ALL=C.UTF-8 TESTS="$tests/.." ASAN_OPTIONS="${ASAN_OPTIONS:-}" \
        UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" LSAN_OPTIONS="${LSAN_OPTIONS:-}" \
        bash -u "$tests/$name.sh" && echo "exit 0" || echo "exit $?")
    actual=${actual//$work/WORK}
    rm -rf "$work"
    code=${actual##*exit }
    actual=${actual%exit *}
    if [ -n "$rewrite" ]; then
        printf %s "$actual" > "$tests/$name.stdout"
        rm -f "$tests/$name.exit"
        [ "$code" = 0 ] || echo "$code" > "$tests/$name.exit"
        continue
    fi
    expected=$(cat "$tests/$name.exit" 2>/dev/null || echo 0)
    if ! diff -u "$tests/$name.stdout" <(printf %s "$actual") || [ "$code" != "$expected" ]; then
        echo "FAILED $name: exit $code, expected $expected"
        failed=1
    fi
done
exit $failed
