#!/bin/sh
# What a plain configuration asks for and builds: configurations.sh SOURCE-FOLDER BUILD-FOLDER
set -eu
rm -rf "$2"
mkdir -p "$2"

configure() { # configure NAME OPTION...
  name=$1
  shift
  cmake -S "$source" -B "$folder/$name" -G Ninja "$@" > "$folder/$name.log" 2>&1 || { cat "$folder/$name.log"; exit 1; }
}

fail() { echo "error: $*"; exit 1; }

source=$1 folder=$2

# The programs need nothing that only tests need.
configure users -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON \
  -DCMAKE_DISABLE_FIND_PACKAGE_rapidcheck=ON -DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON
if ninja -C "$folder/users" -n all | grep tests/; then fail "these parts of the tests are built without BUILD_TESTING"; fi

# A warning of a compiler that nobody here has must not end a build, but one in a preset does.
if grep -q -- -Werror "$folder/users/build.ninja"; then fail "warnings are errors without CMAKE_COMPILE_WARNING_AS_ERROR"; fi
(cd "$source" && cmake --preset release -B "$folder/preset" -DBUILD_TESTING=OFF) > "$folder/preset.log" 2>&1 || { cat "$folder/preset.log"; exit 1; }
grep -q -- -Werror "$folder/preset/build.ninja" || fail "warnings are no errors in the preset release"

# A packager's flags are all that there is, if so wished.
CXXFLAGS=-O2 configure packagers -DCMAKE_BUILD_TYPE=None -DBUILD_TESTING=OFF
if grep -qE -- "FORTIFY|stack-protector|-fPIE|relro" "$folder/packagers/build.ninja"; then fail "the build type None adds hardening flags to a packager's"; fi
