-- At which door a face check stands: the person's own account, or one agency's. Each door has one open check of a person, and tries of its own.
ALTER TABLE liveness_session ADD COLUMN door text NOT NULL DEFAULT '';
COMMENT ON COLUMN liveness_session.door IS 'sensitive: no';
DROP INDEX liveness_session_open;
CREATE INDEX liveness_session_open ON liveness_session (account_id, door) WHERE consumed_at IS NULL;
