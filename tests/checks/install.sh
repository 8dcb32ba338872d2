#!/bin/sh
# What cmake --install installs works: programs that start, and manual pages that man finds: install.sh BUILD-FOLDER
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
DESTDIR=$folder cmake --install "$1" --prefix /usr > /dev/null
installed=$(cd "$folder" && find . -type f | sort)
expected="./usr/bin/fbemuctl
./usr/sbin/fbemud
./usr/share/man/man1/fbemuctl.1
./usr/share/man/man8/fbemud.8"
if [ "$installed" != "$expected" ]; then
  echo "error: these files are installed:"
  echo "$installed"
  exit 1
fi
"$folder/usr/sbin/fbemud" --help | grep -q -- --card
"$folder/usr/bin/fbemuctl" --help | grep -q screenshot
man -M "$folder/usr/share/man" fbemud | grep -q -- --card
man -M "$folder/usr/share/man" fbemuctl | grep -q screenshot
# It serves a framebuffer from there.
mkdir "$folder/device"
# shellcheck disable=SC2016 # the inner shell's variable
"$folder/usr/sbin/fbemud" --card headless:64x48 --device "$folder/device/fb0" -- sh -c 'test "$(head -c 12288 "$FRAMEBUFFER" | wc -c)" = 12288'
