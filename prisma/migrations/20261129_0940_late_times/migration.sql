-- Signatures that were made while no time-stamp could be had: `waiting` for one, or `missing` it for good.

ALTER TABLE signing_signature ADD COLUMN time_state text NOT NULL DEFAULT 'stamped' CHECK (time_state IN ('stamped', 'waiting', 'missing'));
ALTER TABLE signing_signature ADD COLUMN time_due_at timestamptz;
ALTER TABLE signing_signature ADD COLUMN time_until timestamptz;
ALTER TABLE signing_signature ADD COLUMN time_tries int NOT NULL DEFAULT 0;
CREATE INDEX signing_signature_waiting ON signing_signature (time_due_at) WHERE time_state = 'waiting';

COMMENT ON COLUMN signing_signature.time_state IS 'sensitive: no';
COMMENT ON COLUMN signing_signature.time_due_at IS 'sensitive: no; when the next try is due';
COMMENT ON COLUMN signing_signature.time_until IS 'sensitive: no; the end of the certificate, after which a time-stamp proves nothing';
COMMENT ON COLUMN signing_signature.time_tries IS 'sensitive: no';
