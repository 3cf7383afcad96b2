# SPDX-License-Identifier: Apache-2.0
"""The processor beside a broker in its own process (mock_processor), driven from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

from command import ENVIRONMENT, SOURCE, expect, run

PROCESSOR = os.path.abspath(sys.argv[2])
DEMO = os.path.join(SOURCE, "deploy", "reference", "demo")
DEADLINE_S = 60


class Processor:
    def __init__(self, place, lists, *settings):
        self.lists = lists
        self.log = open(f"{place}/log.txt", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [PROCESSOR, "-X", f"reference.dir={lists}", "-X", "input.timestamp.trust=true", "-X", "http.listen=127.0.0.1:0",
             "-X", "frame.interval.ms=20", *settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=ENVIRONMENT)
        self.brokers = self.word("brokers")
        self.port = self.word("http")

    def word(self, name):
        line = self.process.stdout.readline().decode().split()
        expect(line and line[0] == name, f"the processor says {name}, not {line}")
        return line[-1]

    def status(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=10) as answer:
            return json.load(answer)

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.M)
        return float(found.group(1)) if found else None

    def wait(self, what, condition):
        until = time.monotonic() + DEADLINE_S
        while not condition():
            expect(time.monotonic() < until, f"waited too long for: {what}; {json.dumps(self.status())[:1500]}")
            expect(self.process.poll() is None, "the processor runs")
            time.sleep(0.05)

    def rest(self, declarations):
        """Everything is counted, echoed and published."""
        def quiet():
            status = self.status()
            return (status["state"] == "running" and int(status["declarations"]) == declarations
                    and all(part["lag"] == "0" for part in status["partitions"]) and status["publisher"]["dirty"] == "0"
                    and status["publisher"]["folded_declarations"] == status["publisher"]["published_declarations"])
        self.wait(f"{declarations} declarations", quiet)

    def reloads(self, result):
        return int(self.status()["lists"][result])

    def hang_up(self, result):
        before = self.reloads(result)
        self.process.send_signal(signal.SIGHUP)
        self.wait(f"a reload that is {result}", lambda: self.reloads(result) > before)

    def restart(self):
        self.process.stdin.write(b"restart\n")
        self.process.stdin.flush()
        self.port = self.word("http")
        self.word("restarted")

    def run(self, *arguments, code=0):
        done = run(*arguments, "-X", f"brokers={self.brokers}", "-X", f"reference.dir={self.lists}", "-X", "input.timestamp.trust=true")
        expect(done.returncode == code, f"exit code {code}", done)
        return done.stdout

    def document(self, *arguments):
        return json.loads(self.run(*arguments).splitlines()[-1])

    def lines(self, event):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["event"] == event]

    def end(self):
        self.process.stdin.close()
        expect(self.process.wait(timeout=30) == 0, "it ends well")
        self.log.close()
