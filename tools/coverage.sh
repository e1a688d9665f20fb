#!/bin/bash
# Says which lines of src and include the tests ran: tools/coverage.sh build/coverage, after ctest there. A summary by
# room goes to stdout, every line to <build>/report/index.html.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
mkdir -p "$build/report"
.venv/bin/python -m gcovr --root . --filter src/ --filter include/ --exclude '.*_test\.(cc|h)' --object-directory "$build" \
  --gcov-ignore-parse-errors=negative_hits.warn --exclude-throw-branches -j "$(nproc)" --json-summary "$build/report/summary.json" \
  --html-nested "$build/report/index.html" "$build" >/dev/null
.venv/bin/python - "$build/report/summary.json" <<'PROGRAM'
import json, sys
from collections import Counter

total, covered = Counter(), Counter()
for file in json.load(open(sys.argv[1]))["files"]:
    room = "/".join(file["filename"].split("/")[:2])
    for name in (room, "all"):
        total[name] += file["line_total"]
        covered[name] += file["line_covered"]
for name in sorted(total, key=lambda name: (name == "all", name)):
    print(f"{name:<20} {100 * covered[name] / max(1, total[name]):5.1f} % of {total[name]} lines")
PROGRAM
