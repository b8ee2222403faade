"""The case `secure` of tools/bench: between machines, so with keys, beside rsync over ssh (a server of its own on loopback)."""

import getpass
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import time

SSHD = "/usr/sbin/sshd"
PROGRAMS = ["ours", "rsync -e ssh", "rsync -e ssh, aes128-gcm"]


def wait_for_port(port):
    for _ in range(500):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)


class Secure:
    def __init__(self, bench, place, log):
        self.bench, self.place, self.log = bench, place, log
        if not os.path.exists(SSHD):
            bench.die("the Debian package openssh-server is not installed")
        self.keys = place / "secure-keys"
        self.keys.mkdir(mode=0o700)
        for name in ("host", "user"):
            bench.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.keys / name])
        shutil.copy(self.keys / "user.pub", self.keys / "authorized")
        key = bench.run([bench.BIN / "client-sync", "--show-key", "--keys-dir", self.keys / "client"]).strip()
        self.server_key = bench.run([bench.BIN / "server-sync", "--show-key", "--keys-dir", self.keys / "server"]).strip()
        clients = self.keys / "server" / "clients.d"
        clients.mkdir(mode=0o700)
        (clients / "bench.toml").write_text(f'key = "{key}"\n')
        (clients / "bench.toml").chmod(0o600)

    def start_sshd(self):
        port = self.bench.free_port()
        config = self.keys / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {self.keys / 'host'}\nAuthorizedKeysFile {self.keys / 'authorized'}\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPidFile none\n"
        )
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        wait_for_port(port)
        return server, port

    def ssh(self, source, mirror, cipher):
        server, port = self.start_sshd()
        shell = (
            f"ssh -p {port} -i {self.keys / 'user'} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -F none"
            + (f" -c {cipher}" if cipher else "")
        )
        try:
            return self.bench.timed(["rsync", "-a", "--delete", "-e", shell, f"{source}/", f"{getpass.getuser()}@127.0.0.1:{mirror}/"], None, self.log)
        finally:
            server.terminate()
            server.wait()

    def ours(self, source, mirror, state):
        control, data = self.bench.free_port(), self.bench.free_port()
        begin = self.log.tell()
        server = self.bench.spawn(
            [self.bench.BIN / "server-sync", mirror, "--control-port", control, "--data-port", data, "--state-dir", state / "server",
             "--no-monitor", "--require-keys", "--keys-dir", self.keys / "server"], self.log)
        for _ in range(500):
            if "Listening" in pathlib.Path(self.log.name).read_text(errors="replace")[begin:]:
                break
            time.sleep(0.01)
        return self.bench.timed(
            [self.bench.BIN / "client-sync", source, "--once", "-q", "--no-progress", "--no-fsync", "--control-port", control, "--data-port", data,
             "--state-dir", state / "client", "--keys-dir", self.keys / "client", "--server-key", self.server_key], server, self.log)

    def once(self, name, source, mirror, state):
        if name == "ours":
            return self.ours(source, mirror, state)
        return self.ssh(source, mirror, "aes128-gcm@openssh.com" if "gcm" in name else None)

    def measure(self, source, runs):
        results = {(phase, name): [] for phase in ("first copy", "nothing changed") for name in PROGRAMS}
        mirror, state = self.place / "secure-mirror", self.place / "secure-state"
        for turn in range(runs + 1):
            for name in PROGRAMS if turn % 2 == 0 else reversed(PROGRAMS):
                for path in (mirror, state):
                    shutil.rmtree(path, ignore_errors=True)
                    path.mkdir()
                first = self.once(name, source, mirror, state)
                self.once(name, source, mirror, state)  # settles what was too young to be trusted by the first
                idle = self.once(name, source, mirror, state)
                if turn > 0:
                    results["first copy", name].append(first["wall"])
                    results["nothing changed", name].append(idle["wall"])
        for path in (mirror, state):
            shutil.rmtree(path, ignore_errors=True)
        return results


def report(case, results):
    print("| secure | phase | program | median s | min-max s | ours / it |\n|---|---|---|---|---|---|")
    for (phase, name), walls in results.items():
        ratio = statistics.median([mine / other for mine, other in zip(results[phase, "ours"], walls)])
        print(f"| {case} | {phase} | {name} | {statistics.median(walls):.2f} | {min(walls):.2f}-{max(walls):.2f} | "
              f"{'' if name == 'ours' else f'{ratio:.2f}'} |", flush=True)
