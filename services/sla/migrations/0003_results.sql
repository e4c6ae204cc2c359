-- depends: 0002_calendars
-- When a dossier's result was there to be had; known from the acts of after this migration.
alter table dossiers add column result_at timestamptz;
