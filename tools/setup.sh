#!/bin/bash
# Make a fresh Debian 12 or Ubuntu able to build Mutirão (`tools/setup.sh build`), or to build and test it (`tools/setup.sh
# test`): apt packages and .venv. Idempotent: when nothing changed it returns within a second. Names of packages behind
# (`tools/setup.sh test clang llvm`) are installed too, with what they recommend.
set -euo pipefail
cd "$(dirname "$0")/.."

# Install those of the packages that are missing: install OPTION… -- PACKAGE…
install() {
  local options=() missing=() sudo=""
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "setup: sudo is needed to install: ${missing[*]}" >&2; exit 4; }
    sudo=sudo
  fi
  echo "setup: installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq "${options[@]}" "${missing[@]}" >/dev/null
}

# What each level installs into .venv; "test" holds "build".
declare -A requirements=([build]="requirements.txt" [test]="requirements.txt tests/requirements.txt")
level=${1-}
[[ -n "$level" && -n "${requirements[$level]-}" ]] || { echo "setup: say what for: tools/setup.sh build|test [PACKAGE...]" >&2; exit 2; }
shift
install -- "$@"

# shellcheck disable=SC2086  # names of files
state() { echo "$1 $(cat tools/apt-packages.txt tools/setup.sh ${requirements[$1]} | sha256sum | cut -d' ' -f1)"; }
stamp=.venv/.setup-stamp  # a line for each level that is there
if [ -f "$stamp" ] && grep -qxF "$(state "$level")" "$stamp"; then exit 0; fi

# shellcheck disable=SC2046  # one name a word
install --no-install-recommends -- $(grep -v '^#' tools/apt-packages.txt)

# Debian's own interpreter: the one whose version the pinned wheels were chosen for.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
[ -x .venv/bin/python ] || "$python" -m venv .venv
for file in ${requirements[$level]}; do
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-virtualenv -r "$file"
done
state build > "$stamp"
[ "$level" = build ] || state "$level" >> "$stamp"
