"""Run a program to its end and say what it took, its children included."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
INTERVAL = 0.02
LOOKS_A_SHARE = 5  # asking for it makes the kernel walk through all pages


def tree(pid):
    """A process and all that descend from it, as far as they live."""
    pids = [pid]
    for parent in pids:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return pids


def look(pid):
    """CPU seconds so far and resident bytes of a process, or None when it is gone."""
    try:
        # The name, in parentheses, may hold blanks; utime, stime and rss are fields 14, 15 and 24 (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS, int(fields[21]) * PAGE


def shared(pid, resident):
    """What of a process's resident bytes is for others to count: pages that several map count for each by its part."""
    try:
        return resident - int(re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1]) * 1024
    except (OSError, TypeError):
        return 0


def high_water(pid):
    """The kernel's own peak of a process. Not ru_maxrss, which begins with the memory of the process that forked it."""
    try:
        return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024
    except (OSError, TypeError):
        return 0


class Watch:
    """Look at a process and its descendants fifty times a second from outside.

    `peak` is the highest sum of their resident memory, or the kernel's peak of the first where that is more, as the
    kernel knows what comes and goes between two looks. A page that several processes map, such as those of a library or
    of a parent that forked, counts once (proportional set size, asked for ten times a second); `cpu()` is the sum of
    what each had used when last seen.
    """

    def __init__(self, pid):
        self.pid, self.peak, self.used, self.done = pid, 0, {}, threading.Event()
        self.shared = {}
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        looks = 0
        while not self.done.wait(INTERVAL):
            seen = {pid: its for pid in tree(self.pid) if (its := look(pid))}
            self.used |= {pid: cpu for pid, (cpu, _) in seen.items()}
            if looks % LOOKS_A_SHARE == 0 or not seen.keys() <= self.shared.keys():
                # One process alone shares with nobody who is measured; the harness may map the same libraries.
                several = len(seen) > 1
                self.shared = {pid: shared(pid, memory) if several else 0 for pid, (_, memory) in seen.items()}
            looks += 1
            together = sum(memory - self.shared.get(pid, 0) for pid, (_, memory) in seen.items())
            self.peak = max(self.peak, together, high_water(self.pid) - self.shared.get(self.pid, 0))

    def cpu(self):
        return sum(self.used.values())

    def stop(self):
        self.done.set()
        self.thread.join()


def timed(call, **options):
    """Run a process and look at nothing while it runs; gives wall seconds and the resource usage of it and its children."""
    began = time.perf_counter()
    process = subprocess.Popen(list(map(str, call)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, **options)
    talk = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, call))} ended with {process.returncode}:\n{talk.decode(errors='replace')}")
    return wall, usage


def measure(call, log):
    """Run a process; gives wall and CPU seconds and the peak memory in MiB. Its talk goes to the file `log`.

    What the kernel says of the CPU of the first process, and of the children it waited for, counts where it is more than
    what was seen from outside.
    """
    with open(log, "wb") as talk:
        began = time.perf_counter()
        process = subprocess.Popen(list(map(str, call)), stdout=talk, stderr=talk, stdin=subprocess.DEVNULL, cwd=log.parent)
        watch = Watch(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        watch.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, call))} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    cpu = max(usage.ru_utime + usage.ru_stime, watch.cpu())
    return {"wall": round(wall, 3), "cpu": round(cpu, 3), "rss_mib": round(watch.peak / 2**20, 1)}
