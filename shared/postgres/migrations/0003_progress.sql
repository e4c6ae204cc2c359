-- depends: 0002_clock
-- For those who watch, in machine time: when a stored offset last moved, and since when an event waits for Kafka.
alter table stored_offsets add column moved_at timestamptz;
alter table outbox add column queued_at timestamptz not null default now();
