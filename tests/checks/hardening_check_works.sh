#!/bin/sh
# hardening.sh complains of each protection that a program lacks: hardening_check_works.sh HARDENING.SH C++-COMPILER
set -eu
check=$1 compiler=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/program.cc" << 'PROGRAM'
#include <cstdio>
#include <cstring>
#include <span>
int main(int count, char** words) {
  char text[64];
  std::memcpy(text, words[0], static_cast<size_t>(count));
  return std::puts(text) < std::span(words, 1)[static_cast<size_t>(count)][0];
}
PROGRAM

# complaint TEXT FLAG...: what is said of a program with all protections, and the flags after them
complaint() {
  text=$1
  shift
  "$compiler" -std=c++20 -O2 -D_GLIBCXX_ASSERTIONS -fPIE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -Wl,-z,relro,-z,now -pie "$@" \
    -o "$folder/program" "$folder/program.cc"
  if said=$(sh "$check" "$folder/program"); then said=nothing; fi
  case $said in
    *"$text"*) ;;
    *) echo "error: of a program built with $* it says: $said"; exit 1 ;;
  esac
}

complaint nothing -DALL_OF_THEM
complaint "without PIE" -no-pie
complaint "without RELRO" -Wl,-z,norelro
complaint "RELRO is only partial" -Wl,-z,lazy
complaint "without stack protector" -fno-stack-protector
complaint "without _FORTIFY_SOURCE" -U_FORTIFY_SOURCE
complaint "without _GLIBCXX_ASSERTIONS" -U_GLIBCXX_ASSERTIONS
