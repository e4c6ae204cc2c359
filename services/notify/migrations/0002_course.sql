-- depends: 0001_messages
-- What state, due date and place were from which instant on: a centre whose time jumps judges a message by the instant
-- that it was planned for.
alter table dossiers add column course jsonb not null default '{}';
