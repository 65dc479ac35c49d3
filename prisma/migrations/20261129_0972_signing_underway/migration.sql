-- When the key for an instrument was asked for; what stays so is a signing that stopped on the way and gave nothing.
ALTER TABLE mandate_signing ADD COLUMN signing_at timestamptz;
COMMENT ON COLUMN mandate_signing.signing_at IS 'sensitive: no';
