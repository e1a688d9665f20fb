"""What a worker's side does by itself, in this process."""

import os
import subprocess
import sys
import threading
import time
import types

from native_side import ROOT

sys.path.insert(0, str(ROOT / "python"))

from mutirao.dask import worker  # noqa: E402


def test_a_worker_with_nothing_to_do_lets_go_of_what_it_kept(monkeypatch):
    let_go, told = [], []
    for name, value in {"FIRST_REPORT_SECONDS": 0, "REPORT_SECONDS": 0.01, "KEEP_SECONDS": 0.05}.items():
        monkeypatch.setattr(worker, name, value)
    monkeypatch.setattr(worker, "library", lambda: types.SimpleNamespace(let_go=lambda: let_go.append(dict(worker._running))))
    task = types.SimpleNamespace(progress=lambda: {"rows_read": 1}, news=lambda: None)
    dask_worker = types.SimpleNamespace(address="a", log_event=lambda topic, event: told.append(event))
    monkeypatch.setitem(worker._running, "key", task)
    reporter = threading.Thread(target=worker._report, args=(dask_worker,), daemon=True)
    reporter.start()
    time.sleep(0.2)
    assert told and not let_go, "a task runs"
    del worker._running["key"]
    reporter.join(10)
    assert not reporter.is_alive() and let_go == [{}]


def test_a_worker_keeps_memory_that_was_freed():
    """Dask starts workers with a MALLOC_TRIM_THRESHOLD_ that has glibc ask for large blocks anew, page by page."""
    script = """
import ctypes, resource
from mutirao.dask import worker
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        block = c.malloc(1 << 20)
        ctypes.memset(block, 1, 1 << 20)
        c.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
anew = faults()
worker.keep_freed_memory()
print(anew, faults())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env={
        **os.environ, "PYTHONPATH": str(ROOT / "python"), "MALLOC_TRIM_THRESHOLD_": "65536"})
    anew, kept = map(int, done.stdout.split())
    assert kept < 600 < anew, "of 256 pages, 50 times"
