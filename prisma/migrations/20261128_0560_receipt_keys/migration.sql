-- Keys that sign receipts and results of validations, the newest in use. The first of all is derived from the keyring and has no row.
CREATE TABLE receipt_signing_key (
  kid        text PRIMARY KEY,
  sealed     bytea NOT NULL,
  created_at timestamptz NOT NULL
);
COMMENT ON COLUMN receipt_signing_key.kid IS 'sensitive: no';
COMMENT ON COLUMN receipt_signing_key.sealed IS 'sensitive: yes';
COMMENT ON COLUMN receipt_signing_key.created_at IS 'sensitive: no';
