#!/bin/sh
# SPDX-License-Identifier: MIT
# Is the binary what cmake/harden.cmake asks for?
# Usage: tests/hardened.sh BINARY
set -eu
failed=0
check() { # what it is, a command that must find something
    what=$1
    shift
    "$@" > /dev/null 2>&1 || { echo "$what: not found"; failed=1; }
}
readelf -W -h -l -d --dyn-syms "$1" > "${TMPDIR:-/tmp}/hardened.$$"
trap 'rm -f "${TMPDIR:-/tmp}/hardened.$$"' EXIT
in_elf() { grep -E "$1" "${TMPDIR:-/tmp}/hardened.$$"; }
stack_is_data() { in_elf 'GNU_STACK.* RW +0x'; }
check "position-independent executable" in_elf 'Type: +DYN'
check "program interpreter (PIE)" in_elf 'INTERP'
check "RELRO" in_elf 'GNU_RELRO'
check "BIND_NOW" in_elf 'FLAGS.*(BIND_NOW|NOW)'
check "stack that is not executable" stack_is_data
check "stack protector" in_elf '__stack_chk_fail'
check "FORTIFY (checked copies)" in_elf '__(memcpy|memset|sprintf|snprintf|vsnprintf|fprintf|printf)_chk'
exit $failed
