# SPDX-License-Identifier: Apache-2.0
"""Input partition p, journal[p], its rejects, the network in front of them, and what checks every accepted group: a recount from the
input by other code than the protocol's."""
import collections

from domain import (HORIZON, LED_901, PERIOD, PRINTS, SLICES, Frame, Violation, crc, derive, make_record, reject_code, slice_of_cell)
from reader import WINDOW, Reader
from writer import Writer


class Partition:
    def __init__(self, world, number):
        self.world, self.rng, self.events, self.mutant = world, world.rng, world.events, world.mutant
        self.number, self.log, self.start, self.opens = number, [], 0, []
        rng = self.rng
        self.first = rng.choice((0, 0, 0, 2))               # the input's log start; retention may have cut it before the first start
        self.length, self.end, self.ends, self.generation = world.length, self.first, [], 0   # end: the input's log end, and what it was at each step
        flicker = rng.random() < 0.3
        self.input = self.truth = [make_record(rng, offset, 0, flicker) for offset in range(self.length)]
        self.poison = None                                  # offset that every fetch fails at
        self.committed = None                               # the group's offset: for lag tools, and for one guard
        self.rejects_topic = set()                          # (offset, code): the key makes a repeated reject one record
        self.connections, self.trims = [], []
        self.checker = Reader(self.mutant, collections.Counter())
        self.plan_at = []                                   # plan under which each offset was accepted; None = skipped
        self.said = []                                      # (journal offset, hi, what, value): accepted floors, re-derived slices, marks
        self.allowed = set()                                # ranges that an operator may skip
        self.doom, self.doom_nonce = None, 0                # a disaster without a mend; epochs after this one must not count
        self.damage_at = None                               # offset of a frame that was damaged, unless a REBASE has healed it
        self.scarred = False                                # one was damaged at any time: who begins may meet it on its way to the REBASE
        self.hopeless = False                               # damaged before the first state that is whole: there is nothing to rebase to
        self.writers = [Writer(self, i) for i in range(3)]

    def trace(self, text):
        if self.world.trace:
            print(f'{self.world.step:4d} p{self.number} {text}')

    # -- input ----------------------------------------------------------------------------------------------------------

    def grow(self, most):
        self.end = min(self.length, self.end + self.rng.randint(1, most))

    def fetch(self, offset):
        """The record, or None with the reason for which the consumer reports an error."""
        if offset < self.first:
            return None, 'out of range'
        if offset == self.poison:
            return None, 'bad record'
        return self.input[offset], None

    # -- journal --------------------------------------------------------------------------------------------------------

    def append(self, frame):
        offset = len(self.log)
        self.log.append(frame)
        broken = self.checker.corrupt_at
        branch, group = self.checker.feed(offset, frame)
        self.trace(f'journal {offset}: {frame} -> {branch}')
        if branch.startswith('OPEN') and branch != 'OPEN seen before':
            self.opens.append(offset)
        if self.checker.corrupt and broken is None:
            if frame.nonce <= self.doom_nonce:
                return offset                               # an old epoch's frame in the journal of another life: it halts, that is right
            raise Violation('partition halts: ' + self.checker.corrupt)
        if branch == 'applied REBASE':
            self._rebased(group)
        elif group and branch.startswith('applied'):
            self._accepted(offset, group)
        return offset

    def _accepted(self, offset, group):
        first, last = group[0], group[-1]
        if not last.last:
            return
        if self.doom and first.kind != 'MARK' and first.nonce > self.doom_nonce:
            raise Violation(f'{first} accepted after: {self.doom}')
        if first.lo != len(self.plan_at):
            raise Violation(f'ranges do not tile: [{first.lo},{first.hi}) after {len(self.plan_at)}')
        if first.kind == 'SKIP' and first.hi > first.lo and (first.lo, first.hi) not in self.allowed and (first.lo > 0 or first.hi > self.first):
            raise Violation(f'nobody authorised the hole [{first.lo},{first.hi})')
        self.plan_at += [None if first.kind == 'SKIP' else first.plan] * (last.hi - first.lo)
        for at, code in (r for f in group if f.kind == 'DATA' for r in f.body.get('rejects', ())):
            if (at, code) not in self.rejects_topic:
                raise Violation(f'group lists reject ({at},{code}) that is not durable')
        if first.kind == 'SNAP' and first.body['replan']:
            self.said.append((offset, last.hi, 'replan', (first.body['slice'], first.plan)))
        elif first.kind == 'MARK' and 'floor' in first.body:
            self.said.append((offset, last.hi, 'floor', first.body['floor']))
        elif first.kind == 'MARK' and first.body.get('idle'):
            if last.hi < self.ends[first.body['step']]:
                raise Violation(f'idle mark at {last.hi}, but the log end was {self.ends[first.body["step"]]}')
            self.said.append((offset, last.hi, 'idle', True))
        elif first.kind == 'DATA':
            self.said.append((offset, last.hi, 'idle', False))
        self.verify(self.checker.state, 'after an accepted group')

    def _rebased(self, group):
        """The operator gave up what came after the break: the input from there is counted again."""
        state, broken = self.checker.state, group[-1].body['upto']
        del self.plan_at[state.hi:]
        self.said = [s for s in self.said if s[0] < broken]
        self.damage_at = None
        for publisher in self.world.publishers:
            publisher.floor[self.number] = min(publisher.floor[self.number], state.hi)
        self.verify(state, 'after REBASE')

    # -- the oracle -----------------------------------------------------------------------------------------------------

    def recount(self, hi, said=None):
        """Cells, newest versions, rejects, watermark of input[0, hi), from the input, the plan of each range, and the journalled decisions
        (raised floors, re-derived slices).  Each declaration keeps the plan that each slice of cells has counted it under."""
        said = collections.deque(s for s in (self.said if said is None else said) if s[2] != 'idle')
        newest, plans, prints, rejects, watermark, raised = {}, {}, set(), {}, -1, 0
        for offset in range(hi + 1):
            while said and said[0][1] <= offset:
                _, _, what, value = said.popleft()
                if what == 'floor':
                    raised = max(raised, value)
                for ident in newest if what == 'replan' else ():
                    if newest[ident].period >= max(raised, watermark // PERIOD - HORIZON):
                        plans[newest[ident]][value[0]] = value[1]
            if offset == hi:
                break
            plan, record = self.plan_at[offset], self.truth[offset]
            if plan is None:
                continue
            floor = max(raised, watermark // PERIOD - HORIZON)
            prints |= {i % PRINTS for i, r in newest.items() if r.period < floor}
            known = newest.get(record.id)
            if reject_code(record, plan):
                rejects[offset] = reject_code(record, plan)
            elif known.period < floor if known else record.id % PRINTS in prints:
                rejects[offset] = LED_901
            elif not known or (record.version, record.cancel) > (known.version, known.cancel):
                newest[record.id] = record
                plans[record] = [plan] * SLICES
                watermark = max(watermark, record.time)
        floor, cells = max(raised, watermark // PERIOD - HORIZON), {}
        for record in newest.values():
            raw = (record.office, record.partner, record.amount, record.cancel, record.period)
            for plan in (0, 1):
                for cell, value in derive(raw, plan):
                    if plans[record][slice_of_cell(cell)] == plan:
                        cells[cell] = cells.get(cell, 0) + value
        live = {i: (r.version, r.cancel, r.amount) for i, r in newest.items() if r.period >= floor}
        prints |= {i % PRINTS for i, r in newest.items() if r.period < floor}
        return cells, live, prints, rejects, watermark

    def verify(self, state, when, said=None):
        cells, live, prints, rejects, watermark = self.recount(state.hi, said)
        if state.cells != cells:
            raise Violation(f'{when}: cells {state.cells} are not the recount {cells} at hi {state.hi}')
        if {i: e[:3] for i, e in state.live().items()} != live or state.all_prints() != prints:
            raise Violation(f'{when}: ledger is not the recount at hi {state.hi}')
        if state.rejects != rejects:
            raise Violation(f'{when}: reject list {state.rejects} is not the recount {rejects} at hi {state.hi}')
        if sum(state.counts.values()) != state.hi:
            raise Violation(f'{when}: verdict counts {dict(state.counts)} do not add up to {state.hi}')
        if state.watermark != watermark:
            raise Violation(f'{when}: watermark {state.watermark} is not the recount {watermark} at hi {state.hi}')

    def read(self, upto):
        """What any role that starts now makes of journal[start, upto)."""
        reader = Reader(self.mutant, self.events)
        for offset in range(self.start, upto):
            reader.feed(offset, self.log[offset])
            if self.rng.random() < 0.2:
                reader.state.purge(self.rng.randrange(SLICES))
        return reader

    def cold_read(self, upto, when):
        """The same, of a journal that must be in order."""
        reader = self.read(upto)
        if reader.corrupt:
            raise Violation(f'{when}: {reader.corrupt}')
        if reader.state is None or not reader.state.whole():
            raise Violation(f'{when}: the state is not whole')
        self.verify(reader.state, when, [s for s in self.said if s[0] < upto])
        return reader

    # -- disasters ------------------------------------------------------------------------------------------------------

    @property
    def damaged(self):
        return self.damage_at is not None and self.damage_at >= self.start

    def sound(self):
        return not self.damaged and not self.doom

    def damage(self):
        """A frame that was readable is not any more: whoever has passed it does not notice, whoever begins does."""
        if self.start < len(self.log):
            at = self.rng.randrange(self.start, len(self.log))
            self.log[at] = Frame('DAMAGED', None)
            self.damage_at, self.scarred = at, True
            self.trace(f'journal {at} is damaged')

    def lose_journal(self):
        """The topic is deleted and made anew, empty, under whoever runs."""
        self.log, self.start, self.opens, self.trims = [], 0, [], []
        self.checker = Reader(self.mutant, collections.Counter())
        self.doom, self.doom_nonce = 'the journal was deleted', self.world.nonces
        self.trace(self.doom)

    def replace_input(self):
        """The input is deleted and made anew, with other records; nobody runs meanwhile."""
        for writer in self.writers:
            writer.kill()
        self.connections.clear()
        self.generation += 1
        self.input = [make_record(self.rng, offset, self.generation, False) for offset in range(self.length)]
        self.first, self.end = 0, self.rng.randint(0, self.end)
        self.doom, self.doom_nonce = 'the input was made anew', self.world.nonces
        self.trace(self.doom)

    def cut_input(self):
        """Retention deletes records that were never counted."""
        self.first = min(self.length - 1, len(self.plan_at) + self.rng.randint(1, 3))
        self.end = max(self.end, self.first)
        self.trace(f'input start {self.first}')

    # -- network --------------------------------------------------------------------------------------------------------

    def network(self, faults=True):
        rng = self.rng
        for connection in list(self.connections):
            ghost = connection.owner is None
            if ghost and (not connection.queue or len(self.opens) - connection.born > WINDOW - 3):
                self.connections.remove(connection)         # nothing outlives the window of nonces
                continue
            if not connection.queue or rng.random() > (0.15 if ghost else 0.6):
                continue
            what, item = connection.queue.popleft()
            luck = rng.random() / self.world.storm if faults else 1
            if ghost and rng.random() < 0.4:
                self.events['fault ghost write lost'] += 1
                continue
            if ghost:
                self.events['fault ghost write lands late'] += 1
            elif luck < 0.02 and what == 'frame':
                self.events['fault frame lost, acked'] += 1
                connection.owner.acked(connection, item, None)
                continue
            elif luck < 0.04:
                self.events['fault write lost, error'] += 1
                connection.failed = True
                continue
            if what == 'reject':
                self.rejects_topic.add(item)
                offset = None
            else:
                offset = self.append(item)
                if faults and not ghost and rng.random() < 0.04 * self.world.storm:
                    self.events['fault retry: appended again later'] += 1
                    connection.queue.appendleft((what, item))
                    continue
                if faults and rng.random() < 0.08 * self.world.storm:
                    self.events['fault duplicate'] += 1
                    offset = rng.choice((offset, self.append(item)))
            if ghost:
                continue
            if 0.04 <= luck < 0.07:
                self.events['fault ack lost'] += 1
                connection.failed = True
            else:
                connection.owner.acked(connection, item, offset)
        if faults and self.log and rng.random() < 0.05 * self.world.storm:     # a copy of an old write, within the window
            oldest = self.opens[-(WINDOW - 3)] if len(self.opens) >= WINDOW - 3 else 0
            copy = self.log[rng.randrange(oldest, len(self.log))]
            if copy.kind != 'DAMAGED':
                self.events['fault late duplicate'] += 1
                self.append(copy)
        if self.trims and rng.random() < 0.5:               # DeleteRecords may be as late as any write
            target = self.trims.pop(rng.randrange(len(self.trims)))
            self.events['trim lands' if target > self.start else 'trim without effect'] += 1
            if self.start < target <= len(self.log):
                self.start = target
                self.trace(f'log start {target}')
                if rng.random() < 0.5 and self.sound():
                    self.cold_read(len(self.log), 'cold read after trim')
