#!/bin/bash
# Make a fresh Debian 12 or Ubuntu able to build and test Mutirão: apt packages and .venv.
# Idempotent: when nothing changed it returns within a second. `tools/setup.sh clang llvm` installs these too, with what
# they recommend.
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

install -- "$@"
stamp=.venv/.setup-stamp
want=$(cat tools/apt-packages.txt requirements.txt tools/setup.sh | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then exit 0; fi

# shellcheck disable=SC2046  # one name a word
install --no-install-recommends -- $(grep -v '^#' tools/apt-packages.txt)

# Debian's own interpreter: the one whose version the pinned wheels were chosen for.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-virtualenv -r requirements.txt
echo "$want" > "$stamp"
