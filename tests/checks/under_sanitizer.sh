#!/bin/sh
# Builds what is tested with one of the presets asan and tsan, or runs the unit tests or those of the FUSE path of that build:
# under_sanitizer.sh SOURCE-FOLDER PRESET build|unit|fuse
set -eu
cd "$1"
preset=$2
checks=$PWD/tests/checks

# run LABEL [CTEST-OPTION...]: tests of the build, of which none may be left out unseen
run() {
  label=$1
  shift
  status=0
  ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -L "^$label\$" "$@" || status=$?
  python3 -B "$checks/left_out.py" "build/$preset/Testing/Temporary/LastTest.log" || status=1
  return $status
}

case "$3" in
  # One job: ctest runs another test beside it.
  build) scripts/build "$preset" -j 1 unit_tests fuse_test ;;
  # NoDescriptorFor, ...WithoutDescriptors, FailingPoll   leave the process no descriptor, and UndefinedBehaviorSanitizer
  #   needs some to look at an object's type
  unit)
    [ "$preset" != asan ] || export GTEST_FILTER='-*.NoDescriptorFor*:*.AcceptWithoutDescriptors*:*.FailingPoll*'
    run unit
    ;;
  # Most of the time these wait for frames, so two of them keep one processor busy.
  #   benchmark_runs   asks whether the benchmark prints figures, which it does without sanitizers
  #   NoThreadWakesUp, GuardNeverWakesUp   check that no thread wakes up; ThreadSanitizer has one of its own that does
  fuse)
    left_out='^benchmark_runs$'
    [ "$preset" != tsan ] || left_out="$left_out|NoThreadWakesUpWithoutOpenFile$|GuardNeverWakesUp$"
    run fuse -j 2 -E "$left_out"
    ;;
  *) sed -n '2,3s/^# //p' "$0" >&2; exit 2 ;;
esac
