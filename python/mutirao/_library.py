"""libmutirao through ctypes: the functions of include/mutirao/task.h."""

import ctypes
import json
import os
from pathlib import Path

ABI = 4


class TaskError(Exception):
    """A call of the library failed. `error` is {"code", "message", "help"}."""

    def __init__(self, error):
        super().__init__(error.get("message", "unknown"))
        self.error = error


def library_path():
    """The library's file: MUTIRAO_LIBRARY, or the one in this package."""
    named = os.environ.get("MUTIRAO_LIBRARY")
    if named:
        return Path(named)
    folder = Path(__file__).parent / "lib"
    return next(iter(sorted(folder.glob("libmutirao.so*"))), folder / "libmutirao.so")


class Progress(ctypes.Structure):
    _fields_ = [("rows_read", ctypes.c_int64), ("rows_written", ctypes.c_int64), ("bytes_read", ctypes.c_int64),
                ("bytes_total", ctypes.c_int64), ("memory_held", ctypes.c_int64), ("bytes_spilled", ctypes.c_int64)]

    def as_dict(self):
        return {name: getattr(self, name) for name, _ in self._fields_}


class Task:
    """One execution of a task. run() blocks; cancel() and progress() may come from any thread meanwhile."""

    def __init__(self, library, options=None):
        self._library = library
        text = None if options is None else json.dumps(options).encode()
        self._handle = library.c.mutirao_task_new(text)
        if not self._handle:
            raise TaskError(library.last_error())

    def run(self, document):
        """Run a document (text); gives its result document as text. Raises TaskError."""
        result = ctypes.c_void_p()
        code = self._library.c.mutirao_task_run(self._handle, document.encode(), ctypes.byref(result))
        if code != 0:
            raise TaskError(self._library.last_error())
        try:
            return ctypes.string_at(result).decode()
        finally:
            self._library.c.mutirao_text_free(result)

    def cancel(self):
        self._library.c.mutirao_task_cancel(self._handle)

    def progress(self):
        progress = Progress()
        self._library.c.mutirao_task_progress(self._handle, ctypes.byref(progress))
        return progress.as_dict()

    def news(self):
        """What it told since the last time: {"lines": [text, …], "share": of the whole}, or None."""
        text = self._library.c.mutirao_task_news(self._handle)
        if not text:
            return None
        try:
            return json.loads(ctypes.string_at(text))
        finally:
            self._library.c.mutirao_text_free(text)

    def close(self):
        """Free the execution. Nothing may use it afterwards."""
        handle, self._handle = self._handle, None
        if handle:
            self._library.c.mutirao_task_free(handle)


class Library:
    """The loaded library. CDLL lets other Python threads run while a call is inside."""

    def __init__(self, path=None):
        self.path = Path(path or library_path())
        try:
            self.c = ctypes.CDLL(str(self.path))
            abi = self.c.mutirao_task_abi()
        except (OSError, AttributeError) as error:
            raise ImportError(f"cannot load {self.path}: {error}") from error
        if abi != ABI:
            raise ImportError(f"{self.path} has task interface {abi}, this package speaks {ABI}: install both from one version")
        declare = {
            "mutirao_build": (ctypes.c_char_p, []),
            "mutirao_last_error": (ctypes.c_char_p, []),
            "mutirao_task_new": (ctypes.c_void_p, [ctypes.c_char_p]),
            "mutirao_task_run": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]),
            "mutirao_task_cancel": (None, [ctypes.c_void_p]),
            "mutirao_task_progress": (None, [ctypes.c_void_p, ctypes.POINTER(Progress)]),
            "mutirao_task_news": (ctypes.c_void_p, [ctypes.c_void_p]),
            "mutirao_let_go": (None, []),
            "mutirao_task_free": (None, [ctypes.c_void_p]),
            "mutirao_text_free": (None, [ctypes.c_void_p]),
        }
        for name, (result, arguments) in declare.items():
            function = getattr(self.c, name)
            function.restype, function.argtypes = result, arguments

    def build(self):
        """What was built: version, abi, task, arrow, platform."""
        return json.loads(self.c.mutirao_build())

    def last_error(self):
        return json.loads(self.c.mutirao_last_error())

    def let_go(self):
        """Let go of what tasks kept for others of their stage."""
        self.c.mutirao_let_go()

    def task(self, options=None):
        return Task(self, options)
