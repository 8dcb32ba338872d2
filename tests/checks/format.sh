#!/bin/sh
# Fails where a source file is not as clang-format would write it: format.sh SOURCE-FOLDER
set -eu
cd "$1"
find drmclient fbemu cuse tests -name '*.h' -o -name '*.cc' | xargs clang-format-14 --dry-run -Werror
find tests -name '*.c' | xargs -r clang-format-14 --dry-run -Werror
