-- Instruments that wait for their grantor's advanced signature: exactly the bytes that are shown, confirmed and signed, and what is given by them.
-- A row goes with its signature, or an hour after it was shown.
CREATE TABLE mandate_signing (
  id            uuid PRIMARY KEY,
  account_id    uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  activation_id text UNIQUE,
  plan          bytea NOT NULL,
  expires_at    timestamptz NOT NULL
);
CREATE INDEX mandate_signing_account ON mandate_signing (account_id, expires_at);
CREATE INDEX mandate_signing_over ON mandate_signing (expires_at);

COMMENT ON COLUMN mandate_signing.id IS 'sensitive: no';
COMMENT ON COLUMN mandate_signing.account_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_signing.activation_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_signing.plan IS 'sensitive: yes; sealed';
COMMENT ON COLUMN mandate_signing.expires_at IS 'sensitive: no';
