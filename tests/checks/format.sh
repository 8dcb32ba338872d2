#!/bin/sh
# Fails if a source file is not as clang-format would write it: format.sh SOURCE-FOLDER
# Each version of clang-format has opinions of its own, and the sources follow that of Debian 12.
set -eu
cd "$1"
for program in clang-format-14 clang-format; do
  "$program" --version 2> /dev/null | grep -q "version 14\." || continue
  find drmclient fbemu cuse tests -name '*.h' -o -name '*.cc' | xargs "$program" --dry-run -Werror
  find tests -name '*.c' | xargs -r "$program" --dry-run -Werror
  exit 0
done
echo "skipped: there is no clang-format 14, which the sources are written for; Debian 12 has it"
exit 77
