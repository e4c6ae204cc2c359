-- depends: 0002_steps
-- The general counter: volumes by closed week, what the rule proposes, and the decisions by which dossiers are routed.

-- Working calendars as sla published them.
create table calendars (
    name text primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    version integer not null,
    published jsonb
);

-- One row: whoever decides, or closes a week, locks it. `version` is the number of decisions kept; `seed` what the
-- configuration said at the first start; weeks are counted from `began_on`.
create table general_counter (
    id boolean primary key default true check (id),
    version integer not null,
    seed jsonb,
    began_on date
);
insert into general_counter (version) values (0);

-- Never edited, and for each department only ever later ones.
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

create table proposals (
    proposal_id uuid primary key,
    department text not null,
    receiving text not null check (receiving in ('department', 'general')),
    weeks jsonb not null,
    rule text not null,
    coming date not null,
    proposed_at timestamptz not null,
    state text not null check (state in ('proposed', 'approved', 'rejected', 'lapsed')),
    decided_by text,
    decided_at timestamptz,
    decision text,
    reason text,
    effective_from date,
    seen_until date  -- of a rejected one: the last week that was closed by then
);
create unique index proposals_open on proposals (department) where state = 'proposed';

-- Closed weeks, by the calendar of then; volumes has a row for each department of the week.
create table weeks (
    week date primary key,
    closed_at timestamptz not null,
    calendar_version integer not null
);
create table volumes (
    week date not null references weeks,
    department text not null,
    working_days integer not null,
    received jsonb not null,
    primary key (week, department)
);

create index dossiers_received on dossiers (received_at) where received_at is not null;
