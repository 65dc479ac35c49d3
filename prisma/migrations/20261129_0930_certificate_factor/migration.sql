-- A certificate may be asked for at a sign-in too, where nobody is known yet; and some are ways in.
ALTER TABLE icp_request
  ALTER COLUMN account_id DROP NOT NULL,
  ADD COLUMN use  text NOT NULL DEFAULT 'seal' CHECK (use IN ('seal', 'enrol', 'sign-in', 'factor', 'recovery')),
  ADD COLUMN page text NOT NULL DEFAULT '/conta/nivel/certificado';

CREATE TABLE certificate_factor (
  id           uuid PRIMARY KEY,
  account_id   uuid NOT NULL REFERENCES account (id),
  fingerprint  bytea NOT NULL,
  issuer       text NOT NULL,
  in_hardware  boolean NOT NULL,
  not_after    timestamptz NOT NULL,
  added_at     timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at   timestamptz,
  warned_at    timestamptz,
  removed_at   timestamptz,
  seal         bytea NOT NULL
);
CREATE UNIQUE INDEX certificate_factor_live ON certificate_factor (fingerprint) WHERE removed_at IS NULL;
CREATE INDEX certificate_factor_account ON certificate_factor (account_id) WHERE removed_at IS NULL;

COMMENT ON COLUMN icp_request.use IS 'sensitive: no';
COMMENT ON COLUMN icp_request.page IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.id IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.account_id IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.fingerprint IS 'sensitive: yes';
COMMENT ON COLUMN certificate_factor.issuer IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.in_hardware IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.not_after IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.added_at IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.last_used_at IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.revoked_at IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.warned_at IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.removed_at IS 'sensitive: no';
COMMENT ON COLUMN certificate_factor.seal IS 'sensitive: no';
