# SPDX-License-Identifier: Apache-2.0
"""The recount of recount.py for millions of declarations: each partition in a process of its own, the standing version kept as bytes."""

import gc
import multiprocessing
import os

import recount
import topics
import wire


def same_content(a, b):
    return a == b or topics.readable(a) == topics.readable(b)


def partition_cells(task):
    """(cells, verdicts) of one partition; `rejected` holds the (offset, index) that topic.rejects names."""
    gc.disable()  # millions of objects and no cycle among them
    address, topic, partition, rejected, folders = task
    Declaration = topics.declaration_class()
    nomenclature = recount.Nomenclature(*folders)
    newest, verdicts = {}, {"counted": 0, "duplicate": 0, "stale": 0, "rejected": 0, "not_counted": 0}
    for message in topics.read(address, topic, only=[partition]):
        parts = [None] if message.value() is None else topics.declarations_of(message.value())
        for index, data in enumerate(parts):
            if (message.offset(), index) in rejected or topics.readable(data) is None:
                verdicts["rejected"] += 1
                continue
            head = Declaration.FromString(data)
            place = (head.version, head.function == wire.CANCEL)
            standing = newest.get(head.declaration_id)
            if standing is None or standing[0] < place:
                newest[head.declaration_id] = (place, data)
                verdicts["not_counted" if nomenclature.scope.is_outside(topics.readable(data)) else "counted"] += 1
            elif standing[0] > place:
                verdicts["stale"] += 1
            else:
                verdicts["duplicate" if same_content(standing[1], data) else "rejected"] += 1
    heads = (topics.readable(data) for place, data in newest.values() if not place[1])
    return recount.cells(heads, nomenclature), verdicts


def expected(address, topic, rejected, folders, reporter="CN", currency="CNY"):
    """(key -> fields of every record that must be published with items, verdicts)."""
    parts = topics.ends(address, topic)
    tasks = [(address, topic, p, {(o, i) for q, o, i in rejected if q == p}, folders) for p in parts]
    cells, verdicts = {}, {}
    with multiprocessing.get_context("spawn").Pool(min(len(parts), os.cpu_count())) as pool:
        for found, counts in pool.imap_unordered(partition_cells, tasks):
            for verdict, count in counts.items():
                verdicts[verdict] = verdicts.get(verdict, 0) + count
            for place, cell in found.items():
                cells.setdefault(place, recount.Cell()).merge(cell)
    nomenclature = recount.Nomenclature(*folders)
    return recount.records_of(cells, nomenclature, reporter, currency), verdicts
