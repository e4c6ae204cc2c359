-- What every service needs to receive and to tell each event exactly once.

-- Every event that this service ever published, in the bytes that stand on Kafka.
create table events (
    id uuid primary key,
    topic text not null,
    key text not null,
    sequence bigint not null check (sequence > 0),
    epoch bigint not null check (epoch > 0),
    type text not null,
    version integer not null,
    time timestamptz not null,
    recorded_at timestamptz not null,
    value text not null,
    unique (key, topic, sequence, epoch)
);

-- Events that Kafka has not acknowledged, in the order of their commit locks. No foreign key: one statement writes
-- both rows, and checking each of them again would cost a look-up an event.
create table outbox (
    id bigint generated always as identity (cache 1) primary key,
    event_id uuid not null
);

-- The next offset to apply. Its row is the partition's mutex: one transaction at a time a partition.
create table stored_offsets (
    consumer_group text not null,
    topic text not null,
    partition integer not null,
    next_offset bigint not null check (next_offset >= 0),
    primary key (consumer_group, topic, partition)
);

-- Records that wait: parked (cannot be applied), gap (a predecessor is missing), fork (another life of the writer
-- spoke), behind (one of those blocks the dossier), unreadable (no dossier can be told; blocks nothing).
create table quarantined_records (
    topic text not null,
    partition integer not null,
    "offset" bigint not null,
    key text not null,
    sequence bigint not null,
    epoch bigint not null,
    id text not null,
    type text not null,
    version integer not null,
    value bytea not null,
    reason text not null check (reason in ('parked', 'gap', 'fork', 'behind', 'unreadable')),
    detail text not null,
    quarantined_at timestamptz not null default now(),
    request text check (request in ('replay', 'discard')),
    requested_by text,
    requested_at timestamptz,
    primary key (topic, partition, "offset")
);
create index quarantined_records_by_key on quarantined_records (topic, key);
create index quarantined_records_requested on quarantined_records (topic, partition) where request is not null;

-- The configuration for which this centre was prepared; a service that reads another one does not start.
create table prepared (
    one boolean primary key default true check (one),
    catalogue_version text not null,
    prepared_at timestamptz not null default now()
);
