-- depends: 0001_dossiers
-- The step under way where several departments resolve in order, and who has it from the second on.
alter table dossiers add column step integer not null default 1, add column passed_on_to text;
