#!/bin/bash
# Runs one fuzz target for some seconds: fuzz/run.sh csv 600. What it learns stays in build/fuzz/corpus, a finding is
# written to build/fuzz as finding-TARGET-*; run `build/fuzz/bin/TARGET_fuzz FILE` to see it again.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "build/fuzz/corpus/$1"
scratch=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$scratch"' EXIT
# Arrow's own pools would hide what is read behind the end of a buffer.
TMPDIR=$scratch ARROW_DEFAULT_MEMORY_POOL=system UBSAN_OPTIONS=print_stacktrace=1 "build/fuzz/bin/$1_fuzz" \
  -max_total_time="$2" -max_len=4096 -timeout=300 -rss_limit_mb=4096 -malloc_limit_mb=4096 -print_final_stats=1 \
  -artifact_prefix="build/fuzz/finding-$1-" "build/fuzz/corpus/$1" "fuzz/corpus/$1"
