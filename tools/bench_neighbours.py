"""The case `neighbours` of tools/bench: how long a server takes to answer one client while it has trouble with another.

The question is `client-sync --list`, asked again and again; what is told is how long that took, start of the program
included. A neighbour deletes many files, makes a first copy, stands still in the middle of one, has a mirror on a file
system that hangs (needs the Debian package bindfs), or sends what is no message at all.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time

import bench_many

PROBES = 100  # at least; and as long as the neighbour is at work


class Neighbours:
    def __init__(self, bench, place, log, files):
        self.bench, self.log, self.files = bench, log, files
        self.place = place / "neighbours"
        self.names = ["deletes", "copies", "hangs"]
        for name in self.names:
            for kind in ("source", "mirror"):
                (self.place / kind / name).mkdir(parents=True)
        self.shown = self.place / "shown"
        self.shown.mkdir()
        self.bindfs = None

    def start(self):
        self.control, self.data = self.bench.free_port(), self.bench.free_port()
        config = self.place / "server.toml"
        paths = {name: self.place / "mirror" / name for name in self.names}
        if self.bindfs:
            paths["hangs"] = self.shown
        config.write_text(
            f'control-port = {self.control}\ndata-port = {self.data}\nno-monitor = true\nstate-dir = "{self.place}/state"\n'
            + "".join(f'[mirror."{name}"]\npath = "{path}"\n' for name, path in paths.items())
        )
        server = subprocess.Popen([self.bench.BIN / "server-sync", "--config", config], stdout=subprocess.PIPE, stderr=self.log, text=True)
        for line in server.stdout:
            if "Listening" in line:
                break
        threading.Thread(target=lambda: [None for _ in server.stdout], daemon=True).start()
        return server

    def client(self, name, *more):
        command = [self.bench.BIN / "client-sync", self.place / "source" / name, f"localhost:{self.control}::{name}", "--data-port", self.data,
                   "--once", "-q", "--no-progress", "--no-fsync", "--state-dir", self.place / f"state-{name}", *more]
        return subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log)

    def finish(self, client):
        if client.wait() != 0:
            self.bench.die(f"{' '.join(client.args)}: exit {client.returncode}")

    def probe(self, is_over):
        took = []
        while len(took) < PROBES or not is_over():
            begin = time.monotonic()
            self.bench.run([self.bench.BIN / "client-sync", "--list", f"localhost:{self.control}", "--data-port", str(self.data)])
            took.append((time.monotonic() - begin) * 1000)
        return took

    def alone(self):
        return self.probe(lambda: True)

    def deletes(self):
        for path in (self.place / "source" / "deletes").iterdir():
            shutil.rmtree(path)
        (self.place / "source" / "deletes" / "left").touch()
        client = self.client("deletes", f"--max-delete={2 * self.files}")
        took = self.probe(lambda: client.poll() is not None)
        self.finish(client)
        return took

    def copies(self):
        client = self.client("copies")
        took = self.probe(lambda: client.poll() is not None)
        self.finish(client)
        return took

    def stalled_client(self):
        shutil.rmtree(self.place / "mirror" / "copies")
        (self.place / "mirror" / "copies").mkdir()
        client = self.client("copies")
        while not any((self.place / "mirror" / "copies").iterdir()):
            time.sleep(0.01)
        client.send_signal(signal.SIGSTOP)
        took = self.probe(lambda: True)
        client.kill()
        client.wait()
        return took

    def hung_mirror(self):
        client = self.client("hangs")
        while not any(path.is_dir() for path in (self.place / "mirror" / "hangs").iterdir()):
            time.sleep(0.01)
        self.bindfs.send_signal(signal.SIGSTOP)
        took = self.probe(lambda: True)
        self.bindfs.send_signal(signal.SIGCONT)
        client.kill()
        client.wait()
        return took

    def garbage(self):
        over = threading.Event()

        def send():
            while not over.is_set():
                for port in (self.control, self.data):
                    try:
                        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
                            s.sendall(os.urandom(1 << 16))
                    except OSError:
                        pass  # it hangs up, as it should

        sender = threading.Thread(target=send)
        sender.start()
        took = self.probe(lambda: True)
        over.set()
        sender.join()
        return took

    def measure(self):
        for name in self.names:
            bench_many.make(self.place / "source" / name, self.files if name == "deletes" else self.files // 10)
        if shutil.which("bindfs"):
            self.bindfs = subprocess.Popen(["bindfs", "-f", self.place / "mirror" / "hangs", self.shown], stderr=self.log)
            while not os.path.ismount(self.shown):
                time.sleep(0.01)
        server = self.start()
        try:
            self.finish(self.client("deletes"))
            cases = [self.alone, self.deletes, self.copies, self.stalled_client, self.garbage]
            if self.bindfs:
                cases.append(self.hung_mirror)
            return {case.__name__.replace("_", " "): case() for case in cases}
        finally:
            if self.bindfs:
                self.bindfs.send_signal(signal.SIGCONT)
            server.terminate()
            server.wait()
            if self.bindfs:
                subprocess.run(["umount", self.shown], check=False)
                self.bindfs.wait()


def report(results):
    print("| neighbour | questions | median ms | 99 % ms | longest ms |\n|---|---|---|---|---|")
    for name, took in results.items():
        took = sorted(took)
        print(f"| {name} | {len(took)} | {statistics.median(took):.0f} | {took[int(len(took) * 0.99)]:.0f} | {took[-1]:.0f} |")
    print(flush=True)
