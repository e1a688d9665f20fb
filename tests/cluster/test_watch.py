"""What the driver does when it missed who came and went: with a scheduler's answers that a real one gives too rarely."""

import asyncio
import json
import os
import sys
from types import SimpleNamespace

import pytest

from native_side import ROOT

sys.path.insert(0, str(ROOT / "python"))

from mutirao.dask import driver as driver_module  # noqa: E402

FACTS = {"build": {}, "host": "here", "cores": 1, "pid": 1, "slots": 1, "memory_limit": 0, "task_memory": 0, "files": []}


class Scheduler:
    """There are as many workers as were told, and others."""

    async def identity(self, n_workers=-1):
        return {"n_workers": 2} if n_workers == 0 else {"workers": {"stayed": {}, "unnoticed": {}}}


@pytest.fixture
def output():
    read_end, write_end = os.pipe()
    yield read_end, write_end
    os.close(read_end)


def test_a_worker_that_is_gone_does_not_hide_another(output, monkeypatch):
    monkeypatch.setattr(driver_module, "COMPARE_SECONDS", 2)

    async def watch():
        driver = driver_module.Driver(-1, output[1])
        driver._client = SimpleNamespace(status="running", scheduler=Scheduler())
        driver._provider = SimpleNamespace(replace_lost=lambda cluster: None)
        driver._workers = {"stayed": FACTS, "gone": FACTS}

        async def probe(address, files):
            return FACTS

        driver._probe = probe
        watching = asyncio.create_task(driver._watch_scheduler(None))
        try:
            async with asyncio.timeout(60):
                while set(driver._workers) != {"stayed", "unnoticed"}:
                    await asyncio.sleep(0.05)
        finally:
            watching.cancel()
            driver._out.close(5)

    asyncio.run(watch())
    told = [json.loads(line) for line in os.read(output[0], 65536).splitlines()]
    assert [(message["type"], message["worker"]) for message in told] == [("worker_gone", "gone"), ("worker", "unnoticed")]
