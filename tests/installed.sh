#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what was built to a directory of its own and uses it as another project would: a program that
# draws is compiled and linked with what pkg-config says, and run.
# Usage: tests/installed.sh BUILD_DIR CC
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$1" --prefix "$work/there" > "$work/log" || { cat "$work/log"; exit 1; }
cat > "$work/user.c" <<'EOF'
#include <latent/latent.h>
#include <stdio.h>

int main(void)
{
    double x[200], y[200];
    float pixels[2][16];
    lt_image frames[2];
    for (int i = 0; i < 200; i++) {
        x[i] = lt_normal_quantile((i + 0.5) / 200);
        y[i] = lt_normal_quantile((i * 73 % 200 + 0.5) / 200);
    }
    for (int i = 0; i < 32; i++)
        pixels[i / 16][i % 16] = (float)i / 31;
    lt_series s = {.kind = LT_HEAT, .n = 200, .x = x, .y = y};
    lt_chart c = {.series = &s, .n_series = 1, .has_marginals = true, .has_normal = true};
    int status = lt_chart_write("chart.svg", &c, NULL);
    for (int i = 0; i < 2 && status == LT_OK; i++)
        status = lt_image_grid(&frames[i], pixels[i], 1, 4, 4, 1, NULL);
    if (status == LT_OK)
        status = lt_animation_write("film.webp", &(lt_animation){.frames = frames, .n = 2});
    if (status != LT_OK)
        fprintf(stderr, "%s\n", lt_last_error());
    return status != LT_OK;
}
EOF
cd "$work"
PKG_CONFIG_PATH=$(dirname "$(find "$work/there" -name latent.pc)")
export PKG_CONFIG_PATH
mv there moved # wherever it is
PKG_CONFIG_PATH=$(echo "$PKG_CONFIG_PATH" | sed "s|$work/there|$work/moved|")
# shellcheck disable=SC2046 # words
"$2" -std=c11 -Wall -Wextra -pedantic -Werror $(pkg-config --cflags latent) user.c \
    $(pkg-config --libs latent) -o user
./user
test -s chart.svg
test -s film.webp
./moved/bin/latent version > /dev/null
