-- depends: 0001_delivery

-- One row per dossier: the fences, what routing needs to know of it, and its assignment.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    -- From intake's events.
    procedure text,
    named_department text,
    submitted_at timestamptz,
    channel text,
    state text,
    code text,
    received_at timestamptz,
    dossier_sequence bigint not null,
    -- The present step where several departments resolve in order, and its department from the second step on.
    step integer not null default 1,
    passed_on_to text,
    -- The decision in force: from the submission on, either `department` or `waiting_for` is set.
    department text,
    receiving_place text check (receiving_place in ('department', 'general')),
    waiting_for text check (waiting_for in ('procedure', 'department')),
    -- The data of the last event that routing published about the dossier.
    published jsonb
);

-- A department's queue, page by page.
create index dossiers_open on dossiers (department, dossier_id)
    where state not in ('refused', 'withdrawn', 'stopped', 'returned');

create index dossiers_waiting on dossiers (dossier_id) where waiting_for is not null;

-- Weekly volumes and hourly arrivals.
create index dossiers_received on dossiers (received_at) where received_at is not null;

-- Working calendars as sla published them.
create table calendars (
    name text primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    version integer not null,
    published jsonb
);

-- One row, which every transaction that signs a decision or closes a week locks. `version` is the number of signed
-- decisions, `seed` the decisions in the configuration at the first start; weeks are counted from `counted_from` on.
create table general_counter (
    id boolean primary key default true check (id),
    version integer not null,
    seed jsonb,
    counted_from date
);
insert into general_counter (version) values (0);

-- Signed decisions. A row never changes, and a department's later row always has a later date.
create table decisions (
    decision_id uuid primary key,
    department text not null,
    effective_from date not null,
    receiving text not null check (receiving in ('department', 'general')),
    fixed boolean not null,
    decision text not null,
    reason text,
    rule text,
    weeks jsonb not null,
    proposal_id uuid,
    decided_by text not null,
    decided_at timestamptz not null,
    unique (department, effective_from)
);

-- What the rule proposed. `last_closed_week` is set by a rejection: the newest closed week at that time.
create table proposals (
    proposal_id uuid primary key,
    department text not null,
    receiving text not null check (receiving in ('department', 'general')),
    weeks jsonb not null,
    rule text not null,
    earliest_from date not null,
    proposed_at timestamptz not null,
    state text not null check (state in ('proposed', 'approved', 'rejected', 'lapsed')),
    decided_by text,
    decided_at timestamptz,
    decision text,
    reason text,
    effective_from date,
    last_closed_week date
);
create unique index proposals_open on proposals (department) where state = 'proposed';

-- Closed weeks, and the version of the working calendar by which their working days were counted.
create table weeks (
    week date primary key,
    closed_at timestamptz not null,
    calendar_version integer not null
);

-- One row for each department of a closed week; `received` is the number of dossiers by channel.
create table volumes (
    week date not null references weeks,
    department text not null,
    working_days integer not null,
    received jsonb not null,
    primary key (week, department)
);
