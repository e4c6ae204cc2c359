-- depends: 0001_delivery
-- One row per dossier: its fences, and the state from which its alerts are planned.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    -- from intake's events: the latest sequence, the state, and the sequence of the event that entered it
    dossier_sequence bigint not null,
    state text not null,
    state_sequence bigint not null,
    code text,
    department text,
    submitted_at timestamptz,
    reach jsonb not null,
    received_event jsonb,
    received_planned boolean not null,
    result_arrived boolean not null,
    result_planned boolean not null,
    -- from sla's events
    paused boolean not null,
    due_at timestamptz,
    pending_deadlines jsonb not null,
    -- from routing's events
    place jsonb,
    -- state, due date and place with the instants from which they were in force: with a simulated clock, which jumps, a
    -- message is decided as of the instant for which it was planned
    history jsonb not null
);

-- One row per planned message, with its outcome. It contains no name, address or number of a person: `content` has the
-- values of the template's placeholders, and the contact is looked up at intake at the moment of sending.
create table messages (
    message_id uuid primary key,
    dossier_id uuid not null references dossiers,
    dossier_sequence bigint not null,
    moment text not null,
    channel text not null check (channel in ('sms', 'email', 'none')),
    template text not null,
    template_version integer not null,
    content jsonb not null,
    -- where to go, as known at the first attempt: a repetition has the same text
    place jsonb,
    planned_event uuid not null,
    correlation text not null,
    -- centre time
    planned_at timestamptz not null,
    not_before timestamptz not null,
    expires_at timestamptz not null,
    state text not null check (state in ('planned', 'sent', 'delivered', 'failed', 'unknown', 'dropped')),
    reason text,
    -- the sender's next step; `await_answer`: an attempt is under way, or its sender died
    next_step text check (next_step in ('send', 'query_status', 'await_answer')),
    attempts integer not null,
    -- an earlier attempt may have been sent
    in_doubt boolean not null,
    -- the message was repeated although the first attempt may have been sent
    possibly_doubled boolean not null,
    parts integer not null,
    reference text,
    -- machine time; `lease_token` is the fencing token of the lease
    next_at timestamptz not null,
    leased_until timestamptz,
    lease_token bigint not null,
    check ((next_step is not null) = (state = 'planned'))
);

create index messages_due on messages (channel, next_at) where next_step is not null;
create index messages_by_dossier on messages (dossier_id);
create index messages_by_state on messages (state, message_id) where state in ('unknown', 'failed', 'dropped');
