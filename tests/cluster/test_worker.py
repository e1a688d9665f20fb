"""What a worker's side does by itself, in this process."""

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
