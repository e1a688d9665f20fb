#!/bin/bash
# Run the example job in a fresh copy and show its result: demo.sh PROGRAM FOLDER
set -euo pipefail
program=$(realpath "$1")
source=$(realpath "$(dirname "$0")/active_companies")
venv=$(realpath "$(dirname "$0")/../.venv/bin")

rm -rf "$2"
mkdir -p "$2"
cp -r "$source/." "$2"
cd "$2"
# report.py needs pyarrow, which the project's environment has.
export PATH="$venv:$PATH"

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
say mutirao run jobs/active_companies.yaml
"$program" run jobs/active_companies.yaml
say cat out/report.txt
head -12 out/report.txt
say mutirao preview jobs/active_companies.yaml active -n 5
"$program" preview jobs/active_companies.yaml active -n 5
printf '\nThe dataset is in %s\n' "$(realpath out/active_companies)"
