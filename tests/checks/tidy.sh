#!/bin/sh
# Runs clang-tidy over the product's sources: tidy.sh SOURCE-FOLDER BUILD-FOLDER
# Each version of clang-tidy adds checks, and .clang-tidy is written for that of Debian 12.
set -eu
for version in -14 ""; do
  "clang-tidy$version" --version 2> /dev/null | grep -q "version 14\." || continue
  exec "run-clang-tidy$version" -j 1 -quiet -p "$2" "^$1/(drmclient|fbemu|cuse)/"
done
echo "skipped: there is no clang-tidy 14, which .clang-tidy is written for; Debian 12 has it"
exit 77
