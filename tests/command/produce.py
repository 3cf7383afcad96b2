# SPDX-License-Identifier: Apache-2.0
"""`generate`, `load` and `tail`: files, and a broker that is not there. With a broker they are tested in tests/broker."""

import os
import re
import socket
import time

from command import LISTS, SHARED, SOURCE, expect, expect_run, folder, run, write

DEMO = os.path.join(SOURCE, "deploy", "reference", "demo")
SITE = SHARED if os.path.exists(os.path.join(SHARED, "hs2022.csv")) else DEMO if os.path.exists(DEMO) else LISTS
LIST = ("-X", f"reference.dir={SITE}")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


with folder() as place:
    # deterministic, whole, and as `check` reads it
    done = expect_run(0, "declarations 5000", "generate", *LIST, "--count", "5000", "--out", f"{place}/a.pb")
    run("generate", *LIST, "--count", "5000", "--out", f"{place}/b.pb")
    run("generate", *LIST, "--count", "5000", "--seed", "2", "--out", f"{place}/c.pb")
    run("generate", *LIST, "--count", "5000", "--out", f"{place}/a.pb.zst")
    expect(read(f"{place}/a.pb") == read(f"{place}/b.pb"), "one seed, one stream")
    expect(read(f"{place}/a.pb") != read(f"{place}/c.pb"), "another seed, another stream")
    run("generate", *LIST, "--count", "5000", "--first-number", "700001", "--out", f"{place}/d.pb")
    expect(b"000700001" in read(f"{place}/d.pb") and b"000000001" not in read(f"{place}/d.pb"), "ids of another range")
    expect(b"000700001" not in read(f"{place}/a.pb") and b"000000001" in read(f"{place}/a.pb"), "ids from 1")
    expect(len(read(f"{place}/a.pb.zst")) < len(read(f"{place}/a.pb")) * 2 // 3, "zst is compressed")
    bad = int(re.search(r"bad +(\d+)", done.stdout).group(1))
    for file in ("a.pb", "a.pb.zst"):
        done = run("check", *LIST, f"{place}/{file}")
        apart = int(re.search(r"not_counted (\d+)\n", done.stdout).group(1))
        expect(f"rejected {bad}\n" in done.stdout and f"counted {5000 - bad - apart}\n" in done.stdout and 0 < apart < 100,
               "exactly the bad ones are rejected, and few are not counted", done)
    done = run("generate", *LIST, "--count", "2000", "--bad", "0", "--out", f"{place}/good.pb")
    done = run("check", *LIST, f"{place}/good.pb")
    expect(done.returncode == 0, "no bad ones, none rejected", done)
    expect_run(64, "No such file", "generate", *LIST, "--count", "1", "--out", f"{place}/none/x.pb")
    done = run("generate", *LIST, "--count", "10", "--out", "-")
    expect("declarations 10" in done.stderr, "the summary does not mix with the declarations", done)

    # batches: options that do not go together say so
    expect_run(64, "--batch and --out", "generate", *LIST, "--batch", "10", "--out", f"{place}/x.pb")
    expect_run(64, "needs --batch", "generate", *LIST, "--batch-compression", "zstd")
    expect_run(64, "none or zstd", "generate", *LIST, "--batch", "10", "--batch-compression", "gzip")
    expect_run(64, "--batch", "generate", *LIST, "--batch", "10001")

    # no broker: within the time-out, with the address, exit code 69
    port = closed_port()
    broker = ("-X", f"brokers=127.0.0.1:{port}", "--timeout", "1.5")
    for arguments in (["load", f"{place}/a.pb"], ["generate", *LIST, "--count", "10"], ["generate", *LIST, "--batch", "5"], ["tail"]):
        begun = time.monotonic()
        expect_run(69, f"127.0.0.1:{port}", *arguments, *broker)
        expect(time.monotonic() - begun < 15, f"{arguments[0]} gives up in time")

    # wrong files are found before the broker is asked
    expect_run(64, "No such file", "load", f"{place}/a.pb", f"{place}/none.pb", *broker)
    expect_run(64, "needs a map", "load", write(f"{place}/a.csv", b"a\n1\n"), *broker)
    expect_run(64, "none.map", "load", *LIST, "--map", f"{place}/none.map", f"{place}/a.csv", *broker)
    # settings of the client too
    expect_run(64, "kafka.no.such.key", "load", f"{place}/a.pb", "-X", "kafka.no.such.key=1", *broker)
print("produce: all as expected")
