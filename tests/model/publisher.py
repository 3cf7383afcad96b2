# SPDX-License-Identifier: Apache-2.0
"""topic.statistics, those who read it, and the publisher that writes it."""
import collections

from domain import PERIOD, SLICES, Violation
from reader import Reader

TERM = 1_000_000    # as_of = term * TERM + counter
CLAIM = 0           # first part of the key of a publisher's claim in topic.statistics; each claim has its own key
FINAL = 0           # a period is FINAL when the watermark has left it and so many more behind

Stat = collections.namedtuple('Stat', 'key as_of value author')


class Statistics:
    """topic.statistics: compaction keeps the last offset of each key, whatever its as_of."""

    def __init__(self):
        self.records, self.end = [], 0                      # (offset, Stat)
        self.written = []                                   # whatever was written, compacted away or not

    def append(self, stat):
        self.records.append((self.end, stat))
        self.written.append(stat)
        self.end += 1

    def read(self, position):
        """The first record at or after position that still exists."""
        for offset, stat in self.records:
            if offset >= position:
                return offset, stat
        return None

    def compact(self, upto, passed):
        """passed: every consumer is beyond it.  A tombstone stays until then: nobody may lag more than delete.retention.ms."""
        last = {stat.key: offset for offset, stat in self.records if offset < upto}
        self.records = [(o, s) for o, s in self.records if o >= upto or last[s.key] == o and not (s.value is None and o < passed)]


class Consumer:
    """Upsert by key, ignore an as_of that is not larger; a tombstone has an as_of too.  A forgetful one is a table of which the row goes, as_of
    and all."""

    def __init__(self, world, forgetful=False):
        self.world, self.position, self.cells, self.forgetful = world, 0, {}, forgetful

    def step(self, most):
        for _ in range(most):
            found = self.world.statistics.read(self.position)
            if not found:
                return
            self.position = found[0] + 1
            key, as_of, value, _ = found[1]
            if key[0] == CLAIM or as_of is not None and as_of <= self.cells.get(key, (0, 0))[0]:
                continue
            if value is None and self.forgetful:
                self.cells.pop(key, None)
            else:
                self.cells[key] = (as_of or 0, value or 0)

    def shown(self):
        """A record of zero measures equals an absent one."""
        return {k: v for k, (_, v) in self.cells.items() if v}


