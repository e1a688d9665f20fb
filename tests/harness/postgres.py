"""A PostgreSQL server of a test's own: on a Unix socket in a temporary folder, without flushes."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time


def programs():
    """The folder of the newest PostgreSQL that is installed; None without one."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    return os.path.dirname(found[-1]) if found else None


class Postgres:
    def __init__(self):
        # A short path: a socket's address holds a hundred bytes. PostgreSQL refuses to run as root.
        self.folder = tempfile.mkdtemp(prefix="mtr-pg-", dir="/tmp")
        self.user = []
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        data = f"{self.folder}/data"
        subprocess.run([*self.user, f"{programs()}/initdb", "-D", data, "-U", "mutirao", "-A", "trust", "--no-sync", "-E", "UTF8"],
                       check=True, capture_output=True, cwd=self.folder)
        self.uri = f"postgresql:///postgres?host={self.folder}&user=mutirao"
        self.start()

    def start(self):
        """Start it, the first time or after halt()."""
        self.process = subprocess.Popen([*self.user, f"{programs()}/postgres", "-D", f"{self.folder}/data", "-k", self.folder,
                                         "-c", "listen_addresses=", "-c", "fsync=off"], cwd=self.folder,
                                        stdout=subprocess.DEVNULL, stderr=open(f"{self.folder}/log", "ab"))
        for _ in range(600):
            if os.path.exists(f"{self.folder}/.s.PGSQL.5432"):
                break
            time.sleep(0.05)

    def halt(self):
        """End it, with all connections; its data stay."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)

    def stop(self):
        if self.process.poll() is None:
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)
