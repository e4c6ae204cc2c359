-- depends: 0001_delivery
-- Dossiers, their idempotency keys and serials; personal data stands in tables of its own.

-- One row a dossier: what the rules need to judge its next act, and what routing and sla told last.
-- A row without a state is a dossier that another service spoke of before this one knew it.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    state text,
    came_from text,
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
    asked_papers jsonb not null,
    clock_sequence bigint not null,
    due jsonb,
    assignment jsonb
) with (fillfactor = 80);

-- id = system / code.
create table foreign_codes (
    id text primary key,
    system text not null,
    code text not null,
    dossier_id uuid not null
);
create index foreign_codes_by_dossier on foreign_codes (dossier_id);

-- The last serial of an agency's forms of one kind on one local date; dossier codes count under form 01.
create table serials (
    agency text not null,
    day date not null,
    form text not null,
    last integer not null,
    primary key (agency, day, form)
) with (fillfactor = 50);

-- Working calendars as sla published them.
create table calendars (
    name text primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    version integer not null,
    published jsonb
);

-- Personal data. It never leaves this service but through the API, and is erased here alone.
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

-- Free text and signatures that belong to an act.
create table details (
    dossier_id uuid not null,
    sequence bigint not null,
    content jsonb not null,
    primary key (dossier_id, sequence)
);

-- Who asked for a contact, and what for.
create table contact_lookups (
    id bigint generated always as identity primary key,
    dossier_id uuid not null,
    purpose text not null,
    message_id uuid,
    actor text not null,
    looked_up_at timestamptz not null
);
create index contact_lookups_by_dossier on contact_lookups (dossier_id);
