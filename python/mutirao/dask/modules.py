"""Libraries of the user's, sent to every worker once, by the hash of their content."""

import hashlib
import os
from pathlib import Path

from distributed import WorkerPlugin


def folder_of(worker):
    return Path(worker.local_directory) / "mutirao-modules"


def name_of(data):
    return hashlib.sha256(data).hexdigest()[:40] + ".so"


class ModulePlugin(WorkerPlugin):
    """Puts a library into the worker's own folder, also of workers that come later."""

    def __init__(self, name, data):
        self.module = name
        self.data = data
        self.name = f"mutirao-module-{name}"

    def setup(self, worker):
        if name_of(self.data) != self.module:
            raise ValueError(f"module {self.module} arrived damaged")
        folder = folder_of(worker)
        folder.mkdir(mode=0o700, exist_ok=True)
        made = folder / f".{self.module}"
        made.write_bytes(self.data)
        made.chmod(0o700)
        # The loader knows a file that is replaced under its name no more.
        os.replace(made, folder / self.module)


class Sender:
    """Sends each content once. Threads: the loop's."""

    def __init__(self):
        self._sent = set()

    async def send(self, client, path):
        """Gives the name under which workers have it, and how many got it now. Raises OSError."""
        data = Path(path).read_bytes()
        name = name_of(data)
        if name in self._sent:
            return name, 0
        answers = await client.register_plugin(ModulePlugin(name, data))
        for address, answer in (answers or {}).items():
            if isinstance(answer, dict) and answer.get("status") == "error":
                raise OSError(f"worker {address} did not take {path}: {answer.get('exception')}")
        self._sent.add(name)
        return name, len(answers or {})
