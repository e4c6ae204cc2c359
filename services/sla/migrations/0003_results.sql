-- depends: 0002_calendars
-- When a dossier's result was there to be had. Of those that had ended before nobody kept it: they count as had.
alter table dossiers add column result_at timestamptz;
update dossiers set result_at = now() where state = 'ended';
