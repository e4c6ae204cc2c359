-- Tables of every service: consume and publish each event exactly once.

-- The history: every event that this service published; value is the value of the Kafka record.
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
-- both rows, and a check would cost one look-up per event. queued_at is machine time, for operators.
create table outbox (
    id bigint generated always as identity (cache 1) primary key,
    event_id uuid not null,
    queued_at timestamptz not null default now()
);

-- The next offset to apply. The row is the partition's mutex: one transaction at a time per partition.
-- moved_at is machine time, for operators.
create table stored_offsets (
    consumer_group text not null,
    topic text not null,
    partition integer not null,
    next_offset bigint not null check (next_offset >= 0),
    moved_at timestamptz,
    primary key (consumer_group, topic, partition)
);

-- Records that could not be applied: parked (a handler failed), gap (a predecessor is missing), fork (contradicts the
-- applied history), behind (blocked by one of these), unreadable (not an event; blocks nothing). request is the
-- decision that an operator requests; the consumer executes it.
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

-- Idempotency keys whose requests took effect, with their first answers. id = the key's owner / the key;
-- subject = the row that the request changed, if it changed one.
create table idempotency_keys (
    id text primary key,
    fingerprint text not null,
    subject uuid,
    answer jsonb not null
);
create index idempotency_keys_by_subject on idempotency_keys (subject) where subject is not null;

-- The configuration that this centre was prepared for; a service with another one does not start.
create table prepared (
    only_row boolean primary key default true check (only_row),
    catalogue_version text not null,
    prepared_at timestamptz not null default now()
);

-- The centre's clock: one row, written at the first start. The kind never changes.
create table clock (
    only_row boolean primary key default true check (only_row),
    kind text not null check (kind in ('system', 'simulated')),
    starts_at timestamptz,
    now_at timestamptz,
    accept_until timestamptz,
    check (kind = 'simulated' and starts_at is not null and now_at >= starts_at and accept_until >= now_at
        or kind = 'system' and starts_at is null and now_at is null and accept_until is null)
);
