-- What a file was before its time-stamp came, for whoever kept that one; and when the wait for a time-stamp was given up.

ALTER TABLE signing_signature ADD COLUMN untimed_sha256 bytea;
ALTER TABLE signing_signature ADD COLUMN time_over_at timestamptz;
CREATE INDEX signing_signature_untimed ON signing_signature (untimed_sha256) WHERE untimed_sha256 IS NOT NULL;

COMMENT ON COLUMN signing_signature.untimed_sha256 IS 'sensitive: no; of the PDF, or of the signature beside a file, without its time-stamp';
COMMENT ON COLUMN signing_signature.time_over_at IS 'sensitive: no; when people were told that there will be no time-stamp';
