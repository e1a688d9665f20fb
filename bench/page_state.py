"""What of files and of memory stands ready when a measurement begins.

A virtual machine may give its free memory back to its host (free page reporting), and then each page that is used for the
first time costs up to twenty times as much. How much of it a run finds depends on what ended before it.
"""

import mmap
import os
import subprocess
import sys


def warm(paths):
    """Read files once, into the page cache."""
    for path in paths:
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass


def drop(paths):
    """Take files out of the page cache: the next reader takes them from disk."""
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def touch(size):
    """Use so many bytes of memory and give them back to the kernel, so that whoever asks next gets pages that exist. In a
    process of its own: the end of a process gives all back at once."""
    subprocess.run([sys.executable, __file__, str(size)], check=True)


def free_memory():
    """Bytes that nothing uses, not even the page cache."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemFree:"))


def be_toucher(size):
    if size < mmap.PAGESIZE:
        return
    memory = mmap.mmap(-1, size)
    memory.madvise(mmap.MADV_HUGEPAGE)
    for at in range(0, size, mmap.PAGESIZE):
        memory[at] = 1


if __name__ == "__main__":
    be_toucher(int(sys.argv[1]))
