# SPDX-License-Identifier: Apache-2.0
"""`dryport skip` and `dryport skip --rebase`: a writer like any other, for one group: OPEN, restore, write, read back.  A hole is named by its
range, so that a second run after a first one that seemed to fail cannot skip twice."""
from domain import SLICES, Frame, Group, Violation, slice_bodies
from writer import Connection

PATIENCE = 40       # steps until it gives up; exit code 75: fenced, try again


class Operator:
    def __init__(self, part, lo, hi):
        """[lo, hi) to skip; lo None: rebase."""
        self.part, self.rng, self.events, self.mutant = part, part.rng, part.events, part.mutant
        self.lo, self.hi, self.status, self.steps, self.success, self.again = lo, hi, 'opening', 0, None, False
        world = part.world
        world.nonces += 1
        self.nonce = world.nonces
        self.connection = Connection(self, len(part.opens))
        part.connections.append(self.connection)
        self.connection.queue.append(('frame', Frame('OPEN', self.nonce)))
        self.name = 'rebase' if lo is None else 'skip'

    def finish(self, success, why):
        self.events[f'operator {self.name} {why}'] += 1
        self.part.trace(f'{self.name}: {why}')
        self.connection.owner = None
        self.status, self.success, self.again = 'over', success, not success and not why.startswith('refused')

    def acked(self, connection, item, offset):
        if self.status == 'opening' and item.kind == 'OPEN':
            if offset is None:
                connection.failed = True
            else:
                self.opened(offset)
        elif self.status == 'written' and self.mutant == 'skip_unread' and not connection.queue:
            self.finish(True, 'done')

    def opened(self, offset):
        self.reader = reader = self.part.read(offset + 1)
        if reader.epoch != self.nonce:
            return self.finish(False, 'fenced')
        (self.write_rebase if self.lo is None else self.write_skip)(reader)

    def write_skip(self, reader):
        state = reader.state
        if reader.corrupt or not state.whole():
            return self.finish(False, 'refused: corrupt')
        if self.mutant == 'skip_relative':
            self.lo, self.hi = state.hi, state.hi + self.hi - self.lo
        if state.hi != self.lo:
            return self.finish(False, 'refused: another hi')
        tip = state.copy()
        tip.hi = self.hi
        tip.counts['skipped'] += self.hi - self.lo
        self.send([Group('SKIP', self.lo, 0, [{}], tip)])

    def write_rebase(self, reader):
        """The accepted prefix becomes the state, for every reader."""
        state = reader.state
        if not reader.corrupt:
            return self.finish(False, 'refused: in order')
        if not state.whole():
            self.part.hopeless = True
            return self.finish(False, 'refused: nothing whole')
        tip = state.copy()
        self.send([Group('SNAP', tip.hi, tip.plans[i] or 0, slice_bodies(tip, i, replan=False, rebase=True, upto=reader.corrupt_at), tip)
                   for i in range(SLICES)])

    def send(self, groups):
        seq = 0
        for group in groups:
            for frame in group.frames(self.nonce, seq, list(self.reader.window)):
                seq = frame.seq
                self.connection.queue.append(('frame', frame))
        self.status = 'written'

    def step(self):
        self.steps += 1
        part = self.part
        if self.status == 'over':
            return
        if self.connection.failed or self.steps > PATIENCE:
            return self.finish(False, 'gave up')
        if self.status != 'written' or self.mutant == 'skip_unread':
            return
        for _ in range(self.rng.choice((0, 1, 3))):
            if not part.start <= self.reader.position < len(part.log):
                break
            frame = part.log[self.reader.position]
            branch, group = self.reader.feed(self.reader.position, frame)
            if branch.startswith('OPEN') and branch != 'OPEN seen before' and frame.nonce != self.nonce:
                return self.finish(False, 'fenced')
            if group and frame.nonce == self.nonce and branch in ('applied SKIP', 'applied REBASE'):
                return self.finish(True, 'done')


def check_success(operator):
    """What it reported as done must be in the journal."""
    part = operator.part
    if operator.lo is None:
        if part.damaged:
            raise Violation('rebase says done, the journal is still broken')
    elif len(part.plan_at) < operator.hi:
        raise Violation(f'skip [{operator.lo},{operator.hi}) says done, hi is {len(part.plan_at)}')
