# SPDX-License-Identifier: Apache-2.0
"""`dryport top` on a terminal of its own (a pty): it shows what `dryport report` prints, follows what comes, fits a screen that changes, and leaves the
terminal as it found it."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from command import ENVIRONMENT, PROGRAM, expect, folder, run
from processor import DEMO, Processor

COUNT = 3000
DEADLINE_S = 60
OTHER_LINES = 5  # of proc/cmd/top.c
SEQUENCE = re.compile(rb"\x1b(?:\[([?>]?)([0-9;]*)([@-~])|[()].|[=>78c])|(\x1bM|[\x08\r\n\t])|([\x20-\x7e]+)|[\x00-\x1a\x1c-\x1f]")


class Terminal:
    """What xterm would show of the bytes that ncurses sends: the sequences of its terminfo entry that move, write and clear."""

    def __init__(self, *arguments, lines=24, columns=100, kind="xterm"):
        self.master, self.slave = pty.openpty()
        self.resize(lines, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [PROGRAM, "top", *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave,
            env={**ENVIRONMENT, "TERM": kind}, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.bytes = b""
        self.unread = b""

    def resize(self, lines, columns):
        self.lines, self.columns = lines, columns
        self.cells = [[" "] * columns for _ in range(lines)]
        self.y = self.x = 0
        self.top, self.bottom = 0, lines  # what scrolls
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds=0.1):
        while select.select([self.master], [], [], seconds)[0]:
            got = os.read(self.master, 65536)
            self.bytes += got
            self.unread += got
            seconds = 0
        while True:
            found = SEQUENCE.match(self.unread)
            if not found:
                return  # the rest of a sequence is under way
            self.unread = self.unread[found.end():]
            self.obey(found)

    def obey(self, found):
        private, numbers, final, control, text = found.groups()
        if text:
            for char in text.decode("ascii"):
                if self.x == self.columns:
                    self.x, self.y = 0, min(self.y + 1, self.lines - 1)
                self.cells[self.y][self.x] = char
                self.last, self.x = char, self.x + 1
        elif control == b"\r":
            self.x = 0
        elif control == b"\n" and self.y == self.bottom - 1:
            self.scroll(self.top, 1)
        elif control == b"\n":
            self.y = min(self.y + 1, self.lines - 1)
        elif control == b"\x1bM" and self.y == self.top:
            self.scroll(self.top, -1)
        elif control == b"\x1bM":
            self.y = max(self.y - 1, 0)
        elif control == b"\x08":
            self.x = max(self.x - 1, 0)
        elif control == b"\t":
            self.x = min((self.x // 8 + 1) * 8, self.columns - 1)
        elif final and not private:
            self.move(final.decode(), [int(n) for n in numbers.decode().split(";") if n])

    def scroll(self, first, lines):
        """Takes so many lines out at `first`, or puts them in if below zero; what is above the bottom moves."""
        part = self.cells[first:self.bottom]
        blank = [[" "] * self.columns for _ in range(min(abs(lines), len(part)))]
        self.cells[first:self.bottom] = (part + blank)[len(blank):] if lines > 0 else (blank + part)[:len(part)]

    def move(self, final, numbers):
        n = numbers[0] if numbers and numbers[0] else 1
        row = self.cells[self.y]
        if final == "H":
            self.y, self.x = n - 1, (numbers[1] if len(numbers) > 1 else 1) - 1
        elif final in "ABCD":
            self.y = min(max(self.y + {"A": -n, "B": n}.get(final, 0), 0), self.lines - 1)
            self.x = min(max(self.x + {"C": n, "D": -n}.get(final, 0), 0), self.columns - 1)
        elif final == "d":
            self.y = n - 1
        elif final == "G":
            self.x = n - 1
        elif final == "J":
            whole = bool(numbers) and numbers[0] == 2
            for y in range(0 if whole else self.y, self.lines):
                for x in range(0 if whole or y > self.y else self.x, self.columns):
                    self.cells[y][x] = " "
        elif final == "K":
            first, end = (0, self.x + 1) if numbers and numbers[0] == 1 else (self.x, self.columns)
            row[first:end] = " " * (end - first)
        elif final == "X":
            row[self.x:self.x + n] = " " * len(row[self.x:self.x + n])
        elif final == "b":
            row[self.x:self.x + n] = self.last * n
            self.x += n
        elif final == "@":
            row[self.x:] = ([" "] * n + row[self.x:])[:self.columns - self.x]
        elif final == "P":
            row[self.x:] = (row[self.x:] + [" "] * n)[n:]
        elif final in "LM":
            self.scroll(self.y, n if final == "M" else -n)
        elif final in "ST":
            self.scroll(self.top, n if final == "S" else -n)
        elif final == "r":
            self.top, self.bottom = (numbers[0] - 1, numbers[1]) if len(numbers) > 1 else (0, self.lines)
            self.y = self.x = 0
        else:
            expect(final in "mhltn", f"a sequence that this test does not know: {final} {numbers}")

    def shown(self):
        return ["".join(row).rstrip() for row in self.cells]

    def until(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition(self.shown()):
            expect(time.monotonic() < end, f"{what}; shown is\n" + "\n".join(self.shown()))
            expect(self.process.poll() is None, f"{what}; it ended: {self.bytes[-2000:]!r}")
            self.read()

    def end(self, code):
        end = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            expect(time.monotonic() < end, "it ends")
            self.read()
        self.read()
        expect(self.process.returncode == code, f"exit code {self.process.returncode}, not {code}: {self.bytes[-2000:]!r}")
        expect(termios.tcgetattr(self.slave) == self.before, "the terminal's modes are those of before")
        os.close(self.master)
        os.close(self.slave)


def newest_month(processor):
    """The months of a table without --period: from January to the newest that has goods."""
    records = map(json.loads, processor.run("tail", "--from-beginning", "--until-idle", "1", "--view", "heading").splitlines())
    newest = str(max(record["period_to"] for record in records if record.get("frequency") == "MONTH" and record["items"] != "0"))
    return f"{newest[:4]}-01..{newest[:4]}-{newest[4:6]}"


def is_table(terminal, processor, *arguments, columns=None):
    """Whether the screen below its first line is what `report` prints, as far as there is room."""
    rows = max(terminal.lines - OTHER_LINES, 1)
    lines = [line[:terminal.columns].rstrip() for line in processor.run("report", *arguments, "--top", str(rows)).splitlines()][:terminal.lines - 1]
    return lambda shown: shown[1:1 + len(lines)] == lines and not any(shown[1 + len(lines):])


with folder() as place:
    processor = Processor(place, DEMO)
    common = ["-X", f"brokers={processor.brokers}", "-X", f"reference.dir={DEMO}", "--every", "0.2"]

    # no record of the view yet
    early = Terminal(*common)
    early.until("it says that there is none", lambda shown: "has no record of view heading" in " ".join(shown))

    streams = []
    for number, dates in enumerate((("2024-03-01", "2025-06-30"), ("2025-02-01", "2025-07-31"))):
        streams.append(f"{place}/{number}.pb")
        done = run("generate", "-X", f"reference.dir={DEMO}", "--count", str(COUNT), "--bad", "0", "--seed", str(number), "--first-number", str(number * COUNT + 1),
                   "--from", dates[0], "--to", dates[1], "--out", streams[-1])
        expect(done.returncode == 0, "generated", done)
    processor.run("load", streams[0])
    processor.rest(COUNT)

    # the same terminal follows what came; from January to the newest month
    heading = ("--view", "heading")
    before = newest_month(processor)
    early.until(f"all headings of {before}", is_table(early, processor, *heading, "--period", before))
    expect("view heading, January-" in early.shown()[0], early.shown()[0])
    small = Terminal(*common, "--view", "partner", "--by", "partner", "--where", "flow=M", "--period", "2025", "--show", "net,value", lines=9, columns=30)
    chosen = ("--view", "partner", "--by", "partner", "--where", "flow=M", "--period", "2025", "--show", "net,value")
    small.until("a small screen is filled", is_table(small, processor, *chosen))
    processor.run("load", streams[1])
    processor.rest(2 * COUNT)
    after = newest_month(processor)
    expect(after > before, f"{after} is behind {before}")
    early.until(f"and of {after}, when they come", is_table(early, processor, *heading, "--period", after))
    small.until("the small one as well", is_table(small, processor, *chosen))
    expect(re.search(rb"\x1b\[(0;)?1m", early.bytes), "rows that have changed are bold")

    # another size, another order
    for lines, columns in ((10, 60), (40, 132), (3, 20)):
        early.resize(lines, columns)
        early.until(f"{lines} lines of {columns}", is_table(early, processor, *heading, "--period", after))
    early.resize(24, 100)
    os.write(early.master, b"ss")  # by value, by net
    early.until("by net mass", is_table(early, processor, *heading, "--period", after, "--sort", "net"))
    expect("by net" in early.shown()[0], early.shown()[0])

    # each way out
    os.write(early.master, b"q")
    early.end(0)
    expect(early.bytes.rstrip().endswith(b"\x1b[?1l\x1b>") or b"\x1b[?1049l" in early.bytes[-80:], f"the screen of before is back: {early.bytes[-80:]!r}")
    expect(b"\x1b[?12l\x1b[?25h" in early.bytes[-200:] or b"\x1b[?25h" in early.bytes[-200:], "and the cursor")
    os.write(small.master, b"\x03")
    small.end(0)
    for stop in (lambda each: each.process.send_signal(signal.SIGTERM), lambda each: None):
        each = Terminal(*common, "--until-idle", "600" if stop.__code__.co_names else "10")  # it must stand for as long as `report` takes
        each.until("the table", is_table(each, processor, *heading, "--period", after))
        stop(each)
        each.end(0)

    # what is wrong is said on a terminal that is whole again
    for wrong, word, kind in ((["--by", "office"], b"--by office: view heading has hs4, flow", "xterm"), ([], b'TERM="nosuch" is not known', "nosuch")):
        each = Terminal(*common, *wrong, kind=kind)
        each.end(64)
        expect(word in each.bytes.replace(b"\r\n", b" ").rpartition(b"\x1b[?1049l")[2], f"{word}: {each.bytes[-500:]!r}")
    processor.end()
print("top: the table of report, live, on a terminal of any size")
