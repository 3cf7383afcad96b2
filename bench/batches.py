# SPDX-License-Identifier: Apache-2.0
"""Declarations in records of many (DeclarationBatch): `dryport run` against the null librdkafka consumer on the same topic.

The same declarations (one seed) stand in three topics: one a record, from which the totals are recounted; batches that Kafka compresses (zstd), so
that librdkafka decompresses them, in one thread; and batches whose value is a zstd frame in records that Kafka does not compress, so that
the workers decompress. Pairs of runs alternate as in end_to_end.py, each is checked against the same totals. Prints Markdown, for
bench/record.sh. See bench/README.md.
"""

import os
import statistics
import sys

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "broker"))
sys.path.insert(0, os.path.join(SOURCE, "bench"))

import asked  # noqa: E402
import end_to_end  # noqa: E402
import topics  # noqa: E402
from cluster import Failed, Workplace, options, tell  # noqa: E402
from notes import figures, note  # noqa: E402

ZSTD_BY_KAFKA, ZSTD_FRAMES = "bench.batches", "bench.frames"
MARK_RATIO, MARK_RATE = 0.85, 4_000_000


class Truth(end_to_end.Truth):
    """What single declarations add up to; a run on batches has other coordinates of rejects, as many of them."""

    def check(self, run):
        own = topics.rejected_coordinates(self.address, run.settings["topic.rejects"])
        rejected = self.rejected
        if len(own) != len(rejected):
            raise Failed("%s: %d rejects, on single declarations %d" % (run.name, len(own), len(rejected)))
        self.rejected = set(own)
        try:
            super().check(run)
        finally:
            self.rejected = rejected


def main():
    parser = asked.parser(__doc__)
    asked.add_sample(parser, "pairs")
    parser.add_argument("--batch", type=int, default=100, help="declarations a record")
    asked.add_processor(parser)
    parser.add_argument("--null-consumer", default=asked.program("null_consumer"))
    asked.add_settings(parser)
    chosen = parser.parse_args()
    more = asked.settings(chosen)
    results = {(kind, topic): [] for kind in ("null", "run") for topic in (ZSTD_BY_KAFKA, ZSTD_FRAMES)}
    records = {}
    with Workplace("batches") as place:
        broker = place.broker(heap="1g", log_roll_hours=876000)
        end_to_end.generate(chosen, broker.address, end_to_end.INPUT)
        size = ("--batch", str(chosen.batch))
        records[ZSTD_BY_KAFKA] = end_to_end.generate(chosen, broker.address, ZSTD_BY_KAFKA, *size)["batches"]
        records[ZSTD_FRAMES] = end_to_end.generate(
            chosen,
            broker.address,
            ZSTD_FRAMES,
            *size,
            "--batch-compression",
            "zstd",
            *options({"kafka.producer.compression.type": "none"}),
        )["batches"]
        deadline_s = 600 + chosen.count / 20000
        truth = Truth(broker.address, chosen.count, chosen.reference)
        single = end_to_end.Run(place, broker.address, "single", chosen.dryport, chosen.count, chosen.reference, more)
        single.measure(deadline_s)
        end_to_end.Truth.check(truth, single)
        for pair in range(-chosen.warm_up, chosen.pairs):
            for kind, topic in list(results)[:: 1 if pair % 2 == 0 else -1]:
                if kind == "null":
                    run = end_to_end.Null(chosen.null_consumer, broker.address, records[topic], topic)
                else:
                    name = "%s-%d" % (topic, pair + chosen.warm_up)
                    run = end_to_end.Run(
                        place, broker.address, name, chosen.dryport, chosen.count, chosen.reference, more, topic
                    )
                    run.measure(deadline_s)
                    truth.check(run)
                note("%s on %s: %.2f s, %.2f CPU-s%s" % (kind, topic, run.seconds, run.cpu, " (warm-up)" if pair < 0 else ""))
                if pair >= 0:
                    results[kind, topic].append(run)
    print(report(chosen, records, results, truth))
    return 0


def report(chosen, records, results, truth):
    names = {"null": "null consumer", "run": "dryport run"}
    compressed = {ZSTD_BY_KAFKA: "zstd by Kafka", ZSTD_FRAMES: "a zstd frame in each value"}
    count = chosen.count

    def rate(kind, topic):
        return count / statistics.median(r.seconds for r in results[kind, topic])

    lines = [
        "- %d declarations (seed %d) in records of %d, the last ones smaller; %d partitions; %s records of %s bytes"
        % (
            count,
            chosen.seed,
            chosen.batch,
            end_to_end.PARTITIONS,
            " and ".join(str(each) for each in records.values()),
            " and ".join("%.0f" % (results["null", topic][0].bytes / n) for topic, n in records.items()),
        ),
        "- %d alternating pairs behind %d that are not counted; medians, lowest and highest in brackets; librdkafka %s"
        % (chosen.pairs, chosen.warm_up, results["null", ZSTD_BY_KAFKA][0].librdkafka),
        "",
        "| program | k declarations/s | CPU-s per million | peak memory MiB |",
        "|---|---|---|---|",
    ]
    for (kind, topic), runs in results.items():
        lines.append(end_to_end.row("%s, %s" % (names[kind], compressed[topic]), count, runs))
    ratio = statistics.median(
        n.seconds / r.seconds for n, r in zip(results["null", ZSTD_BY_KAFKA], results["run", ZSTD_BY_KAFKA])
    )
    lines += [
        "",
        "- Batches of %d, zstd by Kafka: rate %.2f of the null consumer's (mark: at least %.2f)."
        % (chosen.batch, ratio, MARK_RATIO),
        "- Batches of %d as zstd frames: %.2f M declarations/s (mark: at least %.1f)."
        % (chosen.batch, rate("run", ZSTD_FRAMES) / 1e6, MARK_RATE / 1e6),
        "- Totals of every run equal those of a run on the same declarations one by one, which equal a recount of that topic: %s."
        % ", ".join("%d %s" % (n, v) for v, n in truth.verdicts.items() if n),
        figures(batch_ratio=ratio, frames_rate=rate("run", ZSTD_FRAMES)),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(tell(main))
