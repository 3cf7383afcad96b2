# SPDX-License-Identifier: Apache-2.0
"""Three processes of `dryport run` on three real brokers, broken all the time while a generator writes; then nothing may be missing.

Replication 3, min.insync.replicas 2, session timeout 6 s; for the second half of the time the processes are static members. A schedule drawn
from the seed holds the faults of FAULTS below. At the end all is healed, the generator ends, and
    every partition is counted to its end, the statistics equal a recount of the input by other code (every cell of every view),
    the processes end by themselves on SIGTERM, and `dryport verify` finds nothing.
Printed: how often each fault happened, how many declarations, and how long after a kill -9 its partitions were in the statistics again: from the
kill until for each partition that the process owned the group's offset (committed for what was read back from the journal) has risen, and after that
the next statistic was written.

    chaos.py --minutes N --seed S [--rate R] [--dryport FILE]
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import threading
import time

import confluent_kafka

import recount
import recount_parts
import topics
from cluster import SOURCE, Failed, Workplace, command, default_binary, die_with_parent, options, say, tell, wait_until

PARTITIONS = 6
PROCESSES = 3
BROKERS = 3
SESSION_S = 6
ENDED = (0, -signal.SIGTERM)  # the second when SIGTERM came before main() did
CHUNK_S = 20  # one generator writes so long, then the next one, with another seed
REFERENCE = os.path.join(SOURCE, "deploy", "reference", "demo")
# fault: (weight, what)
FAULTS = {
    "kill": (10, "kill -9 of one process, started again after 0 to 5 s"),
    "pause": (4, "SIGSTOP of one process for longer than the session timeout, then SIGCONT: a zombie"),
    "broker": (2, "kill -9 of one broker, started again after 2 to 8 s"),
    "rolling": (1, "SIGTERM of each process in turn, each started again when it has ended"),
    "storm": (2, "two or three processes killed or stopped and started again at once, twice"),
}


class Follower(recount.Consumer):
    """A late record of a publisher that lost its lease has another content and a lower as_of: to be ignored, and to be published again, because
    compaction keeps the last record. The same as_of with another content may not be."""

    def __init__(self):
        super().__init__()
        self.unrepaired = set()

    def take(self, key, partition, as_of, fields):
        held = self.held.get(key)
        if held is not None and as_of < held[1]:
            self.seen += 1
            self.ignored += 1
            self.unrepaired.add(key)
            return
        self.unrepaired.discard(key)
        super().take(key, partition, as_of, fields)

    def faults(self):
        late = ["%s: the last record came late and was not published again" % key for key in sorted(self.unrepaired)]
        return self.broken[:5] + late[:5]


class Watch(threading.Thread):
    """Looks at the group's offsets and at the end of the statistics, and times how long a kill is felt."""

    PERIOD_S = 0.15

    def __init__(self, address, settings):
        super().__init__(daemon=True)
        self.address, self.settings = address, settings
        self.lock, self.over = threading.Lock(), threading.Event()
        self.committed, self.written = {}, 0
        self.waiting = []  # [time of the kill, {partition: offset that must be passed}, statistics written then or None]
        self.times = []

    def run(self):
        group = topics.consumer(self.address, **{"group.id": self.settings["group"]})
        asked = [confluent_kafka.TopicPartition(self.settings["topic.declarations"], p) for p in range(PARTITIONS)]
        statistics = self.settings["topic.statistics"]
        while not self.over.wait(self.PERIOD_S):
            try:
                committed = {t.partition: t.offset for t in group.committed(asked, timeout=2)}
                count = len(topics.partitions(group, statistics))
                written = sum(
                    group.get_watermark_offsets(confluent_kafka.TopicPartition(statistics, p), timeout=2)[1]
                    for p in range(count)
                )
            except (confluent_kafka.KafkaException, topics.Trouble, KeyError):
                continue  # a broker is down: looked at again
            with self.lock:
                self.committed, self.written = committed, written
                self.judge()
        group.close()

    def judge(self):
        now = time.monotonic()
        for entry in list(self.waiting):
            began, behind, before = entry
            if before is None and all(self.committed.get(p, -1) > offset for p, offset in behind.items()):
                entry[2] = self.written
            elif before is not None and self.written > before:
                self.times.append(now - began)
                self.waiting.remove(entry)

    def killed(self, owned):
        with self.lock:
            if owned:
                self.waiting.append([time.monotonic(), {p: self.committed.get(p, -1) for p in owned}, None])

    def quantile(self, share):
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Generator(threading.Thread):
    """Amendments, cancellations, duplicates, late and bad records, chunk by chunk, whatever happens to the brokers."""

    def __init__(self, binary, settings, seed, rate, log):
        super().__init__(daemon=True)
        self.log = log
        self.binary, self.settings, self.seed, self.rate = binary, settings, seed, rate
        self.over, self.chunks, self.broken, self.refused = threading.Event(), 0, 0, False

    def run(self):
        while not self.over.is_set():
            self.chunks += 1
            shares = ["--amend", "6%", "--cancel", "2%", "--duplicate", "2%", "--late", "1%", "--bad", "1%"]
            arguments = ["--count", str(self.rate * CHUNK_S), "--rate", str(self.rate), "--timeout", "120"]
            arguments += ["--first-number", str(1 + self.chunks * self.rate * CHUNK_S)]
            with open(self.log, "ab") as log:
                child = subprocess.Popen(
                    [self.binary, "generate", "--seed", str(self.seed * 10000 + self.chunks), *arguments, *shares]
                    + options(self.settings),
                    stdout=log,
                    stderr=log,
                    preexec_fn=die_with_parent,
                )
            while child.poll() is None:
                if self.over.wait(0.1):
                    child.terminate()
                    child.wait()
            self.broken += child.returncode not in (0, -signal.SIGTERM)
            self.refused = child.returncode == 64  # wrong arguments or lists: no later chunk would fare better
            if self.refused:
                return


