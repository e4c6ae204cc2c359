-- depends: 0001_delivery
-- Clocks of dossiers, calendars, and proposals to change a calendar.

-- One row a dossier. `changes` are the changes of its clock; the columns from `state` on are derived from them.
-- `fired` are the thresholds that were published and not retracted, `next_threshold_at` is the next one to publish.
-- `rules_digest` and `calendar_version` identify the catalogue and the calendar of the derivation. `published_digest`
-- is the digest of the deadline that was published last. A dossier that is not received has a row without a clock
-- (no procedure, no changes), for its fence. `result_at` is when the dossier's result was first available.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    dossier_sequence bigint not null,
    procedure text,
    department text,
    code text,
    changes jsonb not null,
    fired jsonb not null,
    generation integer not null,
    state text check (state in ('running', 'paused', 'ended')),
    waiting_for text check (waiting_for in ('procedure', 'calendar')),
    received_at timestamptz,
    due_at timestamptz,
    next_threshold_at timestamptz,
    rules_digest text,
    calendar_version integer not null default 0,
    published_digest text,
    result_at timestamptz
) with (fillfactor = 80);
create index dossiers_next_threshold_at on dossiers (next_threshold_at) where next_threshold_at is not null;
create index dossiers_waiting on dossiers (dossier_id) where waiting_for is not null;

-- The clocks that a change of the calendar applies to, those of an older version first.
create index dossiers_open on dossiers (calendar_version, dossier_id) where waiting_for is not null or state <> 'ended';

-- Working calendars. `rules` are in force; `seed` are the rules of the configuration at the first start, to compare
-- with; `history` has the decision of each version and the instant from which it is in force. `digest` is that of the
-- content that was published last.
create table calendars (
    name text primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    version integer not null,
    digest text not null,
    seed jsonb,
    rules jsonb,
    history jsonb not null default '[]'
);

-- A proposed change of version `base_version` of a calendar: exceptions to add, and a later last date.
create table proposals (
    proposal_id uuid primary key,
    calendar text not null references calendars,
    base_version integer not null,
    exceptions jsonb not null,
    last_date date,
    state text not null check (state in ('proposed', 'approved', 'rejected')),
    proposed_by text not null,
    proposed_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    decision text,
    reason text,
    calendar_version integer
);
create index proposals_by_calendar on proposals (calendar, proposal_id);
