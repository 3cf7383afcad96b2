# SPDX-License-Identifier: Apache-2.0
"""One process of `dryport run` at a steady rate for a long time, while a second one joins and leaves its group again and again.

The load is a fixed set of declarations of our generator, sent round after round: each round is a new version of each, and in each round some are
cancelled, which the next round reopens. So the input grows for ever, and what has to be kept does not: the ledger has as many entries after the first round
as at the end, the statistics as many keys. Every second leave is a kill -9. At the end
    all input is counted, and `dryport verify` finds nothing;
    the statistics equal a recount, by other code, of the last version of each declaration;
    from MEASURED minutes on, the second half of the time is flat (steady.py): memory that the allocator has given out rises by at most SHARE of it or
    NOISE_BYTES, resident memory by SLACK_BYTES more, which is what the processor lets lie free before it gives it back; and no more file
    descriptors are open in the last quarter than in the one before.
What else it prints tells how good the measurement was: the rate, the lag, the CPU, and whether the whole was stopped in between. Where the rate was
not held, peaks last and come late: then it says so and fails, and nothing is judged.

    soak.py --minutes N [--rate R] [--ids N] [--seed S] [--dryport FILE]
"""

import argparse
import multiprocessing
import os
import sys
import time

import confluent_kafka

import recount
import steady
import topics
import wire
from cluster import SOURCE, Failed, Workplace, command, default_binary, die_with_parent, options, say, tell, wait_until

PARTITIONS = 4
REFERENCE = os.path.join(SOURCE, "deploy", "reference", "demo")
MEASURED_MINUTES = 10
SHARE = 0.05
NOISE_BYTES = 8 << 20
SLACK_BYTES = 48 << 20  # as in proc/ops/slack.h
SAMPLE_S = 2
RATE_HELD = 0.95
STOPPED_S = 20  # between two samples: nobody ran
CHANGES_A_ROUND = 4  # a join, a leave, a join, a kill -9
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


class Sample:
    """One look at a process."""

    NAMES = {
        "used": "dryport_heap_used_bytes",
        "free": "dryport_heap_free_bytes",
        "trims": "dryport_heap_trims_total",
        "ledger": "dryport_ledger_bytes",
        "queued": "dryport_fetch_queue_bytes",
        "lag": "dryport_consumer_lag_records",
        "cpu": "process_cpu_seconds_total",
        "records": "dryport_input_records_total",
    }

    def __init__(self, minutes, processor):
        self.minutes = minutes
        with open("/proc/%d/status" % processor.process.pid, encoding="ascii") as source:
            self.resident = next(int(line.split()[1]) for line in source if line.startswith("VmRSS:")) * 1024
        self.descriptors = len(os.listdir("/proc/%d/fd" % processor.process.pid))
        numbers = dict.fromkeys(self.NAMES.values(), 0.0)
        for line in processor.get("/metrics")[1].splitlines():
            name, _, number = line.rpartition(" ")
            name = name.partition("{")[0]
            if name in numbers:
                numbers[name] += float(number)
        for short, name in self.NAMES.items():
            setattr(self, short, numbers[name])


