-- Whose frames a print is of: one person may show the face by an account or at an agency's request, and a replay must be known at both doors.
ALTER TABLE liveness_replay ADD COLUMN subject_id uuid;
UPDATE liveness_replay r SET subject_id = coalesce((SELECT a.person_id FROM account a WHERE a.id = r.account_id), r.account_id);
CREATE INDEX liveness_replay_subject ON liveness_replay (subject_id, created_at);
COMMENT ON COLUMN liveness_replay.subject_id IS 'sensitive: no';
