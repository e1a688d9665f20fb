"""How attempts are handed to Dask, without a cluster."""

import asyncio
import sys

from native_side import ROOT

sys.path.insert(0, str(ROOT / "python"))

from mutirao.dask.attempts import GATHER_SECONDS, Attempts  # noqa: E402


class Client:
    """Keeps what it is asked for; nothing that is submitted ever ends."""

    status = "running"

    def __init__(self):
        self.graphs = []
        self.cancelled = []

    def map(self, function, keys, documents, **_):
        self.graphs.append(keys)
        return [Future() for _ in keys]

    async def run(self, function, keys, **_):
        self.cancelled += keys

    async def cancel(self, futures, force):
        pass


class Future:
    status = "pending"

    def __init__(self):
        self._state = asyncio.Event()


def drive(story):
    async def run():
        jobs = []

        def begin(handler, message):
            result = handler(message)
            if asyncio.iscoroutine(result):
                jobs.append(asyncio.create_task(result))

        client = Client()
        attempts = Attempts(None, begin)
        attempts.start(client)
        await story(attempts)
        await asyncio.sleep(10 * GATHER_SECONDS)
        for job in jobs:
            job.cancel()
        return client

    return asyncio.run(run())


def submit(attempts, key):
    attempts.submit({"task": key, "document": "{}"}, {"worker": {}}, 1)


def test_those_that_come_one_after_another_are_one_graph():
    async def story(attempts):
        submit(attempts, "a")
        await asyncio.sleep(0)
        submit(attempts, "b")

    assert drive(story).graphs == [["a", "b"]]


def test_what_still_waits_at_the_end_is_not_begun():
    async def story(attempts):
        submit(attempts, "a")
        assert attempts
        await attempts.cancel_all()

    assert drive(story).graphs == []


def test_what_is_cancelled_while_it_waits_is_known_to_the_cluster():
    async def story(attempts):
        submit(attempts, "a")
        await attempts.cancel(["a"])

    client = drive(story)
    assert client.graphs == [["a"]] and client.cancelled == ["a"]
