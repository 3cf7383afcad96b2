# SPDX-License-Identifier: Apache-2.0
"""Feeds the statistics topic into PostgreSQL: customs.statistic holds for each key what the topic says last. Effectively once: the
offsets stand in the database and move in the transaction of the rows, so whatever kills this program, it goes on where the tables are.

    psql "$CONNINFO" -f postgres_schema.sql
    postgres_feed.py --database "$CONNINFO"
"""

import argparse
import datetime
import sys

import customs_topic
import psycopg

BATCH = 5000
LOCK = 0x44525950  # any number, the same in all feeders of a database

# `arrived` holds at most one change of a key, the newest of the batch.
MAKE_ARRIVED = """
create temporary table arrived (like customs.statistic) on commit delete rows;
alter table arrived add column is_deleted boolean not null;
"""
NULLABLE = "alter table arrived alter column %s drop not null"
IGNORE_OLDER = """
delete from arrived a using customs.statistic s where s.key = a.key and s.as_of >= a.as_of;
delete from arrived a using customs.deleted d where d.key = a.key and d.as_of >= a.as_of;
"""
UPSERT = """
insert into customs.statistic ({columns}) select {columns} from arrived where not is_deleted
on conflict (key) do update set ({columns}) = row ({excluded})
"""
DELETE = """
delete from customs.statistic s using arrived a where a.is_deleted and s.key = a.key;
insert into customs.deleted (key, as_of) select key, as_of from arrived where is_deleted
on conflict (key) do update set as_of = excluded.as_of;
delete from customs.deleted d using arrived a where not a.is_deleted and d.key = a.key;
"""
MOVE = """
insert into customs.position as p (topic, partition, next_offset, records) values (%(topic)s, %(partition)s, %(next)s, %(records)s)
on conflict (topic, partition) do update set next_offset = excluded.next_offset, records = p.records + excluded.records
where p.next_offset = %(before)s
"""


def date_of(number):
    return datetime.date(number // 10000, number // 100 % 100, number % 100) if number else None


def converters(descriptor, columns):
    """For each column a function of the statistic."""
    out = []
    for name, kind in columns:
        field = descriptor.fields_by_name.get(name)
        if field is None:
            raise customs_topic.Trouble("customs.statistic has the column %s, which is no field of %s" % (name, descriptor.full_name))
        if kind == "date":
            out.append(lambda one, name=name: date_of(getattr(one, name)))
        elif field.has_presence:
            out.append(lambda one, name=name: getattr(one, name) if one.HasField(name) else None)
        elif field.enum_type:
            out.append(lambda one, field=field: customs_topic.enum_name(field, getattr(one, field.name)) if getattr(one, field.name) else None)
        elif kind == "text":
            out.append(lambda one, name=name: getattr(one, name) or None)
        elif name in ("transport_mode", "hour_from_ms", "hour_to_ms"):
            out.append(lambda one, name=name: getattr(one, name) or None)
        else:
            out.append(lambda one, name=name: getattr(one, name))
    return out


class Feed:
    def __init__(self, database, topic_name):
        self.database, self.topic_name = database, topic_name
        self.upserted = self.deleted = 0
        self.converters = None
        self.at = self.read_positions()
        self.columns = self.read_columns()
        names = [name for name, _ in self.columns]
        with database.transaction():
            database.execute(MAKE_ARRIVED)
            for name in names[1:]:
                if name not in ("as_of", "key"):
                    database.execute(NULLABLE % name)
        columns, excluded = ", ".join(names), ", ".join("excluded." + name for name in names)
        self.upsert = UPSERT.format(columns=columns, excluded=excluded)
        self.copy = "copy arrived (%s, is_deleted) from stdin" % columns

    def read_positions(self):
        # A second feeder waits here, and reads the positions when the first one is gone.
        self.database.execute("select pg_advisory_lock(%s)", (LOCK,))
        rows = self.database.execute("select partition, next_offset from customs.position where topic = %s", (self.topic_name,))
        return dict(rows.fetchall())

    def read_columns(self):
        """(name, type) of customs.statistic: key, as_of, then those that are fields."""
        rows = self.database.execute(
            "select column_name, data_type from information_schema.columns where table_schema = 'customs' and table_name = 'statistic'"
            " order by ordinal_position"
        ).fetchall()
        if not rows:
            raise customs_topic.Trouble("there is no table customs.statistic: run psql -f postgres_schema.sql first")
        return sorted(rows, key=lambda row: {"key": 0, "as_of": 1}.get(row[0], 2))

    def write(self, topic, changes, records):
        """One transaction: rows, deletions and positions. `records` of each partition were read since the last one."""
        newest = {}
        for change in changes:
            if change.key not in newest or newest[change.key].as_of < change.as_of:
                newest[change.key] = change
        convert = self.converters or converters(topic.statistic.DESCRIPTOR, self.columns[2:])
        self.converters, nothing = convert, [None] * len(convert)
        with self.database.transaction():
            if newest:
                with self.database.cursor().copy(self.copy) as copy:
                    for change in newest.values():
                        one = change.statistic
                        fields = nothing if one is None else [field(one) for field in convert]
                        copy.write_row([change.key, change.as_of, *fields, one is None])
                self.database.execute("analyze arrived")  # else the planner guesses, and reads all of customs.statistic
                self.database.execute(IGNORE_OLDER)
                self.upserted += self.database.execute(self.upsert).rowcount
                self.deleted += self.database.execute("select count(*) from arrived where is_deleted").fetchone()[0]
                self.database.execute(DELETE)
            self.move(topic.next, records)

    def move(self, offsets, records):
        for partition, offset in offsets.items():
            before = self.at.get(partition)
            if before == offset:
                continue
            moved = self.database.execute(
                MOVE,
                {"topic": self.topic_name, "partition": partition, "next": offset, "before": before, "records": records.get(partition, 0)},
            ).rowcount
            if moved != 1:
                raise customs_topic.Trouble("another feeder has moved partition %d of %s: this one ends" % (partition, self.topic_name))
        self.at = dict(offsets)


def run(chosen):
    with psycopg.connect(chosen.database, autocommit=True, application_name="postgres_feed") as database:
        feed = Feed(database, chosen.topic)
        topic = customs_topic.Topic(
            chosen.brokers, chosen.topic, feed.at, proto=chosen.proto, settings=customs_topic.settings_of(chosen)
        )
        stop = customs_topic.Stop()
        print("postgres_feed.py: feeding %s from offsets %s" % (chosen.topic, topic.next), file=sys.stderr, flush=True)
        while not stop and not (chosen.once and topic.is_at_end()):
            changes = topic.take(BATCH)
            if topic.next != feed.at:
                feed.write(topic, changes, topic.taken())
        topic.close()
        print("postgres_feed.py: %d upserted, %d deleted" % (feed.upserted, feed.deleted), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    customs_topic.add_arguments(parser)
    parser.add_argument("--database", default="", help="a connection string of libpq; default: by PGHOST, PGDATABASE ...")
    try:
        run(parser.parse_args())
    except (customs_topic.Trouble, psycopg.Error) as trouble:
        print("postgres_feed.py: %s" % str(trouble).strip(), file=sys.stderr)
        return 69
    return 0


if __name__ == "__main__":
    sys.exit(main())
