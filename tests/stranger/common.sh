# SPDX-License-Identifier: MIT
# What tests of strangers' projects share, for scripts that are called BUILD_DIR CC CXX: a directory to work in, which is
# removed in the end, and ways to fail.
tests=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
cc=$2
cxx=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
    echo "$*" >&2
    exit 1
}
quietly() { "$@" > "$work/log" 2>&1 || { cat "$work/log"; fail "failed: $*"; }; }
