# SPDX-License-Identifier: Apache-2.0
"""One process of `dryport run` at a steady rate for a long time, while a second one joins and leaves its group again and again.

The load is a fixed set of declarations of our generator, sent round after round: each round is a new version of each, and in each round some are
cancelled, which the next round reopens. So the input grows for ever, and what has to be kept does not: resident memory and file descriptors of the
first process must be flat. Every second leave is a kill -9. At the end
    all input is counted, and `dryport verify` finds nothing;
    the statistics equal a recount, by other code, of the last version of each declaration;
    from MEASURED minutes on, after a warm-up of a third: resident memory rises by at most SLOPE_MOST of its size an hour, or within NOISE_KB
    in all, and no more file descriptors are open at the end than before.

    soak.py --minutes N [--rate R] [--ids N] [--seed S] [--dryport FILE]
"""

import argparse
import multiprocessing
import os
import sys
import time

import confluent_kafka

import recount
import topics
import wire
from cluster import SOURCE, Failed, Workplace, command, default_binary, die_with_parent, options, say, tell, wait_until

PARTITIONS = 4
REFERENCE = os.path.join(SOURCE, "deploy", "reference", "demo")
MEASURED_MINUTES = 4
NOISE_KB = 6 * 1024
SLOPE_MOST = 0.05
SAMPLE_S = 2
RETENTION_BYTES = 256 << 20  # of an input partition: a day at full rate would not fit a disk
SEGMENT_BYTES = 64 << 20
VERSION_MOST = 1000
CANCELLED_OF = 10  # one in so many is cancelled in a round


def function_of(ident, version):
    """What version `version` of declaration number `ident` is."""
    if version == 1:
        return wire.ORIGINAL
    return wire.CANCEL if (ident + version) % CANCELLED_OF == 0 else wire.REPLACE


class Declaration:
    """One of the set, cut open at its version and function (fields 2 and 3, which stand behind the id)."""

    def __init__(self, data):
        head = topics.readable(data)
        self.key = head["declaration_id"].encode()
        self.timestamp = head["accepted_at_ms"]
        self.begin = wire.length_field(1, self.key)
        fixed = self.begin + b"\x10\x01\x18" + bytes([wire.ORIGINAL])
        if not data.startswith(fixed):
            raise Failed("%s is no original of version 1" % head["declaration_id"])
        self.end = data[len(fixed):]

    def bytes_of(self, version, function):
        # A cancel has the version that it cancels: that of the round before.
        number = version - 1 if function == wire.CANCEL else version
        return self.begin + b"\x10" + wire.varint(number) + b"\x18" + bytes([function]) + self.end


def produce(path, ids, settings, rate, seconds, pipe):
    """In a process of its own: the whole set again and again, `rate` a second; sends (records, last version) at the end."""
    die_with_parent()
    declarations = [Declaration(data) for data in wire.read_pb(path)][:ids]
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": settings["brokers"],
            "partitioner": "murmur2_random",
            "compression.type": "zstd",
            "linger.ms": 20,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1000000,
        }
    )
    topic, began, sent, version, failed = settings["topic.declarations"], time.monotonic(), 0, 0, []

    def delivered(error, _message):
        if error is not None:
            failed.append(error)

    while time.monotonic() - began < seconds and version < VERSION_MOST:
        version += 1
        for ident, each in enumerate(declarations):
            value = each.bytes_of(version, function_of(ident, version))
            while True:
                try:
                    producer.produce(topic, value, each.key, timestamp=each.timestamp, on_delivery=delivered)
                    break
                except BufferError:
                    producer.poll(0.05)
            sent += 1
            if sent % 500 == 0:
                producer.poll(0)
                ahead = sent / rate - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)
    producer.flush(120)
    pipe.send((sent, version, [str(error) for error in failed[:3]], time.monotonic() - began))


class Samples:
    """Resident memory and descriptors of one process, as the system tells them."""

    def __init__(self, processor):
        self.processor, self.began = processor, time.monotonic()
        self.taken = []  # (minutes, resident kB, descriptors)

    def take(self):
        pid = self.processor.process.pid
        with open("/proc/%d/status" % pid, encoding="ascii") as source:
            resident = next(int(line.split()[1]) for line in source if line.startswith("VmRSS:"))
        self.taken.append(((time.monotonic() - self.began) / 60, resident, len(os.listdir("/proc/%d/fd" % pid))))

    def slope(self):
        """Resident kB a minute, by least squares, after a third of the time; and the size then."""
        late = [(at, resident) for at, resident, _ in self.taken if at > self.taken[-1][0] / 3]
        if len(late) < 3:
            return 0.0, self.taken[-1][1]
        mean_at = sum(at for at, _ in late) / len(late)
        mean = sum(resident for _, resident in late) / len(late)
        spread = sum((at - mean_at) ** 2 for at, _ in late)
        return sum((at - mean_at) * (resident - mean) for at, resident in late) / spread, mean

    def most_descriptors(self, begin, end):
        """Most that were open in a part of the time, as shares of it."""
        last = self.taken[-1][0]
        return max(count for at, _, count in self.taken if begin * last <= at <= end * last)


