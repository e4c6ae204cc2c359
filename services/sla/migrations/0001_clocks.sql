-- depends: 0001_delivery
-- Clocks by dossier, and the calendars that were published.

-- One row a dossier: the changes of its clock, what they come to, and the next threshold that is to be told.
-- A dossier that was not received has a row without a clock (no procedure, no changes): its fence.
-- `rules` is the version of catalogue and calendar that the row was derived by, `told` a digest of what was told last.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    dossier_sequence bigint not null,
    procedure text,
    department text,
    changes jsonb not null,
    state text check (state in ('running', 'paused', 'ended')),
    waiting_for text check (waiting_for in ('procedure', 'calendar')),
    received_at timestamptz,
    due_at timestamptz,
    generation integer not null,
    fired jsonb not null,
    next_at timestamptz,
    rules text,
    told text
) with (fillfactor = 80);
create index dossiers_next_at on dossiers (next_at) where next_at is not null;
create index dossiers_waiting on dossiers (dossier_id) where waiting_for is not null;

-- Calendars as they stand on sla.calendars.v1; `digest` tells whether a compiled one differs from the last published.
create table calendars (
    name text primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    version integer not null,
    digest text not null
);
