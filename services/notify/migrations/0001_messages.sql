-- Per dossier: the fences, and what notify knows of it.
create table dossiers (
    dossier_id uuid primary key,
    sequence bigint not null,
    fences jsonb not null,
    partition integer not null,
    -- of intake's events
    heard bigint not null,
    state text not null,
    state_since bigint not null,
    code text,
    department text,
    submitted_at timestamptz,
    reach jsonb not null,
    received jsonb,
    received_told boolean not null,
    result_arrived boolean not null,
    result_told boolean not null,
    -- of sla's
    paused boolean not null,
    due_at timestamptz,
    early jsonb not null,
    -- of routing's
    place jsonb
);

-- A plan and what became of it. No name, address or number of a person stands here: `content` holds the values of the
-- template's placeholders, and the contact is asked of intake at the moment of sending.
create table messages (
    message_id uuid primary key,
    dossier_id uuid not null references dossiers,
    dossier_sequence bigint not null,
    moment text not null,
    channel text not null check (channel in ('sms', 'email', 'none')),
    template text not null,
    template_version integer not null,
    content jsonb not null,
    -- where to go, as known when it was first sent: a repeat says the same
    place jsonb,
    planned_event uuid not null,
    correlation text not null,
    -- centre time
    planned_at timestamptz not null,
    not_before timestamptz not null,
    expires_at timestamptz not null,
    state text not null check (state in ('planned', 'sent', 'delivered', 'failed', 'unknown', 'dropped')),
    reason text,
    -- what the sender does next; `answer`: a sending is under way, or its sender died
    next_step text check (next_step in ('send', 'ask', 'answer')),
    attempts integer not null,
    -- an earlier attempt may have gone out
    in_doubt boolean not null,
    doubled boolean not null,
    parts integer not null,
    reference text,
    -- machine time; `claims` is the fencing token of the lease
    next_at timestamptz not null,
    leased_until timestamptz,
    claims bigint not null,
    check ((next_step is not null) = (state = 'planned'))
);

create index messages_due on messages (channel, next_at) where next_step is not null;
create index messages_by_dossier on messages (dossier_id);
create index messages_noticed on messages (state, message_id) where state in ('unknown', 'failed', 'dropped');
