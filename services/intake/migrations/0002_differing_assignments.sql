-- depends: 0001_dossiers
-- Dossiers whose competent department routing sees elsewhere: few, and looked for by people.
create index dossiers_differing on dossiers (dossier_id)
    where department <> (assignment ->> 'competent_department');
