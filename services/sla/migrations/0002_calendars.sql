-- depends: 0001_clocks
-- Calendars of sla's own: the rules in force, what they were first, and how they change.

-- `rules` are in force; `seed` is what the configuration said at the first start, to be compared with; `history` tells
-- of each version its decision and since when it counts. Null until the next start of a schema that is older.
alter table calendars
    add column seed jsonb,
    add column rules jsonb,
    add column history jsonb not null default '[]';

-- A change that somebody proposes to the calendar of `base_version`: exceptions to add, and a later last date.
create table proposals (
    proposal_id uuid primary key,
    calendar text not null references calendars,
    base_version integer not null,
    exceptions jsonb not null,
    last_date date,
    state text not null check (state in ('proposed', 'approved', 'discarded')),
    proposed_by text not null,
    proposed_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    decision text,
    reason text,
    calendar_version integer
);
create index proposals_by_calendar on proposals (calendar, proposal_id);

-- By which version of the calendar a clock was derived, and the dossier's code, by which people know it.
alter table dossiers
    add column calendar_version integer not null default 0,
    add column code text;
update dossiers set calendar_version = coalesce((select max(version) from calendars), 0) where rules is not null;

-- The clocks that a change of the calendar concerns. Those of an older version stand at its beginning.
create index dossiers_open on dossiers (calendar_version, dossier_id) where waiting_for is not null or state <> 'ended';
