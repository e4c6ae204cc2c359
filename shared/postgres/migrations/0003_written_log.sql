-- depends: 0002_faults
-- What a service knows of its topics, and what a reader knows of them: to notice that Kafka lost records.

-- The log as its only writer knows it: the offset after the last acknowledged record of each partition, and the event of
-- that record.
create table produced_offsets (
    topic text not null,
    partition integer not null,
    end_offset bigint not null check (end_offset >= 0),
    last_id uuid,
    primary key (topic, partition)
);

-- The state of the service: the Kafka cluster to which it publishes, and why it is halted (null: it is not).
create table service_state (
    only_row boolean primary key default true check (only_row),
    cluster_id text,
    halted text,
    halted_at timestamptz
);
insert into service_state default values;

-- A halted service publishes nothing, so no transaction that would publish can commit.
create function refuse_while_halted() returns trigger language plpgsql as $$
declare reason text;
begin
    select halted into reason from service_state;
    if reason is not null then
        raise exception using errcode = 'MC001', message = reason;
    end if;
    return null;
end
$$;
create trigger refuse_while_halted before insert on outbox
    for each statement execute function refuse_while_halted();

-- The id of the event before next_offset; null if there is none, or the record is unreadable.
alter table stored_offsets add column last_id text;
