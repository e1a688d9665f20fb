"""python -m mutirao.dask.keyed -m MODULE [argument ...]: a process of Dask on another host, with keys of its cluster.

The first line of the standard input has the keys, so they are in no command line, no environment and no file. Nothing
follows it: when the input ends, the driver is gone, and this process ends too.
"""

import json
import os
import runpy
import signal
import sys
import threading

END_SECONDS = 30


def settings_of(line):
    """Settings of Dask from the line of keys. Raises ValueError."""
    keys = json.loads(line)
    settings = {"distributed.comm.require-encryption": True, "distributed.comm.tls.ca-file": keys["ca"]}
    for role in ("scheduler", "worker", "client"):
        settings[f"distributed.comm.tls.{role}.cert"] = keys["cert"]
        settings[f"distributed.comm.tls.{role}.key"] = keys["key"]
    return settings


def end_with_input():
    while sys.stdin.buffer.read1(4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(END_SECONDS)
    os._exit(1)


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "-m":
        sys.exit("usage: python -m mutirao.dask.keyed -m MODULE [argument ...], keys on standard input")
    try:
        settings = settings_of(sys.stdin.buffer.readline())
    except (ValueError, KeyError, TypeError):
        # Not the error itself: it may quote a key.
        sys.exit("mutirao.dask.keyed: the first line of the input has no keys")
    import dask

    dask.config.set(settings)
    threading.Thread(target=end_with_input, name="mutirao-input", daemon=True).start()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
