# SPDX-License-Identifier: Apache-2.0
"""/v1/stream of a running processor: its events are the records of topic.statistics, each once and in order; who comes again goes on; who does not read
is sent away, and nobody else notices."""

import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request

from command import expect, folder, run
from processor import DEMO, Processor

COUNT = 2000
STREAMS_MOST = 16  # of proc/engine_stream.c
DEADLINE_S = 60


class Reader:
    """A client by the rules of server-sent events, on a thread of its own."""

    def __init__(self, processor, query="", last_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", processor.port, timeout=DEADLINE_S)
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        self.connection.request("GET", "/v1/stream" + query, headers=headers)
        self.answer = self.connection.getresponse()
        self.events = []  # (id, event, data)
        self.comments = 0
        self.is_ended = False
        expect(self.answer.status == 200 and self.answer.headers["Content-Type"] == "text/event-stream", f"a stream: {self.answer.status}")
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        event = {}
        try:
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "data" in event:
                    self.events.append((event.get("id"), event["event"], event["data"]))
                    event = {}
        except (OSError, http.client.HTTPException, AttributeError):
            pass
        self.is_ended = True

    def end(self):
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(DEADLINE_S)
        self.connection.close()

    def until(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition(self):
            expect(time.monotonic() < end, f"{what}; {len(self.events)} events, the last {self.events[-1:]}")
            time.sleep(0.05)


def get(processor, path, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{processor.port}{path}", method=method), timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def tail(processor, *arguments):
    """The records of the topic as they stand in their partitions: what is compared with the events."""
    return [json.loads(line) for line in processor.run("tail", "--from-beginning", "--until-idle", "2", *arguments).splitlines()]


def by_key(records):
    keys = {}
    for record in records:
        keys.setdefault(record["key"], []).append(record)
    return keys


def expect_the_topic(reader, processor, *arguments):
    should = tail(processor, *arguments)
    reader.until(f"{len(should)} records", lambda each: len(each.events) >= len(should))
    expect(not [event for event in reader.events if event[1] not in ("statistic", "deleted")], "no gap")
    records = [json.loads(data) for _, _, data in reader.events]
    expect(by_key(records) == by_key(should), f"{len(records)} events are the {len(should)} records, in the order of each key")
    expect(all(identity == record["as_of"] for (identity, _, _), record in zip(reader.events, records)), "the id is the as_of")
    expect(len(should) > 0, "there are some")


def load(processor, place, number, total=None):
    path = f"{place}/{number}.pb"
    done = run("generate", "-X", f"reference.dir={DEMO}", "--count", str(COUNT), "--bad", "0", "--seed", str(number), "--first-number", str(number * COUNT + 1),
               "--from", "2025-01-01", "--to", "2025-07-31", "--out", path)
    expect(done.returncode == 0, "generated", done)
    processor.run("load", path)
    processor.rest(total or (number + 1) * COUNT)


with folder() as place:
    # in rounds that no machine is too slow for
    processor = Processor(place, DEMO, "-X", "publish.max.keys.per.s=5000")
    processor.wait("ready", lambda: get(processor, "/readyz")[0] == 200)
    for query, word in (("?view=nosuch", "view=nosuch: there are flow, office"), ("?period=2025", "period is no parameter: there is view")):
        code, text = get(processor, "/v1/stream" + query)
        expect(code == 400 and word in text, f"{query}: {code} {text}")
    expect(get(processor, "/v1/stream", "HEAD")[0] == 200, "HEAD has no body, and an end")

    everything = Reader(processor)
    partner = Reader(processor, "?view=partner")
    load(processor, place, 0)
    expect_the_topic(everything, processor)
    expect_the_topic(partner, processor, "--view", "partner")

    # who comes again: behind the event that it had, or told of a gap
    half = len(everything.events) // 2
    again = Reader(processor, last_id=everything.events[half][0])
    again.until("the other half", lambda each: len(each.events) >= len(everything.events) - half - 1)
    expect(again.events == everything.events[half + 1:], "exactly what it had not")
    late = [Reader(processor, last_id=stranger) for stranger in ("1", "x")]
    for each in late:
        each.until("a gap", lambda each: each.events)
        expect(each.events[0][:2] == (None, "gap"), f"{each.events}")

    # an end to what may be open; signs of life, by which those that have gone are noticed
    crowd = [again, *late] + [Reader(processor) for _ in range(STREAMS_MOST - 5)]
    code, text = get(processor, "/v1/stream")
    expect(code == 503 and "as many streams" in text, f"one more: {code} {text}")
    expect(processor.metric("dryport_stream_readers") == STREAMS_MOST, "they are counted")
    comments = partner.comments
    for each in crowd:
        each.end()
    processor.wait("that they are gone", lambda: processor.metric("dryport_stream_readers") == 2)
    partner.until("a sign of life", lambda each: each.comments > comments)

    # one that does not read
    dropped = processor.metric("dryport_stream_dropped_total")
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", int(processor.port)))
    deaf.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    processor.wait("that it is one of three", lambda: processor.metric("dryport_stream_readers") == 3)
    number = 1
    while processor.metric("dryport_stream_dropped_total") == dropped:
        expect(number < 12, "it is sent away")
        load(processor, place, number)
        expect(get(processor, "/livez")[0] == 200, "alive")
        number += 1
    processor.wait("that it is gone", lambda: processor.metric("dryport_stream_readers") == 2)
    expect(processor.metric("dryport_stream_dropped_total") == dropped + 1, "it alone")
    deaf.close()
    expect_the_topic(everything, processor)
    expect_the_topic(partner, processor, "--view", "partner")
    expect(processor.metric("dryport_stream_events_total") >= len(everything.events), "events are counted")

    # a stop ends streams, and waits for none
    everything_before = len(everything.events)
    processor.restart()
    for each in (everything, partner):
        each.until("the end of the stream", lambda each: each.is_ended)
        each.end()
    expect(len(everything.events) == everything_before, "nothing more")
    processor.wait("ready", lambda: get(processor, "/readyz")[0] == 200)
    back = Reader(processor, last_id=everything.events[-1][0])
    back.until("a gap, for another process keeps other events", lambda each: each.events)
    expect(back.events[0][1] == "gap", f"{back.events[0]}")
    load(processor, place, number, COUNT)  # it counts from its start
    back.until("and goes on", lambda each: len(each.events) > 100)
    back.end()
    processor.end()
print(f"stream: {len(everything.events)} events are the records of the topic")
