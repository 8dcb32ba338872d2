#!/bin/sh
# The daemon's library builds without libsystemd, and one source file alone knows of it: without_systemd.sh SOURCE-FOLDER BUILD-FOLDER
set -eu
cd "$1"
known=$(grep -rlE 'systemd/|::sd_' drmclient fbemu cuse --include='*.h' --include='*.cc')
if [ "$known" != cuse/service/service_notification.cc ]; then
  echo "error: these files use libsystemd:" "$known"
  exit 1
fi
cmake -S . -B "$2" -G Ninja -DFBEMU_SYSTEMD=OFF -DBUILD_TESTING=OFF -DCMAKE_COMPILE_WARNING_AS_ERROR=ON > /dev/null
# What is the same with libsystemd need not be compiled again.
cmake --build "$2" --target cuse/CMakeFiles/cuse.dir/service/service_notification.cc.o
if grep -q libsystemd "$2/build.ninja" || grep -q -- -lsystemd "$2/build.ninja"; then
  echo "error: a build with FBEMU_SYSTEMD=OFF links libsystemd"
  exit 1
fi
