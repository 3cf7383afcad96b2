# SPDX-License-Identifier: Apache-2.0
"""What the model counts: records, ledger entries, cells, and the state that a prefix of a journal folds to."""
import collections

SLICES = 3          # slices of a snapshot cycle
PERIOD = 4          # event time of one period (the product: a month)
HORIZON = 2         # periods between the watermark and the floor
BOUND = 2           # event time may be so much above the record's timestamp
PRINTS = 7          # fingerprints that there are: few, so that they collide (the product: 2^64)
LED_901 = 901       # the code of a version whose id has expired
TIM_4XX = 400       # the code of an event time above the bound

Record = collections.namedtuple('Record', 'id version cancel office partner amount defect period time stamp')
Entry = collections.namedtuple('Entry', 'version cancel digest raw contribution period')   # one ledger entry
VIEW_OFFICE, VIEW_PARTNER = 1, 2


class Violation(Exception):
    """A broken invariant: the schedule ends here."""


def make_record(rng, offset, generation, flicker):
    """Timestamps rise with the offsets; event times follow them, but for a few clocks that are wrong.  flicker: few cells, which are emptied and
    filled again all the time."""
    stamp = offset + 1000 * generation
    time = stamp - rng.choice((0, 0, 1, 3)) if rng.random() > 0.06 else stamp + rng.choice((1, 30))
    period = max(0, min(time, stamp + BOUND) // PERIOD - rng.choice((0, 1, 2) if flicker else (0, 0, 0, 1, 2)))
    defect = rng.choice((0, 0, 0, 0, 1, 2, 3))
    if flicker:
        return Record(rng.randrange(3), 1 + offset // 3, rng.random() < 0.5, 0, 0, rng.randint(1, 4), 0, period, time, stamp)
    return Record(rng.randrange(9), rng.randint(1, 3), rng.random() < 0.2, rng.randrange(2), rng.randrange(3), rng.randint(1, 4), defect,
                  period, time, stamp)


def reject_code(record, plan):
    """The verdict depends on the record and the plan alone; the two plans reject different defects."""
    if record.time > record.stamp + BOUND:
        return TIM_4XX
    return 100 * (plan + 1) + record.defect if record.defect in (plan + 1, 3) else 0


def derive(raw, plan):
    """Cells of one declaration.  Plan 1 adds a view and changes the unit, so the plans never agree by chance."""
    office, partner, amount, cancel, period = raw
    if cancel:
        return ()
    if plan == 0:
        return (((VIEW_OFFICE, office, period), amount),)
    return (((VIEW_OFFICE, office, period), 10 * amount), ((VIEW_PARTNER, partner, period), amount))


def crc(record):
    return hash(record)


def slice_of_cell(cell):
    return (3 * cell[0] + cell[1] + cell[2]) % SLICES


def print_of(ident):
    """The fingerprint that an expired entry leaves."""
    return ident % PRINTS


def slice_of_print(fingerprint):
    return fingerprint % SLICES


def slice_of_id(ident):
    """Of the fingerprint, not of the id: when the entry goes, its fingerprint stays in the same slice."""
    return slice_of_print(print_of(ident))


class State:
    """What a prefix of the journal folds to."""

    def __init__(self, loaded=True):
        self.hi = 0
        self.cells = {}
        self.ledger = {}                                    # id -> Entry; expired ones may still be in it
        self.prints = set()                                 # fingerprints of the expired ones that are not
        self.rejects = {}                                   # offset -> code, as listed by accepted groups
        self.counts = collections.Counter()
        self.plans = [None] * SLICES                        # plan of each slice; None = still empty, fits any
        self.loaded = set(range(SLICES)) if loaded else set()
        self.watermark, self.raised, self.idle = -1, 0, False
        self.mark = None                                    # (offset + 1, CRC) of the last input record below hi
        self.counted = False                                # whether a DATA or SNAP was ever accepted

    def copy(self):
        other = State()
        other.hi, other.cells, other.ledger, other.prints = self.hi, dict(self.cells), dict(self.ledger), set(self.prints)
        other.rejects, other.counts = dict(self.rejects), collections.Counter(self.counts)
        other.plans, other.loaded = list(self.plans), set(self.loaded)
        other.watermark, other.raised, other.idle = self.watermark, self.raised, self.idle
        other.mark, other.counted = self.mark, self.counted
        return other

    def whole(self):
        return len(self.loaded) == SLICES

    def add(self, cell, value):
        value += self.cells.get(cell, 0)
        if value:
            self.cells[cell] = value
        else:
            self.cells.pop(cell, None)

    def floor(self):
        """A period, never a point in time within one: a cell is above it or below it, and so are all entries that it sums."""
        return max(self.raised, self.watermark // PERIOD - HORIZON)

    def expired(self, entry):
        return entry.period < self.floor()

    def purge(self, i):
        """Takes the expired entries of slice i out of memory.  When that happens must not be seen from outside."""
        floor = self.floor()
        for ident in [d for d, e in self.ledger.items() if e.period < floor and slice_of_id(d) == i]:
            del self.ledger[ident]
            self.prints.add(print_of(ident))

    def live(self):
        floor = self.floor()
        return {d: e for d, e in self.ledger.items() if e.period >= floor}

    def all_prints(self):
        floor = self.floor()
        return self.prints | {print_of(d) for d, e in self.ledger.items() if e.period < floor}

    def control(self):
        """Control totals of a group: cells per view, verdict counts, additive hash of the ledger."""
        views = collections.Counter()
        for cell, value in self.cells.items():
            views[cell[0]] += value
        ledger = sum(hash((i, e.version, e.cancel, e.digest)) for i, e in self.live().items()) % (1 << 64)
        return (tuple(sorted(v for v in views.items() if v[1])), tuple(sorted(self.counts.items())), ledger,
                tuple(sorted(self.all_prints())))

    def take_slice(self, i):
        return ({c: v for c, v in self.cells.items() if slice_of_cell(c) == i},
                {d: e for d, e in self.live().items() if slice_of_id(d) == i},
                {p for p in self.all_prints() if slice_of_print(p) == i},
                {o: c for o, c in self.rejects.items() if o % SLICES == i})

    def replan_slice(self, i, plan, all_periods=False):
        """Derives the cells of slice i again, and the contributions that its ledger entries will be retracted with.  What lies below the
        floor has no entries any more and is left as it was."""
        floor = self.floor()
        for cell in [c for c in self.cells if slice_of_cell(c) == i and (c[2] >= floor or all_periods)]:
            del self.cells[cell]
        for ident, entry in self.live().items():
            for cell, value in derive(entry.raw, plan):
                if slice_of_cell(cell) == i and cell[2] >= floor:
                    self.add(cell, value)
            if slice_of_id(ident) == i:
                self.ledger[ident] = entry._replace(contribution=derive(entry.raw, plan))
        self.plans[i] = plan


class Frame:
    """Header and body.  watermark, mark: as the state holds them after the group."""
    __slots__ = ('kind', 'nonce', 'seq', 'last', 'lo', 'hi', 'plan', 'body', 'control', 'watermark', 'mark')

    def __init__(self, kind, nonce, seq=0, last=True, lo=0, hi=0, plan=0, body=None, control=None, watermark=-1, mark=None):
        self.kind, self.nonce, self.seq, self.last, self.lo, self.hi = kind, nonce, seq, last, lo, hi
        self.plan, self.body, self.control = plan, body, control
        self.watermark, self.mark = watermark, mark

    def __repr__(self):
        return f'{self.kind} nonce={self.nonce} seq={self.seq}{"." if self.last else "+"} [{self.lo},{self.hi}) plan={self.plan}'


class Group:
    """A sealed group.  Nonce, seq and window are stamped when it is sent, and stamped again if it is sent again."""

    def __init__(self, kind, lo, plan, bodies, tip, rejects=()):
        self.kind, self.lo, self.hi, self.plan, self.bodies = kind, lo, tip.hi, plan, bodies
        self.control, self.watermark, self.mark = tip.control(), tip.watermark, tip.mark
        self.rejects, self.rejects_sent, self.rejects_due = list(rejects), False, set(rejects)
        self.ack_step = None

    def frames(self, nonce, seq, window):
        """The frames of this group as of one epoch; seq is the last one used before."""
        frames = []
        for i, body in enumerate(self.bodies):
            last = i == len(self.bodies) - 1
            if self.kind == 'SNAP':
                body = dict(body, window=window)
            frames.append(Frame(self.kind, nonce, seq + 1 + i, last, self.lo, self.hi, self.plan, body, self.control if last else None,
                                self.watermark, self.mark))
        return frames


def slice_bodies(tip, i, **flags):
    """Part 0 holds cells, reject list and what the state has one of; part 1 the ledger entries."""
    cells, ledger, prints, rejects = tip.take_slice(i)
    common = dict(flags, slice=i)
    return [dict(common, part=0, cells=cells, rejects=rejects, counts=dict(tip.counts), raised=tip.raised, idle=tip.idle),
            dict(common, part=1, ledger=ledger, prints=prints)]
