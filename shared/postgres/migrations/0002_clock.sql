-- depends: 0001_delivery
-- What the centre's time goes by: one row, written at the first start, its kind for ever.
create table clock (
    only_row boolean primary key default true check (only_row),
    kind text not null check (kind in ('system', 'simulated')),
    starts_at timestamptz,
    now_at timestamptz,
    accept_until timestamptz,
    check (kind = 'simulated' and starts_at is not null and now_at >= starts_at and accept_until >= now_at
        or kind = 'system' and starts_at is null and now_at is null and accept_until is null)
);

-- A schema that is at work already belongs to a centre of the present: there was no other kind before.
insert into clock (kind) select 'system' where exists (select from events) or exists (select from stored_offsets);
