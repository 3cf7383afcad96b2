# SPDX-License-Identifier: Apache-2.0
"""THE reader rule.  Restore, echo, publisher, operator and checker all run this class, frame by frame."""
import collections

from domain import SLICES, State, slice_of_cell, slice_of_id, slice_of_print

WINDOW = 8          # OPEN nonces remembered (the product: 64); the network delivers nothing that is older


class Reader:
    def __init__(self, mutant, events):
        self.mutant, self.events = mutant, events
        self.state = None
        self.epoch, self.seq, self.window = None, 0, collections.deque(maxlen=WINDOW)
        self.buffer = []                                    # (offset, frame) of the group that is not complete
        self.position = self.last_frame = None              # offset of the next frame to read; the one before it
        self.last_plan = None
        self.cycles = []                                    # accepted snapshot cycles: [offset of slice 0, slices]
        self.rebase = None                                  # State that the slices of a REBASE cycle add up to; none of it counts yet
        self.corrupt, self.corrupt_at = None, None          # why and at which offset the partition halts

    def feed(self, offset, frame):
        """Returns what the rule made of the frame: (branch, accepted frames or None)."""
        if self.state is None:
            self._begin(offset, frame)
        self.position, self.last_frame = offset + 1, frame
        branch, group = self._judge(offset, frame)
        self.events['reader ' + branch] += 1
        return branch, group

    def _halt(self, offset, why):
        if not self.corrupt:
            self.corrupt, self.corrupt_at = why, offset

    def _begin(self, offset, frame):
        """First frame of the log: the true beginning, or the first slice of a cycle that trim made the beginning."""
        self.state = State(loaded=offset == 0)
        if offset == 0:
            return
        self.events['reader begins at a slice'] += 1
        if frame.kind != 'SNAP' or frame.body['slice'] != 0 or frame.body['part'] != 0:
            self._halt(offset, 'trimmed log does not begin with the first slice of a cycle')
            return
        self.epoch, self.seq = frame.nonce, frame.seq - 1
        self.window.extend(frame.body['window'] if self.mutant != 'snap_no_window' else [frame.nonce])
        self._head(self.state, frame)

    def _head(self, state, frame):
        """What a state has one of, from part 0 of a first slice."""
        state.hi, state.counts = frame.lo, collections.Counter(frame.body['counts'])
        state.watermark, state.mark = frame.watermark, frame.mark
        if self.mutant != 'snap_no_floor':
            state.raised = frame.body['raised']
        if self.mutant != 'snap_no_idle':
            state.idle = frame.body['idle']

    def _judge(self, offset, frame):
        if frame.kind == 'DAMAGED':
            if self.mutant != 'corrupt_ignored':
                self._halt(offset, f'offset {offset} holds no frame')
            return 'damaged', None
        if frame.kind == 'OPEN':                            # rule 1
            if frame.nonce in self.window and self.mutant != 'open_twice':
                return 'OPEN seen before', None
            torn, self.buffer, self.rebase = bool(self.buffer or self.rebase), [], None     # rule 4
            if frame.nonce not in self.window:
                self.window.append(frame.nonce)
            self.epoch, self.seq = frame.nonce, 0
            return 'OPEN discards a torn group' if torn else 'OPEN', None
        if frame.nonce != self.epoch and self.mutant != 'no_fence':     # rule 2
            return 'other nonce', None
        if frame.seq != self.seq + 1 and self.mutant != 'no_seq':       # rule 3
            return ('duplicate' if frame.seq <= self.seq else 'gap in seq'), None
        self.seq = frame.seq
        self.buffer.append((offset, frame))
        if not frame.last and self.mutant != 'no_group':
            return 'buffered', None
        group, self.buffer = self.buffer, []
        if frame.kind == 'SNAP' and frame.body.get('rebase'):
            return self._collect(group), [f for _, f in group]
        if self.corrupt:
            return 'halted', None
        self._apply(group)
        return 'applied ' + frame.kind, [f for _, f in group]

    def _apply(self, group):
        state, (offset, first), last = self.state, group[0], group[-1][1]
        if first.lo != state.hi:                            # rule 5
            self._halt(offset, f'group [{first.lo},{first.hi}) after hi {state.hi}')
            return
        for at, frame in group:
            if frame.kind == 'DATA':
                self._apply_data(at, frame)
            elif frame.kind == 'SNAP':
                self._apply_slice(at, frame)
            elif frame.kind == 'SKIP':
                state.counts['skipped'] += frame.hi - frame.lo
            elif frame.kind == 'MARK':
                state.raised = max(state.raised, frame.body.get('floor', 0))
                state.idle |= frame.body.get('idle', False)
        if last.last:
            state.hi, state.watermark, state.mark = last.hi, last.watermark, last.mark
            state.counted |= first.kind in ('DATA', 'SNAP')
            if first.kind == 'DATA' and self.mutant != 'idle_sticky':
                state.idle = False
            self.last_plan = last.plan
            if first.kind == 'SNAP':
                self._track_cycle(offset, first.body['slice'])
            if state.whole() and not self.corrupt and state.control() != last.control:
                self._halt(offset, f'control totals differ at hi {state.hi}: {state.control()} is not {last.control}')

    def _has(self, i):
        return i in self.state.loaded or self.mutant == 'delta_unloaded'

    def _apply_data(self, offset, frame):
        state = self.state
        for i in sorted(state.loaded):                      # all slices must be of the plan that the deltas are of
            if state.plans[i] is None:
                state.plans[i] = frame.plan
            elif state.plans[i] != frame.plan:
                self._halt(offset, f'DATA of plan {frame.plan} on slice {i} of plan {state.plans[i]}')
                return
        for cell, value in frame.body.get('cells', ()):
            if self._has(slice_of_cell(cell)):
                state.add(cell, value)
        for ident, entry in frame.body.get('ledger', ()):
            if self._has(slice_of_id(ident)):
                state.ledger[ident] = entry
        for at, code in frame.body.get('rejects', ()):
            if self._has(at % SLICES):
                state.rejects[at] = code
        state.counts.update(frame.body.get('counts', {}))

    def _apply_slice(self, offset, frame):
        """Rule 6."""
        state, body, i = self.state, frame.body, frame.body['slice']
        if i in state.loaded and self.mutant != 'slice_twice' and not body['replan']:
            self.events['reader slice compared'] += 1
            if state.plans[i] is None and self.mutant != 'empty_plan':
                state.plans[i] = frame.plan                 # a slice of an empty state fixes its plan for every reader
            cells, ledger, prints, _ = state.take_slice(i)
            same = cells == body['cells'] if body['part'] == 0 else (ledger, prints) == (body['ledger'], body['prints'])
            if not same or state.plans[i] not in (None, frame.plan):
                self._halt(offset, f'part {body["part"]} of slice {i} differs from the fold at hi {state.hi}')
            return
        self.events['reader slice replaced' if body['replan'] and i in state.loaded else 'reader slice loaded'] += 1
        self._load(state, frame, body['replan'])

    def _load(self, state, frame, replace):
        body, i = frame.body, frame.body['slice']
        if body['part'] == 0:
            if replace:
                for cell in [c for c in state.cells if slice_of_cell(c) == i]:
                    del state.cells[cell]
            for cell, amount in body['cells'].items():
                state.add(cell, amount)
            if self.mutant != 'reject_list_trimmed':
                state.rejects.update(body['rejects'])
        else:
            if replace:
                for ident in [d for d in state.ledger if slice_of_id(d) == i]:
                    del state.ledger[ident]
                state.prints = {p for p in state.prints if slice_of_print(p) != i}
            state.ledger.update(body['ledger'])
            if self.mutant != 'fingerprints_trimmed':
                state.prints |= body['prints']
            state.loaded.add(i)
        state.plans[i] = frame.plan

    def _track_cycle(self, offset, i):
        if i == 0:
            self.cycles.append([offset, 1])
        elif self.cycles and self.cycles[-1][1] == i:
            self.cycles[-1][1] += 1

    def _collect(self, group):
        """A REBASE cycle counts whole or not at all, with its last slice, under one nonce; it replaces whatever a reader has, so that those
        who stand at the break and those who had passed it before it broke agree again."""
        offset, first = group[0]
        if first.body['slice'] == 0:
            self.rebase = State(loaded=False)
            self.rebase_from = offset
            self._head(self.rebase, first)
        if self.rebase is None or len(self.rebase.loaded) != first.body['slice']:
            return 'REBASE torn'
        for _, frame in group:
            self._load(self.rebase, frame, False)
        if self.rebase.whole() or self.mutant == 'rebase_torn':
            self.state, self.corrupt, self.corrupt_at = self.rebase, None, None
            self.state.counted = True
            self.window = collections.deque(first.body['window'], maxlen=WINDOW)
            self.cycles = [[self.rebase_from, len(self.state.loaded)]]
            self.last_plan = first.plan
            if self.state.whole():
                self.rebase = None
                return 'applied REBASE'
        return 'REBASE slice'

    def next_slice(self):
        return self.cycles[-1][1] % SLICES if self.cycles else 0

    def trim_target(self):
        """First slice of the cycle before the last complete one."""
        for k in range(len(self.cycles) - 1, 0, -1):
            if self.cycles[k][1] == SLICES:
                return self.cycles[k - 1][0]
        return None
