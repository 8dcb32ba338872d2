#!/bin/sh
# Runs a fuzz target of the preset `fuzz` for a time, on top of the inputs in corpus/:
# run_target.sh SOURCE-FOLDER TARGET SECONDS [FOLDER]      new inputs are kept in FOLDER; without one they are dropped
# A target leaves no file behind; that is checked too. FBEMU_FUZZ_SEED repeats a run; by default each run differs.
set -eu
cd "$1"
target=$2
program=$PWD/build/fuzz/tests/fuzz/fuzz_$target
corpus=$PWD/tests/fuzz/corpus/$target
findings=$PWD/build/fuzz/findings
mkdir -p "$findings"
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT INT TERM
mkdir "$temporary/files" "$temporary/new"
export TMPDIR="$temporary/files" UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
status=0
"$program" "${4:-$temporary/new}" "$corpus" -max_total_time="$3" -timeout=60 -seed="${FBEMU_FUZZ_SEED:-0}" -rss_limit_mb=1024 -max_len=4096 \
  -print_final_stats=1 -artifact_prefix="$findings/$target-" < /dev/null || status=$?
if [ "$status" -ne 0 ]; then
  echo "error: $target failed; its input is in $findings. When the defect is mended, add that file to tests/fuzz/corpus/$target" >&2
elif [ -n "$(ls -A "$TMPDIR")" ]; then
  echo "error: $target left files behind: $(ls -A "$TMPDIR")" >&2
  status=1
fi
exit "$status"
