#!/bin/sh
# The daemon's library builds without libsystemd, of which few source files know: without_systemd.sh SOURCE-FOLDER BUILD-FOLDER
set -eu
cd "$1"
known=$(grep -rlE 'systemd/|::sd_' base drmclient fbemu cuse --include='*.h' --include='*.cc' | LC_ALL=C sort | tr '\n' ' ')
allowed='cuse/service/service_notification.cc cuse/sleep/logind_monitor.cc cuse/sleep/logind_monitor.h '
if [ "$known" != "$allowed" ]; then
  echo "error: these files use libsystemd: $known, but only these may: $allowed"
  exit 1
fi
cmake -S . -B "$2" -G Ninja -DFBEMU_SYSTEMD=OFF -DBUILD_TESTING=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON > /dev/null
# What is the same with libsystemd need not be compiled again.
cmake --build "$2" --target cuse/CMakeFiles/cuse.dir/service/service_notification.cc.o \
  cuse/CMakeFiles/cuse.dir/sleep/monitor_choice.cc.o
if grep -q logind_monitor "$2/build.ninja"; then
  echo "error: a build with FBEMU_SYSTEMD=OFF compiles the client of logind"
  exit 1
fi
if grep -q libsystemd "$2/build.ninja" || grep -q -- -lsystemd "$2/build.ninja"; then
  echo "error: a build with FBEMU_SYSTEMD=OFF links libsystemd"
  exit 1
fi
