#!/bin/sh
# Fails if a program lacks one of the protections that an optimised build has: hardening.sh PROGRAM...
# Each is looked up in the file itself, because a flag of CMake may not arrive there.
set -eu
status=0

# require WHAT WORD COMMAND...: the output of the command has the word
require() {
  what=$1 word=$2
  shift 2
  "$@" 2> /dev/null | grep -qE -- "$word" || { echo "error: $program is built without $what"; status=1; }
}

for program in "$@"; do
  require "PIE" "Type: +DYN" readelf -hW "$program"
  require "RELRO" "GNU_RELRO" readelf -lW "$program"
  require "binding of all symbols at start, so RELRO is only partial" "BIND_NOW|Flags:.* NOW" readelf -dW "$program"
  require "stack protector" "UND __stack_chk_fail" readelf --dyn-syms -W "$program"
  require "_FORTIFY_SOURCE" "UND __[a-z]+_chk@" readelf --dyn-syms -W "$program"
  require "_GLIBCXX_ASSERTIONS" "UND _ZSt.*__glibcxx_assert_fail" readelf --dyn-syms -W "$program"
done
exit $status
