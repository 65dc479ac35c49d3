-- Acting for somebody else in the protocol. For whom a citizen acts at a relying party belongs to the grant of that session and client: one
-- party at a time (party_id NULL = "eu mesmo"), under one mandate (mandate_id NULL = by the company register). A mandate that ends sets
-- ended_at in its own transaction, and no token is handed out after that; killed_at follows when the grant is gone and the relying party told.
CREATE TABLE oidc_representation (
  grant_id     text PRIMARY KEY,
  account_id   text NOT NULL,
  client_id    text NOT NULL,
  session_uid  text,
  acting_id    text,
  mandate_id   text,
  party_id     text,
  chosen_at    timestamptz NOT NULL,
  used_at      timestamptz,
  ended_at     timestamptz,
  ended_reason text,
  killed_at    timestamptz
);
CREATE INDEX oidc_representation_mandate ON oidc_representation (mandate_id) WHERE ended_at IS NULL AND mandate_id IS NOT NULL;
CREATE INDEX oidc_representation_to_kill ON oidc_representation (ended_at) WHERE ended_at IS NOT NULL AND killed_at IS NULL;

-- The federal login's relying parties know mandates and services by number.
CREATE TABLE oidc_representation_number (
  number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject text NOT NULL UNIQUE
);

-- Which power each scope of an API needs when a token is exchanged for it; a scope that is not named is not given.
ALTER TABLE oidc_resource ADD COLUMN scope_powers jsonb NOT NULL DEFAULT '{}';

COMMENT ON COLUMN oidc_representation.grant_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.account_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.client_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.session_uid IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.acting_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.party_id IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.chosen_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.used_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.ended_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.ended_reason IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.killed_at IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation_number.number IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation_number.subject IS 'sensitive: no';
COMMENT ON COLUMN oidc_resource.scope_powers IS 'sensitive: no';
