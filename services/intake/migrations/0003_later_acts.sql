-- depends: 0002_differing_assignments
-- The step that is under way where several departments resolve in order, and how often the due date was extended.
alter table dossiers add column step integer not null default 1, add column extensions integer not null default 0;
