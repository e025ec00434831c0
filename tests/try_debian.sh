#!/bin/sh
# SPDX-License-Identifier: MIT
# What tools/try-debian says before it makes a system; making one takes minutes, and root.
set -u
cd "$(dirname "$0")/.." || exit 2
failed=0
says() { # STATUS, WORDS, ARGUMENTS...
    status=$1
    words=$2
    shift 2
    found=$(tools/try-debian "$@" 2>&1)
    code=$?
    case "$code $found" in
    "$status "*"$words"*) ;;
    *) echo "try-debian $*: status $code, \"$found\"; expected $status, \"$words\""; failed=1 ;;
    esac
}
says 0 "Usage: tools/try-debian" --help
says 2 "Usage: tools/try-debian"
says 2 'no recipe for Debian "11": 12 or 13' 11
says 2 "no option --keep; tools/try-debian --help has all" --keep 12
says 2 "--cc needs a value" --cc
says 2 "--cc tcc: gcc or clang" --cc tcc 13

# As someone who is not root, on a machine that has all it needs; then with no debootstrap.
bin=$(mktemp -d)
trap '/bin/rm -rf "$bin"' EXIT
for tool in git tar; do
    printf '#!/bin/sh\nexit 0\n' > "$bin/$tool"
done
printf '#!/bin/sh\necho 1000\n' > "$bin/id"
for tool in bash dirname; do
    ln -s "$(command -v $tool)" "$bin/$tool"
done
chmod +x "$bin"/*
PATH=$bin
export PATH
[ -x /usr/sbin/debootstrap ] || says 1 "debootstrap is not installed: apt-get install debootstrap" 12
printf '#!/bin/sh\nexit 0\n' > "$bin/debootstrap"
/bin/chmod +x "$bin/debootstrap"
says 1 "needs root: sudo tools/try-debian 13" 13
exit $failed
