# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker and the program under test, each with its own ports and folder; started, killed and waited for."""

import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import topics

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PR_SET_PDEATHSIG = 1
SASL_USER, SASL_PASSWORD = "dryport", "right"


class Failed(Exception):
    """What the test had to show did not happen."""


def say(text):
    print("[%s] %s" % (time.strftime("%H:%M:%S"), text), flush=True)


def free_port():
    """A loopback port below the range of outgoing connections, so that it is still free after a restart."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(10000, 15000)))
                return probe.getsockname()[1]
            except OSError:
                continue


def die_with_parent():
    """A test that is killed must not leave its processes behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, deadline_s=60, every_s=0.02):
    """The first true value of condition(); Failed after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed("not within %d s: %s" % (deadline_s, what() if callable(what) else what))
        time.sleep(every_s)


class Broker:
    """A broker by scripts/kafka_broker.sh in a folder of its own. `outside` is the listener that wants SASL PLAIN passwords; with
    users (name -> password) it is TLS with SCRAM, PLAIN or tokens, `mtls` the one for client certificates, of the folder `tls`."""

    SCRIPT = os.path.join(SOURCE, "scripts", "kafka_broker.sh")

    def __init__(self, folder, heap="512m", sasl=False, brokers=1, users=None, **settings):
        self.folder = folder
        self.arguments = ["--heap", heap, "--brokers", str(brokers)] + (["--listener", "sasl"] if sasl else [])
        if users is not None:
            self.arguments += ["--listener", "secure"]
            for name, password in users.items():
                self.arguments += ["--user", "%s=%s" % (name, password)]
        for name, value in settings.items():
            self.arguments += ["--set", "%s=%s" % (name.replace("_", "."), value)]
        self.address = self.outside = self.mtls = self.guard = None
        self.tls = os.path.join(folder, "tls")

    def script(self, verb, *arguments):
        done = subprocess.run(
            [self.SCRIPT, verb, self.folder, *arguments], text=True, stdout=subprocess.PIPE, check=False
        )
        if done.returncode != 0:
            raise Failed("%s %s %s ended with %d" % (self.SCRIPT, verb, self.folder, done.returncode))
        return done.stdout.strip()

    def start(self):
        # The guard reads a pipe that only this process writes: if this process dies in whatever way, the broker is stopped.
        self.guard = subprocess.Popen(
            ["sh", "-c", 'read -r _; "$0" stop "$1"', self.SCRIPT, self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.address = self.script("start", *self.arguments)
        if "--listener" in self.arguments:
            self.outside = self.noted("sasl")
        if os.path.isdir(self.tls):
            self.mtls = self.noted("mtls")

    def noted(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as source:
            return source.read().strip()

    def signal(self, number):
        with open(os.path.join(self.folder, "broker-1.pid"), encoding="ascii") as source:
            os.kill(int(source.read()), number)

    def pause(self):
        """It answers nobody until resume()."""
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self, number=1):
        self.script("kill", str(number))

    def restart(self, number=1):
        self.script("restart", str(number))

    def stop(self):
        if self.guard is not None:
            self.script("stop")
            self.guard.communicate(b"\n")
            self.guard = None


def options(settings):
    """-X arguments of settings by name."""
    return [part for name, value in settings.items() for part in ("-X", "%s=%s" % (name, value))]


class Processor:
    """`dryport run` with its settings; may be killed and started again."""

    def __init__(self, binary, folder, name, settings):
        self.http = free_port()
        self.command = [binary, "run"] + options({"http.listen": "127.0.0.1:%d" % self.http, **settings})
        self.log = os.path.join(folder, name + ".log")
        self.name = name
        self.process = None
        self.started = None

    def start(self):
        with open(self.log, "ab") as log:
            self.started = time.time()
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, preexec_fn=die_with_parent)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, deadline_s=30):
        """SIGTERM; it must end cleanly."""
        if self.process.poll() is None:
            self.process.terminate()
        self.wait(deadline_s)

    def wait(self, deadline_s, clean=(0,)):
        """Has got SIGTERM; must end with one of the codes that are clean."""
        try:
            code = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(
                "%s did not end within %d s of SIGTERM; see %s" % (self.name, deadline_s, self.tail())
            ) from None
        if code not in clean:
            raise Failed("%s ended with %d:\n%s" % (self.name, code, self.tail()))

    def tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def get(self, path):
        """(HTTP status, text); status 0 when nobody listens."""
        if self.process.poll() is not None:
            raise Failed("%s ended with %d:\n%s" % (self.name, self.process.returncode, self.tail()))
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.http, path), timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def status(self):
        """/status as a dict; None when nobody listens yet."""
        code, text = self.get("/status")
        return json.loads(text) if code == 200 else None

    def position(self):
        """Records taken so far, summed over partitions."""
        status = self.status()
        return sum(max(0, int(p["position"])) for p in status.get("partitions", ())) if status else 0

    def verdicts(self):
        status = self.status()
        return {name: int(count) for name, count in status.get("verdicts", {}).items()} if status else {}

    def metrics(self):
        """{(name, labels): value} of /metrics."""
        out = {}
        for line in self.get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                out[name] = float(value)
        return out


def command(binary, *arguments, expect=0, timeout=120):
    """Runs a command of the program; its output (both streams) if it ends with the code expected."""
    done = subprocess.run(
        [binary, *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )
    if done.returncode not in (expect if isinstance(expect, tuple) else (expect,)):
        raise Failed(
            "%s: exit %d, expected %s:\n%s"
            % (" ".join([os.path.basename(binary), *arguments]), done.returncode, expect, done.stdout[-2000:])
        )
    return done.stdout


class Workplace:
    """A temporary folder with what runs in it; everything is ended and removed on the way out, kept for reading on failure."""

    def __init__(self, name):
        self.folder = tempfile.mkdtemp(prefix="dryport-%s-" % name)
        self.brokers, self.processors = [], []

    def __enter__(self):
        return self

    def broker(self, **settings):
        broker = Broker(os.path.join(self.folder, "broker-%d" % len(self.brokers)), **settings)
        self.brokers.append(broker)
        broker.start()
        return broker

    def processor(self, binary, name, settings):
        processor = Processor(binary, self.folder, name, settings)
        self.processors.append(processor)
        return processor

    def path(self, name):
        return os.path.join(self.folder, name)

    def __exit__(self, kind, value, trace):
        for each in self.processors:
            if each.process is not None and each.process.poll() is None:
                each.kill()
        for each in self.brokers:
            each.stop()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            say("what ran is kept in %s" % self.folder)


def tell(main):
    """Runs main; what the test or the broker did not show is one message, not a trace."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what runs is ended and removed then, too
    try:
        return main()
    except (Failed, topics.Trouble) as failure:
        print("FAILED: %s" % failure, file=sys.stderr)
        return 1


def default_binary():
    return os.path.join(SOURCE, "build", "release", "dryport")


def shared_data():
    """../shared/data, or None with a loud word when it is not there."""
    path = os.path.normpath(os.path.join(SOURCE, "..", "shared", "data"))
    if os.path.isdir(path):
        return path
    print("SKIP: %s is missing; this test needs its files" % path, file=sys.stderr)
    return None
