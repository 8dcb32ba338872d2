#!/bin/sh
# Builds the unit tests with one of the presets asan and tsan, and runs them: under_sanitizer.sh SOURCE-FOLDER PRESET
set -eu
cd "$1"
scripts/build "$2" drmclient_test fbemu_test cuse_test kms_test
exec ctest --test-dir "build/$2" --output-on-failure --no-tests=error -j2 -L unit
