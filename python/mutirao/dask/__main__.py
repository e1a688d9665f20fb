"""python -m mutirao.dask --in FD --out FD: the driver of a cluster, started by a native process."""

import argparse
import asyncio
import ctypes
import logging
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent():
    """Get SIGTERM when the process that started this one dies, even by SIGKILL."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent or parent == 1:
        sys.exit(1)


async def serve(arguments):
    from mutirao.dask.driver import Driver

    driver = Driver(arguments.input, arguments.output)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, driver.stop)
    code = await driver.serve()
    sys.stderr.flush()
    # Threads of a provider that hangs must not keep the process.
    os._exit(code)


def main():
    parser = argparse.ArgumentParser(prog="python -m mutirao.dask", description=__doc__)
    parser.add_argument("--in", dest="input", type=int, required=True, metavar="FD", help="descriptor that messages come from")
    parser.add_argument("--out", dest="output", type=int, required=True, metavar="FD", help="descriptor that messages go to")
    arguments = parser.parse_args()
    end_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    for descriptor in (arguments.input, arguments.output):
        os.set_inheritable(descriptor, False)
    try:
        asyncio.run(serve(arguments))
    except ImportError as error:
        print(f"mutirao.dask: {error}: pip install 'mutirao[dask]'", file=sys.stderr)
        sys.exit(4)


if __name__ == "__main__":
    main()
