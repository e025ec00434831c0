#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes latent a part of somebody else's project, by add_subdirectory and by FetchContent: it brings the library and
# nothing else, and leaves the project as it was.
# Usage: tests/inside.sh BUILD_DIR CC CXX
set -eu
. "$(dirname "$0")/stranger/common.sh"
configure() { # build directory, options
    dir=$1
    shift
    quietly env CC="$cc" CXX="$cxx" cmake -S user -B "$dir" -DLATENT="$tests/.." "$@"
}
unset MAKEFLAGS MAKELEVEL MFLAGS # of the make that runs the tests
cd "$work"
cp -r "$tests/stranger/inside" user
cp "$tests/stranger/program.c" "$tests/stranger/program.cc" user

# Most of the files were compiled for the build already, which takes minutes: of those that include what CMake makes,
# of the presets and of a few more it is seen that they can be compiled here.
cat > launcher <<END
#!/bin/sh
for word; do
    [ "\$before" != -o ] || object=\$word
    before=\$word
done
case \$object in
*/canvas.c.o | */picture.c.o | */loaded_*.c.o | */presets.c.o | */onednn.c.o | */yaml.c.o | */version.c.o) ;;
*/latent_objects.dir/*) cp "$build/\$object" "\$object" && exit ;;
esac
exec "\$@"
END
chmod +x launcher
configure build -DCMAKE_C_COMPILER_LAUNCHER="$work/launcher"
quietly cmake --build build -j "$(nproc)"
for program in c_latent c_shared c_static cxx_latent; do
    build/$program > out 2>&1 || { cat out; fail "$program: fails"; }
    grep -qx '0.1.0: 408 parameters' out || { cat out; fail "$program: prints something else"; }
done
readelf -d build/c_latent | grep liblatent && fail "latent::latent is shared, though nobody asked for it"
quietly cmake --install build --prefix "$work/there"
[ "$(cd there && find . -type f)" = ./bin/c_latent ] || fail "latent installed itself"

configure fetched -DFETCH=ON -DBUILD_SHARED_LIBS=ON
grep -q liblatent.so fetched/CMakeFiles/c_latent.dir/link.txt || fail "latent::latent is not shared"
exit 0
