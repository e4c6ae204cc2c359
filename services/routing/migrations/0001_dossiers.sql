-- Per dossier: the fences, what routing must know of it, and the assignment told last.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    -- of intake's events
    procedure text,
    named_department text,
    submitted_at timestamptz,
    channel text,
    state text,
    code text,
    received_at timestamptz,
    dossier_sequence bigint not null,
    -- the decision: one of `department` and `waiting_for` from the submission on
    department text,
    receiving_place text check (receiving_place in ('department', 'general')),
    waiting_for text check (waiting_for in ('procedure', 'department')),
    assignment jsonb
);

-- A department's queue, page by page.
create index dossiers_open on dossiers (department, dossier_id)
    where state not in ('refused', 'withdrawn', 'stopped', 'returned');

create index dossiers_waiting on dossiers (dossier_id) where waiting_for is not null;
