-- SPDX-License-Identifier: Apache-2.0
-- The tables that postgres_feed.py fills. psql -f postgres_schema.sql, once.
--
-- A column of customs.statistic that has the name of a field of customs.v1.Statistic is filled: leave out what you don't need, add
-- what a later version of the message has. Whatever is absent in a record is NULL, in codes and numbers alike, except that a measure
-- that is 0 is 0.
create schema customs;

create table customs.statistic (
    key                  text primary key,
    as_of                bigint not null,
    view                 text not null,
    frequency            text not null,     -- DAY, MONTH ...
    period_from          date,
    period_to            date,
    reporter             text,
    flow                 text,              -- M, X, RM, RX, T
    office_code          text,
    border_office_code   text,
    zone_code            text,
    partner              text,
    partner_group        text,
    partner_basis        text,
    commodity_code       text,              -- text: leading zeros matter
    classification       text,
    transport_mode       integer,
    trade_mode           text,
    region_code          text,
    hour_from_ms         bigint,
    hour_to_ms           bigint,
    value_minor          bigint not null,   -- minor units of currency
    currency             text,
    value_basis          text,
    customs_value_minor  bigint not null,
    net_mass_g           bigint not null,
    gross_mass_g         bigint not null,
    supp_quantity_micro  bigint not null,
    supp_unit            text,
    declarations         bigint not null,
    items                bigint not null,   -- 0: as if the row were not there
    packages             bigint not null,
    base_value_minor     bigint not null,
    base_net_mass_g      bigint not null,
    yoy_value_ppm        bigint,            -- NULL: unknown, 0: no change
    yoy_net_mass_ppm     bigint,
    state                text,
    as_of_ms             bigint not null,
    watermark_ms         bigint not null,
    warned_items         bigint not null,
    late_items           bigint not null,
    estimated_net_mass_g bigint not null
);

create index on customs.statistic (view, frequency, period_from);

-- Keys that were deleted, and by which record: an older one that comes late must not bring them back.
create table customs.deleted (
    key   text primary key,
    as_of bigint not null
);

-- How far each topic is in the tables. Written in the transaction that writes the rows: they can't differ.
create table customs.position (
    topic       text not null,
    partition   integer not null,
    next_offset bigint not null,
    records     bigint not null,            -- taken so far
    primary key (topic, partition)
);