class Samples:
    def __init__(self, processor):
        self.processor, self.began = processor, time.monotonic()
        self.taken = []
        self.stopped_s = 0.0

    def take(self):
        minutes = (time.monotonic() - self.began) / 60
        if self.taken and (minutes - self.taken[-1].minutes) * 60 > STOPPED_S:
            self.stopped_s += (minutes - self.taken[-1].minutes) * 60
        sample = Sample(minutes, self.processor)
        if sample.used:  # a listener that does not answer at once, in a process that was stopped, says nothing
            self.taken.append(sample)

    def of(self, name):
        return [(sample.minutes, getattr(sample, name)) for sample in self.taken]

    def late(self, begin, end):
        """Those of a part of the time, as shares of it."""
        last = self.taken[-1].minutes
        return [sample for sample in self.taken if begin * last <= sample.minutes <= end * last]


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
        self.change_s = max(5.0, min(20.0, chosen.minutes * 60 / 6))
        self.round_s = self.change_s * CHANGES_A_ROUND

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
        next_change = time.monotonic() + self.change_s
        while not ours.poll(SAMPLE_S):
            if not producer.is_alive():
                raise Failed("the producer ended")
            if self.steady.process.poll() is not None:
                raise Failed("steady ended:\n%s" % self.steady.tail())
            samples.take()
            if time.monotonic() >= next_change:
                self.guest_comes_or_goes()
                next_change = time.monotonic() + self.change_s
        samples.take()
        sent, version, failed, took = ours.recv()
        producer.join()
        if failed:
            raise Failed("not everything was sent: %s" % failed)
        say("%d records in %.0f s, %.0f a second; each of %d declarations in %d versions" % (sent, took, sent / took, chosen.ids, version))
        return samples, sent, version, sent / took

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

    def say_quality(self, samples, rate):
        """What the measurement is worth."""
        first, last = samples.taken[0], samples.taken[-1]
        lags = sorted(sample.lag for sample in samples.taken)
        records = last.records - first.records
        say(
            "%.0f records a second were sent, %d were asked for; lag %d records at the median, %d at most; the process that stays took %.0f %% of a "
            "core, %.2f us a record that it read; %s"
            % (
                rate, self.chosen.rate, lags[len(lags) // 2], lags[-1], (last.cpu - first.cpu) / (last.minutes - first.minutes) / 0.6,
                (last.cpu - first.cpu) / max(records, 1) * 1e6,
                "all of it stood still for %.0f s" % samples.stopped_s if samples.stopped_s else "nothing stood still",
            )
        )
        say(
            "%.1f minutes, %d rebalances by joins and leaves, %d of them kill -9; ledgers %.1f MB, fetched and not yet taken %.1f MB at the "
            "median, free memory given back %d times"
            % (
                last.minutes, self.rebalances, self.kills, max(sample.ledger for sample in samples.taken) / 1e6,
                sorted(sample.queued for sample in samples.taken)[len(samples.taken) // 2] / 1e6, last.trims,
            )
        )

    def say_flatness(self, samples, name, what, extra):
        flatness = steady.Flatness(samples.of(name), self.round_s / 60, SHARE, NOISE_BYTES)
        flatness.most += extra
        peak = max(number for _, number in samples.of(name))
        say(
            "%s: %.1f MB at %.1f min, %.1f MB in the second half (lower quartiles of %d windows of %.0f s), peak %.1f MB; slope there %+.3f MB a "
            "minute (standard error %.3f), %+.1f MB in all, bound %+.1f MB"
            % (
                what, samples.of(name)[0][1] / 1e6, samples.taken[0].minutes, flatness.mean / 1e6, flatness.count, self.round_s, peak / 1e6,
                flatness.slope / 1e6, flatness.error / 1e6, flatness.rise / 1e6, flatness.most / 1e6,
            )
        )
        return flatness

    def report(self, samples, rate):
        self.say_quality(samples, rate)
        used = self.say_flatness(samples, "used", "memory in use", 0)
        resident = self.say_flatness(samples, "resident", "resident memory", SLACK_BYTES)
        before = max(sample.descriptors for sample in samples.late(0.5, 0.75))
        after = max(sample.descriptors for sample in samples.late(0.75, 1))
        say("file descriptors: at most %d in the third quarter, %d in the last" % (before, after))
        if samples.taken[-1].minutes < MEASURED_MINUTES:
            say("shorter than %d minutes: whether it is flat is not judged" % MEASURED_MINUTES)
            return
        if rate < RATE_HELD * self.chosen.rate or samples.stopped_s:
            raise Failed("the machine had too much else to do for a judgement: run it again when it is idle")
        if not used.is_flat():
            raise Failed("memory in use is not flat: something is kept")
        if not resident.is_flat():
            raise Failed("resident memory is not flat, though memory in use is: free memory is not given back")
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
        samples, sent, version, rate = soak.run(path)
        soak.settle(sent)
        soak.check_totals(path, version)
        print(command(chosen.dryport, "verify", *options(soak.settings), timeout=600))
        soak.report(samples, rate)
        soak.steady.stop()
    return 0


if __name__ == "__main__":
    sys.exit(tell(main))
