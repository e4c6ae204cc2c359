-- depends: 0001_delivery
-- Faults that stop one partition, or that concern one row.

-- Why the partition's owner does not continue; null while it does.
alter table stored_offsets add column stopped text;

-- Rows that workers skip because a decision about them fails, until an operator deletes the entry: the table, the row's
-- key, and the worker that failed.
create table set_aside_rows (
    table_name text not null,
    key uuid not null,
    worker text not null,
    reason text not null,
    set_aside_at timestamptz not null default now(),
    primary key (table_name, key)
);