class Publisher:
    """Folds all journals, writes topic.statistics.  A claim is to this topic what OPEN is to a journal: the term that it names is
    the high part of every as_of, a record of a lower term than the newest claim before it is late, and its key is written again."""

    def __init__(self, world, number):
        self.world, self.rng, self.events, self.mutant = world, world.rng, world.events, world.mutant
        self.number, self.paused, self.claims = number, False, 0
        self.position, self.seen = 0, 0                     # topic.statistics: next offset, largest as_of
        self.values, self.largest = {}, {}                  # last record of each key; its largest as_of
        self.late, self.newest_claim = set(), 0             # keys whose last record is late
        self.term, self.won, self.counter = None, False, 0
        self.queue = collections.deque()                    # writes in flight
        self.watermark, self.buried = -1, {}                # buried: key -> as_of of the tombstone last sent
        self.refold()

    def refold(self):
        """Note all ends, fold from the start of each journal, publish nothing before they are reached."""
        world = self.world
        self.readers = [None] * len(world.parts)
        self.ends = [len(p.log) for p in world.parts]
        self.floor = [len(p.plan_at) for p in world.parts]  # for the invariant only
        self.dirty = set()
        self.shut_gate()

    def shut_gate(self):
        self.statistics_end, self.term, self.won = self.world.statistics.end, None, False
        self.ready = self.mutant == 'no_gate'

    def hang_up(self):
        """Killed, or a producer error: what is in flight may still land."""
        self.world.stray.extend(self.queue)
        self.queue.clear()
        self.buried = {}

    def fold(self):
        """The sum over the partitions; None while one of them is not whole, stands between two plans, is corrupt before the gate has opened, or
        is empty though something was counted: the guard of the writers, else a deleted journal would be published as zeros."""
        total = {}
        for part, reader, end in zip(self.world.parts, self.readers, self.ends):
            state = reader.state if reader else None
            between = not state.whole() or len(set(state.plans)) > 1 if state else end > 0
            broken = reader is not None and reader.corrupt and not self.ready
            lost = part.committed is not None and not (state and state.counted) and self.mutant != 'publisher_no_guard'
            self.events['publisher guard'] += lost
            if (between or broken or lost) and self.mutant != 'no_gate':    # trim may have moved the log start beyond the end that was noted
                return None
            for cell, value in (state.cells if state else {}).items():
                total[cell] = total.get(cell, 0) + value
        return {c: v for c, v in total.items() if v}

    def step(self, faults=True):
        if self.paused:
            return
        if faults and self.queue and self.rng.random() < 0.02:
            self.events['fault publisher producer error'] += 1
            self.hang_up()
            self.shut_gate()                                # a new term: what was in flight is late by definition
        for p in range(len(self.readers)):
            self.read_journal(p, self.rng.choice((0, 3, 8)))
        if self.mutant != 'no_tail' or not self.ready:
            for _ in range(self.rng.choice((1, 3, 8))):
                if not self.read_statistics():
                    break
        if not self.ready:
            self.open_gate()
        else:
            self.advance()
            if self.rng.random() < 0.5:
                self.emit(self.rng.randint(1, 3))
                self.bury()

    def advance(self):
        """The watermark: the least of the partitions that are not idle; of all, if all are."""
        states = [r.state for r in self.readers if r and r.state]
        if len(states) < len(self.readers) or self.fold() is None:
            return
        awake = [s.watermark for s in states if not s.idle]
        mark = min(awake) if awake else max(s.watermark for s in states)
        if mark > self.watermark:
            self.watermark = mark
            self.world.check_watermark(self)

    def final(self, key):
        return self.watermark // PERIOD > key[2] + FINAL

    def bury(self):
        """A cell whose items are all gone was published with zero measures; when its period is FINAL its tombstone follows."""
        total = self.fold()
        if total is None:
            return
        for key, stat in sorted(self.values.items()):
            if total.get(key) and self.mutant != 'tombstone_by_record':
                continue                                    # what replaces the zero may still be on its way
            if stat.value == 0 and self.final(key) and key not in self.dirty and self.buried.get(key, 0) < stat.as_of:
                self.counter += 1
                self.buried[key] = self.counter
                self.queue.append(Stat(key, None if self.mutant == 'tombstone_without_as_of' else self.counter, None, self.number))
                self.events['publisher tombstone'] += 1

    def read_journal(self, p, most):
        part, reader = self.world.parts[p], self.readers[p]
        if reader is None:
            reader = self.readers[p] = Reader(self.mutant, self.events)
            reader.position = part.start
        gone = reader.corrupt and reader.corrupt_at < part.start and self.mutant != 'halted_for_good'   # trim took the break away
        if gone or not part.start <= reader.position <= len(part.log):
            self.events['publisher out of range'] += 1
            return self.refold()
        for _ in range(most):
            if reader.position == len(part.log):
                return
            before = dict(reader.state.cells) if reader.state else {}
            reader.feed(reader.position, part.log[reader.position])
            if reader.corrupt and not part.scarred and not part.doom:
                raise Violation('publisher: ' + reader.corrupt)
            if self.rng.random() < 0.1:
                reader.state.purge(self.rng.randrange(SLICES))
            after = reader.state.cells
            self.dirty |= {c for c in before.keys() | after.keys() if before.get(c) != after.get(c)}

    def read_statistics(self):
        found = self.world.statistics.read(self.position)
        if not found:
            self.position = self.world.statistics.end       # the broker says so (EOF): the last record may be a tombstone that is gone
            return False
        self.position, stat = found[0] + 1, found[1]
        if stat.as_of is None:                              # only by a mutant
            self.values[stat.key] = stat
            return True
        self.seen = max(self.seen, stat.as_of)
        if stat.key[0] == CLAIM:
            mine = stat.author == self.number and stat.as_of == self.term
            if mine and self.newest_claim < stat.as_of:
                self.won = True
            elif self.term is not None and stat.as_of >= self.term + self.won:
                self.events['publisher must claim again'] += 1
                self.shut_gate()
            self.newest_claim = max(self.newest_claim, stat.as_of)
            return True
        lower = stat.as_of < self.largest.get(stat.key, 0)
        self.values[stat.key], self.largest[stat.key] = stat, max(stat.as_of, self.largest.get(stat.key, 0))
        if self.mutant in ('no_claim', 'repair_by_value', 'as_of_sum_hi'):
            repair = stat.author != self.number and (stat.value or 0) != (self.fold() or {}).get(stat.key, 0)
        else:
            repair = stat.as_of < self.newest_claim or lower
            if self.mutant == 'no_claim_largest':
                repair = lower or (stat.author != self.number and (stat.value or 0) != (self.fold() or {}).get(stat.key, 0))
            if self.mutant == 'tombstone_unrepaired' and stat.value is None:
                repair = False
            (self.late.add if repair else self.late.discard)(stat.key)
        if repair:
            self.events['publisher repairs'] += self.ready
            self.dirty.add(stat.key)
        return True

    def open_gate(self):
        """All journals folded to their ends, topic.statistics read to its end, the own claim read back."""
        total = self.fold()
        folded = all(r is not None and r.position >= e for r, e in zip(self.readers, self.ends))
        if not folded or total is None or self.position < self.statistics_end:
            return
        if self.mutant in ('no_claim', 'no_claim_largest', 'as_of_sum_hi'):
            self.counter = max(self.counter, self.seen)
        elif self.term is None:
            self.claims += 1
            self.term = self.counter = (self.seen // TERM + 1) * TERM
            self.queue.append(Stat((CLAIM, 100 * self.number + self.claims), self.term, 0, self.number))
            return
        elif not self.won:
            return
        self.ready = True
        self.events['publisher gate opens'] += 1
        differ = {k for k in total.keys() | self.values.keys() if ((self.values[k].value or 0) if k in self.values else 0) != total.get(k, 0)}
        self.dirty |= differ | self.late

    def emit(self, most):
        total = self.fold()
        if total is None:
            return
        for key in sorted(self.dirty)[:most]:
            self.dirty.discard(key)
            hi = [r.state.hi if r and r.state else 0 for r in self.readers]
            if any(h < f for h, f in zip(hi, self.floor)):
                raise Violation(f'publisher emits at {hi}, less than was accepted when it started: {self.floor}')
            self.counter = max(self.counter, self.seen if self.mutant in ('no_claim', 'no_claim_largest') else 0) + 1
            as_of = sum(hi) if self.mutant == 'as_of_sum_hi' else self.counter
            value = total.get(key, 0)
            if not value and self.mutant == 'zero_unpublished':
                continue
            self.events['publisher zero record'] += not value
            if not value and self.mutant == 'tombstone_early':
                value = None
            self.queue.append(Stat(key, as_of, value, self.number))
            self.events['publisher emits'] += 1
