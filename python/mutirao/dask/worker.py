"""What runs in a Dask worker: task documents by libmutirao, with the interpreter's lock released.

Functions here are sent by name, so the workers need this package (or its folder on PYTHONPATH) of the same version.
"""

import ctypes
import json
import os
import socket
import threading
import time
import uuid
from collections import OrderedDict

from distributed import get_worker
from distributed.worker import Worker

from mutirao._library import Library, TaskError
from mutirao.dask import modules

TOPIC = "mutirao"
FIRST_REPORT_SECONDS = 0.1
REPORT_SECONDS = 0.5
# So long after its last task a worker keeps what other tasks of the same stage would use.
KEEP_SECONDS = 10
# Characters of a result that an event carries: the scheduler keeps some thousand events.
LONGEST_EVENT = 16 << 10
# What the interpreter, Dask and the libraries take of a worker's memory before any task runs.
RESIDENT_BYTES = 160 << 20
LEAST_BUDGET = 32 << 20
# Numbers of malloc.h, and what glibc comes to by itself where nobody sets them.
M_TRIM_THRESHOLD, TRIM_BYTES = -1, 64 << 20
M_MMAP_THRESHOLD, MMAP_BYTES = -3, 32 << 20

_lock = threading.Lock()
_running = {}
_cancelled = OrderedDict()
_library = None
_reporter = None


def library():
    global _library
    with _lock:
        if _library is None:
            _library = Library()
            keep_freed_memory()
        return _library


def keep_freed_memory():
    """Undo what Dask starts workers with (MALLOC_TRIM_THRESHOLD_): each block of 128 KiB and more would be asked of the system
    anew, page by page, by every task. Tasks give back themselves what is too much when they end."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return  # another libc
    mallopt(M_MMAP_THRESHOLD, MMAP_BYTES)
    mallopt(M_TRIM_THRESHOLD, TRIM_BYTES)


def memory_budget(worker):
    """Bytes that one of a worker's tasks may hold; 0 when the worker has no limit."""
    limit = worker.memory_manager.memory_limit
    if not limit:
        return 0
    return max(LEAST_BUDGET, int(0.7 * (limit - RESIDENT_BYTES) / worker.state.nthreads))


def run_task(key, document, threads):
    """Run one task document. Gives {"result": text} or {"error": {…}}: nothing is pickled but short texts.

    The same is told as an event, which reaches the driver with the news that the task ended: to ask for what a function
    returned takes a message there and back.
    """
    worker = get_worker()
    value = _run(worker, key, document, threads)
    value["memory_peak"] = resident_peak_bytes()
    if len(value.get("result", "")) <= LONGEST_EVENT:
        worker.log_event(TOPIC, {"event": "ended", "task": key, "value": value})
    return value


def _run(worker, key, document, threads):
    worker.log_event(TOPIC, {"event": "running", "task": key, "worker": worker.address})
    options = {"threads": threads, "memory": memory_budget(worker), "spill_dir": worker.local_directory,
               "execution": uuid.uuid4().hex[:8], "modules": str(modules.folder_of(worker))}
    try:
        task = library().task(options)
    except ImportError as error:
        return {"error": {"code": "internal", "message": str(error), "help": ""}}
    with _lock:
        _running[key] = task
        if key in _cancelled:
            task.cancel()
    _start_reporter(worker)
    try:
        return {"result": task.run(document)}
    except TaskError as error:
        return {"error": error.error}
    finally:
        with _lock:
            del _running[key]
            _tell_news(worker, key, task)
            task.close()


def _tell_news(worker, key, task):
    news = task.news()
    if news:
        worker.log_event(TOPIC, {"event": "news", "task": key, "news": news})


def cancel_tasks(keys):
    """Ask running tasks to end, and those that come later under these keys. Runs in the worker's event loop."""
    with _lock:
        for key in keys:
            _cancelled[key] = True
            if key in _running:
                _running[key].cancel()
        while len(_cancelled) > 10_000:
            _cancelled.popitem(last=False)


def probe(files, dask_worker: Worker):
    """What a worker is and sees: its build, its size, and what is wrong with files that should be there (an empty text
    where nothing is)."""
    try:
        build = library().build()
    except ImportError as error:
        build = {"error": str(error)}
    return {"build": build, "host": socket.gethostname(), "cores": len(os.sched_getaffinity(0)), "pid": os.getpid(),
            "slots": dask_worker.state.nthreads, "memory_limit": dask_worker.memory_manager.memory_limit or 0,
            "task_memory": memory_budget(dask_worker), "files": [look_at(file) for file in files]}


def look_at(file):
    try:
        with open(file["path"], "rb") as opened:
            if "text" in file and opened.read(200) != file["text"].encode():
                return "it holds another text"
            size = os.fstat(opened.fileno()).st_size
            if size != file.get("size", size):
                return f"it has {size} bytes instead of {file['size']}"
        return ""
    except OSError as error:
        return error.strerror or str(error)


def resident_bytes():
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def resident_peak_bytes():
    """The most that this process ever held, of all its tasks."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0


def _start_reporter(worker):
    global _reporter
    with _lock:
        if _reporter is None or not _reporter.is_alive():
            _reporter = threading.Thread(target=_report, args=(worker,), name="mutirao-reporter", daemon=True)
            _reporter.start()


def _report(worker):
    """Tell every half second what the running tasks have done, until none has run for a while; the first time soon, so
    that there is something to be seen of a task of a second."""
    pause = threading.Event()
    pause.wait(FIRST_REPORT_SECONDS)
    last = time.monotonic()
    while True:
        with _lock:
            tasks = {key: task.progress() for key, task in _running.items()}
            for key, task in _running.items():
                _tell_news(worker, key, task)
            if tasks:
                last = time.monotonic()
            elif time.monotonic() - last > KEEP_SECONDS:
                global _reporter
                _reporter = None
                break
        if tasks:
            worker.log_event(TOPIC, {"event": "progress", "worker": worker.address, "tasks": tasks,
                                     "memory": resident_bytes(), "memory_peak": resident_peak_bytes()})
        pause.wait(REPORT_SECONDS)
    library().let_go()
