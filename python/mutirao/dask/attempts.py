"""The attempts that a driver has in its cluster: submitted many at a time, told of once each."""

import asyncio

from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from mutirao.dask import lines, worker
from mutirao.dask.errors import describe

# Dask's keys begin with this: an argument that equals a key would be replaced by that task's value.
KEY = "mutirao-"
# A graph of more is refused quietly by some schedulers' settings, and warned of by others.
BATCH_BYTES = 4 << 20
# So long an attempt waits for others. What a client sends within 10 ms of something else, Dask keeps back until then.
GATHER_SECONDS = 0.001
CANCEL_SECONDS = 10


class Attempts:
    """Ownership: what is submitted stays in the cluster until it ended or the client is closed. Threads: the loop's."""

    def __init__(self, out, begin):
        self._out = out
        self._begin = begin
        self._client = None
        self._futures = {}
        self._to_submit = []
        self._to_fetch = []

    def start(self, client):
        self._client = client

    def __bool__(self):
        return bool(self._futures or self._to_submit)

    # ---- in

    def submit(self, message, workers, threads):
        """Submit an attempt together with those that come soon after: a graph of one costs the scheduler about
        as much as one of ten."""
        if self._client is None:
            raise lines.Garbage("a task came before the cluster was started")
        avoided = message.get("avoid") or []
        others = [address for address in workers if address not in avoided] if avoided else []
        if not self._to_submit:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._begin, self._submit_later, None)
        self._to_submit.append((tuple(others), threads, message["task"], message["document"]))

    async def _submit_later(self, _):
        self._submit_waiting()

    def _submit_waiting(self):
        waiting, self._to_submit = self._to_submit, []
        batches = {}
        for others, threads, key, document in waiting:
            batches.setdefault((others, threads), []).append((key, document))
        for (others, threads), batch in batches.items():
            choose = {"workers": list(others), "allow_other_workers": True} if others else {}
            for part in _cut(batch):
                self._submit_batch(part, threads, choose)

    def _submit_batch(self, batch, threads, choose):
        keys = [key for key, _ in batch]
        futures = self._client.map(worker.run_task, keys, [document for _, document in batch], key=[KEY + key for key in keys],
                                   threads=threads, retries=0, **choose)
        for key, future in zip(keys, futures):
            self._futures[key] = future
            self._begin(self._follow, (key, future))

    async def cancel(self, keys):
        """First the running functions, which Dask cannot reach, then what waits."""
        self._submit_waiting()
        futures = [self._futures[key] for key in keys if key in self._futures]
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await self._client.run(worker.cancel_tasks, keys, on_error="ignore")
        except TimeoutError:
            pass  # a worker died while it was asked, and its tasks with it
        finally:
            await self._client.cancel(futures, force=True)

    async def cancel_all(self):
        self._to_submit.clear()
        await self.cancel(list(self._futures))

    # ---- out

    def ended(self, event):
        """A worker tells of an end, which is quicker than to fetch what the function returned."""
        self._tell(event["task"], event["value"])

    async def _follow(self, pair):
        """Wait for an end that nobody tells of: a worker's death, a cancellation, a result too large for an event."""
        key, future = pair
        # What distributed.wait() waits for; that one wants a default client, and done callbacks come from a thread.
        while future.status == "pending":
            await future._state.wait()
        if self._futures.get(key) is not future:
            return
        if future.status == "finished":
            if not self._to_fetch:
                asyncio.get_running_loop().call_soon(self._begin, self._fetch, None)
            self._to_fetch.append(pair)
        else:
            await self._tell_failure(pair)

    async def _fetch(self, _):
        finished, self._to_fetch = self._to_fetch, []
        try:
            values = await self._client.gather([future for _, future in finished])
        except Exception:
            # A worker died with its results: Dask makes them anew, or says of each why not.
            for pair in finished:
                self._begin(self._tell_failure, pair)
            return
        for (key, _), value in zip(finished, values):
            self._tell(key, value)

    async def _tell_failure(self, pair):
        key, future = pair
        try:
            self._tell(key, await future)
        except KilledWorker as error:
            if self._futures.pop(key, None) is None:
                return
            address = getattr(error.last_worker, "address", str(error.last_worker))
            self._out.send("lost", task=key, worker=address)
        except FutureCancelledError:
            if self._futures.pop(key, None) is None:
                return
            # With the scheduler everything is cancelled, which the driver tells in one word.
            if self._client.status == "running":
                self._out.send("cancelled", task=key)
        except Exception as error:
            if self._futures.pop(key, None) is None:
                return
            self._out.send("failed", task=key, error={**describe(error), "code": "internal"})

    def _tell(self, key, value):
        if self._futures.pop(key, None) is None:
            return
        if "result" in value:
            self._out.send("done", task=key, result=value["result"], memory_peak=value.get("memory_peak", 0))
        elif value["error"].get("code") == "cancelled":
            self._out.send("cancelled", task=key)
        else:
            self._out.send("failed", task=key, error=value["error"])


def _cut(batch):
    """Pieces of a batch whose documents are not too long together."""
    piece, size = [], 0
    for key, document in batch:
        if piece and size + len(document) > BATCH_BYTES:
            yield piece
            piece, size = [], 0
        piece.append((key, document))
        size += len(document)
    if piece:
        yield piece
