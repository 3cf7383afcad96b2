# SPDX-License-Identifier: Apache-2.0
"""One process's ownership of the partition: steps 1 to 12 of the writer.  Two may believe that they are the owner at the same time."""
import collections

from domain import LED_901, PERIOD, SLICES, Entry, Frame, Group, State, Violation, crc, derive, print_of, reject_code, slice_bodies, slice_of_id

MAX_UNECHOED = 4    # groups sealed and not echoed before the writer stops pulling (the product: 8)
ECHO_TIMEOUT = 14   # writer steps between an ack and the moment its missing echo counts as an error
DRAIN_STEPS = 10    # writer steps that a revoked owner waits for its echo


class Connection:
    """One producer's connection: first in, first out.  Without an owner it is a ghost: still able to land, late."""

    def __init__(self, owner, born):
        self.owner, self.born, self.queue, self.failed = owner, born, collections.deque(), False


class Writer:
    def __init__(self, part, number):
        self.part, self.rng, self.events, self.mutant = part, part.rng, part.events, part.mutant
        self.number, self.status, self.paused, self.steps = number, 'down', False, 0
        self.plan, self.connection, self.backoff, self.calm = 0, None, 0, False
        self.forget()

    def forget(self):
        """Drop all memory state of the partition."""
        self.reader = self.tip = None                       # the fold of what was echoed; the same plus what was not
        self.sealed, self.outbox = collections.deque(), collections.deque()     # sent and not echoed; not yet sent
        self.by_stamp, self.own = {}, set()                 # (nonce, last seq) -> group; own nonces since the restore
        self.foreign, self.acked_cycles = False, []
        self.next_slice, self.drain = 0, 0
        self.stuck = None                                   # why no further record can be counted
        self.clear_batch()

    def clear_batch(self):
        self.batch_lo = self.tip.hi if self.tip else 0
        self.batch_floor = self.tip.floor() if self.tip else 0
        self.deltas, self.inserts, self.rejects, self.counts = {}, {}, {}, collections.Counter()

    # -- life cycle -----------------------------------------------------------------------------------------------------

    def hang_up(self):
        if self.connection:
            self.connection.owner = None
            self.events['fault connection ends with writes in flight'] += bool(self.connection.queue)
        self.connection = None

    def kill(self):
        self.hang_up()
        self.forget()
        self.status, self.paused = 'down', False

    def assign(self):
        """Step 1.  mode: cold, warm (state kept at a clean release) or restamp (after a producer error)."""
        self.open('warm' if self.status == 'warm' else 'cold')

    def open(self, mode):
        self.hang_up()
        world = self.part.world
        if mode == 'cold':
            self.forget()
            if self.mutant == 'restore_first':
                self.early = self.part.read(len(self.part.log)) if self.part.log else None
        world.nonces += 1
        self.nonce, self.mode, self.status, self.seq = world.nonces, mode, 'opening', 0
        self.connection = Connection(self, len(self.part.opens))
        self.part.connections.append(self.connection)
        self.connection.queue.append(('frame', Frame('OPEN', self.nonce)))
        self.events['writer OPEN ' + mode] += 1

    def drop(self, why):
        """Step 10: what is in memory cannot be trusted; if still assigned, go to 1.  A stuck one leaves the operator time to write."""
        self.events['echo ' + why] += 1
        self.part.trace(f'writer {self.number} drops its state: {why}')
        stuck = self.stuck
        self.hang_up()
        self.forget()
        if self.status == 'draining':
            self.status = 'down'
        else:
            self.status, self.backoff = 'backoff', self.rng.randint(8, 20) if stuck else self.rng.randint(1, 6)

    def halt(self, why):
        """A guard: nothing is counted until the journal says that somebody mended it.  The reader goes on."""
        self.events['guard ' + why] += 1
        self.part.trace(f'writer {self.number} halts: {why}')
        self.hang_up()
        self.status, self.stuck = 'halted', why
        if not self.part.world.disaster_of(self.part):
            raise Violation(f'halts without a reason: {why}')

    def acked(self, connection, item, offset):
        if connection is not self.connection:
            return
        if isinstance(item, tuple):
            for group in self.outbox:
                group.rejects_due.discard(item)
            return
        if item.kind == 'OPEN':
            if self.status == 'opening' and offset is not None:
                self.opened(offset)
            elif offset is None:
                connection.failed = True
            return
        group = self.by_stamp.get((item.nonce, item.seq))
        if group and item.last:
            group.ack_step = self.steps
            if self.mutant == 'no_echo' and group in self.sealed:
                self.sealed.remove(group)
        if item.kind == 'SNAP' and item.body['part'] == 0 and offset is not None:
            if item.body['slice'] == 0:
                self.acked_cycles.append([offset, 0])
            if self.acked_cycles:
                self.acked_cycles[-1][1] += 1

    def opened(self, offset):
        """Step 2: own OPEN is at offset; read through it."""
        if self.mode != 'cold' and not self.is_same_log(offset):
            self.events['writer out of range'] += 1
            self.mode = 'cold'
        if self.mode == 'cold':
            self.forget()
            self.reader = self.part.read(offset + 1)
            self.own = {self.nonce}
        else:
            self.own.add(self.nonce)
            while self.reader.position <= offset:
                self.read_one()
        reader = self.reader
        if reader.corrupt:
            if not self.part.scarred and not self.part.doom:
                raise Violation('restore: ' + reader.corrupt)
            return self.halt('corrupt journal')
        if not reader.state.whole():
            raise Violation('restore: the state is not whole')
        if reader.epoch != self.nonce and self.mutant not in ('no_fence', 'open_twice'):
            self.events['writer OPEN overtaken'] += 1       # the ack was of a copy: a foreign OPEN lies between
            return self.open('cold')
        keep = self.mode == 'restamp' and self.may_restamp()
        if self.mode == 'restamp':
            self.events['writer re-stamps' if keep else 'writer may not re-stamp'] += 1
        if keep:
            self.restamp()
        elif not (self.mode == 'warm' and self.mutant == 'warm_unechoed'):
            self.sealed, self.outbox, self.by_stamp, self.foreign = collections.deque(), collections.deque(), {}, False
            self.tip = reader.state.copy()
            if self.mutant == 'restore_first' and self.mode == 'cold':
                self.tip = self.early.state.copy() if self.early else State()
            self.stuck = None
            self.clear_batch()
            self.own, self.next_slice = {self.nonce}, reader.next_slice()
            if not self.part.damaged:
                self.part.verify(reader.state, 'restore', [s for s in self.part.said if s[0] <= offset])
            why = self.guard(reader.state)
            if why:
                return self.halt(why)
        self.window = list(reader.window)
        self.status = 'running'
        if not keep:
            self.start_work()

    def is_same_log(self, offset):
        """What was read last still stands where it stood: a journal that was made anew may have grown beyond it."""
        place = self.reader.position - 1
        if not self.part.start <= place < offset:
            return False
        return self.part.log[place] is self.reader.last_frame or self.mutant == 'reopen_blind'

    def guard(self, state):
        """Reasons not to start, whatever is assigned: the journal and the input do not belong together."""
        part, mutant = self.part, self.mutant
        if not state.counted and part.committed is not None and mutant != 'guard_no_journal':
            return 'journal lost'
        first_start = not state.counted and not state.counts and part.committed is None
        if part.first > state.hi and not first_start and mutant != 'guard_retention':
            return 'input cut'
        if state.hi > part.end and mutant != 'guard_end':
            return 'input ends before hi'
        if state.mark and state.mark[0] == state.hi > part.first and state.hi <= part.end and mutant != 'guard_crc':
            if crc(part.input[state.hi - 1]) != state.mark[1]:
                return 'input differs'
        return None

    def restamp(self):
        again = list(self.sealed) + list(self.outbox)
        if self.mutant == 'restamp_by_x':
            again = [g for g in again if g.hi > self.reader.state.hi]
        elif self.mutant == 'restamp_foreign':
            again = [g for g in again if g.lo >= self.reader.state.hi]
        self.sealed, self.outbox, self.by_stamp = collections.deque(), collections.deque(again), {}
        for group in again:
            group.ack_step, group.rejects_sent = None, False

    def may_restamp(self):
        """Step 8: everything accepted since the own OPEN is own, and X is an own boundary."""
        if self.mutant == 'restamp_foreign':
            groups = list(self.sealed) + list(self.outbox)
            return any(self.reader.state.hi in (g.lo, g.hi) for g in groups)
        return not self.foreign

    def start_work(self):
        part, tip = self.part, self.tip
        if tip.hi < part.first:                             # bootstrap on a topic with retention
            tip.counts['skipped'] += part.first - tip.hi
            lo, tip.hi = tip.hi, part.first
            self.outbox.append(Group('SKIP', lo, self.plan, [{}], tip))
            self.clear_batch()
        stale = [p for p in tip.plans if p is not None and p != self.plan]
        if self.mutant == 'replan_by_last' and self.reader.last_plan == self.plan:
            stale = []
        if stale and self.mutant != 'no_replan':            # step 12
            self.events['writer REPLAN'] += 1
            if len(set(tip.plans)) > 1:
                self.events['writer REPLAN of a torn REPLAN'] += 1
            self.events['writer REPLAN above a floor'] += any(c[2] < tip.floor() for c in tip.cells)
            for i in range(SLICES):
                tip.purge(i)
                tip.replan_slice(i, self.plan, self.mutant == 'replan_below_floor')
                self.seal_slice(i, replan=True)

    # -- work -----------------------------------------------------------------------------------------------------------

    def step(self):
        self.steps += 1
        if self.paused or self.status in ('down', 'warm'):
            return
        if self.status == 'halted':
            return self.step_halted()
        if self.status == 'backoff':
            self.backoff -= 1
            if self.backoff <= 0:
                if self.rng.random() < 0.4 and any(w is not self and w.status == 'running' for w in self.part.writers):
                    self.status = 'down'                    # a fresh poll says: no longer assigned
                else:
                    self.open('cold')
            return
        if self.connection.failed:                          # step 8
            self.events['writer producer error'] += 1
            if self.status == 'draining':
                return self.drop('producer error while draining')
            return self.open('restamp' if self.status == 'running' else self.mode)
        if self.status == 'opening':
            return
        self.echo()
        if self.status not in ('running', 'draining'):
            return
        if self.status == 'draining':
            return self.step_draining()
        self.step_running()

    def step_running(self):
        action, rng, tip, part = self.rng.random(), self.rng, self.tip, self.part
        outstanding = len(self.sealed) + len(self.outbox)
        if action < 0.55 and outstanding < MAX_UNECHOED:
            for _ in range(rng.randint(1, 3)):
                if tip.hi < part.end and not self.stuck:
                    record, why = part.fetch(tip.hi)
                    if record:
                        self.tally(record)
                    else:                                   # step 4: an error event; what was counted before it is sealed
                        self.events['guard ' + why] += 1
                        part.trace(f'writer {self.number} is stuck at {tip.hi}: {why}')
                        self.stuck = why
        if action < 0.35 or tip.hi == part.length or self.stuck:
            self.seal()
        if self.calm:
            pass                                            # the schedule ends: let what is under way arrive
        elif 0.55 < action < 0.80 and outstanding < MAX_UNECHOED and tip.hi > 0:
            self.seal()
            self.seal_slice(self.next_slice)
        elif 0.80 < action < 0.83:
            self.seal()
            self.raise_floor()
        elif 0.83 < action < 0.93 and not tip.idle and not self.stuck and outstanding < MAX_UNECHOED:
            self.idle()
        if rng.random() < 0.2:
            tip.purge(rng.randrange(SLICES))
        self.pump()
        if rng.random() < 0.3:
            self.trim()

    def step_halted(self):
        """Reads on.  Only an accepted group of somebody else is a reason to try again: an OPEN alone would fence the operator."""
        for _ in range(self.rng.choice((0, 1, 3, 6))):
            if not self.part.start <= self.reader.position < len(self.part.log):
                break
            branch, group = self.reader.feed(self.reader.position, self.part.log[self.reader.position])
            if group and branch.startswith('applied') and not self.reader.corrupt:
                return self.drop('mended')
        gone = self.reader.corrupt and self.reader.corrupt_at < self.part.start and self.mutant != 'halted_for_good'
        if gone or self.reader.position < self.part.start:
            self.drop('trim took the break away')

    def step_draining(self):
        self.drain += 1
        self.seal()
        self.pump()
        clean = not self.sealed and not self.outbox
        if clean or (self.mutant == 'warm_unechoed' and self.drain > 2):
            self.events['writer released warm'] += 1
            self.status = 'warm'
            self.hang_up()
        elif self.drain > DRAIN_STEPS:
            self.drop('not in time at release')

    def tally(self, record):
        """Verdict, ledger and cells of one record (section 4)."""
        tip, offset, mutant = self.tip, self.tip.hi, self.mutant
        tip.hi += 1
        tip.mark = (tip.hi, crc(record))
        code = reject_code(record, self.plan)
        if mutant == 'watermark_by_rejected' and code:
            tip.watermark = max(tip.watermark, min(record.time, record.stamp))
        if code and not (mutant == 'clock_unbounded' and record.defect not in (self.plan + 1, 3)):
            return self.reject(offset, code)
        old = tip.ledger.get(record.id)
        if self.expired(record, old):
            return self.reject(offset, LED_901)
        raw = (record.office, record.partner, record.amount, record.cancel, record.period)
        period = record.time // PERIOD if mutant == 'expiry_by_event_time' else record.period
        entry = Entry(record.version, record.cancel, record.amount, raw, derive(raw, self.plan), period)
        if old:
            order, stored = (record.version, record.cancel), (old.version, old.cancel)
            if mutant == 'cancel_order':
                order, stored = order[0], stored[0]
            if order == stored:
                return self.count('duplicate' if old.digest == entry.digest else 'conflict')
            if order < stored and mutant != 'arrival_order':
                return self.count('stale')
            for cell, value in old.contribution:            # retract the contribution as stored
                self.delta(cell, -value)
        for cell, value in entry.contribution:
            self.delta(cell, value)
        tip.ledger[record.id] = self.inserts[record.id] = entry
        tip.watermark = max(tip.watermark, record.time)
        self.count('counted')

    def expired(self, record, old):
        """Judged by the floor before this record.  The slice is purged first, so that a fingerprint is seen whether or not its entry
        happened to be in memory still."""
        tip, mutant = self.tip, self.mutant
        if mutant == 'expiry_physical':
            return not old and print_of(record.id) in tip.prints
        if mutant == 'floor_at_seal':
            return old.period < self.batch_floor if old else print_of(record.id) in tip.prints
        if mutant == 'horizon_wall_clock':
            return bool(old) and old.period < self.part.world.step // (3 * PERIOD) - 2 or print_of(record.id) in tip.all_prints() and not old
        if mutant != 'fingerprint_lazy':
            tip.purge(slice_of_id(record.id))
        elif old and tip.expired(old):
            return True
        return record.id not in tip.ledger and print_of(record.id) in tip.prints

    def reject(self, offset, code):
        self.tip.rejects[offset] = self.rejects[offset] = code
        self.count('LED-901' if code == LED_901 else 'rejected')

    def count(self, verdict):
        self.events['verdict ' + verdict] += 1
        self.tip.counts[verdict] += 1
        self.counts[verdict] += 1

    def delta(self, cell, value):
        self.tip.add(cell, value)
        self.deltas[cell] = self.deltas.get(cell, 0) + value

    def seal(self):
        """Step 5: a group of two or three frames, cells first, ledger last."""
        tip = self.tip
        if tip.hi == self.batch_lo:
            return
        tip.plans = [self.plan if p is None else p for p in tip.plans]
        tip.counted, tip.idle = True, False
        cells, rejects = list(self.deltas.items()), list(self.rejects.items())
        bodies = [{'cells': cells, 'counts': dict(self.counts), 'rejects': rejects}]
        if len(cells) > 1 and self.rng.random() < 0.5:
            bodies = [{'cells': cells[:1]}, {'cells': cells[1:], 'counts': dict(self.counts), 'rejects': rejects}]
        bodies.append({'ledger': list(self.inserts.items()) if self.mutant != 'ledger_unjournalled' else []})
        self.outbox.append(Group('DATA', self.batch_lo, self.plan, bodies, tip, rejects))
        self.clear_batch()

    def seal_slice(self, i, replan=False):
        """Step 6: slice i as of tip.hi, a group of its own with lo = hi.  Trim can then only cut between groups."""
        if self.tip.plans[i] is None:
            self.tip.plans[i] = self.plan
        self.tip.counted = True
        self.outbox.append(Group('SNAP', self.tip.hi, self.tip.plans[i], slice_bodies(self.tip, i, replan=replan), self.tip))
        self.next_slice = (i + 1) % SLICES

    def mark(self, **body):
        self.outbox.append(Group('MARK', self.tip.hi, self.plan, [body], self.tip))

    def raise_floor(self):
        """Memory pressure.  The raised floor counts from the hi of the group that says so."""
        self.events['writer raises the floor'] += 1
        self.tip.raised = self.tip.floor() + 1
        if self.mutant != 'floor_unjournalled':
            self.mark(floor=self.tip.raised)
        self.clear_batch()

    def idle(self):
        """The log end was reached and nothing came for a while."""
        if self.tip.hi == self.part.end or (self.mutant == 'idle_behind' and self.tip.hi):
            self.seal()
            self.tip.idle = True
            self.events['writer idle'] += 1
            if self.mutant != 'idle_unjournalled':
                self.mark(idle=True, step=len(self.part.ends) - 1)

    def pump(self):
        """Rejects first; the group that lists them when all are acked."""
        for _ in range(len(self.outbox)):
            group = self.outbox[0]
            if not group.rejects_sent:
                group.rejects_sent = True
                self.connection.queue.extend(('reject', r) for r in group.rejects if r in group.rejects_due)
            if group.rejects_due and self.mutant != 'rejects_late':
                return
            self.outbox.popleft()
            first = self.mutant == 'rejects_late' and group.rejects
            for i, frame in enumerate(group.frames(self.nonce, self.seq, self.window)):
                self.seq = frame.seq
                self.connection.queue.insert(i if first else len(self.connection.queue), ('frame', frame))
            self.by_stamp[(self.nonce, self.seq)] = group
            self.sealed.append(group)
            if self.mutant == 'rejects_late':
                group.rejects_due = set()

    # -- echo and trim --------------------------------------------------------------------------------------------------

    def read_one(self):
        """One frame of the own journal.  Returns the reason to drop the state, or None."""
        reader, part = self.reader, self.part
        frame = part.log[reader.position]
        branch, group = reader.feed(reader.position, frame)
        own = frame.nonce in self.own
        if group:
            if not own:
                self.foreign = True
            elif frame.last and self.by_stamp.get((frame.nonce, frame.seq)) in self.sealed:
                self.sealed.remove(self.by_stamp[(frame.nonce, frame.seq)])
                if frame.kind == 'DATA' or self.mutant == 'commit_before_data':
                    part.committed = frame.hi               # step 11
        if branch in ('OPEN', 'OPEN discards a torn group') and frame.nonce != self.nonce:
            return 'foreign OPEN'                           # an older own nonce is foreign too
        if frame.nonce == self.nonce and branch in ('gap in seq', 'other nonce'):
            return 'own frame ignored: ' + branch
        return None

    def echo(self):
        """Step 10."""
        if not self.part.start <= self.reader.position <= len(self.part.log):
            return self.drop('out of range')
        for _ in range(self.rng.choice((0, 1, 3, 6))):
            if self.reader.position == len(self.part.log):
                break
            why = self.read_one()
            if self.reader.corrupt:
                if not self.part.scarred and not self.part.doom:
                    raise Violation('echo: ' + self.reader.corrupt)
                return self.drop('corrupt journal')
            if why and self.mutant != 'no_echo':
                return self.drop(why)
        if self.mutant != 'no_echo':
            if any(g.ack_step is not None and self.steps - g.ack_step > ECHO_TIMEOUT for g in self.sealed):
                return self.drop('acked, never echoed')
            if not self.sealed and not self.outbox and self.batch_lo == self.tip.hi:
                memory, fold = self.tip, self.reader.state
                if (memory.cells, memory.live(), memory.all_prints(), memory.rejects) != (fold.cells, fold.live(), fold.all_prints(), fold.rejects):
                    raise Violation('all is echoed, but memory is not the fold of the journal')

    def trim(self):
        """Step 7: only by what the reader rule accepted."""
        target = self.reader.trim_target()
        if self.mutant == 'trim_on_ack':
            done = [c for c in self.acked_cycles if c[1] >= SLICES]
            target = done[-1][0] if done else None
        elif self.mutant == 'trim_newest':
            target = self.acked_cycles[-1][0] if self.acked_cycles else None
        if target is not None and target > self.part.start and target not in self.part.trims:
            self.part.trims.append(target)
