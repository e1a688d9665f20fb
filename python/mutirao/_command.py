"""The `mutirao` command of an installed wheel: the native program beside this file."""

import os
import sys
from pathlib import Path


def main():
    program = Path(__file__).parent / "bin" / "mutirao"
    # What the program starts for clusters runs in the environment that it was installed into.
    os.environ.setdefault("MUTIRAO_PYTHON", sys.executable)
    try:
        os.execv(program, ["mutirao", *sys.argv[1:]])
    except OSError as error:
        print(f"error: cannot start {program}: {error}", file=sys.stderr)
        return 4