class Chaos:
    def __init__(self, place, binary, seed, seconds, rate):
        self.draw, self.seconds, self.binary, self.place = random.Random(seed), seconds, binary, place
        self.broker = place.broker(heap="256m", brokers=BROKERS)
        self.settings = {
            "brokers": self.broker.address,
            "group": "chaos",
            "topic.declarations": "chaos.declarations",
            "topic.journal": "chaos.journal",
            "topic.statistics": "chaos.statistics",
            "topic.rejects": "chaos.rejects",
            "topics.partitions": PARTITIONS,
            "topics.replication": BROKERS,
            "reference.dir": REFERENCE,
            "kafka.consumer.session.timeout.ms": SESSION_S * 1000,
            "kafka.consumer.heartbeat.interval.ms": 1500,
        }
        self.processors = [place.processor(binary, "run-%d" % i, self.settings) for i in range(PROCESSES)]
        self.commands = [list(p.command) for p in self.processors]
        self.due = []  # (when, action), actions to come
        self.paused, self.ending, self.static, self.broker_down = set(), set(), False, None
        self.count = dict.fromkeys([*FAULTS, "restart"], 0)
        self.watch = Watch(self.broker.address, self.settings)
        self.generator = Generator(binary, self.settings, seed, rate, place.path("generate.log"))

    # ---- processes ----

    def running(self, index):
        process = self.processors[index].process
        return process is not None and process.poll() is None

    def start(self, index):
        if self.running(index):
            return
        member = ["-X", "kafka.consumer.group.instance.id=chaos-%d" % index] if self.static else []
        self.processors[index].command = self.commands[index] + member
        self.processors[index].start()
        self.count["restart"] += 1

    def alive(self):
        return [i for i in range(PROCESSES) if self.running(i) and i not in self.paused and i not in self.ending]

    def owned(self, index):
        try:
            status = self.processors[index].status()
        except (Failed, ValueError):
            return []
        return [int(p["partition"]) for p in status.get("partitions", ())] if status else []

    def kill(self, index):
        owned = self.owned(index)
        say("kill -9 of run-%d, which owned %s" % (index, owned))
        self.processors[index].kill()
        self.count["kill"] += 1
        self.watch.killed(owned)

    def ask_to_end(self, index):
        """SIGTERM, once: a second one would end it at once."""
        if index not in self.ending and self.running(index):
            self.ending.add(index)
            self.processors[index].process.terminate()

    def end(self, index):
        """Ends cleanly, and soon: 60 s on a machine where three brokers have no core of their own."""
        self.ask_to_end(index)
        self.processors[index].wait(60, ENDED)
        self.ending.discard(index)

    def check_alive(self):
        """Nobody ends by itself."""
        if self.generator.refused:
            raise Failed("`dryport generate` refuses its arguments; see %s" % self.generator.log)
        for index, processor in enumerate(self.processors):
            process = processor.process
            if process is not None and process.poll() not in (None, -signal.SIGKILL, *ENDED):
                raise Failed("run-%d ended with %d:\n%s" % (index, process.returncode, processor.tail()))

    # ---- faults ----

    def later(self, seconds, action):
        self.due.append((time.monotonic() + seconds, action))

    def fault_kill(self):
        victim = self.draw.choice(self.alive() or [0])
        back_s = self.draw.choice((0, 1, 5))
        if self.running(victim):
            self.kill(victim)
            self.later(back_s, lambda: self.start(victim))

    def fault_pause(self):
        victim, seconds = self.draw.choice(self.alive() or [0]), SESSION_S + self.draw.uniform(1.5, 5)
        if not self.running(victim) or victim in self.paused:
            return
        say("SIGSTOP of run-%d for %.1f s" % (victim, seconds))
        process = self.processors[victim].process
        process.send_signal(signal.SIGSTOP)
        self.paused.add(victim)
        self.later(seconds, lambda: self.resume(victim, process))

    def resume(self, index, process):
        self.paused.discard(index)
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            self.count["pause"] += 1

    def fault_broker(self):
        if self.broker_down is not None:
            return
        victim, seconds = self.draw.randint(1, BROKERS), self.draw.uniform(2, 8)
        say("kill -9 of broker %d" % victim)
        self.broker_down = victim
        self.broker.kill(victim)
        self.count["broker"] += 1
        self.later(seconds, self.restart_broker)

    def restart_broker(self):
        """In the background: it takes seconds. The next broker falls only when this one is back and its replicas follow."""
        victim = self.broker_down

        def work():
            self.broker.restart(victim)
            time.sleep(5)
            self.broker_down = None

        self.restarting = threading.Thread(target=work, daemon=True)
        self.restarting.start()

    def fault_rolling(self):
        say("rolling restart")
        for index in self.alive():
            self.end(index)
            self.start(index)
        self.count["rolling"] += 1

    def fault_storm(self):
        say("rebalance storm")
        for _ in range(2):
            for index in self.draw.sample(range(PROCESSES), self.draw.randint(2, PROCESSES)):
                if index in self.paused or index in self.ending or not self.running(index):
                    continue
                if self.draw.random() < 0.5:
                    self.kill(index)
                else:
                    self.ask_to_end(index)
                    self.later(0, lambda i=index: self.end_and_start(i))
                    continue
                self.start(index)
            self.pass_time(1.5)
        self.count["storm"] += 1

    def end_and_start(self, index):
        self.end(index)
        self.start(index)

    # ---- the run ----

    def pass_time(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for entry in sorted(self.due, key=lambda e: e[0]):
                if entry[0] <= time.monotonic():
                    self.due.remove(entry)
                    entry[1]()
            self.check_alive()
            time.sleep(0.05)

    def run(self):
        for index in range(PROCESSES):
            self.start(index)
        self.count["restart"] = 0
        self.generator.start()
        self.watch.start()
        wait_until(lambda: self.check_alive() or sum(p.position() for p in self.processors) > 0, lambda: "the first record\n" + self.show(), 300)
        began, names = time.monotonic(), list(FAULTS)
        while time.monotonic() - began < self.seconds:
            if not self.static and time.monotonic() - began > self.seconds / 2:
                say("from now on members are static")
                self.static = True
                self.fault_rolling()
            self.pass_time(self.draw.uniform(3, 12))
            name = self.draw.choices(names, [FAULTS[n][0] for n in names])[0]
            getattr(self, "fault_" + name)()
        self.heal()

    def heal(self):
        say("faults end")
        while self.due or self.broker_down is not None:
            self.pass_time(0.2)
        for index in range(PROCESSES):
            self.start(index)
        self.generator.over.set()
        self.generator.join()

    def show(self):
        """What stands in the way."""
        lines = []
        for processor in self.processors:
            try:
                status = processor.status() or {}
            except Failed as failure:
                status = {"state": str(failure)}
            lines.append("%s: %s" % (processor.name, status.get("state")))
            for p in status.get("partitions", ()):
                lines.append("    %s" % p)
        return "\n".join(lines + ["committed %s" % self.watch.committed])

    def settle(self):
        """Every partition counted to its end and published; equal to the recount."""
        address, settings = self.broker.address, self.settings
        ends = {p: high for p, (_, high) in topics.ends(address, settings["topic.declarations"]).items()}
        say("%d records; waiting until all are counted" % sum(ends.values()))
        wait_until(
            lambda: self.check_alive() or all(self.watch.committed.get(p) == end for p, end in ends.items() if end),
            lambda: "all partitions are counted to %s:\n%s" % (ends, self.show()),
            240,
            0.3,
        )
        rejected = topics.rejected_coordinates(address, settings["topic.rejects"])
        want, verdicts = recount_parts.expected(
            address, settings["topic.declarations"], set(rejected), (REFERENCE, os.path.dirname(REFERENCE))
        )
        self.reader = topics.Statistics(address, settings["topic.statistics"])
        self.reader.state = Follower()
        differences = ["nothing was read"]

        def equal():
            self.check_alive()
            self.reader.advance()
            differences[:] = recount.compare(want, self.reader.state.records()) + self.reader.state.faults()
            return not differences

        wait_until(equal, lambda: "statistics equal the recount:\n  %s" % "\n  ".join(differences), 120, 1)
        for index in range(PROCESSES):
            self.end(index)
        self.reader.advance()
        if not equal():
            raise Failed("after the end:\n  %s" % "\n  ".join(differences))
        self.reader.close()
        if not 0.002 < verdicts["rejected"] / sum(verdicts.values()) < 0.05:
            raise Failed("of records of which 1 %% are bad, rejected are: %s" % verdicts)
        say("equal to the recount: %d cells, %s" % (len(want), ", ".join("%d %s" % (n, v) for v, n in verdicts.items())))
        return sum(verdicts.values())

    def verify(self):
        """By the product's own command, where it has one."""
        known = subprocess.run([self.binary, "verify", "--help"], capture_output=True, check=False)
        if known.returncode != 0:
            say("this binary has no verify")
            return
        print(command(self.binary, "verify", *options(self.settings), timeout=600))

    def report(self, declarations):
        self.watch.over.set()
        say(
            "kills %d, zombies %d, broker kills %d, rolling restarts %d, storms %d, starts %d; %d declarations in %d chunks (%d broken off)"
            % (
                *(self.count[name] for name in (*FAULTS, "restart")),
                declarations,
                self.generator.chunks,
                self.generator.broken,
            )
        )
        say(
            "from a kill to the next statistic of its partitions: p50 %.1f s, p99 %.1f s, of %d kills"
            % (self.watch.quantile(0.5), self.watch.quantile(0.99), len(self.watch.times))
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=2000, help="records per second")
    chosen = parser.parse_args()
    say("chaos: %.1f minutes, seed %d" % (chosen.minutes, chosen.seed))
    with Workplace("chaos") as place:
        chaos = Chaos(place, chosen.dryport, chosen.seed, chosen.minutes * 60, chosen.rate)
        try:
            chaos.run()
            declarations = chaos.settle()
        except Failed:
            say("seed %d failed; faults so far: %s" % (chosen.seed, chaos.count))
            raise
        finally:
            chaos.generator.over.set()
            chaos.watch.over.set()
        chaos.verify()
        chaos.report(declarations)
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
