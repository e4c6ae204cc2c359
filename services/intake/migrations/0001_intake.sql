-- depends: 0001_delivery
-- Dossiers, serials and hand-over batches; personal data is in tables of its own.

-- One row per dossier: what the rules need to decide its next act, and the last events of routing and sla about it.
-- A row without a state is a dossier of which another service's event arrived before its submission.
-- papers_waiting_since, papers_counter: papers wait there for a hand-over; papers_sent_sequence: the last event that
-- sent papers to the department. settled_at: the settlement in force; result_at: its result became available.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    state text,
    state_before_pause text,
    procedure text not null,
    department text,
    channel text not null,
    counter integer,
    code text unique,
    submitted_by text not null,
    submitted_at timestamptz,
    received_at timestamptz,
    last_act_at timestamptz,
    incomplete boolean not null,
    reach jsonb not null,
    handed_in jsonb not null,
    requested_papers jsonb not null,
    clock_sequence bigint not null,
    due jsonb,
    assignment jsonb,
    step integer not null default 1,
    extensions integer not null default 0,
    papers_waiting_since timestamptz,
    papers_counter integer,
    papers_sent_sequence bigint not null default 0,
    settled_at timestamptz,
    result_at timestamptz
) with (fillfactor = 80);

-- Dossiers whose competent department differs from the one that routing assigned: few, and checked by people.
create index dossiers_differing on dossiers (dossier_id)
    where department <> (assignment ->> 'competent_department');

-- The lists of waiting papers and of missing results are read page by page from the index alone. No column that most
-- acts change is in them, so those acts update no index of the row.
create index dossiers_papers_waiting on dossiers (dossier_id)
    include (code, procedure, department, channel, received_at, papers_counter, papers_waiting_since)
    where papers_waiting_since is not null;
create index dossiers_results_missing on dossiers (dossier_id)
    include (code, procedure, department, counter, settled_at)
    where settled_at is not null and result_at is null;

-- id = system / code.
create table foreign_codes (
    id text primary key,
    system text not null,
    code text not null,
    dossier_id uuid not null
);
create index foreign_codes_by_dossier on foreign_codes (dossier_id);

-- The last serial of an agency's forms of one kind on one local date. Dossier codes count under form 01; hand-over
-- batches count under BG, with the counter in place of the agency.
create table serials (
    agency text not null,
    day date not null,
    form text not null,
    last integer not null,
    primary key (agency, day, form)
) with (fillfactor = 50);

-- One row per hand-over batch. dossiers = [{dossier_id, code, procedure, sequence (of its hand-over), previous (the last
-- event before that sent papers)}], in key order.
create table hand_overs (
    number text primary key,
    counter integer not null,
    department text not null,
    given_by text not null,
    taken_by text not null,
    handed_over_at timestamptz not null,
    dossiers jsonb not null
);

-- Working calendars as sla published them.
create table calendars (
    name text primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    version integer not null,
    published jsonb
);

-- Personal data. It leaves this service only through the API and is erased only here.
create table applicants (
    dossier_id uuid primary key,
    name text,
    phone text,
    email text,
    id_number text,
    address text
);

create table documents (
    dossier_id uuid not null,
    sequence bigint not null,
    place integer not null,
    requirement text,
    title text not null,
    media_type text,
    size bigint,
    sha256 text,
    reference text,
    primary key (dossier_id, sequence, place)
);

-- Free text and signatures of an event.
create table details (
    dossier_id uuid not null,
    sequence bigint not null,
    content jsonb not null,
    primary key (dossier_id, sequence)
);

-- Who looked up a contact, and for what purpose.
create table contact_lookups (
    id bigint generated always as identity primary key,
    dossier_id uuid not null,
    purpose text not null,
    message_id uuid,
    actor text not null,
    looked_up_at timestamptz not null
);
create index contact_lookups_by_dossier on contact_lookups (dossier_id);
