-- Roots of others that the public verifier believes, as an operator decided.
CREATE TABLE pki_trust_anchor (
  sha256   text PRIMARY KEY,
  title    text NOT NULL,
  level    text NOT NULL CHECK (level IN ('advanced', 'qualified')),
  der      bytea NOT NULL,
  added_at timestamptz NOT NULL
);

COMMENT ON COLUMN pki_trust_anchor.sha256 IS 'sensitive: no';
COMMENT ON COLUMN pki_trust_anchor.title IS 'sensitive: no';
COMMENT ON COLUMN pki_trust_anchor.level IS 'sensitive: no';
COMMENT ON COLUMN pki_trust_anchor.der IS 'sensitive: no';
COMMENT ON COLUMN pki_trust_anchor.added_at IS 'sensitive: no';
