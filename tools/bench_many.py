"""The case `many` of tools/bench: many mirrors in one server, a client for each, all at once.

Beside it, in turn: one client with one mirror that holds all of it, and rsync, a client for each against one daemon.
"""

import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import time


def make(where, files):
    """Files of 1 KiB to 64 KiB, as many small ones as large ones in each doubling; a hundred a directory."""
    choose = random.Random(files)
    content = choose.randbytes(64 << 10)
    for i in range(files):
        directory = where / f"{i // 100:04}"
        directory.mkdir(parents=True, exist_ok=True)
        with open(directory / f"file-{i:06}", "wb", buffering=0) as out:
            out.write(i.to_bytes(8, "big") + content[: int(1024 * 64 ** choose.random())])


# So long clients that run on are watched.
ROUNDS_S = 15


class Many:
    def __init__(self, bench, place, log, mirrors, files):
        self.bench, self.place, self.log = bench, place, log
        self.mirrors, self.files = mirrors, files
        self.names = [f"m{i:03}" for i in range(mirrors)]
        self.sources = place / "many-sources"
        for name in self.names:
            make(self.sources / name, files)

    def path(self, *parts):
        return self.place.joinpath("many", *parts)

    def fresh(self):
        shutil.rmtree(self.path(), ignore_errors=True)
        for name in self.names:
            self.path("mirrors", name).mkdir(parents=True)
        self.path("state").mkdir()

    def start_ours(self, one, how=("--once",)):
        control, data = self.bench.free_port(), self.bench.free_port()
        tables = [("", self.path("mirrors"))] if one else [(name, self.path("mirrors", name)) for name in self.names]
        config = self.path("server.toml")
        config.write_text(
            f'control-port = {control}\ndata-port = {data}\nno-monitor = true\nstate-dir = "{self.path("state", "server")}"\n'
            + "".join(f'[mirror."{name}"]\npath = "{path}"\n' for name, path in tables)
        )
        begin = self.log.tell()
        server = self.bench.spawn([self.bench.BIN / "server-sync", "--config", config], self.log)
        for _ in range(1000):
            if "Listening" in pathlib.Path(self.log.name).read_text(errors="replace")[begin:]:
                break
            time.sleep(0.01)

        def client(name):
            source = self.sources if one else self.sources / name
            where = f"localhost:{control}" + ("" if one else f"::{name}")
            return [self.bench.BIN / "client-sync", source, where, "--data-port", data, *how, "-q", "--no-progress", "--no-fsync",
                    "--contimeout", "600", "--state-dir", self.path("state", f"client-{name}")]

        return server, [client(name) for name in (self.names[:1] if one else self.names)]

    def start_rsync(self):
        port = self.bench.free_port()
        config = self.path("rsyncd.conf")
        me = "uid = 0\ngid = 0\n" if os.getuid() == 0 else ""
        config.write_text(
            f"use chroot = no\n{me}address = 127.0.0.1\nport = {port}\n"
            + "".join(f"[{name}]\npath = {self.path('mirrors', name)}\nread only = no\n" for name in self.names)
        )
        server = self.bench.spawn(["rsync", "--daemon", "--no-detach", f"--config={config}"], self.log)
        for _ in range(500):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        return server, [["rsync", "-a", "--delete", f"{self.sources / name}/", f"rsync://127.0.0.1:{port}/{name}/"] for name in self.names]

    def run(self, started):
        """All clients at once: how long until the last one is done, and each of them."""
        server, commands = started
        begin = time.monotonic()
        clients = [subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL) for command in commands]
        index = {client.pid: i for i, client in enumerate(clients)}
        took = [0.0] * len(clients)
        while index:
            # One wait for all of them: asking each in turn would take a core's tenth from those that are measured.
            pid, status = os.wait()
            i = index.pop(pid, None)
            if i is None:
                self.bench.die(f"the server ended\n{self.last_lines()}")
            took[i] = time.monotonic() - begin
            code = clients[i].returncode = os.waitstatus_to_exitcode(status)
            if code != 0:
                self.bench.die(f"{' '.join(map(str, commands[i]))}: exit {code}\n{self.last_lines()}")
        self.bench.terminate(server)
        usage = self.bench.reap(server)
        return {"wall": max(took), "mean": statistics.mean(took), "rss": usage["rss"]}

    def rounds(self, seconds):
        """Clients that run on, each with the next sync as soon as the one before is done: how many syncs in so long, after as long
        a beginning in which all connect and settle."""
        server, commands = self.start_ours(False, ("--interval", "0.05"))
        log = pathlib.Path(self.log.name)
        clients = [subprocess.Popen(list(map(str, command)), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL) for command in commands]
        time.sleep(seconds)
        before = log.read_bytes().count(b"Sync done")
        begin = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - begin
        done = log.read_bytes().count(b"Sync done") - before
        for client in clients:
            client.terminate()
        for client in clients:
            client.wait()
        self.bench.terminate(server)
        self.bench.reap(server)
        return done / took

    def last_lines(self):
        return "\n".join(pathlib.Path(self.log.name).read_text(errors="replace").splitlines()[-5:])

    def check(self):
        done = subprocess.run(["diff", "-r", "--no-dereference", self.sources, self.path("mirrors")], capture_output=True, text=True)
        if done.returncode != 0:
            self.bench.die(f"many: the mirrors are not equal\n{done.stdout[:500]}")

    def measure(self, runs):
        starts = {"ours": lambda: self.start_ours(False), "one client": lambda: self.start_ours(True), "rsync": self.start_rsync}
        self.rates = []
        results = {(phase, name): [] for phase in ("first copy", "nothing changed") for name in starts}
        for turn in range(runs + 1):
            for name, start in starts.items() if turn % 2 == 0 else reversed(starts.items()):
                self.fresh()
                first = self.run(start())
                self.check()
                self.run(start())  # settles what was too young to be trusted by the first
                idle = self.run(start())
                if name == "ours":
                    rate = self.rounds(ROUNDS_S)
                if turn > 0:
                    if name == "ours":
                        self.rates.append(rate)
                    results["first copy", name].append(first)
                    results["nothing changed", name].append(idle)
        return results


def report(many, results):
    median = statistics.median
    print("| many | program | median s | min-max s | ours / it | longest / mean | server MB |\n|---|---|---|---|---|---|---|")
    for (phase, name), runs in results.items():
        walls = [run["wall"] for run in runs]
        ratio = median([mine["wall"] / other["wall"] for mine, other in zip(results[phase, "ours"], runs)])
        print(f"| {phase} | {name} | {median(walls):.2f} | {min(walls):.2f}-{max(walls):.2f} | {'' if name == 'ours' else f'{ratio:.2f}'} | "
              f"{max(run['wall'] / run['mean'] for run in runs):.2f} | {max(run['rss'] for run in runs):.0f} |")
    once = median([many.mirrors / run["wall"] for run in results["nothing changed", "ours"]])
    print(f"\nnothing changed: {median(many.rates):.1f} syncs a second by clients that run on, {once:.1f} by clients that start for each\n", flush=True)
