"""Messages as lines of JSON over a pair of descriptors."""

import asyncio
import json
import os
import threading
from collections import deque

PROTOCOL = 1
LONGEST_LINE = 64 << 20


class Garbage(Exception):
    """The peer sent something that is no message."""


def parse(line):
    """One line as a message: an object with a "type"."""
    try:
        message = json.loads(line)
    except ValueError as error:
        raise Garbage(f"a line is no JSON ({error}): {line[:80]!r}") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Garbage(f'a line is no object with a "type": {line[:80]!r}')
    return message


async def messages(descriptor):
    """The messages of a descriptor until it ends; what is left without a line end then is dropped. Raises Garbage."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader),
                                                os.fdopen(descriptor, "rb", buffering=0))
    try:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError as error:
                raise Garbage(f"a line is longer than {LONGEST_LINE} bytes") from error
            yield parse(line)
    finally:
        transport.close()


class Sender:
    """Sends messages in order from a thread of its own: a slow reader never holds up the event loop.

    `on_broken` is called once, from that thread, when nobody reads any more.
    """

    def __init__(self, descriptor, on_broken):
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._on_broken = on_broken
        self._waiting = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="mutirao-sender", daemon=True)
        self._thread.start()

    def send(self, type, **members):
        line = json.dumps({"type": type, **members}, separators=(",", ":")).encode() + b"\n"
        with self._changed:
            self._waiting.append(line)
            self._changed.notify()

    def send_if_idle(self, type, **members):
        """Send what may be left out: nothing when the reader is behind."""
        if len(self._waiting) < 100:
            self.send(type, **members)

    def close(self, timeout):
        """Send what waits, for at most `timeout` seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return
                data = b"".join(self._waiting)
                self._waiting.clear()
            try:
                while data:
                    data = data[self._file.write(data):]
            except OSError:
                self._on_broken()
                return
