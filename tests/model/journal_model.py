#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Executable specification of the partition journal and of the publisher (docs/adr/0001, 0008, 0009; docs/JOURNAL.md).

A seeded scheduler runs writers, operators, publishers and consumers against a simulated broker whose appends may be delayed, duplicated,
lost with or without an error, and land after their writer is dead.  After every accepted group, and again when all is quiet,
the result is recounted from the input by other code than the protocol's.  A breakage is one deliberate change of a rule; each must be
caught, otherwise the model proves nothing about that rule.

Where the protocol's text left a choice, this model fixes it as follows; a breakage shows what the other choice does.
  * A slice is a group of its own with lo = hi, as of hi: trim cuts only between groups (seal_slice).
  * SNAP carries the reject list, else trim would forget which rejects are void (reject_list_trimmed); the raised floor, the idle mark and the
    fingerprints too (snap_no_floor, snap_no_idle, fingerprints_trimmed).
  * A sealed group is known to be accepted by its (nonce, seq), not by X: groups with lo = hi do not move X (restamp_by_x).
  * Each slice has a plan; the first DATA or SNAP on it fixes it, REPLAN replaces it, DATA on a slice of another plan halts.  A writer
    seals no DATA while one slice is of another plan, so a torn REPLAN is done again (empty_plan, replan_by_last).
  * An own frame that the rule ignores because its seq was accepted before is a duplicate and no reason to drop the state.
  * A publisher claims a term in topic.statistics before it emits, and again after a producer error (no_claim, no_claim_largest,
    repair_by_value).  Assumed: its producer is idempotent, so that a claim lands at most once; each claim has a key of its own.
  * The floor is a period, an entry's time is the period of its cells, both compared as such: then a cell is wholly above the floor or wholly
    below it, and REPLAN needs no rules of the past (expiry_by_event_time, replan_below_floor).  docs/adr/0009.
  * Before a slice is asked for a fingerprint, what has expired in it is taken out (fingerprint_lazy).
  * The group's offset is committed for DATA alone, else the guard that misses the journal halts a healthy start (commit_before_data); the
    publisher keeps the same guard (publisher_no_guard).
  * A halted owner goes on reading and begins anew at the next accepted group, or when trim has taken away what was broken, and not at a foreign
    OPEN, which would fence the operator (halted_for_good).
  * REBASE is a whole cycle under one nonce, void unless complete, and replaces the state of every reader (rebase_torn).
  * A tombstone is written for a key whose cell is zero now, after its zero record was read back (tombstone_by_record).
Not modelled: PROVISIONAL and REVISED, input offsets with holes, a change of the number of slices or partitions, settings of topics, group
commits by zombies, more than one process-wide reader, an input that is made anew under a running process or after an operator's hole.
Assumed: no consumer of the statistics lags more than delete.retention.ms; a write outlives at most the window of nonces.
    journal_model.py [--seeds N] [--from S] [--breakage NAME] [--breakages [--quick]] [--jobs J]
    journal_model.py --replay SEED [--breakage NAME] [--trace]
"""
import argparse
import collections
import concurrent.futures
import time

from breakages import BREAKAGES, MUST_HAPPEN, SLOW
from domain import Violation
from world import World

ENOUGH = 2000       # schedules after which everything of MUST_HAPPEN must have happened


def run_one(seed, mutant=None, trace=False):
    """Returns (violation or None, events)."""
    world = World(seed, mutant, trace)
    try:
        world.run()
        return None, world.events
    except Violation as violation:
        return str(violation), world.events


def run_range(job):
    first, count, mutant, stop = job
    events, bad, found = collections.Counter(), 0, None
    for seed in range(first, first + count):
        violation, seen = run_one(seed, mutant)
        events.update(seen)
        if violation:
            bad, found = bad + 1, found or (seed, violation)
            if bad >= stop:
                return events, bad, found, seed - first + 1
    return events, bad, found, count


def run_variant(name, first, count, jobs, catches):
    """The correct variant runs all its schedules; a breakage until it was caught often enough."""
    began, mutant = time.time(), None if name == 'correct' else name
    chunk = 50
    work = [(s, min(chunk, first + count - s), mutant, 10 ** 9 if mutant is None else catches) for s in range(first, first + count, chunk)]
    events, bad, found, done = collections.Counter(), 0, None, 0
    # Not multiprocessing.Pool: its terminate() may wait for ever for a task that nobody takes any more.
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        results = map(run_range, work) if jobs == 1 else pool.map(run_range, work)
        for seen, wrong, what, ran in results:
            events.update(seen)
            bad, found, done = bad + wrong, found or what, done + ran
            if mutant and bad >= catches:
                pool.shutdown(wait=True, cancel_futures=True)
                break
    print(f'{name:24s} {done:9d} {bad:10d}  {found[0] if found else "-":>6}  {time.time() - began:6.1f}  {found[1][:110] if found else ""}', flush=True)
    return events, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', type=int, default=20000, help='schedules of the correct variant, and the limit of each breakage')
    parser.add_argument('--from', dest='first', type=int, default=0)
    parser.add_argument('--breakages', action='store_true', help='all of them, instead of the correct variant')
    parser.add_argument('--breakage', choices=BREAKAGES, metavar='NAME', help='one of them')
    parser.add_argument('--quick', action='store_true', help='without the breakages that need many schedules')
    parser.add_argument('--catches', type=int, default=1, help='stop a breakage after so many violations')
    parser.add_argument('--jobs', type=int, default=None)
    parser.add_argument('--replay', type=int, metavar='SEED')
    parser.add_argument('--trace', action='store_true')
    args = parser.parse_args()
    if args.replay is not None:
        violation, _ = run_one(args.replay, args.breakage, args.trace)
        print(violation or 'no violation')
        return 1 if violation else 0
    print(f'{"variant":24s} {"schedules":>9} {"violations":>10}  {"first":>6}  {"sec":>6}  message')
    if args.breakage or args.breakages:
        names = [n for n in BREAKAGES if not (args.quick and n in SLOW)]
        return run_breakages([args.breakage] if args.breakage else names, args)
    return run_correct(args)


def run_breakages(names, args):
    """Each must be caught."""
    alive = [name for name in names if not run_variant(name, args.first, args.seeds, args.jobs, args.catches)[1]]
    print(f'{len(names) - len(alive)} of {len(names)} breakages caught' + (': NOT ' + ', '.join(alive) if alive else ''))
    return 1 if alive else 0


def run_correct(args):
    """No violation; and what can happen has happened, if there were schedules enough for that."""
    events, bad = run_variant('correct', args.first, args.seeds, args.jobs, 0)
    print('\nevents')
    for kind in sorted(events):
        print(f'  {kind:50s} {events[kind]}')
    never = [kind for kind in MUST_HAPPEN if not events[kind]]
    if never and args.seeds >= ENOUGH:
        print('never happened:', ', '.join(never))
    return 1 if bad or (never and args.seeds >= ENOUGH) else 0


if __name__ == '__main__':
    raise SystemExit(main())
