-- depends: 0004_papers
-- The numbered batches in which papers go to the departments.

-- One row a batch. id = the key's owner, and the key that it was asked by; dossiers = [{dossier_id, code, procedure,
-- sequence (of its hand_over), after (the last event by which papers went before)}], in key order.
create table hand_overs (
    number text primary key,
    id text not null unique,
    fingerprint text not null,
    counter integer not null,
    department text not null,
    given_by text not null,
    taken_by text not null,
    handed_over_at timestamptz not null,
    dossiers jsonb not null
);
