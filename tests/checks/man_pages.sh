#!/bin/sh
# Every option and command that a program's help names stands in its man page, and the pages are well formed:
# man_pages.sh SOURCE-FOLDER FBEMUD FBEMUCTL
set -eu
status=0

# options PROGRAM [COMMAND]: the long options of the help
options() { "$@" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u; }

check() { # check PAGE WORD...
  page=$1
  shift
  for word in "$@"; do
    [ "$word" = --help ] && continue
    sed 's/\\-/-/g' "$page" | grep -qF -- "$word" || { echo "error: $page says nothing of $word"; status=1; }
  done
}

check "$1/docs/man/fbemud.8" $(options "$2")
check "$1/docs/man/fbemuctl.1" $(options "$3") status modes screenshot stats --json
for page in "$1/docs/man/fbemud.8" "$1/docs/man/fbemuctl.1"; do
  complaints=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null)
  [ -z "$complaints" ] || { echo "$complaints"; status=1; }
done
exit $status
