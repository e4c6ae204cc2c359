-- depends: 0003_later_acts
-- Where papers and results are.

-- papers_since, papers_counter: papers wait there for a hand-over; papers_sequence: the last event by which some went.
-- settled_at: the settlement that stands; result_at: its result is at the returning place, or is electronic.
alter table dossiers
    add column papers_since timestamptz,
    add column papers_counter integer,
    add column papers_sequence bigint not null default 0,
    add column settled_at timestamptz,
    add column result_at timestamptz;

-- Dossiers of before, by their events. Which counter is whose stands in the centre's folder alone: a take-over counts as
-- one at the department's own counter where routing had named that as the receiving place.
with told as (
    select f.key::uuid as dossier_id, f.type, f.sequence, f.time, f.value::jsonb as event, d.channel, d.counter,
        f.type in ('dossier.handed_over', 'dossier.settled', 'dossier.stopped', 'dossier.withdrawn')
            or (f.type = 'dossier.taken_over' and d.assignment ->> 'receiving_department' = d.department) as papers_go,
        d.received_at is not null and f.time >= d.received_at as after_receipt
    from events f join dossiers d on d.dossier_id::text = f.key
    where f.topic = 'intake.dossiers.v1'
), counted as (
    select dossier_id, coalesce(max(sequence) filter (where papers_go), 0) as went,
        coalesce(max(sequence) filter (where type = 'dossier.reopened'), 0) as reopened
    from told group by dossier_id
), came as (
    select distinct on (dossier_id) dossier_id, time,
        case type when 'dossier.received' then counter else coalesce((event ->> 'actorcounter')::integer, counter) end
            as at_counter
    from told join counted using (dossier_id)
    where sequence > went and (
        (type = 'dossier.received' and channel in ('counter', 'post'))
        or (type = 'dossier.supplement_received' and after_receipt and (
            exists (select from jsonb_array_elements(event -> 'data' -> 'documents') as one
                where one ->> 'media_type' is null)
            or (coalesce(jsonb_array_length(event -> 'data' -> 'documents'), 0) = 0 and channel in ('counter', 'post'))
        )))
    order by dossier_id, sequence
), results as (
    select dossier_id, max(time) filter (where type = 'dossier.settled') as settled_at,
        min(time) filter (where type in ('dossier.result_arrived', 'dossier.returned')
            or (event -> 'data' ->> 'electronic_result')::boolean) as result_at
    from told join counted using (dossier_id)
    where sequence > reopened group by dossier_id
)
update dossiers d set papers_sequence = counted.went, papers_since = came.time, papers_counter = came.at_counter,
    settled_at = results.settled_at, result_at = results.result_at
from counted left join came using (dossier_id) left join results using (dossier_id)
where counted.dossier_id = d.dossier_id;

-- Both lists, page by page, from the index alone. No column that most acts change stands here, so these acts leave every
-- index of the row as it is.
create index dossiers_papers_wait on dossiers (dossier_id)
    include (code, procedure, department, channel, received_at, papers_counter, papers_since)
    where papers_since is not null;
create index dossiers_results_miss on dossiers (dossier_id)
    include (code, procedure, department, counter, settled_at)
    where settled_at is not null and result_at is null;
