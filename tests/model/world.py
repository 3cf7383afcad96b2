# SPDX-License-Identifier: Apache-2.0
"""One schedule: partitions, writers, publishers, consumers, operators, and what happens to them."""
import collections
import random

from broker import Partition
from domain import PERIOD, Violation
from publisher import CLAIM, FINAL, Consumer, Publisher, Statistics
from skip import Operator, check_success

DISASTERS = ('poison', 'poison', 'damage', 'damage', 'cut', 'cut', 'journal', 'input')


class World:
    """One schedule: everything random comes from one generator, so a seed replays it."""

    def __init__(self, seed, mutant=None, trace=False):
        self.rng, self.mutant, self.trace = random.Random(seed), mutant, trace
        self.events, self.step, self.nonces = collections.Counter(), 0, 0
        self.length = self.rng.randint(6, 20)
        self.storm = self.rng.choice((0.2, 0.5, 1.0, 1.6))  # calm schedules reach far, stormy ones reach corners
        self.plan = 0
        self.statistics, self.stray = Statistics(), []      # stray: publishers' writes without a living producer
        self.parts = [Partition(self, p) for p in range(self.rng.choice((1, 1, 2)))]
        self.publishers, self.started = [], 0
        self.consumers = [Consumer(self), Consumer(self, forgetful=True)]
        self.operators, self.disasters, self.struck = [], [], set()
        for part in self.parts:
            if self.rng.random() < 0.4:
                self.disasters.append([self.rng.randint(15, 90), part, self.rng.choice(DISASTERS)])

    def run(self):
        for self.step in range(self.rng.randint(60, 150)):
            if self.rng.random() < 0.02 * self.storm:
                self.plan = 1 - self.plan
                self.events['fault plan changed'] += 1
            self.step_disasters()
            for part in self.parts:
                if self.rng.random() < 0.3:
                    part.grow(3)
                part.ends.append(part.end)
                self.step_writers(part)
                self.step_operators(part)
                part.network()
            self.step_publishers()
            self.duplicate_statistic()
            if self.rng.random() < 0.04:
                self.events['compaction'] += 1
                self.statistics.compact(self.rng.randint(0, self.statistics.end), min(c.position for c in self.consumers))
            if self.rng.random() < 0.02:
                self.events['consumer bootstraps'] += 1
                self.consumers.append(Consumer(self, self.rng.random() < 0.5))
            for consumer in self.consumers:
                consumer.step(self.rng.choice((0, 1, 4)))
        self.settle()

    def step_disasters(self):
        """At most one for each partition: what a guard must stop, and what only an operator can mend."""
        for disaster in list(self.disasters):
            due, part, kind = disaster
            counted = part.committed is not None and part.plan_at and self.step >= due
            mark = part.checker.state and part.checker.state.mark
            if kind == 'poison':
                part.poison = self.rng.randrange(part.length)
            elif kind == 'damage' and counted:
                part.damage()
            elif kind == 'cut' and self.step >= due and len(part.plan_at) < part.length - 1:
                part.cut_input()
            elif kind == 'journal' and counted:
                part.lose_journal()
            elif kind == 'input' and counted and mark and mark[0] == part.checker.state.hi:
                part.replace_input()
            else:
                continue
            self.events['disaster ' + kind] += 1
            self.disasters.remove(disaster)
            self.struck.add(part)

    def disaster_of(self, part):
        return part in self.struck

    def step_operators(self, part, chance=0.1):
        """Somebody reads /status and does what it says."""
        for operator in [o for o in self.operators if o.part is part]:
            operator.step()
            if operator.status != 'over' and self.rng.random() < 0.02 * self.storm and chance < 1:
                operator.finish(False, 'killed')
            if operator.status == 'over':
                self.operators.remove(operator)
                if operator.success:
                    check_success(operator)
                elif operator.again and self.rng.random() < 0.7:    # the same command line again
                    self.operators.append(Operator(part, operator.lo, operator.hi))
        if not any(o.part is part for o in self.operators) and self.rng.random() < chance:
            what = self.mend(part)
            if what:
                part.allowed.add(what)
                self.operators.append(Operator(part, *what))

    def mend(self, part):
        if part.doom or (part.hopeless and part.damaged):
            return None
        for writer in part.writers:
            if not writer.stuck or writer.status not in ('halted', 'running') or writer.sealed or writer.outbox:
                continue
            if writer.stuck == 'corrupt journal':
                return None, None
            lo = writer.tip.hi if writer.status == 'running' else writer.reader.state.hi
            if lo < part.first:
                return lo, part.first
            if lo == part.poison:
                return lo, lo + 1
        return None

    def check_watermark(self, publisher):
        """Against the journals as far as it has read them, by other code."""
        if any(part in self.struck for part in self.parts):
            return
        awake, every = [], []
        for part, reader in zip(self.parts, publisher.readers):
            said = [s for s in part.said if s[0] < reader.position]
            idle = [s[3] for s in said if s[2] == 'idle']
            every.append(part.recount(reader.state.hi, said)[4])
            awake += [] if idle and idle[-1] else [every[-1]]
        if publisher.watermark != (min(awake) if awake else max(every)):
            raise Violation(f'publisher has watermark {publisher.watermark}, the partitions that are not idle {awake}, all {every}')

    def duplicate_statistic(self):
        """A late copy from a connection that is over.  Within a connection the publisher's producer is idempotent, and a claim lands once."""
        newest = max((s.as_of for s in self.statistics.written if s.key[0] == CLAIM), default=0)
        over = [s for s in self.statistics.written if s.key[0] != CLAIM and (s.as_of or 0) < newest]
        last = {s.key: s.value for _, s in self.statistics.records}
        harmful = [s for s in over if s.value is None and last.get(s.key)]          # of a cell that has come back to life
        if over and self.rng.random() < (0.2 if harmful else 0.02) * self.storm:
            self.events['fault statistic duplicated late'] += 1
            self.events['fault tombstone duplicated late'] += bool(harmful)
            self.statistics.append(self.rng.choice(harmful or over))

    def step_writers(self, part):
        rng = self.rng
        for writer in part.writers:
            luck = rng.random() / self.storm
            if writer.status in ('down', 'warm'):
                busy = sum(w.status not in ('down', 'warm') for w in part.writers)
                if luck < (0.25 / self.storm if busy == 0 else 0.015):   # a second owner: the first is paused, slow or cut off
                    writer.plan = self.plan if rng.random() < 0.8 or writer.status == 'warm' else 1 - self.plan
                    self.events['fault second owner'] += busy > 0
                    writer.assign()
            elif writer.paused:
                if luck < 0.10 / self.storm:
                    self.events['fault zombie resumes'] += 1
                    writer.paused = False
            elif luck < 0.012:
                self.events['fault kill'] += 1
                writer.kill()
            elif luck < 0.024:
                self.events['fault pause'] += 1
                writer.paused = True
            elif luck < 0.036 and writer.status == 'running':
                self.events['fault revoke'] += 1
                writer.status, writer.drain = 'draining', 0
            if writer.status in ('running', 'draining') and writer.connection.queue and rng.random() < 0.01 * self.storm:
                self.events['fault producer error'] += 1
                writer.connection.failed = True
            if rng.random() < 0.8:
                writer.step()

    def step_publishers(self):
        rng = self.rng
        running = sum(not p.paused for p in self.publishers)
        if rng.random() < (0.2 if not running else 0.01):
            self.events['fault second publisher'] += bool(self.publishers)
            self.start_publisher()
        for publisher in list(self.publishers):
            luck = rng.random()
            if luck < 0.015:
                self.events['fault publisher killed'] += 1
                publisher.hang_up()
                self.publishers.remove(publisher)
                continue
            if publisher.paused:
                if luck < 0.10:
                    self.events['fault zombie publisher resumes'] += 1
                    publisher.paused = False
            elif luck < 0.04:
                self.events['fault publisher paused'] += 1
                publisher.paused = True
            elif len(self.publishers) > 1 and publisher is not self.publishers[-1] and luck < 0.15:
                publisher.hang_up()                         # it notices that the lease is lost
                self.publishers.remove(publisher)
                continue
            publisher.step()
            self.deliver(publisher, 0.5)
        if self.stray and rng.random() < 0.1:
            stat = self.stray.pop(0)
            if rng.random() < 0.7:
                self.events['fault stray statistic lands late'] += 1
                self.statistics.append(stat)

    def start_publisher(self):
        self.started += 1
        self.publishers.append(Publisher(self, self.started))

    def deliver(self, publisher, chance):
        while publisher.queue and self.rng.random() < chance:
            stat = publisher.queue.popleft()
            if stat.value is None and not publisher.final(stat.key):
                raise Violation(f'tombstone of {stat.key} before its period is FINAL')
            if self.trace:
                print(f'{self.step:4d} statistics {self.statistics.end}: {stat}')
            self.statistics.append(stat)

    def settle(self):
        """Faults end.  One writer of each partition and one publisher go on, the operator mends what can be mended; all else must become
        complete and right."""
        for part in self.parts:
            self.settle_partition(part)
        if all(part.sound() for part in self.parts):
            self.settle_publishers()

    def settle_partition(self, part):
        alive = [w for w in part.writers if w.status in ('running', 'opening', 'backoff') and not part.damaged]
        survivor = self.rng.choice(alive or part.writers)
        for writer in part.writers:
            if writer is not survivor or not alive:
                writer.kill()
        survivor.paused = False
        if not alive:
            survivor.assign()
        part.end = part.length
        for _ in range(700):
            part.ends.append(part.end)
            self.step += 1
            survivor.step()
            part.network(faults=False)
            self.step_operators(part, 0.2 if survivor.stuck else 0)
            if part.doom or (part.hopeless and part.damaged):
                if survivor.status == 'halted' and not survivor.connection:
                    self.events['halts for good: ' + (part.doom or 'nothing to rebase to')] += 1
                    return
            elif self.complete(part, survivor):
                break
            state = part.checker.state
            survivor.calm = bool(state) and state.hi == part.length and state.idle and len(set(state.plans)) == 1
        else:
            state = part.checker.state
            raise Violation(f'no progress: accepted {state.hi if state else 0} of {part.length}')
        part.connections.clear()
        reader = part.read(len(part.log))
        if reader.corrupt or reader.state.hi != part.length:
            raise Violation('trim lost progress')
        part.verify(reader.state, 'final restore')
        expected = part.recount(part.length)[3]
        valid = {(o, c) for o, c in part.rejects_topic if reader.state.rejects.get(o) == c or self.mutant == 'rejects_unlisted'}
        if valid != set(expected.items()):
            raise Violation(f'rejects that a reader sees {sorted(valid)} are not the recount {sorted(expected.items())}')
        self.events['orphan reject, void'] += len(part.rejects_topic - valid)

    def complete(self, part, survivor):
        state = part.checker.state
        return (state and state.hi == part.length and len(set(state.plans)) == 1 and state.idle and not part.damaged
                and not survivor.outbox and not survivor.sealed and not survivor.stuck)

    def settle_publishers(self):
        if not self.publishers:
            self.start_publisher()
        last = self.survivor = self.publishers.pop()
        last.paused = False
        for publisher in self.publishers:
            publisher.hang_up()
        for step in range(700):
            last.step(faults=False)
            self.deliver(last, 0.7)
            if self.stray and step % 3 == 0:
                self.statistics.append(self.stray.pop(0))
            read_all = last.position == self.statistics.end or self.mutant == 'no_tail'
            folded = all(r and r.position == len(p.log) for r, p in zip(last.readers, self.parts))
            if last.ready and folded and read_all and not last.dirty and not last.queue and not self.stray and not self.unburied(last):
                break
        else:
            raise Violation(f'the publisher does not come to rest; zero records of FINAL periods: {sorted(self.unburied(last))}')
        truth = collections.Counter()
        for part in self.parts:
            truth.update(part.recount(part.length)[0])
        for consumer in self.consumers[:]:
            consumer.step(10 ** 6)
        self.statistics.compact(self.statistics.end, self.statistics.end)
        self.consumers.append(Consumer(self))
        self.consumers[-1].step(10 ** 6)
        for number, consumer in enumerate(self.consumers):
            name = 'live' if number < 2 else 'bootstrapped'
            if consumer.shown() != {k: v for k, v in truth.items() if v}:
                raise Violation(f'{name} consumer ends with {consumer.shown()}, the recount is {dict(truth)}')
            if any(as_of != self.consumers[-1].cells.get(k, (0, 0))[0] for k, (as_of, v) in consumer.cells.items() if v):
                raise Violation(f'{name} consumer holds {consumer.cells}, a new one reads {self.consumers[-1].cells}')

    def unburied(self, publisher):
        """Zero records whose periods are FINAL by the recount."""
        watermark = max(part.recount(part.length)[4] for part in self.parts)
        return {k for k, s in publisher.values.items() if s.value == 0 and watermark // PERIOD > k[2] + FINAL}
