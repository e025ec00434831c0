#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs those of the given Debian packages that are missing, as root or with sudo.
# Usage: tools/install.sh PACKAGE...
set -eu

missing=
for package; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "this is not a Debian system; please install what stands for:$missing" >&2
    exit 1
fi
run=
if [ "$(id -u)" != 0 ]; then
    run=sudo
    if ! command -v sudo >/dev/null; then
        echo "please run as root: apt-get install$missing" >&2
        exit 1
    fi
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# The lists may be old or absent: fetch them only when the first try fails.
# shellcheck disable=SC2086 # a list of words
$run apt-get install -y --no-install-recommends $missing ||
    { $run apt-get update && $run apt-get install -y --no-install-recommends $missing; }
