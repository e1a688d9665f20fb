"""The driver: makes a cluster, hands it task documents, tells what became of them. It decides nothing.

Messages in and out are described in docs/formats/cluster-protocol.md.
"""

import asyncio
import logging
import os
import platform
import threading
from importlib.metadata import PackageNotFoundError, version

import dask
import distributed
from distributed import Client

from mutirao.dask import lines, modules, providers, worker
from mutirao.dask.attempts import Attempts
from mutirao.dask.errors import describe

log = logging.getLogger("mutirao.dask")
# Dask tells of each connection that ends; what matters comes as a message.
logging.getLogger("distributed").setLevel(logging.ERROR)

# Together less than the time after which the native side ends the driver and whatever is left.
CANCEL_SECONDS = 10
OPEN_SECONDS = 5
CLOSE_SECONDS = 20
PROBE_SECONDS = 20
MODULE_SECONDS = 100
# How often who is there is compared by name, which costs the scheduler something; in between a count must do.
COMPARE_SECONDS = 10
CHECK_TRIES = 4  # together less than the time after which the asking side gives up


def own_version():
    try:
        return version("mutirao")
    except PackageNotFoundError:
        return "source"


class Driver:
    def __init__(self, input_fd, output_fd):
        self._input = input_fd
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._out = lines.Sender(output_fd, lambda: self._loop.call_soon_threadsafe(self._stop.set))
        self._provider = None
        self._opening = None
        self._cluster = None
        self._client = None
        self._attempts = Attempts(self._out, self._begin)
        self._modules = modules.Sender()
        self._workers = {}
        self._greeted = set()
        self._jobs = set()

    def stop(self):
        """End as if the input had ended. Threads: the loop's."""
        self._stop.set()

    async def serve(self):
        """Until the input ends or says close. Gives the exit code."""
        self._out.send("hello", protocol=lines.PROTOCOL, version=own_version(), dask=distributed.__version__,
                       python=platform.python_version(), pid=os.getpid())
        reading = asyncio.create_task(self._read())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([reading, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            _end_process_after(CLOSE_SECONDS + 10)
            for job in (reading, stopping, *self._jobs):
                job.cancel()
            is_closed = await self._close()
        code = 0
        if reading.done() and not reading.cancelled() and reading.exception():
            error = reading.exception()
            log.error("ending: %s", error)
            self._out.send("broken", error=describe(error))
            code = 1
        elif is_closed:
            self._out.send("closed")
        else:
            code = 1  # the native side ends by name what may be left
        self._out.close(5)
        return code

    async def _read(self):
        greeted = False
        async for message in lines.messages(self._input):
            kind = message["type"]
            if not greeted:
                if kind != "hello" or message.get("protocol") != lines.PROTOCOL:
                    raise lines.Garbage(f"the peer speaks protocol {message.get('protocol')!r}, this driver speaks "
                                        f"{lines.PROTOCOL}: install both from one version")
                greeted = True
            elif kind == "close":
                return
            elif kind in ("start", "check", "module", "submit", "cancel", "reap"):
                try:
                    self._begin(getattr(self, f"_on_{kind}"), message)
                except (KeyError, TypeError) as error:
                    raise lines.Garbage(f"a message of type {kind} lacks {error}") from error
            else:
                raise lines.Garbage(f"a message of unknown type {kind!r}")

    def _begin(self, handler, message):
        """Call a handler; one that waits goes on by itself."""
        result = handler(message)
        if asyncio.iscoroutine(result):
            job = asyncio.create_task(result)
            self._jobs.add(job)
            job.add_done_callback(self._job_ended)

    def _job_ended(self, job):
        self._jobs.discard(job)
        if not job.cancelled() and job.exception():
            error = job.exception()
            log.error("the cluster failed", exc_info=error)
            self._out.send("broken", error=describe(error))

    # ---- start

    async def _on_start(self, message):
        wait = message["wait"]
        try:
            self._provider = providers.make(message["provider"], message["name"], message["config"])
            self._provider.tell = lambda text: self._out.send("starting", text=text)
            self._provider.tell(f"making a cluster: {self._provider.describe()}")
            if (handle := self._provider.announce()) is not None:
                self._out.send("made", handle=handle)
            # For good: what starts later, such as the next process of a worker, inherits it too.
            dask.config.set(self._provider.dask_config())
            self._cluster = await self._open(wait["timeout"])
            self._out.send("made", handle=self._provider.handle(self._cluster))
            self._client = await Client(self._cluster.scheduler_address, asynchronous=True, set_as_default=False,
                                        name="mutirao", timeout=min(60, wait["timeout"]),
                                        security=getattr(self._cluster, "security", None))
            self._attempts.start(self._client)
            self._client.subscribe_topic(worker.TOPIC, self._on_worker_event)
            self._client.subscribe_topic("all", self._on_cluster_event)
            await self._wait_for_workers(wait["workers"], wait["timeout"])
        except Exception as error:
            log.info("start failed", exc_info=error)
            self._out.send("failed_start", error=describe(error))
            return
        self._out.send("started", handle=self._provider.handle(self._cluster),
                       dashboard=getattr(self._cluster, "dashboard_link", "") or "")
        self._begin(self._watch_scheduler, None)

    async def _open(self, timeout):
        """Make the cluster in a thread. One that does not come back is given up; it is ended by name at the end."""
        self._opening = asyncio.create_task(asyncio.to_thread(self._provider.open))
        await asyncio.wait([self._opening], timeout=timeout)
        if not self._opening.done():
            raise providers.ProviderError("deadline", f"{self._provider.describe()} was not made within {timeout:g} s",
                                          "look at the provider's logs, or set start_timeout")
        return self._opening.result()

    async def _wait_for_workers(self, wanted, timeout):
        deadline = self._loop.time() + timeout
        told = -1
        while True:
            known = (await self._client.scheduler.identity())["workers"]
            await self._greet(known)
            if len(self._workers) >= wanted:
                return
            if len(known) != told:
                told = len(known)
                self._out.send("starting", text=f"workers: {told} of {wanted}")
            if self._loop.time() > deadline:
                raise providers.ProviderError("deadline", f"{len(self._workers)} of {wanted} workers came within "
                                              f"{timeout:g} s", "look at the provider's logs, or set start_timeout")
            await asyncio.sleep(0.1)

    async def _greet(self, addresses):
        """Find out what new workers are and tell of them."""
        addresses = [address for address in addresses if address not in self._workers and address not in self._greeted]
        if not addresses:
            return
        self._greeted.update(addresses)
        await asyncio.gather(*(self._greet_one(address) for address in addresses))

    async def _greet_one(self, address):
        try:
            answer = await self._probe(address, [])
            # What died meanwhile was told of already, or never known.
            if address not in self._greeted or isinstance(answer, OSError):
                return  # _watch_scheduler asks those that are there then
        finally:
            self._greeted.discard(address)
        if isinstance(answer, BaseException):
            answer = {"build": {"error": describe(answer)["message"]}, "host": "", "cores": 1, "pid": 0, "slots": 1,
                      "memory_limit": 0, "task_memory": 0, "files": []}
        self._workers[address] = answer
        self._out.send("worker", worker=address, **answer)

    async def _probe(self, address, files):
        """What one worker says of itself and of files, or an exception: an OSError when it is gone, of which TimeoutError
        is one. Each is asked by itself: one that dies or hangs meanwhile would keep back the answers of all."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                answers = await self._client.run(worker.probe, files, workers=[address], on_error="return")
        except OSError as error:
            return error
        return answers.get(address, OSError("it is gone"))

    async def _watch_scheduler(self, _):
        """Tell when nobody answers at the scheduler's place any more, and of workers whose coming or going was missed."""
        compared = self._loop.time()
        while True:
            await asyncio.sleep(1)
            self._provider.replace_lost(self._cluster)
            if self._client.status != "running":
                raise providers.ProviderError("unavailable", f"the scheduler at {self._cluster.scheduler_address} is gone")
            try:
                count = (await self._client.scheduler.identity(n_workers=0))["n_workers"]
                # One that is taken for alive hides one that did not answer in time.
                if count == len(self._workers) and self._loop.time() < compared + COMPARE_SECONDS:
                    continue
                compared = self._loop.time()
                told = set(self._workers)  # who comes while the answer is on its way is not in it
                known = (await self._client.scheduler.identity())["workers"]
            except OSError:
                continue  # the status says so next time
            for address in told - set(known):
                self._tell_gone(address, expected=False)
            await self._greet(known)

    # ---- what happens in the cluster

    def _on_worker_event(self, event):
        _, message = event
        if message.get("event") == "running":
            self._out.send("running", task=message["task"], worker=message["worker"])
        elif message.get("event") == "news":
            self._out.send("news", task=message["task"], news=message["news"])
        elif message.get("event") == "ended":
            self._attempts.ended(message)
        elif message.get("event") == "progress":
            self._out.send_if_idle("progress", worker=message["worker"], memory=message["memory"],
                                   memory_peak=message["memory_peak"], tasks=message["tasks"])

    def _on_cluster_event(self, event):
        _, message = event
        if not isinstance(message, dict):
            return
        address = message.get("worker")
        if message.get("action") == "add-worker":
            self._begin(self._greet, [address])
        elif message.get("action") == "remove-worker":
            self._tell_gone(address, bool(message.get("expected")))

    def _tell_gone(self, address, expected):
        self._greeted.discard(address)
        if self._workers.pop(address, None):
            self._out.send("worker_gone", worker=address, expected=expected)

    # ---- tasks

    async def _on_check(self, message):
        addresses = list(self._workers)
        answers = await asyncio.gather(*(self._look(address, message["files"]) for address in addresses))
        found = {address: answer for address, answer in zip(addresses, answers) if answer is not None}
        silent = [address for address, answer in found.items() if isinstance(answer, TimeoutError)]
        if silent:
            error = {"code": "deadline", "message": f"worker {silent[0]} did not say in time whether it sees the storage"}
            self._out.send("checked", token=message["token"], workers={}, error=error)
            return
        self._out.send("checked", token=message["token"], workers=found)

    async def _look(self, address, files):
        """What a worker says of files; None when it is gone, a TimeoutError when it is there and silent."""
        answer = None
        for _ in range(CHECK_TRIES):
            if address not in self._workers:
                return None
            answer = await self._probe(address, files)
            if not isinstance(answer, OSError):
                return [describe(answer)["message"]] if isinstance(answer, BaseException) else answer["files"]
            await asyncio.sleep(0.5)
        return answer if isinstance(answer, TimeoutError) else None

    async def _on_module(self, message):
        try:
            async with asyncio.timeout(MODULE_SECONDS):
                name, sent = await self._modules.send(self._client, message["path"])
        except Exception as error:
            self._out.send("module_sent", token=message["token"], error=describe(error))
            return
        self._out.send("module_sent", token=message["token"], module=name, sent=sent)

    def _threads(self):
        """Threads for one task: the cores of the busiest machine, shared by the slots there."""
        slots = {}
        for facts in self._workers.values():
            slots[facts["host"]] = slots.get(facts["host"], 0) + facts["slots"]
        return max(1, min((facts["cores"] // slots[facts["host"]] for facts in self._workers.values()), default=1))

    def _on_submit(self, message):
        self._attempts.submit(message, self._workers, self._threads())

    async def _on_cancel(self, message):
        await self._attempts.cancel(list(message["tasks"]))

    async def _on_reap(self, message):
        provider = providers.make(message["provider"], message["name"], message["config"])
        try:
            found = await asyncio.to_thread(provider.reap, message.get("handle"))
            self._out.send("reaped", found=bool(found))
        except Exception as error:
            self._out.send("failed_reap", error=describe(error))

    # ---- end

    async def _close(self):
        """Cancel what runs and send the machines home. Gives whether they are: nobody who does not answer keeps the
        provider from being asked, and only its word counts."""
        deadline = self._loop.time() + CLOSE_SECONDS
        leaving = asyncio.create_task(self._leave())
        await asyncio.wait([leaving], timeout=CANCEL_SECONDS)
        await self._wait_for_opening()
        try:
            async with asyncio.timeout_at(deadline):
                if self._cluster is not None:
                    await asyncio.to_thread(self._provider.close, self._cluster)
                elif self._provider is not None:
                    await asyncio.to_thread(self._provider.reap, None)
        except Exception as error:
            log.warning("closing the cluster: %s", describe(error)["message"])
            return False
        return True

    async def _wait_for_opening(self):
        """What is about to be made can be closed; what is ended by name meanwhile may go on being made."""
        if self._cluster is None and self._opening is not None:
            await asyncio.wait([self._opening], timeout=OPEN_SECONDS)
            if self._opening.done() and not self._opening.exception():
                self._cluster = self._opening.result()

    async def _leave(self):
        try:
            if self._attempts:
                await self._attempts.cancel_all()
            if self._client is not None:
                await self._client.close()
        except Exception as error:
            log.warning("leaving the cluster: %s", describe(error)["message"])


def _end_process_after(seconds):
    """The last resort: a provider that hangs while it closes must not keep the process."""
    timer = threading.Timer(seconds, lambda: os._exit(1))
    timer.daemon = True
    timer.start()