class Soak:
    def __init__(self, place, chosen):
        self.place, self.chosen = place, chosen
        self.broker = place.broker(heap="512m", log_segment_bytes=SEGMENT_BYTES)
        self.settings = {
            "brokers": self.broker.address,
            "group": "soak",
            "topic.declarations": "soak.declarations",
            "topic.journal": "soak.journal",
            "topic.statistics": "soak.statistics",
            "topic.rejects": "soak.rejects",
            "topics.partitions": PARTITIONS,
            "reference.dir": REFERENCE,
            "kafka.consumer.session.timeout.ms": 6000,
            "kafka.consumer.heartbeat.interval.ms": 1500,
        }
        topics.create(
            self.broker.address,
            ("soak.declarations", PARTITIONS, {"retention.ms": "-1", "retention.bytes": str(RETENTION_BYTES)}),
        )
        self.steady = place.processor(chosen.dryport, "steady", self.settings)
        self.guest = place.processor(chosen.dryport, "guest", self.settings)
        self.rebalances = self.kills = 0

    def make_set(self):
        """Good originals only."""
        path = self.place.path("set.pb")
        shares = [part for name in ("amend", "cancel", "duplicate", "late", "bad") for part in ("--" + name, "0")]
        command(
            self.chosen.dryport, "generate", "--count", str(self.chosen.ids), "--seed", str(self.chosen.seed), "--out", path,
            *shares, "-X", "reference.dir=" + REFERENCE,
        )
        return path

    def guest_comes_or_goes(self):
        if self.guest.process is None or self.guest.process.poll() is not None:
            self.guest.start()
        elif self.rebalances % 4 == 1:
            self.guest.kill()
            self.kills += 1
        else:
            self.guest.stop()
        self.rebalances += 1

    def run(self, path):
        chosen, seconds = self.chosen, self.chosen.minutes * 60
        ours, theirs = multiprocessing.Pipe()
        self.steady.start()
        wait_until(lambda: self.steady.get("/readyz")[0] == 200, lambda: "ready: %s" % self.steady.tail())
        producer = multiprocessing.get_context("spawn").Process(
            target=produce, args=(path, chosen.ids, self.settings, chosen.rate, seconds, theirs), daemon=True
        )
        producer.start()
        wait_until(lambda: self.steady.position() > 0, "the first record")
        samples = Samples(self.steady)
        every = max(5.0, min(20.0, seconds / 6))
        next_change = time.monotonic() + every
        while not ours.poll(SAMPLE_S):
            if not producer.is_alive():
                raise Failed("the producer ended")
            if self.steady.process.poll() is not None:
                raise Failed("steady ended:\n%s" % self.steady.tail())
            samples.take()
            if time.monotonic() >= next_change:
                self.guest_comes_or_goes()
                next_change = time.monotonic() + every
        samples.take()
        sent, version, failed, took = ours.recv()
        producer.join()
        if failed:
            raise Failed("not everything was sent: %s" % failed)
        say("%d records in %.0f s, %.0f a second; each of %d declarations in %d versions" % (sent, took, sent / took, chosen.ids, version))
        return samples, sent, version

    def settle(self, sent):
        if self.guest.process is not None and self.guest.process.poll() is None:
            self.guest.stop()
        ends = topics.ends(self.broker.address, self.settings["topic.declarations"])
        if sum(high for _, high in ends.values()) != sent:
            raise Failed("%d records were sent and %d are in the topic" % (sent, sum(high for _, high in ends.values())))
        wait_until(lambda: self.steady.position() == sent, lambda: "all counted: %d of %d" % (self.steady.position(), sent), 240, 0.3)

    def check_totals(self, path, version):
        """The last version of each stands, unless it was cancelled."""
        nomenclature = recount.Nomenclature(REFERENCE, os.path.dirname(REFERENCE))
        standing = []
        for ident, data in enumerate(wire.read_pb(path)):
            function = function_of(ident, version)
            if ident < self.chosen.ids and function != wire.CANCEL:
                standing.append(topics.readable(Declaration(data).bytes_of(version, function)))
        want = recount.expected(standing, nomenclature, "CN", "CNY")
        reader = topics.Statistics(self.broker.address, self.settings["topic.statistics"])
        reader.state = recount.Consumer(rivals=True)
        differences = ["nothing was read"]

        def equal():
            reader.advance()
            differences[:] = recount.compare(want, reader.state.records())
            return not differences

        wait_until(equal, lambda: "statistics equal the recount:\n  %s" % "\n  ".join(differences), 120, 1)
        if reader.state.unrepaired or reader.state.broken:
            raise Failed("late records: %s, %s" % (sorted(reader.state.unrepaired)[:3], reader.state.broken[:3]))
        reader.close()
        say("equal to the recount: %d cells of %d declarations, %d are cancelled" % (len(want), len(standing), self.chosen.ids - len(standing)))

    def report(self, samples):
        slope, mean = samples.slope()
        before, after = samples.most_descriptors(1 / 3, 2 / 3), samples.most_descriptors(2 / 3, 1)
        minutes = samples.taken[-1][0]
        say(
            "%.1f minutes, %d rebalances by joins and leaves, %d of them kill -9; resident %d kB at first, %d kB at last, "
            "slope %+.0f kB a minute (%+.2f %% an hour); file descriptors %d, then %d"
            % (minutes, self.rebalances, self.kills, samples.taken[0][1], samples.taken[-1][1], slope, slope * 6000 / mean, before, after)
        )
        if minutes < MEASURED_MINUTES:
            return
        if slope * 60 > SLOPE_MOST * mean and slope * minutes > NOISE_KB:
            raise Failed("resident memory is not flat")
        if after > before:
            raise Failed("file descriptors are not flat")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dryport", default=default_binary())
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--rate", type=int, default=50000, help="records per second")
    parser.add_argument("--ids", type=int, default=100000, help="declarations in the set")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    say("soak: %.1f minutes at %d a second, seed %d" % (chosen.minutes, chosen.rate, chosen.seed))
    with Workplace("soak") as place:
        soak = Soak(place, chosen)
        path = soak.make_set()
        samples, sent, version = soak.run(path)
        soak.settle(sent)
        soak.check_totals(path, version)
        print(command(chosen.dryport, "verify", *options(soak.settings), timeout=600))
        soak.report(samples)
        soak.steady.stop()
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
